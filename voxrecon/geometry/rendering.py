# SPDX-License-Identifier: MIT
"""Pictures of coloured surfaces by ray casting with the camera of the ShapeNet renderings."""

from __future__ import annotations

import numpy as np

from .camera import IMAGE_SIZE, LAMP, View
from .surface import Surface

AMBIENT = np.array((0.30, 0.42))  # on faces that look down and up
KEY, HEADLIGHT = 0.46, 0.20  # of the lamp and of the light at the camera
LAMP_ELEVATION = 50.0  # degrees
CONTRAST = 0.06  # difference of colour between neighbours from which on a pixel is supersampled
# a lattice of nine within a pixel, symmetric about its middle: else silhouettes shift or swell
_steps = np.arange(9)
SAMPLES = (np.stack((_steps, (2 * _steps + 5) % 9), axis=1) + 0.5) / 9


class Renderer:
    """Casts rays at one surface: build it once, then call it view by view.

    Raises:
        ValueError: the surface has no faces or no extent.
    """

    def __init__(self, surface: Surface):
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        if not len(surface.faces) or not surface.diagonal > 0:
            raise ValueError("a surface without extent, expected one that can be seen")
        self.surface = surface
        # in the camera's unit, the bounding box about the origin: single precision suffices there
        self._vertices = ((surface.vertices - surface.center) / surface.diagonal).astype(np.float32)
        coordinates = surface.coordinates
        if coordinates is None:
            coordinates = surface.vertices[surface.faces]
        self._coordinates = coordinates.astype(np.float32)  # (F, 3, K)
        self._normals = surface.normals.astype(np.float32)
        self._scene = EmbreeScene()
        TriangleMesh(self._scene, self._vertices, surface.faces.astype(np.int32))

    def __call__(self, view: View, lamp: float = LAMP, size: int = IMAGE_SIZE) -> np.ndarray:
        """The object as (size, size, 4) uint8 RGBA, alpha being the part of a pixel it covers.

        ``lamp`` is the azimuth of the lamp, in degrees as those of a view. Where colours or the
        silhouette change, a pixel is the mean of nine samples; what is thinner than a pixel may be
        missed.
        """
        low, high = np.zeros(2, int), np.full(2, size)
        if np.linalg.norm(view.position) > 0.5:  # else parts may be behind the camera
            seen = view.project(self._vertices) * size
            low = np.clip(np.floor(seen.min(axis=0)).astype(int) - 1, 0, size)
            high = np.clip(np.ceil(seen.max(axis=0)).astype(int) + 1, 0, size)
        (left, top), (right, bottom) = low, high
        image = np.zeros((size, size, 4), np.float32)
        if (low >= high).any():  # outside the picture
            return image.astype(np.uint8)

        y, x = np.mgrid[top:bottom, left:right]  # (h, w)
        pixels = np.stack((x, y), axis=-1)  # (h, w, 2)
        window = self._cast(view, (pixels + 0.5) / size, lamp)  # (h, w, 4)
        edge = _changes(window)
        corners = pixels[edge]  # (E, 2)
        fine = self._cast(view, (corners[:, None] + SAMPLES) / size, lamp)  # (E, S, 4)
        alpha = fine[..., 3].mean(axis=1)
        colour = fine[..., :3].sum(axis=1) / np.maximum(fine[..., 3:].sum(axis=1), 1)
        window[edge] = np.concatenate((colour, alpha[:, None]), axis=1)
        image[top:bottom, left:right] = window
        return np.rint(image * 255).astype(np.uint8)

    def depth(self, view: View, size: int = IMAGE_SIZE) -> np.ndarray:
        """How far what the middle of each pixel shows is, (size, size) float32, inf for nothing.

        Measured along the viewing axis from the camera, in diagonals of the bounding box:
        ``view.position + depth * view.rays(pixel)`` is the place, in diagonals from the middle.
        """
        middles = (np.arange(size) + 0.5) / size
        pixels = np.stack(np.meshgrid(middles, middles), axis=-1)  # (size, size, 2): x, y
        _, hits = self._trace(view, pixels)
        # a ray is 1 long along the viewing axis, and Embree measures in lengths of the ray
        depth = np.where(hits["primID"] >= 0, hits["tfar"], np.inf)
        return depth.astype(np.float32).reshape(size, size)

    def mask(self, view: View, size: int = IMAGE_SIZE) -> np.ndarray:
        """Whether the middle of each pixel shows the object, (size, size) bool."""
        return np.isfinite(self.depth(view, size))

    def _trace(self, view: View, points: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Rays (R, 3) float32 through points (..., 2) of the unit picture, and what they hit."""
        rays = view.rays(points.reshape(-1, 2)).astype(np.float32)
        origins = np.broadcast_to(view.position.astype(np.float32), rays.shape).copy()
        return rays, self._scene.run(origins, rays, output=1)

    def _cast(self, view: View, points: np.ndarray, lamp: float) -> np.ndarray:
        """Colour and hit or miss, (..., 4) float32, at points (..., 2) of the unit picture."""
        rays, hits = self._trace(view, points)  # (R, 3)
        hit = np.flatnonzero(hits["primID"] >= 0)
        face, u, v = hits["primID"][hit], hits["u"][hit, None], hits["v"][hit, None]
        weights = np.concatenate((1 - u - v, u, v), axis=1)  # of the corners, (R', 3)
        if self.surface.two_sided:
            face, weights = self._turn(face, weights, rays[hit])
        out = np.zeros((len(rays), 4), np.float32)
        out[hit, :3] = self._shade(face, weights, -rays[hit], view, lamp)
        out[hit, 3] = 1
        return out.reshape(*points.shape[:-1], 4)

    def _turn(
        self, face: np.ndarray, weights: np.ndarray, rays: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Faces (R,) that are hit from behind become their twins, if they have one."""
        surface = self.surface
        away = (surface.face_normals[face] * rays).sum(axis=1) > 0
        twin = np.where(away, surface.twins[face], face)
        turned = np.flatnonzero(twin != face)
        old, new = surface.faces[face[turned]], surface.faces[twin[turned]]
        same = new[:, :, None] == old[:, None, :]  # (R', 3, 3)
        weights[turned] = np.einsum("rij,rj->ri", same, weights[turned])
        return twin, weights

    def _shade(
        self, face: np.ndarray, weights: np.ndarray, towards: np.ndarray, view: View, lamp: float
    ) -> np.ndarray:
        """RGB (R, 3) of places given by face (R,) and barycentric weights (R, 3)."""
        surface = self.surface
        points = np.einsum("rk,rkd->rd", weights, self._coordinates[face])
        normals = np.einsum("rk,rkd->rd", weights, self._normals[face])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        if surface.two_sided:
            away = (surface.face_normals[face] * towards).sum(axis=1) < 0
            normals[away] *= -1

        material = surface.material_of[face]
        albedo = np.empty((len(face), 3), np.float32)
        for index in np.unique(material):
            chosen = material == index
            albedo[chosen] = surface.materials[index](points[chosen])

        towards = towards / np.linalg.norm(towards, axis=1, keepdims=True)
        light = np.interp(normals[:, 1], (-1, 1), AMBIENT)
        light += KEY * np.maximum(normals @ View(lamp, LAMP_ELEVATION).axes[2], 0)
        light += HEADLIGHT * np.maximum((normals * towards).sum(axis=1), 0)
        return np.minimum(albedo * light[:, None], 1)


def _changes(window: np.ndarray) -> np.ndarray:
    """(h, w) bool: pixels that differ from a neighbour, or whose neighbours at a corner do."""
    differs = np.zeros(window.shape[:2], bool)
    for a, b in (
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
        ((slice(1, None), slice(1, None)), (slice(None, -1), slice(None, -1))),
        ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))),
    ):
        change = np.abs(window[a] - window[b]).max(axis=-1) > CONTRAST
        differs[a] |= change
        differs[b] |= change
    return differs
