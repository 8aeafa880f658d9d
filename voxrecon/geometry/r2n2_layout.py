# SPDX-License-Identifier: MIT
"""Writing objects in the layout of the 3D-R2N2 renderings, which every config reads.

::

    taxonomy.json                                              classes, ids, splits
    ShapeNetRendering/<taxonomy>/<id>/rendering/00.png ...     and rendering_metadata.txt
    ShapeNetVox32/<taxonomy>/<id>/model.binvox
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from voxrecon.errors import FileError
from voxrecon.fileio import atomic_write, reason

from .binvox import write_binvox
from .camera import View, write_metadata


def rendering_folder(root: str | os.PathLike, taxonomy: str, name: str) -> Path:
    """Where the renderings of an object are."""
    return Path(root, "ShapeNetRendering", taxonomy, name, "rendering")


def voxel_file(root: str | os.PathLike, taxonomy: str, name: str, resolution: int) -> Path:
    """Where the grid of an object is."""
    return Path(root, f"ShapeNetVox{resolution}", taxonomy, name, "model.binvox")


def write_renderings(folder: Path, images: Sequence[np.ndarray], views: Sequence[View]) -> None:
    """Write RGBA pictures (h, w, 4) uint8 and their metadata; the folder appears as a whole.

    Raises:
        FileError: something cannot be written.
    """
    whole = folder.parent
    partial = whole.with_name(f".{whole.name}.part")  # left by a killed run: made anew
    try:
        shutil.rmtree(partial, ignore_errors=True)
        inside = partial / folder.name
        inside.mkdir(parents=True)
        names = [f"{i:02d}.png" for i in range(len(images))]
        for name, image in zip(names, images, strict=True):
            _, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA))
            (inside / name).write_bytes(data)
        (inside / "renderings.txt").write_text("".join(f"{name}\n" for name in names))
        write_metadata(inside / "rendering_metadata.txt", views)
        os.rename(partial, whole)
    except OSError as error:
        raise FileError(f"{folder}: cannot be written: {reason(error)}") from error


def write_voxels(path: Path, grid: np.ndarray) -> None:
    """Write a grid (X, Y, Z) bool; missing folders are made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {reason(error)}") from error
    write_binvox(path, grid)


def split(names: Sequence[str]) -> dict[str, list[str]]:
    """Names by split: the last ceil(0.2 n) for the test, floor(0.1 n) before them for validation.

    A single one is in all three.

    >>> {key: len(part) for key, part in split([str(i) for i in range(60)]).items()}
    {'train': 42, 'val': 6, 'test': 12}
    """
    names = list(names)
    if len(names) == 1:
        return {"train": names, "val": names, "test": names}
    test = len(names) - math.ceil(len(names) / 5)
    val = test - len(names) // 10
    return {"train": names[:val], "val": names[val:test], "test": names[test:]}


def write_taxonomy(
    path: str | os.PathLike, classes: Sequence[tuple[str, str, dict[str, list[str]]]]
) -> None:
    """Write the taxonomy JSON of (taxonomy id, name, ids by split)."""
    entries = [
        {"taxonomy_id": taxonomy, "taxonomy_name": name, **splits}
        for taxonomy, name, splits in classes
    ]
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(entries, indent=1) + "\n")
