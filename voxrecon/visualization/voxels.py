# SPDX-License-Identifier: MIT
"""Shaded pictures of occupancy grids, in the convention drawn in :mod:`voxrecon.geometry.grid`."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from voxrecon.geometry.grid import view_axes
from voxrecon.geometry.meshes import outer_faces

RGB = tuple[int, int, int]

SUPERSAMPLING = 3
SUBPIXEL_BITS = 4  # corners are rounded to 1/16 of a supersampled pixel
DISTANCE = 2.5  # of the camera from the grid's middle, in longest sides: about as in the renderings
SHADES = (0.79, 0.79, 0.45, 1.0, 0.6, 0.6)  # of faces towards -x, +x, -y, +y, -z, +z
MARGIN = 0.01  # of the picture's width
EDGE_SHADE = 0.55
EDGE_CELLS = (2.0, 6.0)  # edges fade in while a cell grows from the first to the second, in pixels
MAX_INPUTS = 5


def render_voxels(
    grid: np.ndarray,
    azimuth: float = 30.0,
    elevation: float = 25.0,
    size: int = 256,
    color: RGB | np.ndarray = (120, 164, 220),
    background: RGB = (255, 255, 255),
    threshold: float = 0.3,
) -> np.ndarray:
    """Picture of the voxels of a (X, Y, Z) grid that are ``>= threshold`` (bools: the set ones).

    The camera stands at ``azimuth`` and ``elevation`` (degrees), in a mild perspective. The frame
    depends on the grid's shape and the elevation alone and holds the grid at every azimuth, so the
    pictures of a prediction and its truth, or those of a turntable, match. ``color`` is one for
    all voxels or one for each, (X, Y, Z, 3); these are shaded less, so that they can be told apart.

    Returns:
        (size, size, 3) uint8 RGB.

    Raises:
        ValueError: the grid has not three axes of at least one cell.
    """
    occupied = np.asarray(grid) >= threshold
    if occupied.ndim != 3 or not occupied.size:
        raise ValueError(f"grid of shape {occupied.shape}, expected (X, Y, Z)")

    shape = np.array(occupied.shape)
    axes = view_axes(azimuth, elevation)
    distance = DISTANCE * shape.max()
    reach = np.abs(_project(_turntable_rims(shape), axes, distance)).max()
    focal = (0.5 - MARGIN) / reach  # in widths of the picture

    side = size * SUPERSAMPLING
    cells, corners, facing = _visible_faces(occupied, axes[2] * distance)
    points = _project(corners, axes, distance) * (focal, -focal) + 0.5  # (F, 4, 2), y downwards
    points = points * side - 0.5  # cv2 counts from the middle of the first pixel
    owner = np.zeros((side, side), np.int32)  # the face seen at a pixel, from 1; 0 for none
    for face, quad in enumerate(np.rint(points * 2**SUBPIXEL_BITS).astype(np.int32), start=1):
        cv2.fillConvexPoly(owner, quad, face, shift=SUBPIXEL_BITS)

    edge_shade = np.interp(size * focal / distance, EDGE_CELLS, (1.0, EDGE_SHADE))
    shades = np.array(SHADES)
    if np.ndim(color) > 1:
        shades, edge_shade = np.sqrt(shades), np.sqrt(edge_shade)
    lit = np.broadcast_to(color, (*occupied.shape, 3))[tuple(cells.T)] * shades[facing, None]
    paint = np.concatenate(([background], lit, [background], lit * edge_shade))
    paint = np.rint(paint).astype(np.uint8)  # of the faces, then of their edges
    picture = paint.take(owner + _borders(owner) * np.int32(len(paint) // 2), axis=0)
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


def draw_reconstruction(
    images: np.ndarray,
    prediction: np.ndarray,
    truth: np.ndarray | None = None,
    threshold: float = 0.3,
    size: int = 224,
    azimuth: float = 30.0,
    elevation: float = 25.0,
) -> np.ndarray:
    """One row of captioned tiles on white: the first input views, the prediction, and the truth.

    Args:
        images: (V, h, w, 3) uint8 RGB, V >= 0, of which at most 5 are shown.
        prediction: (X, Y, Z) occupancy probability.
        truth: (X, Y, Z) bool or 0/1, or None; with it, the prediction's caption has its IoU.
        size: pixels of a tile's side, captions not counted.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    tiles = draw_inputs(images, MAX_INPUTS, size)

    def picture(grid: np.ndarray) -> np.ndarray:
        return render_voxels(grid, azimuth, elevation, size, threshold=threshold)

    caption = f"prediction, t = {threshold:g}"
    if truth is not None:
        caption += (
            f", IoU {_iou(np.asarray(prediction) >= threshold, np.asarray(truth) >= threshold):.3f}"
        )
    tiles.append((caption, picture(prediction)))
    if truth is not None:
        tiles.append(("truth", picture(truth)))

    return draw_tiles(tiles, size)


