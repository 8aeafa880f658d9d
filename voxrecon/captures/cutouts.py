# SPDX-License-Identifier: MIT
"""From any photo of an object to the picture that a network has learnt to read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voxrecon.choices import BACKGROUNDS, FRAMINGS, Background, Framing
from voxrecon.errors import ConfigError, FileError
from voxrecon.visualization.alpha import on_white

from .framing import crop, fit, mask_box, touches_border
from .masks import BORDER, LEAST, Box, cut_out, is_empty

SIZE = 128  # pixels of a crop's side: those of the renderings that networks are trained on
FILL = 0.7  # of a crop's side that the object takes: median of ShapeNet and Shapes13 0.66 to 0.76
BOXES = (1.0, 0.85, 0.7)  # of a photo's sides: where GrabCut looks for the object
MOST = 0.95  # of its box: a mask with more has found no background


@dataclass(frozen=True, eq=False)
class Cutout:
    """A photo as a network gets it.

    Attributes:
        picture: (S, S, 4) uint8 RGBA; the background is transparent, but for a kept one.
        source: What told object and background apart: "mask", "alpha", "GrabCut", or "kept".
        name: Of the photo.
        cropped: Whether the object reaches the photo's border and may go on beyond.
    """

    picture: np.ndarray
    source: str
    name: str
    cropped: bool = False


def cut_photo(
    photo: np.ndarray,
    name: str,
    mask: np.ndarray | None = None,
    box: Box | None = None,
    background: Background = "auto",
    framing: Framing = "object",
) -> Cutout:
    """Remove the background of a photo, and frame the object as the renderings do.

    Args:
        photo: (H, W, 4) uint8 RGBA.
        name: Of the photo, for messages.
        mask: (H, W) uint8, above 127 where the object is.
        box: Left, top, right, bottom in pixels: nothing outside is the object.
        background: Where there is no mask: "auto" takes alpha where any pixel is transparent, else
            GrabCut (in the box, if there is one); "alpha" and "grabcut" take that one; "keep"
            removes nothing, and transparent pixels become white.
        framing: "object" centres the object and lets its longer side take 0.7 of the crop (of a
            kept background it takes the whole photo); "whole" takes the whole photo, with margins
            where it is not square; "rendering" takes the 128 pixels in the middle, as the networks'
            tests do with renderings of 137.

    Raises:
        FileError: no object is found.
        ConfigError: another word for ``background`` or ``framing``, a mask of another size, or a
            box that is empty or outside.
    """
    height, width = photo.shape[:2]
    for option, value, known in (
        ("background", background, BACKGROUNDS),
        ("framing", framing, FRAMINGS),
    ):
        if value not in known:
            raise ConfigError(f"{option} {value!r}, expected of {', '.join(known)}")
    if mask is not None and mask.shape != (height, width):
        raise ConfigError(
            f"{name}: mask of {' x '.join(map(str, mask.shape[::-1]))} pixels, "
            f"expected {width} x {height} as the photo"
        )
    if box is not None:
        check_box(box, width, height, name)
    alpha, source = _find_object(photo, name, mask, box, background)
    colours = on_white(photo) if source == "kept" else photo[..., :3]
    cut = np.dstack((colours, alpha))
    if framing == "object" and source != "kept":
        picture = _centre(cut)
    elif framing != "rendering":
        picture = _letterbox(cut)
    else:
        picture = _middle(cut, name)
    # GrabCut takes a frame of the photo for background, whatever is there
    frame = 1.5 * BORDER if source == "GrabCut" else 0.0
    return Cutout(picture, source, name, source != "kept" and touches_border(cut, frame))


def check_box(box: Box, width: int, height: int, name: str) -> Box:
    """The box; ConfigError unless it is within the photo ``name`` and not empty."""
    try:
        left, top, right, bottom = map(float, box)
    except (TypeError, ValueError):
        inside = False
    else:
        inside = 0 <= left < right <= width and 0 <= top < bottom <= height
    if not inside:
        raise ConfigError(
            f"{name}: box {box!r}, expected left, top, right, bottom within {width} x {height} "
            "pixels"
        )
    return left, top, right, bottom


def _find_object(
    photo: np.ndarray, name: str, mask: np.ndarray | None, box: Box | None, background: str
) -> tuple[np.ndarray, str]:
    """Alpha (H, W) uint8, and where it comes from."""
    own = photo[..., 3]
    if mask is not None:
        alpha, source, hint = mask, "mask", "expected values above 127 where it is"
    elif background == "keep":
        alpha, source, hint = np.full_like(own, 255), "kept", "expected a photo"
    elif background == "alpha" or (background == "auto" and own.min() < 255):
        if own.min() == 255:
            raise FileError(f"{name}: no transparent pixel, expected some for background 'alpha'")
        alpha, source, hint = own, "alpha", "expected an object that is not transparent"
    else:
        boxes = [box] if box is not None else [_inner_box(own.shape, part) for part in BOXES]
        for each in boxes:
            alpha = cut_out(photo[..., :3], each)
            left, top, right, bottom = each
            if LEAST < (alpha > 127).sum() / ((right - left) * (bottom - top)) <= MOST:
                break
        source = "GrabCut"
        hint = "expected a plain background, a mask, a box, or transparent pixels"
    if box is not None and source != "GrabCut":
        left, top, right, bottom = map(round, box)
        inside = np.zeros_like(alpha)
        inside[top:bottom, left:right] = alpha[top:bottom, left:right]
        alpha = inside
    if is_empty(alpha):
        raise FileError(f"{name}: no object found by {source}, {hint}")
    return alpha, source


def _inner_box(shape: tuple[int, int], part: float) -> Box:
    """The box in the middle that takes ``part`` of each side (H, W)."""
    height, width = shape
    low, high = (1 - part) / 2, (1 + part) / 2
    return low * width, low * height, high * width, high * height


def _centre(cut: np.ndarray) -> np.ndarray:
    left, top, right, bottom = mask_box(cut[..., 3])
    longest = max(right - left, bottom - top)
    half = np.array((right - left, bottom - top)) / longest * FILL / 2
    return crop(cut, (*(0.5 - half), *(0.5 + half)), SIZE)


def _letterbox(cut: np.ndarray) -> np.ndarray:
    height, width = cut.shape[:2]
    side = max(height, width)
    margins = ((side - width) / 2 / side, (side - height) / 2 / side)
    place = (*margins, 1 - margins[0], 1 - margins[1])
    return fit(cut, (0.0, 0.0, float(width), float(height)), place, SIZE)


def _middle(cut: np.ndarray, name: str) -> np.ndarray:
    height, width = cut.shape[:2]
    if min(height, width) < SIZE:
        raise ConfigError(f"{name}: {width} x {height} pixels, expected at least {SIZE} a side")
    top, left = (height - SIZE) // 2, (width - SIZE) // 2
    return cut[top : top + SIZE, left : left + SIZE]
