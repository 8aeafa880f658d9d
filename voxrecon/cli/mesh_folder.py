# SPDX-License-Identifier: MIT
"""Which meshes a folder holds, by class, and which of them are whose."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from voxrecon.cli.common import with_bar
from voxrecon.errors import ConfigError, FileError
from voxrecon.fileio import reason
from voxrecon.geometry.mesh_files import KINDS


@dataclass(frozen=True, order=True)
class MeshFile:
    """A mesh, the class that it belongs to, and its id there."""

    taxonomy: str
    name: str
    path: Path


def find_meshes(root: Path) -> list[MeshFile]:
    """The meshes of a folder, in the order of their classes and ids.

    ``<class>/<id>.obj`` and ``<class>/<id>/**/*.obj`` (one mesh, such as ShapeNet's
    ``models/model_normalized.obj``), or ``<id>.obj`` of one class named after the folder.

    Raises:
        FileError: there are none, some of both kinds, or two of one class and id; a folder cannot
            be read or holds several meshes; a class or id is not a plain file name.
    """
    from voxrecon.datasets.json_files import check_plain

    flat = [MeshFile(root.resolve().name, path.stem, path) for path in _meshes(root)]
    nested = []
    for folder in with_bar(_folders(root), "looking for meshes"):
        nested += [MeshFile(folder.name, path.stem, path) for path in _meshes(folder)]
        for inside in _folders(folder):
            found = [path for place, *_ in os.walk(inside) for path in _meshes(Path(place))]
            if len(found) > 1:
                raise FileError(f"{inside}: {len(found)} meshes, expected one, of that id")
            nested += [MeshFile(folder.name, inside.name, path) for path in found]
    if flat and nested:
        raise FileError(
            f"{root}: meshes both directly in it and in folders, expected <class>/<id>.obj or "
            "<id>.obj alone"
        )
    meshes = sorted(flat + nested)
    if not meshes:
        kinds = ", ".join(kind[1:] for kind in KINDS)
        raise FileError(f"{root}: no meshes, expected files of type {kinds}")
    places: dict[tuple[str, str], Path] = {}
    for mesh in meshes:
        check_plain(mesh.taxonomy, str(mesh.path))
        check_plain(mesh.name, str(mesh.path))
        other = places.setdefault((mesh.taxonomy, mesh.name), mesh.path)
        if other != mesh.path:
            raise FileError(f"{mesh.path}: has the class and id of {other}, expected others")
    return meshes


def parse_shard(text: str | None) -> tuple[int, int] | None:
    """``"2/8"`` to (2, 8).

    Raises:
        ConfigError: it is not of this form, or not a part from 1 to the number of parts.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text, re.ASCII)
    part, parts = map(int, match.groups()) if match else (0, 0)
    if not 1 <= part <= parts:
        raise ConfigError(f"--shard {text}: expected I/N with I from 1 to N, such as 1/8")
    return part, parts


def _meshes(folder: Path) -> list[Path]:
    return [p for p in _entries(folder) if p.suffix.lower() in KINDS and not p.is_dir()]


def _folders(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if path.is_dir()]


def _entries(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in os.listdir(folder) if not name.startswith(".")]
    except (OSError, ValueError) as error:
        raise FileError(f"{folder}: cannot be read: {reason(error)}") from error
