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
LEAST = 0.001  # of the pixels: a mask with less is none

Matting = Callable[[np.ndarray], np.ndarray]  # RGB (H, W, 3) uint8 -> alpha (H, W) uint8
Box = tuple[float, float, float, float]  # left, top, right, bottom


def cut_out(rgb: np.ndarray, box: Box) -> np.ndarray:
    """The object in a box by GrabCut (Rother et al., SIGGRAPH 2004), (H, W) uint8 of 0 and 255.

    Args:
        rgb: (H, W, 3) uint8.
        box: in pixels, around the object.
    """
    height, width = rgb.shape[:2]
    factor = min(1.0, WORK / max(height, width))
    small = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    h, w = small.shape[:2]
    edge = max(1, round(BORDER * w)), max(1, round(BORDER * h))
    left, top, right, bottom = (factor * v for v in box)
    left, top = max(int(left), edge[0]), max(int(top), edge[1])
    right, bottom = min(int(right) + 1, w - edge[0]), min(int(bottom) + 1, h - edge[1])
    label = np.zeros((h, w), np.uint8)
    if right - left < 2 or bottom - top < 2:  # too small a photo, or a box beside it
        return np.zeros((height, width), np.uint8)
    cv2.setRNGSeed(0)
    rect = (left, top, right - left, bottom - top)
    bgr = np.ascontiguousarray(small[..., ::-1])
    cv2.grabCut(
        bgr, label, rect, np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_RECT
    )
    mask = _without_specks(np.isin(label, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8))
    smooth = cv2.resize(255 * mask, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(smooth > 127, 255, 0).astype(np.uint8)


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
