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
from collections.abc import Collection, Sequence
from pathlib import Path

import cv2
import numpy as np

from voxrecon.fileio import atomic_folder, atomic_write

from .camera import View, format_metadata


def rendering_folder(root: str | os.PathLike, taxonomy: str, name: str) -> Path:
    """Where the renderings of an object are."""
    return Path(root, "ShapeNetRendering", taxonomy, name, "rendering")


def voxel_file(root: str | os.PathLike, taxonomy: str, name: str, resolution: int) -> Path:
    """Where the grid of an object is."""
    return Path(root, f"ShapeNetVox{resolution}", taxonomy, name, "model.binvox")


def is_filled(path: Path) -> bool:
    """Whether there is such a file, and not an empty one."""
    return path.is_file() and path.stat().st_size > 0


def is_complete(folder: Path, views: int) -> bool:
    """Whether the renderings of an object are all there."""
    names = [f"{i:02d}.png" for i in range(views)]
    return all(
        is_filled(folder / name) for name in (*names, "renderings.txt", "rendering_metadata.txt")
    )


def write_renderings(folder: Path, images: Sequence[np.ndarray], views: Sequence[View]) -> None:
    """Write RGBA pictures (h, w, 4) uint8 and their metadata; the object's folder, which holds
    ``folder``, appears as a whole.

    Raises:
        FileError: something cannot be written.
    """
    names = [f"{i:02d}.png" for i in range(len(images))]
    with atomic_folder(folder.parent) as whole:
        inside = whole / folder.name
        inside.mkdir()
        for name, image in zip(names, images, strict=True):
            _, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA))
            (inside / name).write_bytes(data)
        (inside / "renderings.txt").write_text("".join(f"{name}\n" for name in names))
        (inside / "rendering_metadata.txt").write_text(format_metadata(views))


def remove_leftovers(root: str | os.PathLike, keys: Collection[tuple[str, str]]) -> None:
    """Remove what a killed run left half-written of the objects (taxonomy, id); no other run may be
    at work on them."""
    for path in Path(root).glob("ShapeNetRendering/*/.*.part"):
        if (path.parent.name, path.name[1:].removesuffix(".part").rpartition(".")[0]) in keys:
            shutil.rmtree(path, ignore_errors=True)
    for path in Path(root).glob("ShapeNetVox*/*/*/.model.binvox.*.part"):
        if (path.parent.parent.name, path.parent.name) in keys:
            path.unlink(missing_ok=True)


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
