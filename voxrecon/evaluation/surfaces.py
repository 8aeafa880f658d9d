# SPDX-License-Identifier: MIT
"""Points on the surfaces of binary grids, and how far they are from each other.

Both sides of a comparison draw points of their own. With the same random numbers on both sides,
equal grids would be at distance 0 of each other; with independent ones they are as far apart as
two scans of one object, which is what the scores of a perfect reconstruction have to be read
against.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigError

if TYPE_CHECKING:
    from scipy.spatial import KDTree

POINTS = 8192  # on each surface (Tatarchenko et al., CVPR 2019)
SIDES = ("prediction", "truth", "truth again")  # each with random numbers of its own
# Marching cubes runs a little below one half: were occupied and empty cells equally far from its
# level, rounding would choose whether diagonal neighbours touch. So they touch, as in the classic
# table of Lorensen and Cline (1987) in the form in common use.
NEAR_HALF = 0.499


def surface(grid: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray] | None:
    """The surface of a binary grid by marching cubes, closed at the border by a layer of cells.

    At ``level`` 0.5 it runs half-way between the middles of occupied and empty cells, at 0 through
    the middles of the empty ones: there a single cell becomes an octahedron two cells wide, and
    many triangles have no area. Both surfaces have the same triangles, those of PyMCubes but for
    which diagonal divides a polygon.

    Args:
        grid: (X, Y, Z) bool.
        level: 0 or 0.5.

    Returns:
        vertices (N, 3) float64 in cells and faces (M, 3), or None where no cell is occupied.
    """
    from skimage.measure import marching_cubes

    if not grid.any():
        return None
    vertices, faces, _, _ = marching_cubes(np.pad(grid, 1).astype(np.float32), NEAR_HALF)
    vertices = vertices.astype(np.float64)
    # a vertex lies on the line between two middles, which have whole numbers, 0.499 of it away
    # from the empty one
    empty = np.rint(vertices)
    vertices = empty if level == 0 else (np.floor(vertices) + np.ceil(vertices)) / 2
    return vertices - 0.5, faces  # cell i reaches from i to i + 1; the padding is one cell


def random_stream(seed: int, key: str, side: str) -> np.random.Generator:
    """Random numbers of one side of one sample: the same on every machine and in every process."""
    name = "\0".join((str(seed), side, key))
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def sample_surface(
    vertices: np.ndarray, faces: np.ndarray, points: int, rng: np.random.Generator
) -> np.ndarray:
    """Points (P, 3) float64, uniform by area, in the order of the faces; none on a face without
    area."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))  # (M, 3)
    b, c = b - a, c - a
    areas = np.sqrt((np.cross(b, c) ** 2).sum(1))
    total = areas.cumsum()
    # in the order of the faces, since neighbours are found faster one after the other
    chosen = np.sort(rng.random(points)) * total[-1]
    chosen = total.searchsorted(chosen, side="right")  # the first above: not one without area
    u, v = rng.random((2, points, 1))
    folded = u + v > 1  # from the other half of the parallelogram
    u, v = np.where(folded, 1 - u, u), np.where(folded, 1 - v, v)
    return a[chosen] + u * b[chosen] + v * c[chosen]


def surface_points(
    mesh: tuple[np.ndarray, np.ndarray] | None, points: int, seed: int, key: str, side: str
) -> KDTree | None:
    """Points on a ``surface``, in its units, ready to be searched; None on None.

    Args:
        points: how many.
        seed, key, side: ``random_stream`` of them draws the points.
    """
    from scipy.spatial import KDTree

    if mesh is None:
        return None
    drawn = sample_surface(*mesh, points, random_stream(seed, key, side))
    return KDTree(drawn, balanced_tree=False)  # built and searched faster on surfaces


def distances(start: KDTree, end: KDTree, within: float = np.inf) -> np.ndarray:
    """Euclidean distance (P,) of each point of ``start`` to the nearest of ``end``; infinite where
    none is nearer than ``within``, which is found faster than the distance."""
    return end.query(start.data, distance_upper_bound=within)[0]


def check_options(threshold: float, points: int) -> None:
    """ConfigError unless the options that measures of surfaces share are sound."""
    if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ConfigError(f"threshold {threshold!r}: expected a number in [0, 1]")
    if not isinstance(points, int) or points < 1:
        raise ConfigError(f"points {points!r}: expected a whole number from 1")
