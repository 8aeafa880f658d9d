# SPDX-License-Identifier: MIT
"""The camera of the ShapeNet renderings (3D-R2N2, Choy et al. 2016, section 5.1), and its files.

An object is rendered with its bounding box centred at the origin and the box's diagonal scaled to
1, in the axes of :mod:`voxrecon.geometry.grid`. The figures were measured on the published
renderings and meshes: so cast, the silhouettes agree to an IoU of 0.99.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxrecon.errors import FileError

from .grid import view_axes

IMAGE_SIZE = 137  # pixels
FOCAL = 35 / 32  # focal length in widths of the picture: 35 mm on a sensor of 32 mm
UNIT_DISTANCE = 1.75  # of the camera at distance ratio 1, in diagonals of the bounding box
LAMP = 45.0  # azimuth of the lamp, degrees; the original's is not published
FIELD_OF_VIEW = 25.0  # degrees; a constant of the metadata that the renderings do not follow


@dataclass(frozen=True)
class View:
    """One row of ``rendering_metadata.txt``: angles in degrees, distance as a ratio.

    The camera looks at the middle of the object's bounding box. It is held upright where the
    in-plane rotation is 0, as in all of the published renderings; by a positive one the object
    turns counter-clockwise in the picture (as in the authors' script, whose camera turns the other
    way round about the line of sight).
    """

    azimuth: float
    elevation: float
    distance: float = 1.0
    in_plane: float = 0.0

    @property
    def axes(self) -> np.ndarray:
        """Right, up and towards the camera as rows of (3, 3), see :func:`view_axes`."""
        upright = view_axes(self.azimuth, self.elevation)
        if not self.in_plane:
            return upright
        angle = np.radians(self.in_plane)
        c, s = np.cos(angle), np.sin(angle)
        return np.array(((c, -s, 0), (s, c, 0), (0, 0, 1))) @ upright

    @property
    def position(self) -> np.ndarray:
        """Of the camera, (3,), in diagonals from the middle of the object."""
        return UNIT_DISTANCE * self.distance * self.axes[2]

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Directions (..., 3), not of unit length, through points (x, y) of the unit picture.

        (0, 0) is the picture's upper left corner, (1, 1) the lower right one; the middle of pixel
        (i, j) of n is at ((i + 0.5) / n, (j + 0.5) / n).
        """
        right, up, towards = self.axes
        x, y = (pixels[..., :1] - 0.5) / FOCAL, (0.5 - pixels[..., 1:]) / FOCAL
        return x * right + y * up - towards

    def project(self, points: np.ndarray) -> np.ndarray:
        """Where points (..., 3) in diagonals from the middle appear, (..., 2) as in ``rays``."""
        seen = points @ self.axes.T
        depth = UNIT_DISTANCE * self.distance - seen[..., 2:]
        return seen[..., :2] / depth * (FOCAL, -FOCAL) + 0.5


def draw_views(rng: np.random.Generator, count: int) -> list[View]:
    """Views drawn as those of the ShapeNet renderings: all around, from slightly above.

    The first ones are the same whatever their number.
    """
    rows = rng.uniform((0, 25, 0.65), (360, 30, 0.95), (count, 3))
    # as many digits as the file has, so that the file tells exactly how a picture was made
    return [View(*(round(float(value), 6) for value in row)) for row in rows]


def format_metadata(views: Sequence[View]) -> str:
    """The text of ``rendering_metadata.txt``, a row a view: azimuth, elevation, in-plane rotation,
    distance ratio, field of view."""
    return "".join(
        f"{v.azimuth!r} {v.elevation!r} {v.in_plane or 0!r} {v.distance!r} {FIELD_OF_VIEW:g}\n"
        for v in views
    )


def read_metadata(text: str, name: str) -> list[View]:
    """The rows of a ``rendering_metadata.txt``, in the order of the views' numbers.

    Raises:
        FileError: a row is not azimuth, elevation, in-plane rotation, distance ratio and field of
            view.
    """
    views = []
    for number, line in enumerate(text.rstrip().splitlines()):
        try:
            azimuth, elevation, in_plane, distance, _ = map(float, line.split())
            known = math.isfinite(azimuth + elevation + in_plane + distance)
        except ValueError:
            known = False
        if not known:
            raise FileError(
                f"{name}: line {number + 1} is {line[:60]!r}, expected azimuth, elevation, "
                "in-plane rotation, distance ratio and field of view"
            )
        views.append(View(azimuth, elevation, distance, in_plane))
    return views
