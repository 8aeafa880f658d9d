# SPDX-License-Identifier: MIT
"""What a network receives: rows of its input views beside the ground truth."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .voxels import draw_tiles, render_voxels


def draw_sample_sheet(
    rows: Sequence[tuple[str, Sequence[tuple[str, np.ndarray]], np.ndarray | None]],
    size: int = 160,
) -> np.ndarray:
    """Rows of captioned views with the voxels at their right end, each below its label.

    Args:
        rows: (label, (caption, picture) of each view, grid), a picture (h, w, 3) uint8 RGB, square,
            and a grid (X, Y, Z) bool or 0/1, or None.
        size: pixels of a tile's side, captions not counted.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    columns = max(len(views) for _, views, _ in rows)
    blank = np.full((size, size, 3), 255, np.uint8)
    sheet = []
    for label, views, grid in rows:
        tiles = [
            (text, cv2.resize(view, (size, size), interpolation=cv2.INTER_AREA))
            for text, view in views
        ]
        tiles += [(" ", blank)] * (columns - len(tiles))
        if grid is not None:
            tiles.append(("ground truth", render_voxels(grid, size=size)))
        else:
            tiles.append(("no ground truth", blank))
        row = draw_tiles(tiles, size)
        strip = np.full((size // 6, row.shape[1], 3), 255, np.uint8)
        at = (size // 32, size // 8)
        cv2.putText(strip, label, at, cv2.FONT_HERSHEY_SIMPLEX, size / 360, (40, 40, 40), 1, 16)
        sheet += [strip, row]
    return np.concatenate(sheet)
