# SPDX-License-Identifier: MIT
from __future__ import annotations

import os

import cv2
import numpy as np

from voxrecon.fileio import atomic_write


def write_png(path: str | os.PathLike, picture: np.ndarray) -> None:
    """Write a picture (H, W, 3) uint8 RGB; the file appears as a whole.

    Raises:
        FileError: it cannot be written.
    """
    _, data = cv2.imencode(".png", picture[..., ::-1])
    with atomic_write(path) as temporary:
        temporary.write_bytes(data.tobytes())
