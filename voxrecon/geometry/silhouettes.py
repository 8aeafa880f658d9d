# SPDX-License-Identifier: MIT
"""Silhouettes of grids in the views of the ShapeNet renderings, and how well they fit pictures.

They are coarse, a few pixels of the rendering to one of theirs, and serve to tell whether a grid, a
camera and a picture belong together: neither a thin leg nor the staircase of the cells counts for
much. A grid fits in one of 48 orientations: its axes in any order, each mirrored or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

import cv2
import numpy as np

from .camera import FOCAL, UNIT_DISTANCE, View

SIZE = 32  # pixels of a silhouette's side
CELLS = 32  # a side; finer grids are made coarser, coarser ones get several points a cell
FILLED = 0.25  # part of a coarse pixel that the object must cover

# (order, mirrored): np.flip(grid.transpose(order), mirrored), the simplest ones first
ORIENTATIONS = sorted(
    (
        (order, tuple(axis for axis in range(3) if flips[axis]))
        for order in permutations(range(3))
        for flips in product((False, True), repeat=3)
    ),
    key=lambda o: (sum(i != axis for i, axis in enumerate(o[0])), len(o[1]), o),
)


def name_orientation(orientation: tuple[tuple[int, ...], tuple[int, ...]]) -> str:
    """What is done to a grid, in this order: ``"x and z swapped, z mirrored"``."""
    order, mirrored = orientation
    moved = ["xyz"[i] for i in range(3) if order[i] != i]
    parts = [f"{' and '.join(moved)} swapped"] if len(moved) == 2 else []
    if len(moved) == 3:
        parts = [f"axes in the order {', '.join('xyz'[i] for i in order)}"]
    if mirrored:
        parts.append(f"{' and '.join('xyz'[i] for i in mirrored)} mirrored")
    return ", ".join(parts) or "as it is"


def masks(alpha: np.ndarray) -> np.ndarray:
    """How much of each coarse pixel the object covers, (V, S, S) float32 in 0..1.

    ``alpha`` is (V, H, W) uint8, of square pictures of at least S pixels a side.
    """
    solid = (alpha > 127).astype(np.float32)
    return np.stack([cv2.resize(m, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for m in solid])


def silhouettes(
    grid: np.ndarray, views: Sequence[View], orientations: Sequence = ORIENTATIONS[:1]
) -> np.ndarray:
    """Where a grid (X, X, X) bool with any cell appears, (V, O, S, S) bool.

    The middle of the grid is that of the object's bounding box, as in the ShapeNet voxels; the
    box's diagonal, the camera's unit, is taken from the cells.
    """
    points = _points(grid)  # (N, 3)
    turns = np.zeros((len(orientations), 3, 3))
    for turn, (order, mirrored) in zip(turns, orientations, strict=True):
        turn[range(3), order] = 1
        turn[list(mirrored)] *= -1
    found = np.zeros((len(views), len(orientations) * SIZE**2), bool)
    first = np.arange(len(orientations)) * SIZE**2
    for view, hit in zip(views, found, strict=True):
        axes = (view.axes @ turns).astype(np.float32)  # (O, 3, 3)
        right, up, towards = (points @ axes[:, i].T for i in range(3))  # each (N, O)
        scale = np.float32(FOCAL * SIZE) / (np.float32(UNIT_DISTANCE * view.distance) - towards)
        x, y = np.floor(SIZE / 2 + right * scale), np.floor(SIZE / 2 - up * scale)
        inside = (x >= 0) & (x < SIZE) & (y >= 0) & (y < SIZE)
        hit[(first + y * SIZE + x)[inside].astype(np.int64)] = True
    return found.reshape(len(views), len(orientations), SIZE, SIZE)


def fit(found: np.ndarray, covered: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How well silhouettes (V, O, S, S) fit ``masks`` (V, S, S) of which none is empty.

    Returns:
        (V, O) each: the IoU, the part of the mask that the silhouette covers, and the part of the
        silhouette that is within the mask or one coarse pixel of it.
    """
    filled = covered[:, None] >= FILLED
    both, either = (found & filled).sum((2, 3)), (found | filled).sum((2, 3))
    inside = (found * covered[:, None]).sum((2, 3), dtype=np.float64)
    near = np.stack([cv2.dilate((m > 0).astype(np.uint8), np.ones((3, 3))) for m in covered])
    within = (found & near[:, None].astype(bool)).sum((2, 3))
    return (
        both / np.maximum(either, 1),
        inside / covered.sum((1, 2), dtype=np.float64)[:, None],
        within / np.maximum(found.sum((2, 3)), 1),
    )


def _points(grid: np.ndarray) -> np.ndarray:
    """Points (N, 3) float32 in the cells at the surface, in diagonals from the grid's middle."""
    factor = -(-len(grid) // CELLS)
    size = -(-len(grid) // factor)
    margin = size * factor - len(grid)
    grid = np.pad(grid, [(margin // 2, margin - margin // 2)] * 3)
    grid = grid.reshape(size, factor, size, factor, size, factor).any(axis=(1, 3, 5))

    cells = np.argwhere(grid)
    diagonal = np.linalg.norm(np.ptp(cells, axis=0) + 1)
    padded = np.pad(grid, 1)
    hidden = grid.copy()
    for axis, step in product(range(3), (-1, 1)):
        hidden &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    cells = np.argwhere(grid & ~hidden)

    parts = -(-CELLS // size)
    steps = (np.arange(parts) + 0.5) / parts
    within = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    points = (cells[:, None] + within).reshape(-1, 3) - size / 2
    return (points / diagonal).astype(np.float32)
