# SPDX-License-Identifier: MIT
"""Solid occupancy grids of surfaces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .surface import Surface

SPACING = 0.4  # of the samples on the surface, in cells: no step between cells slips through
INSET = 1e-3  # cells; samples lie just inside, so that a face between cells marks the inner ones
BLOCK = 4_000_000  # samples at a time
# samples by a grid's side squared, but for the few that every face has: those of a cube are 100
MOST = 7000
FILLS = ("enclosed", "hidden", "standing")


def voxelize(surface: Surface, resolution: int = 32, fill: str = "enclosed") -> np.ndarray:
    """Every cell that the surface enters, and its inside: (X, Y, Z) bool, ``resolution`` a side.

    The middle of the bounding box is the middle of the grid and its longest side fills the grid,
    as in the ShapeNet voxels. A cell that is hardly grazed (by less than ``SPACING``) may be left
    out. What is inside is said by ``fill``:

    - ``"enclosed"``: what the outside cannot reach in steps between cells that share a face. For
      watertight surfaces, which may consist of solids that overlap.
    - ``"hidden"``: what none of the six directions along the axes sees. The same for most objects,
      and a hole in the surface costs no more than the cells right behind it.
    - ``"standing"``: what is not seen from the five directions but below. For scans of what stands
      on a floor, which have no underside.

    Raises:
        ValueError: the surface has no extent or covers itself dozens of times, or there is no
            such ``fill``.
    """
    if fill not in FILLS:
        raise ValueError(f"fill {fill!r}, expected one of {', '.join(FILLS)}")
    cell = surface.longest_side / resolution
    if not cell > 0:
        raise ValueError("a surface without extent, expected one with a volume")
    grid = np.zeros((resolution,) * 3, bool)
    for points in _sample(surface, cell):  # (S, 3), in cells from the middle
        cells = np.clip(np.floor(points + resolution / 2).astype(int), 0, resolution - 1)
        grid[tuple(cells.T)] = True
    if fill == "enclosed":
        from scipy.ndimage import binary_fill_holes

        return binary_fill_holes(grid)
    inside = np.ones_like(grid)
    for axis in range(3):
        behind = np.maximum.accumulate(grid, axis)  # not seen from the low end of the axis
        before = np.flip(np.maximum.accumulate(np.flip(grid, axis), axis), axis)
        inside &= before if fill == "standing" and axis == 1 else before & behind
    return inside


def _sample(surface: Surface, cell: float) -> Iterator[np.ndarray]:
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
    ends = np.cumsum(count)
    if (ends[-1] - 4 * len(count)) * cell**2 > MOST * surface.longest_side**2:
        raise ValueError(
            f"{len(count)} faces that cover the object dozens of times, expected its surface"
        )
    cuts = np.searchsorted(ends, np.arange(0, ends[-1], BLOCK), side="right")
    for first, last in zip(cuts, [*cuts[1:], len(count)], strict=True):
        mine = count[first:last]
        face = np.repeat(np.arange(first, last), mine)  # (S,)
        place = np.arange(len(face)) - np.repeat(np.cumsum(mine) - mine, mine)
        down, across = np.divmod(place, columns[face] + 1)
        t, s = (down / rows[face])[:, None], (across / columns[face])[:, None]
        yield a[face] + t * ((1 - s) * (b - a)[face] + s * (c - a)[face])
