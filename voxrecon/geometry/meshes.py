# SPDX-License-Identifier: MIT
"""Grids to triangle meshes, and their files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from voxrecon.choices import MESH_FORMATS
from voxrecon.errors import FileError
from voxrecon.fileio import atomic_write

if TYPE_CHECKING:
    from trimesh import Trimesh

TAUBIN = (0.5, 0.53)  # of the way to the neighbours' mean, and back
COLOUR = (120, 164, 220, 255)  # RGBA, as in the pictures
# corners of a cell's side at the low and at the high end of an axis, counter-clockwise from outside
SIDES = (((0, 0), (0, 1), (1, 1), (1, 0)), ((0, 0), (1, 0), (1, 1), (0, 1)))


def outer_faces(grid: np.ndarray) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """The faces between set cells and empty ones, direction by direction.

    Yields the axis, 0 or 1 for the face at a cell's low or high end, the cells (F, 3) that have
    such a face, and its corners (4, 3) in a cell at the origin, counter-clockwise from outside.
    """
    padded = np.pad(grid, 1)
    for axis in range(3):
        for step in (0, 1):
            neighbour = np.roll(padded, 1 - 2 * step, axis)[1:-1, 1:-1, 1:-1]
            corners = np.zeros((4, 3), int)
            corners[:, axis] = step
            corners[:, [(axis + 1) % 3, (axis + 2) % 3]] = SIDES[step]
            yield axis, step, np.argwhere(grid & ~neighbour), corners


def voxel_mesh(grid: np.ndarray) -> Trimesh:
    """The outer faces of the set cells of a (X, Y, Z) bool grid, two triangles each.

    Axes are the grid's (y up, the front towards +x); the grid fills the cube from -0.5 to 0.5.

    Raises:
        ValueError: the grid has not three equal axes, or no cell is set.
    """
    import trimesh

    grid = np.asarray(grid, bool)
    if grid.ndim != 3 or len(set(grid.shape)) != 1 or not grid.any():
        raise ValueError(
            f"grid of shape {grid.shape} with {grid.sum()} set cells, expected a cube with some"
        )
    quads = np.concatenate(
        [cells[:, None] + corners for _, _, cells, corners in outer_faces(grid)]
    )  # (F, 4, 3)
    corners, index = np.unique(quads.reshape(-1, 3), axis=0, return_inverse=True)
    index = index.reshape(-1, 4)
    faces = np.concatenate((index[:, [0, 1, 2]], index[:, [0, 2, 3]]))
    mesh = trimesh.Trimesh(corners / len(grid) - 0.5, faces, process=False)
    mesh.visual.face_colors = COLOUR
    return mesh


def smooth_mesh(grid: np.ndarray, level: float = 0.5, rounds: int = 0) -> Trimesh:
    """The surface at which a (X, Y, Z) grid of probabilities (or bool) takes the value ``level``.

    By marching cubes (Lewiner et al. 2003) between the middles of the cells. Axes and cube are
    those of :func:`voxel_mesh`; the mesh is closed where the object touches the border, too.

    Args:
        rounds: Of smoothing that does not shrink (Taubin, SIGGRAPH 1995), each of two steps.

    Raises:
        ValueError: the grid has not three equal axes, or is nowhere above ``level``.
    """
    import trimesh
    from skimage.measure import marching_cubes

    grid = np.asarray(grid, np.float32)
    if grid.ndim != 3 or len(set(grid.shape)) != 1 or not (grid > level).any():
        raise ValueError(
            f"grid of shape {grid.shape} with {(grid > level).sum()} cells above {level:g}, "
            "expected a cube with some"
        )
    # as far below the level outside as the fullest cell is above it inside: so the surface of a
    # full cell at the border is the border
    outside = min(2 * level - float(grid.max()), float(grid.min()))
    padded = np.pad(grid, 1, constant_values=outside)
    vertices, faces, _, _ = marching_cubes(padded, level, gradient_direction="ascent")
    mesh = trimesh.Trimesh((vertices - 0.5) / len(grid) - 0.5, faces, process=False)
    if rounds:
        trimesh.smoothing.filter_taubin(mesh, lamb=TAUBIN[0], nu=TAUBIN[1], iterations=2 * rounds)
        mesh.vertices = mesh.vertices.clip(-0.5, 0.5)
    mesh.visual.face_colors = COLOUR
    return mesh


def write_mesh(path: str | os.PathLike, mesh: Trimesh) -> None:
    """Write a mesh; the suffix says how: .glb, .obj, .ply or .stl.

    Raises:
        FileError: the file has another suffix or cannot be written.
    """
    kind = os.path.splitext(path)[1].lstrip(".").lower()
    if kind not in MESH_FORMATS:
        raise FileError(f"{path}: expected a file of type {', '.join(MESH_FORMATS)}")
    data = mesh.export(file_type=kind)
    with atomic_write(path) as temporary:
        temporary.write_bytes(data if isinstance(data, bytes) else data.encode())
