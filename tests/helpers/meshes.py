# SPDX-License-Identifier: MIT
"""A tetrahedron without mirror symmetry, and how to look at surfaces."""

from __future__ import annotations

import numpy as np
import trimesh

from voxrecon.geometry import Surface

CORNERS = np.array(((0, 0, 0), (3, 0, 0), (0, 2, 0), (0, 0, 1)), float)
FACES = np.array(((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)))  # counter-clockwise from outside


def tetrahedron(corners: np.ndarray = CORNERS) -> trimesh.Trimesh:
    return trimesh.Trimesh(corners, FACES, process=False)


def triangles(vertices: np.ndarray, faces: np.ndarray) -> list:
    """Corners of each face, the lowest first, in the same sense; rounded, in order."""
    out = []
    for face in np.asarray(vertices)[faces].round(5).tolist():
        first = face.index(min(face))
        out.append(face[first:] + face[:first])
    return sorted(out)


def colours(surface: Surface) -> np.ndarray:
    """(F, 3) at the middle of each face."""
    middles = surface.coordinates.mean(axis=1)
    return np.stack(
        [
            surface.materials[material](middle[None])[0]
            for material, middle in zip(surface.material_of, middles, strict=True)
        ]
    )
