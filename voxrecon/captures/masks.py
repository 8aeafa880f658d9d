# SPDX-License-Identifier: MIT
"""Which pixels of a photo are the object."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import cv2
import numpy as np

from voxrecon.errors import ConfigError

WORK = 256  # pixels of the longer side that GrabCut works on
ROUNDS = 4  # of GrabCut
BORDER = 0.03  # of a photo's sides that is background to GrabCut, whatever the box
SPECK = 0.05  # of the largest region: smaller ones are left out
LEVELS = 16.0  # of 256, as Euclidean distance of colours: less is no difference
MOST_NOISE = 12.0  # levels that a plain background may be off a cubic of the position
PLAIN = 0.85  # of a background's pixels that are so
DARKEST, SAME_COLOUR = (
    0.55,
    0.08,
)  # a shadow: darker down to the first, channels alike to the second
LEAST = 0.001  # of the pixels: a mask with less is none

Matting = Callable[[np.ndarray], np.ndarray]  # RGB (H, W, 3) uint8 -> alpha (H, W) uint8
Box = tuple[float, float, float, float]  # left, top, right, bottom


def cut_out(rgb: np.ndarray, box: Box) -> np.ndarray:
    """The object in a box by GrabCut (Rother et al., SIGGRAPH 2004), (H, W) uint8 of 0 and 255.

    In front of a plain background GrabCut starts from what differs from it, else from the box.

    Args:
        rgb: (H, W, 3) uint8.
        box: in pixels, around the object.
    """
    height, width = rgb.shape[:2]
    factor = min(1.0, WORK / max(height, width))
    if factor * min(height, width) < 1:  # a line: nothing of it would be left
        return np.zeros((height, width), np.uint8)
    small = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    h, w = small.shape[:2]
    edge = max(1, round(BORDER * w)), max(1, round(BORDER * h))
    left, top, right, bottom = (factor * v for v in box)
    in_box = np.zeros((h, w), bool)
    in_box[max(int(top), 0) : int(bottom) + 1, max(int(left), 0) : int(right) + 1] = True
    left, top = max(int(left), edge[0]), max(int(top), edge[1])
    right, bottom = min(int(right) + 1, w - edge[0]), min(int(bottom) + 1, h - edge[1])
    if right - left < 2 or bottom - top < 2:  # too small a photo, or a box beside it
        return np.zeros((height, width), np.uint8)
    inside = np.zeros((h, w), bool)
    inside[top:bottom, left:right] = True
    differs = _unlike_background(small, ~inside)
    if differs is None or not (differs & in_box).any():
        label = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    else:  # an object may reach the border
        label = np.where(differs & in_box, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        label[~inside & ~differs] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(small[..., ::-1])
    cv2.grabCut(bgr, label, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    object_ = np.isin(label, (cv2.GC_FGD, cv2.GC_PR_FGD)) & in_box
    mask = _without_specks(object_.astype(np.uint8))
    smooth = cv2.resize(255 * mask, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(smooth > 127, 255, 0).astype(np.uint8)


def _unlike_background(rgb: np.ndarray, around: np.ndarray) -> np.ndarray | None:
    """Where a photo (H, W, 3) differs from the smooth background that most of ``around`` (H, W)
    shows, shadows left out; None where that is not smooth."""
    h, w = around.shape
    y, x = (grid.ravel() for grid in np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j])
    terms = np.stack((np.ones_like(x), x, y, x * x, x * y, y * y, x**3, y**3), axis=1)
    pixels, outside = rgb.reshape(-1, 3).astype(float), around.ravel()
    off = np.linalg.norm(pixels - np.median(pixels[outside], axis=0), axis=1)
    # from everything, and from what is about the colour of most where an object reaches in
    for fitted in (outside, outside & (off < max(3 * np.median(off[outside]), LEVELS))):
        for _ in range(4):
            weights, *_ = np.linalg.lstsq(terms[fitted], pixels[fitted], rcond=None)
            background = terms @ weights  # (P, 3)
            error = np.linalg.norm(pixels - background, axis=1)
            noise = np.sqrt(np.mean(error[fitted] ** 2))
            fitted = outside & (error < max(3 * noise, LEVELS / 2))
        if noise <= MOST_NOISE and fitted.sum() >= PLAIN * outside.sum():
            break
    else:
        return None
    ratio = pixels / background.clip(1, 255)
    shadow = (ratio.mean(1) > DARKEST) & (ratio.mean(1) < 1) & (np.ptp(ratio, axis=1) < SAME_COLOUR)
    return (error > max(4 * noise, LEVELS)).reshape(h, w) & ~shadow.reshape(h, w)


def is_empty(alpha: np.ndarray) -> bool:
    """Whether next to nothing of a photo is the object."""
    return np.count_nonzero(alpha > 127) < LEAST * alpha.size


def load_matting(name: str) -> Matting:
    """A function of the user's, ``package.module:function``, that makes an alpha of a photo.

    What it returns is checked: a ConfigError says what was expected.

    Raises:
        ConfigError: no such module or function.
    """
    module, _, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # a module of the user's may raise anything
        raise ConfigError(
            f"--matting {name}: {type(error).__name__}: {error}, expected package.module:function"
        ) from error
    if not callable(function):
        raise ConfigError(f"--matting {name}: {attribute} is not a function")

    def matting(rgb: np.ndarray) -> np.ndarray:
        expected = f"an array {rgb.shape[:2]} uint8"
        try:
            alpha = function(rgb.copy())
        except Exception as error:
            kind = type(error).__name__
            raise ConfigError(f"--matting {name}: {kind}: {error}, expected {expected}") from error
        got = type(alpha).__name__
        if isinstance(alpha, np.ndarray):
            got = f"an array {alpha.shape} {alpha.dtype}"
        if got != expected:
            raise ConfigError(f"--matting {name}: returned {got}, expected {expected}")
        return alpha

    return matting


def _without_specks(mask: np.ndarray) -> np.ndarray:
    count, label, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    sizes = stats[1:, cv2.CC_STAT_AREA]
    return np.isin(label, 1 + np.flatnonzero(sizes >= SPECK * sizes.max())).astype(np.uint8)
