# SPDX-License-Identifier: MIT
"""Many small pictures in rows."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .alpha import on_white


def draw_contact_sheet(
    rows: Sequence[tuple[str, Sequence[np.ndarray]]], size: int = 137
) -> np.ndarray:
    """Rows of pictures on white, each with its label at the left.

    Args:
        rows: (label, pictures), each picture (size, size, 4) uint8 RGBA.
        size: pixels of a picture's side.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    columns = max(len(pictures) for _, pictures in rows)
    blank = np.full((size, size, 3), 255, np.uint8)
    sheet = []
    for label, pictures in rows:
        tiles = [on_white(picture) for picture in pictures]
        tiles += [blank] * (columns - len(tiles))
        head = blank.copy()
        at = (size // 16, size // 2)
        cv2.putText(head, label, at, cv2.FONT_HERSHEY_SIMPLEX, size / 260, (40, 40, 40), 1, 16)
        sheet.append(np.concatenate([head, *tiles], axis=1))
    return np.concatenate(sheet)
