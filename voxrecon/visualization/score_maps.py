# SPDX-License-Identifier: MIT
"""How much each view has contributed to each voxel of a fused shape, as pictures."""

from __future__ import annotations

import cv2
import numpy as np

from .voxels import draw_inputs, draw_tiles, render_voxels

MAX_VIEWS = 8
COLOURS = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)
COLOURS = COLOURS[:, 0, ::-1]  # (256, 3) RGB
SHARE = 0.99  # of the voxels have a colour of their own score, the others that of an end
LEAST = 0.01  # half of the colours' range at least, so that equal scores look equal
INK = (40, 40, 40)


def draw_scores(
    views: np.ndarray,
    scores: np.ndarray,
    volume: np.ndarray,
    threshold: float = 0.3,
    size: int = 224,
) -> np.ndarray:
    """The score maps of a context-aware fusion (Pix2Vox, section 3.2.3), below the input views.

    A map shows the voxels of the shape, each in the colour of the view's score there, which
    is its weight in the mean over views. The middle colour is 1 / V, a view like all others; from
    there the colours go equally far down and up on the scale of ``_compare``, as far as 99 % of the
    scores do (a single view has 0 to 1). The reconstruction and the colour bar are at the right.

    Args:
        views: (V, h, w, 3) uint8 RGB, of which the first 8 are shown.
        scores: (V, X, Y, Z) in [0, 1], after the softmax over views.
        volume: (X, Y, Z) occupancy probability; the voxels ``>= threshold`` are shown.
        size: pixels of a tile's side, captions not counted.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the shapes do not match, or a score is not in [0, 1].
    """
    count, volume = len(scores), np.asarray(volume)
    if scores.shape != (len(views), *volume.shape) or not count:
        raise ValueError(
            f"scores of shape {scores.shape}, expected {(len(views), *volume.shape)} of at least "
            "one view"
        )
    if not (scores.min() >= 0 and scores.max() <= 1.001):  # half precision may exceed 1
        raise ValueError(f"scores from {scores.min()} to {scores.max()}, expected 0 to 1")

    places = _compare(scores, count)
    occupied = volume >= threshold
    seen = places[:, occupied]
    reach = 0.5 if count == 1 else LEAST
    if seen.size:
        reach = max(reach, float(np.quantile(np.abs(seen - 0.5), SHARE)))
    low, high = 0.5 - reach, 0.5 + reach
    colours = COLOURS[np.rint((places - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)]

    # the frame follows the shape of what is drawn, so that a small object fills it too
    box = (*map(_extent, occupied.nonzero()),)
    inputs = draw_inputs(views, MAX_VIEWS, size)
    digits = 2 + len(str(count))  # of many views each score is small
    maps = [
        (
            f"mean score {score[occupied].mean():.{digits}f}" if occupied.any() else "no voxels",
            render_voxels(occupied[box], size=size, color=colour[box]),
        )
        for score, colour in zip(scores[:MAX_VIEWS], colours[:MAX_VIEWS], strict=True)
    ]
    shape = f"reconstruction, t = {threshold:g}", render_voxels(occupied[box], size=size)
    labels = [f"{_weight(place, count):.{digits}f}" for place in (low, 0.5, high)]
    labels[0] += " or less" if (seen < low).any() else ""
    labels[1] += f" = 1/{count}" if count > 1 else ""
    labels[2] += " or more" if (seen > high).any() else ""
    bar = "score of a view", _draw_bar(labels, size)
    return np.concatenate((draw_tiles([*inputs, shape], size), draw_tiles([*maps, bar], size)))


def _compare(scores: np.ndarray, count: int) -> np.ndarray:
    """Scores beside the mean of the other views': 0 at score 0, 0.5 at 1 / ``count``, 1 at 1."""
    others = max(count - 1, 1)
    return others * scores / (1 + (others - 1) * scores)


def _weight(place: float, count: int) -> float:
    """The score at a place of ``_compare``."""
    others = max(count - 1, 1)
    return place / (others - (others - 1) * place)


def _extent(index: np.ndarray) -> slice:
    """From the least to the greatest of indices; all where there are none."""
    return slice(index.min(), index.max() + 1) if len(index) else slice(None)


def _draw_bar(labels: list[str], size: int) -> np.ndarray:
    """A tile (size, size, 3) with the colours from low to high, labels at bottom, middle, top."""
    tile = np.full((size, size, 3), 255, np.uint8)
    top, height, left, width = size // 10, size - 2 * (size // 10), size // 8, size // 8
    ramp = COLOURS[np.linspace(255, 0, height).round().astype(int)]
    tile[top : top + height, left : left + width] = ramp[:, None]
    for label, row in zip(labels, (top + height - 1, top + height // 2, top), strict=True):
        cv2.line(tile, (left, row), (left + width + size // 24, row), INK, 1)
        at = (left + width + size // 14, row + size // 60)
        cv2.putText(tile, label, at, cv2.FONT_HERSHEY_SIMPLEX, size / 450, INK, 1, cv2.LINE_AA)
    return tile
