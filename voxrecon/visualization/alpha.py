# SPDX-License-Identifier: MIT
"""Pictures with transparent parts as they are shown."""

from __future__ import annotations

import numpy as np


def on_white(picture: np.ndarray) -> np.ndarray:
    """RGBA (..., 4) uint8 blended with white: RGB (..., 3) uint8."""
    alpha = picture[..., 3:] / 255
    return np.rint(picture[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def fill_background(picture: np.ndarray, grey: int = 255) -> np.ndarray:
    """RGBA (..., 4) uint8 to RGB (..., 3) uint8 as networks see it: grey where alpha is exactly 0,
    all other pixels in full."""
    return np.where(picture[..., 3:] == 0, grey, picture[..., :3]).astype(np.uint8)
