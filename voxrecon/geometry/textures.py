# SPDX-License-Identifier: MIT
"""Colours of meshes from files: functions of (u, v, r, g, b) at a place of the surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Texture:
    """A picture (h, w, 3) uint8 over u and v, repeated and mixed between its pixels.

    (0, 0) is the picture's lower left corner; its colours are multiplied by ``tint``.
    """

    image: np.ndarray
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __call__(self, coordinates: np.ndarray) -> np.ndarray:
        height, width = self.image.shape[:2]
        u, v = coordinates[:, :2].T.astype(np.float64)
        x, y = u % 1 * width - 0.5, (1 - v) % 1 * height - 0.5
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        across, down = (x - left)[:, None], (y - top)[:, None]

        def row(y: np.ndarray) -> np.ndarray:
            line = self.image[y % height, left % width], self.image[y % height, (left + 1) % width]
            return line[0] * (1 - across) + line[1] * across

        mixed = row(top) * (1 - down) + row(top + 1) * down
        return (mixed / 255 * self.tint).astype(np.float32)


@dataclass(frozen=True)
class OwnColours:
    """The colours that the mesh gives its vertices or faces."""

    def __call__(self, coordinates: np.ndarray) -> np.ndarray:
        return coordinates[:, 2:5]
