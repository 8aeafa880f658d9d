# SPDX-License-Identifier: MIT
"""Model folders of tiny networks, and photos of something without symmetry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from shrink import ROOT, shrink

from voxrecon.apis.model_folder import write_model_folder
from voxrecon.engine.config import load_config
from voxrecon.registry import MODELS


def make_model_folder(folder: Path, config: str = "configs/pix2voxpp_f.py") -> Path:
    """A narrow network of a config with random weights; from photo to photo it differs."""
    torch.manual_seed(0)
    cfg = shrink(load_config(ROOT / config).model.to_dict())
    model = MODELS.build(cfg).eval()
    model.init_weights()
    write_model_folder(folder, model, cfg, "# a tiny network\n")
    return folder


def make_photo(path: Path, seed: int = 0, alpha: bool = True) -> Path:
    """A coloured step on nothing, or on grey; PNG of 90 x 70 pixels."""
    rng = np.random.default_rng(seed)
    pixels = np.full((70, 90, 4), (128, 128, 128, 0 if alpha else 255), np.uint8)
    colour = (*rng.integers(0, 90, 3), 255)
    pixels[15:55, 20 : 40 + 4 * (seed % 5)] = colour
    pixels[40:55, 30:75] = colour
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path
