# SPDX-License-Identifier: MIT
"""Whether photos and grid belong together: the silhouette of the grid against the mask."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from voxrecon.geometry.camera import View
from voxrecon.geometry.meshes import outer_faces

from .framing import crop, view_box

TURNS = (0, 90, 180, 270)
CLEARLY = 0.05  # better in IoU: below, a symmetric object would be said to be turned
COARSE = 64  # pixels of the silhouettes of turned grids
FINE = 3  # samples a pixel and axis
BITS = 4  # corners are rounded to 1/16 of a pixel


def silhouette(grid: np.ndarray, view: View, size: int) -> np.ndarray:
    """Where a grid (X, X, X) bool with any cell appears, (size, size) bool.

    The box around its cells is taken for the object's.
    """
    quads = np.concatenate([c[:, None] + corners for _, _, c, corners in outer_faces(grid)])
    points = _in_diagonals(quads.astype(np.float64))
    side = FINE * size  # a filled polygon has its border's pixels too
    seen = np.rint((view.project(points) * side - 0.5) * 2**BITS).astype(np.int32)
    picture = np.zeros((side, side), np.uint8)
    for quad in seen:
        cv2.fillConvexPoly(picture, quad, 255, shift=BITS)
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) > 127


def mask_iou(a: np.ndarray, b: np.ndarray) -> float:
    """IoU of two masks (H, W) bool; 1 if both are empty."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def turned(grid: np.ndarray, turn: int, mirrored: bool) -> np.ndarray:
    """The grid as it is if what is seen from azimuth ``turn`` is its front, left and right swapped
    after that with ``mirrored``."""
    grid = np.rot90(grid, -turn // 90, axes=(0, 2))
    return np.flip(grid, axis=2) if mirrored else grid


def better_turn(
    grid: np.ndarray, photos: Sequence[np.ndarray], views: Sequence[View]
) -> tuple[int, bool, float, float] | None:
    """The turn of the grid, and whether mirrored, that fits the photos clearly better than it
    stands, with the IoU of both; None if there is none.

    ``photos`` are (H, W, 4) RGBA, not cropped: each is framed anew for each turn.
    """
    photos = [_reduce(photo) for photo in photos]
    scores = {}
    for mirrored in (False, True):
        for turn in TURNS:
            other = turned(grid, turn, mirrored)
            points = _in_diagonals(np.argwhere(other) + 0.5)
            scores[turn, mirrored] = float(
                np.mean([_score(other, points, p, v) for p, v in zip(photos, views, strict=True)])
            )
    best = max(scores, key=scores.get)
    if scores[best] < scores[0, False] + CLEARLY:
        return None
    return *best, scores[best], scores[0, False]


def _reduce(photo: np.ndarray) -> np.ndarray:
    factor = min(1.0, 4 * COARSE / max(photo.shape[:2]))
    height, width = (max(1, round(factor * side)) for side in photo.shape[:2])
    return cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)


def _score(grid: np.ndarray, points: np.ndarray, photo: np.ndarray, view: View) -> float:
    if not (photo[..., 3] > 127).any():  # a thin part that is lost at this size
        return 0.0
    alpha = crop(photo, view_box(points, view), COARSE)[..., 3]
    return mask_iou(silhouette(grid, view, COARSE), alpha > 127)


def _in_diagonals(points: np.ndarray) -> np.ndarray:
    """Points (..., 3) of a grid from the middle of the box around them, in its diagonals."""
    flat = points.reshape(-1, 3)
    low, high = flat.min(axis=0), flat.max(axis=0)
    return (points - (low + high) / 2) / np.linalg.norm(high - low)
