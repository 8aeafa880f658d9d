# SPDX-License-Identifier: MIT
"""One mesh of a folder: its renderings and grids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voxrecon.cli.common import one_line
from voxrecon.cli.mesh_folder import MeshFile
from voxrecon.errors import FileError
from voxrecon.geometry import Renderer, View, read_mesh, voxelize, write_binvox
from voxrecon.geometry import r2n2_layout as layout


@dataclass(frozen=True)
class Recipe:
    """What all objects of a data set have in common; ``resolution`` is of this run alone."""

    up: str
    front: str
    fill: str
    size: int
    resolution: tuple[int, ...]


def render_mesh(root: Path, mesh: MeshFile, recipe: Recipe, views: Sequence[View]) -> str | None:
    """Make what is missing of one object; what is wrong with its mesh, or None.

    Raises:
        FileError: something cannot be written.
    """
    try:
        surface = read_mesh(mesh.path, recipe.up, recipe.front)
    except FileError as error:
        return one_line(error)
    for resolution, grid in _grids(root, mesh, recipe):
        if not layout.is_filled(grid):
            try:
                cells = voxelize(surface, resolution, recipe.fill)
            except ValueError as error:
                return one_line(ValueError(f"{mesh.path}: {error}"))
            grid.parent.mkdir(parents=True, exist_ok=True)
            write_binvox(grid, cells)
    pictures = layout.rendering_folder(root, mesh.taxonomy, mesh.name)
    if not layout.is_complete(pictures, len(views)):
        renderer = Renderer(surface)
        images = [renderer(view, size=recipe.size) for view in views]
        layout.write_renderings(pictures, images, views)
    return None


def _grids(root: Path, mesh: MeshFile, recipe: Recipe) -> list[tuple[int, Path]]:
    return [
        (resolution, layout.voxel_file(root, mesh.taxonomy, mesh.name, resolution))
        for resolution in recipe.resolution
    ]


def is_done(root: Path, mesh: MeshFile, recipe: Recipe, views: int) -> bool:
    """Whether all of an object is there."""
    pictures = layout.rendering_folder(root, mesh.taxonomy, mesh.name)
    return layout.is_complete(pictures, views) and all(
        layout.is_filled(grid) for _, grid in _grids(root, mesh, recipe)
    )
