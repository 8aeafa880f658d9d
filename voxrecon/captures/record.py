# SPDX-License-Identifier: MIT
"""Captured objects in a data set of the R2N2 layout: each as a whole, and then in the taxonomy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voxrecon.datasets.json_files import check_plain, read_json
from voxrecon.datasets.taxonomy import MAX_BYTES, SPLITS, read_taxonomy
from voxrecon.errors import ConfigError
from voxrecon.fileio import atomic_write
from voxrecon.geometry import r2n2_layout as layout
from voxrecon.geometry.binvox import write_binvox
from voxrecon.geometry.camera import View


def find_class(root: Path, wanted: str) -> tuple[str, str]:
    """Id and name of a class: of the data set's taxonomy if it has it, else of ShapeNet's 13, else
    a new one whose id is its name.

    Raises:
        FileError: the taxonomy is damaged, or the class no plain name.
    """
    from voxrecon.geometry.shapes13 import CLASSES

    known = [(c.taxonomy, c.name) for c in CLASSES]
    if (root / "taxonomy.json").exists():
        known = [(c.id, c.name) for c in read_taxonomy(root / "taxonomy.json")] + known
    for key in known:
        if wanted in key:
            return key
    check_plain(wanted, "--class")
    return wanted, wanted


def check_free(root: Path, taxonomy: str, name: str) -> None:
    """Refuse an object that is there already.

    Raises:
        ConfigError: it is in the taxonomy, or its folder is there.
        FileError: the taxonomy is damaged.
    """
    path = root / "taxonomy.json"
    classes = read_taxonomy(path) if path.exists() else []
    listed = any(c.id == taxonomy and name in ids for c in classes for ids in c.splits.values())
    folder = layout.rendering_folder(root, taxonomy, name).parent
    if listed or folder.exists():
        where = path if listed else folder
        raise ConfigError(
            f"{where}: {taxonomy}/{name} is there already, expected another --id, or --overwrite"
        )


def write_object(
    root: Path,
    key: tuple[str, str, str],
    split: str,
    images: Sequence[np.ndarray],
    views: Sequence[View],
    grid: np.ndarray,
) -> dict[str, int]:
    """Write renderings and grid of an object and then name it in the taxonomy; one that has this
    key is replaced, in whatever split it was. If it is new and something fails, nothing of it is
    left.

    Args:
        key: Id and name of its class, and its own id.

    Returns:
        How many objects each split has now.

    Raises:
        FileError: something cannot be written, or the taxonomy is damaged.
    """
    taxonomy, _, name = key
    pictures = layout.rendering_folder(root, taxonomy, name)
    cells = layout.voxel_file(root, taxonomy, name, len(grid))
    new = [folder for folder in (pictures.parent, cells.parent) if not folder.exists()]
    try:
        layout.write_renderings(pictures, images, views)
        cells.parent.mkdir(parents=True, exist_ok=True)
        write_binvox(cells, grid)
        for grids in root.glob("ShapeNetVox*"):  # of the scan that this one replaces
            if grids != cells.parents[2]:
                shutil.rmtree(grids / taxonomy / name, ignore_errors=True)
        return _append(root / "taxonomy.json", key, split)
    except BaseException:  # Ctrl-C too
        for folder in new:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _append(path: Path, key: tuple[str, str, str], split: str) -> dict[str, int]:
    taxonomy, label, name = key
    entries = []
    if path.exists():
        read_taxonomy(path)  # refuses what is damaged
        entries = read_json(str(path), MAX_BYTES, "taxonomy file")
    entry = next((e for e in entries if e["taxonomy_id"] == taxonomy), None)
    if entry is None:
        entry = {"taxonomy_id": taxonomy, "taxonomy_name": label, **{s: [] for s in SPLITS}}
        entries.append(entry)
    if name not in entry.get(split, []):
        for other in SPLITS:
            if name in entry.get(other, []):
                entry[other].remove(name)
        entry.setdefault(split, []).append(name)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(entries, indent=1) + "\n")
    return {s: sum(len(e.get(s, [])) for e in entries) for s in SPLITS}
