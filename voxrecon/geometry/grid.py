# SPDX-License-Identifier: MIT
r"""The grid convention of this project: the one drawing, which everything else refers to.

A grid is indexed ``[x, y, z]``, right-handed: y is up, the object faces +x, +z is the object's own
right. Whoever looks at its front therefore sees +z on their left. Here a chair, its back-rest at
low x::

      at azimuth 45, elevation 35            from above (y comes out of the page), with cameras

               y up                                              left 270
               |                                                    |
               |                                        [0,0]-------+--------> x
               |                                          | ###              |
               |                                          | ###              |
              .'`.                             back 180 --+ ### back-rest    +-- front 0
           .'      `.                                     | ###              |
        .'            `.                                  | ###              |
      z                   x                               +---------+--------'
    its own right          its front                      v         |
                                                          z      right 90

A camera at azimuth a and elevation e (degrees) stands in the direction
``(cos a cos e, sin e, sin a cos e)`` from the middle of the grid and looks at it: at 0 it stands on
+x and sees the front, at 90 on +z and sees the object's right side, at 180 the back, at 270 the
left side; at elevation 90 it looks straight down. These are the angles of the ShapeNet renderings.
Cell ``[i, j, k]`` is the cube from ``(i, j, k)`` to ``(i + 1, j + 1, k + 1)``, its centre at + 0.5.
"""

from __future__ import annotations

import numpy as np


def view_axes(azimuth: float, elevation: float) -> np.ndarray:
    """Orthonormal axes of a camera at these angles (degrees), as rows of (3, 3) float64.

    The rows are what is right in its picture, what is up in it, and the direction from the object
    to the camera; they are right-handed, so the picture is not mirrored. ``view_axes(a, e) @ p``
    takes a direction from the axes of the grid to those of the camera.

    >>> view_axes(0, 0).round().astype(int).tolist()  # from the front: +z is on the left
    [[0, 0, -1], [0, 1, 0], [1, 0, 0]]
    """
    a, e = np.radians((azimuth, elevation))
    right = (np.sin(a), 0.0, -np.cos(a))
    up = (-np.cos(a) * np.sin(e), np.cos(e), -np.sin(a) * np.sin(e))
    towards = (np.cos(a) * np.cos(e), np.sin(e), np.sin(a) * np.cos(e))
    return np.array((right, up, towards))
