# SPDX-License-Identifier: MIT
"""Small data sets in the R2N2 layout, made on the spot: the same arguments give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from voxrecon.geometry.binvox import write_binvox

CLASSES = {"03001627": "chair", "02691156": "aeroplane", "04379243": "table", "02958343": "car"}


def make_grid(key: int, grid: int = 32) -> np.ndarray:
    """A solid without mirror symmetry, (X, Y, Z) bool: seat, back at low x, one arm at high z."""
    rng = np.random.default_rng(key)
    low, seat, thick = (max(1, round(grid * f)) for f in (0.15, 0.4, 0.12))
    high = grid - low
    top = seat + thick + int(rng.integers(thick, max(thick + 1, high - seat - thick)))
    voxels = np.zeros((grid, grid, grid), bool)
    voxels[low:high, seat : seat + thick, low:high] = True
    voxels[low : low + thick, seat:top, low:high] = True
    arm = low + thick + int(rng.integers(1, max(2, high - low - thick)))
    voxels[low:arm, seat : seat + 2 * thick, high - thick : high] = True
    leg = low + int(rng.integers(0, max(1, high - low - thick)))
    voxels[leg : leg + thick, low:seat, low : low + thick] = True
    return voxels


def draw_view(voxels: np.ndarray, view: int, size: int = 137) -> np.ndarray:
    """What a level camera at azimuth ``90 * view`` sees, (H, W, 4) uint8 RGBA.

    R is the nearness, G falls with height, B is ten times the view's number; alpha is 0 around the
    object and partial at its edge.
    """
    turned = np.rot90(voxels, -view, axes=(0, 2))  # the camera stands on +x now
    nearest = turned.shape[0] - np.argmax(turned[::-1], axis=0)  # (Y, Z), 1..X
    hit = turned.any(axis=0)
    picture = np.zeros((*hit.shape, 4), np.uint8)
    picture[..., 0] = 255 * nearest // turned.shape[0]
    picture[..., 1] = 255 - (255 * np.arange(hit.shape[0]) // hit.shape[0])[:, None]
    picture[..., 2] = view * 10 % 256
    picture[..., 3] = 255
    picture[~hit] = 0
    side = size * 3 // 4
    # up is the first row, and the viewer's right is -z
    picture = cv2.resize(np.ascontiguousarray(picture[::-1, ::-1]), (side, side))
    image = np.zeros((size, size, 4), np.uint8)
    start = (size - side) // 2
    image[start : start + side, start : start + side] = picture
    return image


def make_r2n2(
    root: str | Path,
    n: int = 6,
    classes: Sequence[str] = ("03001627", "02691156"),
    views: int = 24,
    size: int = 137,
    grid: int = 32,
    splits: Sequence[str] = ("train", "val", "test"),
    flat_voxels: bool = False,
) -> list[tuple[str, str]]:
    """Write a data set and its ``taxonomy.json`` under ``root``.

    Args:
        n: Objects in all, dealt to the classes in turn; every split holds all of them. Ids repeat
            across classes: the i-th object of each class is ``object_i``.
        classes: Class ids, keys of ``CLASSES``.
        views: Renderings of an object, ``size`` x ``size`` RGBA.
        flat_voxels: Write ``{taxonomy}/{id}.binvox`` instead of ``{taxonomy}/{id}/model.binvox``.

    Returns:
        The keys (taxonomy, id) in the order of the taxonomy file, thus of the data set.
    """
    root = Path(root)
    ids: dict[str, list[str]] = {name: [] for name in classes}
    for number in range(n):
        taxonomy = classes[number % len(classes)]
        name = f"object_{number // len(classes)}"
        ids[taxonomy].append(name)
        voxels = make_grid(number, grid)
        stem = root / "ShapeNetVox32" / taxonomy / name
        path = stem.with_suffix(".binvox") if flat_voxels else stem / "model.binvox"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_binvox(path, voxels)
        folder = root / "ShapeNetRendering" / taxonomy / name / "rendering"
        folder.mkdir(parents=True)
        for view in range(views):
            picture = cv2.cvtColor(draw_view(voxels, view, size), cv2.COLOR_RGBA2BGRA)
            cv2.imwrite(str(folder / f"{view:02d}.png"), picture)
        rows = "".join(f"{90 * view % 360} 0 0 0.8 25\n" for view in range(views))
        (folder / "rendering_metadata.txt").write_text(rows)
        (folder / "renderings.txt").write_text(
            "".join(f"{view:02d}.png\n" for view in range(views))
        )
    taxonomy_json = [
        {"taxonomy_id": key, "taxonomy_name": CLASSES[key], **dict.fromkeys(splits, names)}
        for key, names in ids.items()
    ]
    (root / "taxonomy.json").write_text(json.dumps(taxonomy_json, indent=1))
    return [(key, name) for key, names in ids.items() for name in names]
