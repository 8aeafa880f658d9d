# SPDX-License-Identifier: MIT
"""Solid occupancy grids of surfaces."""

from __future__ import annotations

import numpy as np

from .surface import Surface

SPACING = 0.4  # of the samples on the surface, in cells: no step between cells slips through
INSET = 1e-3  # cells; samples lie just inside, so that a face between cells marks the inner ones


def voxelize(surface: Surface, resolution: int = 32) -> np.ndarray:
    """Every cell that the surface enters or encloses, (X, Y, Z) bool with ``resolution`` a side.

    The middle of the bounding box is the middle of the grid and its longest side fills the grid,
    as in the ShapeNet voxels. What the outside cannot reach in steps between cells that share a
    face is inside; so closed hollows are filled, and the surface may consist of solids that
    overlap. A cell that is hardly grazed (by less than ``SPACING``) may be left out.
    """
    from scipy.ndimage import binary_fill_holes

    points = _sample(surface, surface.longest_side / resolution)  # (S, 3), in cells from the middle
    cells = np.clip(np.floor(points + resolution / 2).astype(int), 0, resolution - 1)
    grid = np.zeros((resolution,) * 3, bool)
    grid[tuple(cells.T)] = True
    return binary_fill_holes(grid)


def _sample(surface: Surface, cell: float) -> np.ndarray:
    """Points (S, 3), in cells from the middle; none of the surface is 0.3 cells from the next."""
    corners = ((surface.vertices - surface.center) / cell)[surface.faces]  # (F, 3, 3)
    sides = corners[:, (1, 2, 0)] - corners
    length = np.linalg.norm(sides, axis=2)  # (F, 3)
    normals = np.cross(sides[:, 0], sides[:, 1])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    inward = corners.mean(axis=1, keepdims=True) - corners
    inward /= np.maximum(np.linalg.norm(inward, axis=2, keepdims=True), INSET)
    corners = corners + INSET * (inward - normals[:, None])

    # rows run from the apex, opposite to the shortest side, towards that side
    apex = (length.argmin(axis=1) + 2) % 3
    a, b, c = (
        np.take_along_axis(corners, ((apex + k) % 3)[:, None, None], 1)[:, 0] for k in range(3)
    )
    rows = np.ceil(length.max(axis=1) / SPACING).astype(int)  # steps down, and across
    columns = np.ceil(length.min(axis=1) / SPACING).astype(int)
    rows, columns = np.maximum(rows, 1), np.maximum(columns, 1)

    count = (rows + 1) * (columns + 1)
    face = np.repeat(np.arange(len(count)), count)  # (S,)
    place = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
    down, across = np.divmod(place, columns[face] + 1)
    t, s = (down / rows[face])[:, None], (across / columns[face])[:, None]
    return a[face] + t * ((1 - s) * (b - a)[face] + s * (c - a)[face])
