# SPDX-License-Identifier: MIT
"""The models that voxrecon knows by name, and the one that comes with it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from shrink import ROOT

from voxrecon.apis import VoxelInferencer, list_models
from voxrecon.apis.inferencer import DEFAULT_MODEL
from voxrecon.apis.model_zoo import find_model, read_metafiles
from voxrecon.engine.config import check_config, load_config
from voxrecon.errors import ConfigError
from voxrecon.geometry.camera import View
from voxrecon.geometry.rendering import Renderer
from voxrecon.geometry.shapes13 import CLASSES, make_shape
from voxrecon.geometry.voxelization import voxelize

CLASS_MEAN = 0.325  # IoU of the training set's mean grid of the true class (docs/shapes13.md)


@pytest.fixture(scope="module")
def inferencer() -> VoxelInferencer:
    return VoxelInferencer(device="cpu")


def test_list_of_models():
    names = list_models()
    assert names[0] == DEFAULT_MODEL and len(names) == len(set(names)) == len(read_metafiles())
    assert {"pix2vox_a", "pix2voxpp_f", "r2n2", "attsets", "mem3d", "pix2vox_lstm"} <= set(names)
    with_weights = [name for name in names if find_model(name).folder]
    assert with_weights == [DEFAULT_MODEL]
    assert find_model("pix2voxpp_a").parameters == 96_329_421
    with pytest.raises(ConfigError, match="pix2voxpp_fs: no such model; did you mean pix2voxpp_f"):
        find_model("pix2voxpp_fs")
    with pytest.raises(ConfigError, match="xyz: no such model; voxrecon list names them all"):
        find_model("xyz")


def test_it_is_the_network_of_its_config():
    model = find_model(DEFAULT_MODEL)
    cfg = load_config(model.config)
    check_config(cfg)
    loaded = VoxelInferencer(DEFAULT_MODEL, device="cpu").model
    assert loaded.data_preprocessor.size == cfg.model.data_preprocessor.size == 112
    assert sum(p.numel() for p in loaded.parameters()) == model.parameters
    assert {path.name for path in model.folder.iterdir()} == {
        "README.md", "config.json", "model.safetensors"
    }  # fmt: skip
    assert (model.folder / "model.safetensors").stat().st_size <= 12 * 2**20
    card = (model.folder / "README.md").read_text()
    assert "**mean over samples**" in card and "class mean" in card
    assert "procedural" in card


def test_objects_that_it_has_not_seen(inferencer, tmp_path):
    """The last of 400 objects of each class, three views: better than knowing the class."""
    ious = []
    for shape_class in CLASSES:
        surface = make_shape(shape_class, 0, 399)
        renderer, truth = Renderer(surface), voxelize(surface, 32)
        photos = []
        for azimuth in (40, 160, 280):
            path = tmp_path / f"{shape_class.name}_{azimuth}.png"
            Image.fromarray(renderer(View(azimuth, 28, 0.8))).save(path)
            photos.append(path)
        found = inferencer(photos).occupied
        ious.append(np.logical_and(found, truth).sum() / np.logical_or(found, truth).sum())
    assert np.mean(ious) > CLASS_MEAN


def test_it_can_be_sure(inferencer):
    """Probabilities reach beyond a half: the closing layer has weights of both signs."""
    weight = inferencer.model.decoder.head.weight
    assert weight.max() > 0 > weight.min()
    photos = [ROOT / f"docs/photos/chair{i}.jpg" for i in (1, 2, 3)]
    assert inferencer(photos).volume.max() > 0.9
