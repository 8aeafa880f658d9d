# SPDX-License-Identifier: MIT
"""A coloured triangle mesh as the renderer and the voxelisation take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

SHARP = 40.0  # degrees; edges from there on look sharp

Material = Callable[[np.ndarray], np.ndarray]  # points (N, 3) -> RGB (N, 3) in [0, 1]


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles in the axes of :mod:`voxrecon.geometry.grid`, in any unit of length.

    Attributes:
        vertices: (N, 3) float.
        faces: (F, 3) int, counter-clockwise from outside.
        material_of: (F,) index into ``materials``.
        materials: colours as functions of the place on the object.
    """

    vertices: np.ndarray
    faces: np.ndarray
    material_of: np.ndarray
    materials: tuple[Material, ...]

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner, (3,) each, of the box around all faces."""
        used = self.vertices[self.faces]
        return used.min(axis=(0, 1)), used.max(axis=(0, 1))

    @cached_property
    def normals(self) -> np.ndarray:
        """Outward, one for each corner of each face: (F, 3, 3), of unit length.

        That of a corner is the mean, by angle, of the faces that meet there and are turned by less
        than ``SHARP`` against its own; so round parts look round and edges stay edges.
        """
        corners = self.vertices[self.faces]  # (F, 3, 3)
        out, back = np.roll(corners, -1, axis=1) - corners, np.roll(corners, 1, axis=1) - corners
        flat = _unit(np.cross(out[:, 0], back[:, 0]))  # (F, 3)
        angle = np.arccos(np.clip((_unit(out) * _unit(back)).sum(axis=2), -1, 1)).ravel()  # (3F,)

        vertex = self.faces.ravel()
        order = np.argsort(vertex, kind="stable")
        count = np.bincount(vertex, minlength=len(self.vertices))
        start = np.cumsum(count) - count
        # all pairs of corners at the same vertex
        pairs = count[vertex]
        one = np.repeat(np.arange(len(vertex)), pairs)
        place = np.arange(len(one)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
        other = order[start[vertex[one]] + place]
        smooth = (flat[one // 3] * flat[other // 3]).sum(axis=1) > np.cos(np.radians(SHARP))
        one, other = one[smooth], other[smooth]
        share = angle[other, None] * flat[other // 3]
        mean = np.stack([np.bincount(one, share[:, k], len(vertex)) for k in range(3)], axis=1)
        return _unit(mean).reshape(-1, 3, 3)

    @property
    def center(self) -> np.ndarray:
        """Middle of the bounding box, (3,)."""
        low, high = self.bounds
        return (low + high) / 2

    @property
    def diagonal(self) -> float:
        """Of the bounding box: the unit of the renderings."""
        low, high = self.bounds
        return float(np.linalg.norm(high - low))

    @property
    def longest_side(self) -> float:
        """Of the bounding box: the extent of the grid."""
        low, high = self.bounds
        return float((high - low).max())


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
