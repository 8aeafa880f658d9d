# SPDX-License-Identifier: MIT
"""A small data set to measure with where no real one is at hand."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from voxrecon.geometry.binvox import write_binvox

OBJECTS, RENDERINGS, SIZE, GRID = 8, 24, 137, 32  # sizes as in ShapeNetRendering


def make_data(root: Path) -> None:
    """Shaded ellipsoids in the layout of R2N2; PNG files of 6 to 15 kB, ShapeNet's 5 to 13."""
    rng = np.random.default_rng(0)
    cells = (np.arange(GRID) + 0.5) / GRID * 2 - 1
    rows, columns = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    names = [f"object_{i}" for i in range(OBJECTS)]
    for name in names:
        radii = rng.uniform(0.4, 0.9, 3)
        x, y, z = np.meshgrid(*(cells / r for r in radii), indexing="ij")
        folder = root / "ShapeNetVox32" / "03001627" / name
        folder.mkdir(parents=True)
        write_binvox(folder / "model.binvox", x**2 + y**2 + z**2 < 1)
        folder = root / "ShapeNetRendering" / "03001627" / name / "rendering"
        folder.mkdir(parents=True)
        for view in range(RENDERINGS):
            width = np.interp(np.cos(view / RENDERINGS * 2 * np.pi) ** 2, (0, 1), radii[[0, 2]])
            depth = 1 - (rows / radii[1]) ** 2 - (columns / width) ** 2
            shade = 200 * np.sqrt(depth.clip(0)) + rng.normal(0, 1, depth.shape)
            picture = np.stack([0.6 * shade, 0.8 * shade, shade, 255 + 0 * shade], -1)
            picture = np.where(depth[..., None] > 0, picture, 0).clip(0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"{view:02d}.png"), picture)
    split = dict.fromkeys(("train", "val", "test"), names)
    taxonomy = [{"taxonomy_id": "03001627", "taxonomy_name": "chair", **split}]
    (root / "taxonomy.json").write_text(json.dumps(taxonomy))
