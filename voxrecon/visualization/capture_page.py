# SPDX-License-Identifier: MIT
"""One page on which a wrong axis or pose of a captured object is seen at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from voxrecon.geometry.camera import View
from voxrecon.geometry.rendering import Renderer
from voxrecon.geometry.surface import Surface

from .alpha import on_white
from .voxels import draw_tiles, render_voxels

TILE = 200  # pixels
COLUMNS = 6  # photos in a row
OBLIQUE = (30.0, 25.0)  # azimuth and elevation of the overview
OUTLINE = (220, 30, 30)
SIDES = ("front", "right", "back", "left")  # azimuth 0, 90, 180, 270


@dataclass(frozen=True, eq=False)
class Shot:
    """A framed photo: its name, picture (S, S, 4) uint8 RGBA, view, the silhouette (S, S) bool of
    the grid in it, and the IoU of that with its mask."""

    name: str
    picture: np.ndarray
    view: View
    silhouette: np.ndarray
    iou: float


def draw_capture_page(surface: Surface, grid: np.ndarray, shots: Sequence[Shot]) -> np.ndarray:
    """Every photo with the outline of the grid, over the scan and the voxels from the same side.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    render = Renderer(surface)
    scan = on_white(render(View(*OBLIQUE), size=TILE))
    first = [("scan", scan), ("voxels", render_voxels(grid, *OBLIQUE, TILE))]
    blank = (" ", np.full((TILE, TILE, 3), 255, np.uint8))
    rows = []
    for start in range(0, len(shots), COLUMNS):
        part = shots[start : start + COLUMNS]
        columns = [
            (
                (f"{shot.name}: IoU {shot.iou:.2f}", _outlined(shot)),
                (f"scan, {name_side(shot.view)}", on_white(render(shot.view, size=TILE))),
                ("voxels", render_voxels(grid, shot.view.azimuth, shot.view.elevation, TILE)),
            )
            for shot in part
        ]
        columns += [(blank,) * 3] * (min(COLUMNS, len(shots)) - len(part))
        heads = (*first, blank) if start == 0 else (blank,) * 3
        rows += [
            draw_tiles([head, *row], TILE)
            for head, row in zip(heads, zip(*columns, strict=True), strict=True)
        ]
    return np.concatenate(rows)


def name_side(view: View) -> str:
    """The side that a view sees, with its azimuth: ``"front 0"``, ``"right 75"``."""
    return f"{SIDES[round(view.azimuth / 90) % 4]} {view.azimuth:.0f}"


def _outlined(shot: Shot) -> np.ndarray:
    picture = cv2.resize(on_white(shot.picture), (TILE, TILE), interpolation=cv2.INTER_AREA)
    mask = cv2.resize(shot.silhouette.astype(np.uint8), (TILE, TILE))
    lines = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    return cv2.drawContours(np.ascontiguousarray(picture), lines, -1, OUTLINE, 1)
