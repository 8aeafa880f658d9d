# SPDX-License-Identifier: MIT
"""A coloured triangle mesh as the renderer and the voxelisation take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

SHARP = 40.0  # degrees; edges from there on look sharp
MANY = 128  # corners at a vertex, from which on they are not smoothed
BLOCK = 2_000_000  # pairs of corners at a time
TINY = 1e-100  # meshes come in any unit of length

Material = Callable[[np.ndarray], np.ndarray]  # coordinates (N, K) -> RGB (N, 3) in [0, 1]


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles in the axes of :mod:`voxrecon.geometry.grid`, in any unit of length.

    Attributes:
        vertices: (N, 3) float.
        faces: (F, 3) int, counter-clockwise from outside.
        material_of: (F,) index into ``materials``.
        materials: colours as functions of the place on the object, or of ``coordinates``.
        coordinates: (F, 3, K) at the corners of each face: what the materials are functions of,
            such as those of a texture; None for the place on the object.
        two_sided: Faces may be wound either way round and are lit from both sides.
    """

    vertices: np.ndarray
    faces: np.ndarray
    material_of: np.ndarray
    materials: tuple[Material, ...]
    coordinates: np.ndarray | None = None
    two_sided: bool = False

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner, (3,) each, of the box around all faces."""
        used = self.vertices[self.faces]
        return used.min(axis=(0, 1)), used.max(axis=(0, 1))

    @cached_property
    def face_normals(self) -> np.ndarray:
        """Outward, (F, 3), of unit length; 0 for a face without area."""
        a, b, c = np.moveaxis(self.vertices[self.faces], 1, 0)
        return _unit(np.cross(b - a, c - a))

    @cached_property
    def normals(self) -> np.ndarray:
        """Outward, one for each corner of each face: (F, 3, 3), of unit length.

        That of a corner is the mean, by angle, of the faces that meet there and are turned by less
        than ``SHARP`` against its own; so round parts look round and edges stay edges.
        """
        corners = self.vertices[self.faces]  # (F, 3, 3)
        out, back = np.roll(corners, -1, axis=1) - corners, np.roll(corners, 1, axis=1) - corners
        flat = self.face_normals
        angle = np.arccos(np.clip((_unit(out) * _unit(back)).sum(axis=2), -1, 1)).ravel()  # (3F,)

        vertex = self.faces.ravel()
        order = np.argsort(vertex, kind="stable")
        count = np.bincount(vertex, minlength=len(self.vertices))
        start = np.cumsum(count) - count
        # all pairs of corners at the same vertex
        pairs = np.where(count > MANY, 1, count)[vertex]
        mean = np.empty((len(vertex), 3))
        ends = np.cumsum(pairs)
        cuts = np.searchsorted(ends, np.arange(0, ends[-1], BLOCK), side="right")
        for first, last in zip(cuts, [*cuts[1:], len(vertex)], strict=True):
            mine = pairs[first:last]
            one = np.repeat(np.arange(first, last), mine)
            place = np.arange(len(one)) - np.repeat(np.cumsum(mine) - mine, mine)
            other = np.where(pairs[one] > 1, order[start[vertex[one]] + place], one)
            smooth = (flat[one // 3] * flat[other // 3]).sum(axis=1) > np.cos(np.radians(SHARP))
            one, other = one[smooth], other[smooth]
            share = angle[other, None] * flat[other // 3]
            for k in range(3):
                mean[first:last, k] = np.bincount(one - first, share[:, k], last - first)
        return _unit(mean).reshape(-1, 3, 3)

    @cached_property
    def twins(self) -> np.ndarray:
        """(F,) the face with the same corners wound the other way round, or the face itself.

        Modellers give the two sides of a wall different materials so.
        """
        count = len(self.faces)
        first = self.faces.argmin(axis=1)[:, None]
        own = np.take_along_axis(self.faces, (first + (0, 1, 2)) % 3, 1)  # (F, 3), lowest first
        _, key = np.unique(np.concatenate((own, own[:, (0, 2, 1)])), axis=0, return_inverse=True)
        key = key.reshape(-1)
        at = np.full(2 * count, -1)
        at[key[:count]] = np.arange(count)
        twin = at[key[count:]]
        return np.where(twin < 0, np.arange(count), twin)

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
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), TINY)