def draw_inputs(images: np.ndarray, most: int, size: int = 224) -> list[tuple[str, np.ndarray]]:
    """Tiles of at most ``most`` of the images (V, h, w, 3) uint8 RGB, the first, with captions; the
    last says if there are more."""
    shown = images[:most]
    tiles = [(f"input {i}", _letterbox(image, size)) for i, image in enumerate(shown, start=1)]
    if len(images) > most:
        tiles[-1] = (f"input {most} of {len(images)}", tiles[-1][1])
    return tiles


def draw_tiles(tiles: Sequence[tuple[str, np.ndarray]], size: int = 224) -> np.ndarray:
    """One row of pictures (size, size, 3) uint8 RGB on white, each under its caption.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    gap = np.full((size + size // 8, max(size // 32, 1), 3), 255, np.uint8)
    row = [gap]
    for text, tile in tiles:
        row += [np.concatenate((_caption(text, size), tile)), gap]
    return np.concatenate(row, axis=1)


def _project(points: np.ndarray, axes: np.ndarray, distance: float) -> np.ndarray:
    """Points (..., 3) about the grid's middle to right and up (..., 2) at focal length 1."""
    seen = points @ axes.T
    return seen[..., :2] / (distance - seen[..., 2:])


def _turntable_rims(shape: np.ndarray) -> np.ndarray:
    """Top and bottom rim (128, 3) of the cylinder that a grid sweeps when turned about y."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    radius, top = np.hypot(shape[0], shape[2]) / 2, np.full(64, shape[1] / 2)
    rim = np.stack((radius * np.cos(angle), top, radius * np.sin(angle)), axis=1)
    return np.concatenate((rim, rim * (1, -1, 1)))


def _visible_faces(
    occupied: np.ndarray, camera: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outer faces that are turned to the camera, the last ones hiding the ones before.

    ``camera`` is its position about the grid's middle, in cells. Returns the cells (F, 3) that have
    these faces, corners (F, 4, 3) about the middle, in cells, and directions (F,), 0 to 5 in the
    order of ``SHADES``.
    """
    camera = camera + np.array(occupied.shape) / 2  # in the coordinates of the cells
    cells, corners, facing = [], [], []
    for axis, step, cell, quad in outer_faces(occupied):
        towards = camera[axis] - (cell[:, axis] + step)
        cell = cell[towards > 0 if step else towards < 0]
        cells.append(cell)
        corners.append(cell[:, None] + quad)
        facing.append(np.full(len(cell), 2 * axis + step))
    # along a ray from the camera no coordinate turns back: the sum grows, so the order is exact
    cells = np.concatenate(cells)
    far = np.abs(cells + 0.5 - camera).sum(axis=1)
    order = np.argsort(-far, kind="stable")
    middle = np.array(occupied.shape) / 2
    return cells[order], np.concatenate(corners)[order] - middle, np.concatenate(facing)[order]


def _borders(owner: np.ndarray) -> np.ndarray:
    """Where the pixel to the right or below belongs to another face, (H, W) uint8."""
    border = np.zeros(owner.shape, np.uint8)
    border[:, :-1] = owner[:, 1:] != owner[:, :-1]
    border[:-1] |= owner[1:] != owner[:-1]
    return border


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def _letterbox(image: np.ndarray, size: int) -> np.ndarray:
    """An image (h, w, 3) uint8 as large as it fits the middle of a white square."""
    h, w = image.shape[:2]
    factor = size / max(h, w)
    inner = max(round(w * factor), 1), max(round(h * factor), 1)
    image = cv2.resize(
        image, inner, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    )
    tile = np.full((size, size, 3), 255, np.uint8)
    top, left = (size - inner[1]) // 2, (size - inner[0]) // 2
    tile[top : top + inner[1], left : left + inner[0]] = image
    return tile


def _caption(text: str, width: int) -> np.ndarray:
    """A strip (width // 8, width, 3) with the text in its middle, smaller where it is too long."""
    strip = np.full((width // 8, width, 3), 255, np.uint8)
    (length, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)
    scale = min(width / 450, 0.96 * width / length)
    (length, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    at = (width - length) // 2, (len(strip) + height) // 2
    cv2.putText(strip, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (40, 40, 40), 1, cv2.LINE_AA)
    return strip
