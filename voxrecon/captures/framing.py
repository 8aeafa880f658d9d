# SPDX-License-Identifier: MIT
"""From a photo to the picture that the camera of the ShapeNet renderings would have taken.

That camera looks at the middle of the object and has one focal length, so a picture follows from
azimuth, elevation and distance. The distance decides on the perspective and is kept; place and size
in the picture are those that the scan has in such a view: the photo is moved and scaled until the
boxes around the mask and around the projected scan have the same middle and the same diagonal.
"""

from __future__ import annotations

import cv2
import numpy as np

from voxrecon.geometry.camera import FOCAL, UNIT_DISTANCE, View

from .masks import Box
from .poses import Pose

DEFAULT_RATIO = 0.8  # the middle of the published renderings
INSIDE = 0.02  # of the picture: margin that the object keeps
NEAREST, FARTHEST = 0.3, 100.0  # distance ratios
FINE = 4  # samples a pixel and axis


def frame_view(points: np.ndarray, pose: Pose, ratio: float) -> View:
    """The view of a pose at a distance ratio; if the object would not fit into the picture, from
    as far as it takes.

    ``points`` (N, 3) of the object are in diagonals of its bounding box, from the box's middle.
    """
    ratio = min(max(ratio, NEAREST), FARTHEST)
    while True:
        view = View(pose.azimuth, pose.elevation, round(ratio, 6))
        box = np.array(view_box(points, view))
        if (_nearest(points, view) > 0 and box.min() >= INSIDE and box.max() <= 1 - INSIDE) or (
            ratio > FARTHEST
        ):
            return view
        ratio *= 1.01


def view_box(points: np.ndarray, view: View) -> Box:
    """The box around points (N, 3) in the unit picture."""
    seen = view.project(points)
    return (*map(float, seen.min(axis=0)), *map(float, seen.max(axis=0)))


def photo_box(points: np.ndarray, pose: Pose, ratio: float, shape: tuple[int, int]) -> Box:
    """The box in pixels (H, W) where a pose with a field of view has the object, if the camera
    looked at its middle."""
    height, width = shape
    focal = max(height, width) / 2 / np.tan(np.radians(pose.fov) / 2)
    seen = (View(pose.azimuth, pose.elevation, ratio).project(points) - 0.5) / FOCAL * focal
    cos, sin = np.cos(np.radians(pose.rotation)), np.sin(np.radians(pose.rotation))
    seen = seen @ np.array(((cos, -sin), (sin, cos)))  # the picture turns the other way round
    left, top = seen.min(axis=0) + (width / 2, height / 2)
    right, bottom = seen.max(axis=0) + (width / 2, height / 2)
    return float(left), float(top), float(right), float(bottom)


def measure_ratio(points: np.ndarray, pose: Pose, alpha: np.ndarray) -> float:
    """The distance ratio at which a photo's field of view shows the object as large as its mask."""
    wanted = _diagonal(mask_box(alpha))
    low, high = NEAREST, FARTHEST
    for _ in range(40):  # halves the interval, in proportion
        middle = (low * high) ** 0.5
        too_near = _nearest(points, View(pose.azimuth, pose.elevation, middle)) <= 0
        if too_near or _diagonal(photo_box(points, pose, middle, alpha.shape)) > wanted:
            low = middle
        else:
            high = middle
    return high


def mask_box(alpha: np.ndarray) -> Box:
    """The box in pixels around a mask (H, W) that is not empty."""
    rows = np.flatnonzero((alpha > 127).any(axis=1))
    columns = np.flatnonzero((alpha > 127).any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def touches_border(photo: np.ndarray, frame: float = 0.0) -> bool:
    """Whether the mask of a photo (H, W, 4) reaches its border, or a frame that takes this part of
    each side: the object may go on beyond."""
    left, top, right, bottom = mask_box(photo[..., 3])
    height, width = photo.shape[:2]
    x, y = frame * width, frame * height
    return left <= x or top <= y or right >= width - x or bottom >= height - y


def upright(photo: np.ndarray, rotation: float) -> np.ndarray:
    """A photo (H, W, 4) of a camera turned clockwise by ``rotation`` degrees, turned back; larger
    by what its corners need."""
    if not rotation:
        return photo
    height, width = photo.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -rotation, 1.0)
    corners = np.array(((0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1))) @ matrix.T
    matrix[:, 2] -= corners.min(axis=0)
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # cv2 counts from the middle of a pixel
    size = np.ceil(np.ptp(corners, axis=0).round(6)).astype(int)
    return cv2.warpAffine(photo, matrix, tuple(map(int, size)))


def crop(photo: np.ndarray, box: Box, size: int) -> np.ndarray:
    """The square in which the mask of a photo (H, W, 4) RGBA fills ``box`` of the unit picture.

    Returns:
        (size, size, 4) uint8 RGBA; colours at the mask's edge are those inside of it.
    """
    return fit(photo, mask_box(photo[..., 3]), box, size)


def fit(photo: np.ndarray, part: Box, box: Box, size: int) -> np.ndarray:
    """The square in which ``part`` of a photo (H, W, 4) RGBA, in pixels, fills ``box`` of the unit
    picture; as ``crop``."""
    mask, box = np.array(part), np.array(box)
    side = FINE * size
    scale = side * _diagonal(box) / _diagonal(mask)
    shift = side * (box[:2] + box[2:]) / 2 - scale * (mask[:2] + mask[2:]) / 2
    # pixels have their middles at + 0.5
    shift += (scale - 1) / 2
    matrix = np.array(((scale, 0, shift[0]), (0, scale, shift[1])))
    weight = photo[..., 3:].astype(np.float32) / 255
    weighted = np.concatenate((photo[..., :3] * weight, weight), axis=2)
    fine = cv2.warpAffine(weighted, matrix, (side, side))
    small = cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)
    colour = small[..., :3] / np.maximum(small[..., 3:], 1e-6)
    whole = np.concatenate((colour, 255 * small[..., 3:]), axis=2)
    return np.rint(whole).clip(0, 255).astype(np.uint8)


def _nearest(points: np.ndarray, view: View) -> float:
    """From the camera, in diagonals, along the direction of view."""
    return float(UNIT_DISTANCE * view.distance - (points @ view.axes[2]).max())


def _diagonal(box) -> float:
    return float(np.hypot(box[2] - box[0], box[3] - box[1]))
