# SPDX-License-Identifier: MIT
"""Captures made on the spot: a noisy scan of an object on a floor, and photos of it in a room."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import trimesh

from voxrecon.geometry import Renderer, Surface, View
from voxrecon.geometry.materials import Plain

WALL, FLOOR = (226, 224, 216), (196, 184, 168)
AZIMUTHS = {"front": 0.0, "right": 90.0, "back": 180.0, "left": 270.0}


def stepped(colour=(0.15, 0.3, 0.6)) -> Surface:
    """A seat whose front, back, left and right differ: back-rest at low x, one arm at its own
    right (high z), a thick block at the front of the left side; 12 x 13 x 10 units."""
    boxes = (
        ((0, 4, 0), (12, 6, 10)),  # seat
        ((0, 6, 0), (2, 13, 10)),  # back-rest
        ((2, 6, 8), (8, 9, 10)),  # arm at the right
        ((0, 0, 0), (2, 4, 2)),
        ((0, 0, 8), (2, 4, 10)),
        ((10, 0, 8), (12, 4, 10)),
        ((6, 0, 0), (12, 4, 4)),  # drawer at the front left
    )
    solids = [trimesh.creation.box(bounds=bounds) for bounds in boxes]
    mesh = trimesh.boolean.union(solids, engine="manifold")
    faces = np.asarray(mesh.faces)
    return Surface(mesh.vertices, faces, np.zeros(len(faces), int), (Plain(colour),))


def scan(
    surface: Surface,
    noise: float = 0.004,
    tilt: float = 3.0,
    seed: int = 0,
    floor: bool = True,
    stray: bool = True,
    edge: float = 0.03,
) -> trimesh.Trimesh:
    """What a scanner makes of an object of longest side 1 on a floor of 2 x 2, x to its front:
    no underside, triangles of at most ``edge``, every vertex off by a normal law of deviation
    ``noise`` along each axis, a ball beside it, and all out of level by ``tilt`` degrees.
    """
    low, high = surface.bounds
    middle = np.array(((low + high)[0] / 2, low[1], (low + high)[2] / 2))
    mesh = trimesh.Trimesh((surface.vertices - middle) / (high - low).max(), surface.faces)
    under = (mesh.face_normals[:, 1] < -0.9) & (mesh.triangles[:, :, 1].max(axis=1) < 0.02)
    parts = [
        trimesh.Trimesh(
            *trimesh.remesh.subdivide_to_size(mesh.vertices, mesh.faces[~under], edge, 20)
        )
    ]
    if floor:
        plane = trimesh.creation.box(bounds=((-1, -0.1, -1), (1, 0, 1)))
        plane.update_faces(plane.face_normals[:, 1] > 0.9)
        parts.append(plane.subdivide_to_size(0.04))
    if stray:
        ball = trimesh.creation.icosphere(2, 0.06)
        parts.append(ball.apply_translation((0.85, 0.5, -0.8)))
    whole = trimesh.util.concatenate(parts)
    rng = np.random.default_rng(seed)
    whole.vertices = whole.vertices + rng.normal(0, noise, whole.vertices.shape)
    whole.apply_transform(trimesh.transformations.rotation_matrix(np.radians(tilt), (1, 0, 1)))
    return whole


def photo(render: Renderer, view: View, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A photo (360, 480, 3) uint8 RGB, not centred, with wall and floor behind the object, and the
    true mask (360, 480) uint8."""
    rng = np.random.default_rng(seed)
    cut = render(view, size=320)
    picture = np.full((360, 480, 4), (*WALL, 0), np.float64)
    picture[230:] = (*FLOOR, 0)
    picture[20:340, 110:430, :3] += (cut[..., :3] - picture[20:340, 110:430, :3]) * (
        cut[..., 3:] / 255
    )
    picture[20:340, 110:430, 3] = cut[..., 3]
    picture[..., :3] += rng.normal(0, 3, (360, 480, 1))  # grain
    picture = np.rint(picture).clip(0, 255).astype(np.uint8)
    return picture[..., :3], picture[..., 3]


def write_capture(
    folder: Path, surface: Surface, kind: str = "ply", elevation: float = 10.0, **options
) -> dict[str, np.ndarray]:
    """A capture with four named photos, its scan in the axes of the grid; the true masks."""
    (folder / "photos").mkdir(parents=True)
    scan(surface, **options).export(folder / f"scan.{kind}")
    render, masks = Renderer(surface), {}
    for seed, (name, azimuth) in enumerate(AZIMUTHS.items()):
        rgb, masks[name] = photo(render, View(azimuth, elevation, 0.9), seed)
        cv2.imwrite(str(folder / "photos" / f"{name}.jpg"), rgb[..., ::-1])
    return masks
