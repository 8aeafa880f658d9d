# SPDX-License-Identifier: MIT
"""One photo of a captured object: its mask and its view."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxrecon.errors import FileError
from voxrecon.geometry.camera import UNIT_DISTANCE, View
from voxrecon.geometry.surface import Surface

from .fitting import COARSE, mask_iou, silhouette
from .framing import (
    DEFAULT_RATIO,
    crop,
    frame_view,
    measure_ratio,
    photo_box,
    upright,
    view_box,
)
from .masks import Matting, cut_out, is_empty
from .photos import read_mask, read_photo
from .poses import Pose, find_file

MASKS = (".png", ".jpg", ".jpeg")
BOXES = (0.85, 1.0, 0.7)  # of a photo's sides: where an object is looked for
GOOD = 0.85  # IoU with the silhouette of the grid, from which on no other box is tried
AROUND = 0.1  # of the box in which a pose has the object: what it may be off on each side


@dataclass(frozen=True, eq=False)
class Body:
    """The cleaned scan: surface, grid (X, X, X) bool, and the corners (N, 3) of its convex hull in
    diagonals of its bounding box, from the box's middle."""

    surface: Surface
    grid: np.ndarray
    corners: np.ndarray


@dataclass(frozen=True)
class MaskSource:
    """Where masks come from: the matting; else a folder of files; else the photo's own alpha, or
    GrabCut. With ``needed`` there must be a file for each photo."""

    matting: Matting | None
    folder: Path
    needed: bool


def shoot(
    path: Path, pose: Pose, body: Body, longest: int, source: MaskSource
) -> tuple[np.ndarray, View]:
    """A photo (H, W, 4) RGBA, upright, whose alpha is its mask, and the view that it becomes.

    Raises:
        FileError: photo or mask cannot be used, or the camera stands inside of the object.
        ConfigError: the matting does not do what it should.
    """
    photo, size = read_photo(path, longest)
    file = None if source.matting else find_file(source.folder, path.stem, MASKS)
    if source.matting:
        alpha = source.matting(photo[..., :3])
    elif file is not None:
        alpha = read_mask(file, size, photo.shape[:2])
    elif source.needed:
        raise FileError(f"{source.folder / path.stem}.png: no such mask, expected one a photo")
    elif photo[..., 3].min() < 255:
        alpha = photo[..., 3]
    else:
        alpha = _guess(photo, path, pose, body)
    if is_empty(alpha):
        raise FileError(f"{file or path}: no object in the mask, expected one")
    photo = upright(np.dstack((photo[..., :3], alpha)), pose.rotation)
    return photo, _view(photo, path, pose, body)


def _guess(photo: np.ndarray, path: Path, pose: Pose, body: Body) -> np.ndarray:
    """Of GrabCut's masks in several boxes the one that fits the grid best, (H, W) uint8."""
    height, width = photo.shape[:2]
    if pose.fov and pose.distance:
        ratio = _known_ratio(path, pose, body)
        left, top, right, bottom = photo_box(body.corners, pose, ratio, (height, width))
        dx, dy = AROUND * (right - left), AROUND * (bottom - top)
        boxes = [(left - dx, top - dy, right + dx, bottom + dy)]
    else:
        sides = [((1 - part) / 2, (1 + part) / 2) for part in BOXES]
        boxes = [(a * width, a * height, b * width, b * height) for a, b in sides]
    best, chosen = -1.0, np.zeros((height, width), np.uint8)
    for box in boxes:
        alpha = cut_out(photo[..., :3], box)
        if is_empty(alpha):
            continue
        cut = upright(np.dstack((photo[..., :3], alpha)), pose.rotation)
        view = _view(cut, path, pose, body)
        found = crop(cut, view_box(body.corners, view), COARSE)[..., 3] > 127
        score = mask_iou(silhouette(body.grid, view, COARSE), found)
        if score > best:
            best, chosen = score, alpha
        if score >= GOOD:
            break
    return chosen


def _view(photo: np.ndarray, path: Path, pose: Pose, body: Body) -> View:
    if pose.distance:
        ratio = _known_ratio(path, pose, body)
    elif pose.fov:
        ratio = measure_ratio(body.corners, pose, photo[..., 3])
    else:
        ratio = DEFAULT_RATIO
    return frame_view(body.corners, pose, ratio)


def _known_ratio(path: Path, pose: Pose, body: Body) -> float:
    nearest = body.surface.diagonal / 2
    if pose.distance <= nearest:
        raise FileError(
            f"{path}: distance {pose.distance:g}, expected more than {nearest:.3g}, half the "
            "diagonal of the scan"
        )
    return pose.distance / body.surface.diagonal / UNIT_DISTANCE
