# SPDX-License-Identifier: MIT
"""A small data set to measure with where no real one is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voxrecon.geometry import View, write_binvox
from voxrecon.geometry.r2n2_layout import (
    rendering_folder,
    voxel_file,
    write_renderings,
    write_taxonomy,
)

OBJECTS, RENDERINGS, SIZE, GRID = 8, 24, 137, 32  # sizes as in ShapeNetRendering
CHAIR = "03001627"


def make_data(root: Path) -> None:
    """Shaded ellipsoids in the layout of R2N2; PNG files of 6 to 15 kB, ShapeNet's 5 to 13."""
    rng = np.random.default_rng(0)
    cells = (np.arange(GRID) + 0.5) / GRID * 2 - 1
    rows, columns = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    views = [View(360 * i / RENDERINGS, 0.0) for i in range(RENDERINGS)]
    names = [f"object_{i}" for i in range(OBJECTS)]
    for name in names:
        radii = rng.uniform(0.4, 0.9, 3)
        x, y, z = np.meshgrid(*(cells / r for r in radii), indexing="ij")
        path = voxel_file(root, CHAIR, name, GRID)
        path.parent.mkdir(parents=True)
        write_binvox(path, x**2 + y**2 + z**2 < 1)
        images = []
        for view in views:
            width = np.interp(np.cos(np.radians(view.azimuth)) ** 2, (0, 1), radii[[0, 2]])
            depth = 1 - (rows / radii[1]) ** 2 - (columns / width) ** 2
            shade = 200 * np.sqrt(depth.clip(0)) + rng.normal(0, 1, depth.shape)
            picture = np.stack([shade, 0.8 * shade, 0.6 * shade, 255 + 0 * shade], -1)
            picture = np.where(depth[..., None] > 0, picture, 0).clip(0, 255).astype(np.uint8)
            images.append(picture)
        folder = rendering_folder(root, CHAIR, name)
        folder.parent.parent.mkdir(parents=True, exist_ok=True)
        write_renderings(folder, images, views)
    splits = dict.fromkeys(("train", "val", "test"), names)
    write_taxonomy(root / "taxonomy.json", [(CHAIR, "chair", splits)])
