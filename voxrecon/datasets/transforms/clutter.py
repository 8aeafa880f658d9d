# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from voxrecon.errors import ConfigError
from voxrecon.registry import TRANSFORMS


@TRANSFORMS.register_module()
class AddClutter(BaseTransform):
    """Plain rectangles of random colour behind and before the object, drawn from ``rng`` for each
    view: crowded and occluded pictures out of clean renderings.

    It works on the array ``images`` (V, h, w, 4) uint8 that ``CropViews`` leaves. A rectangle
    behind the object fills pixels of alpha 0, one before it covers whatever is there; both become
    opaque.

    Args:
        behind, before: Lowest and highest number of rectangles, both included.
        size: Smallest and largest side, in sides of the picture.
    """

    def __init__(
        self,
        behind: Sequence[int] = (4, 8),
        before: Sequence[int] = (1, 2),
        size: Sequence[float] = (0.15, 0.35),
    ) -> None:
        for name, (low, high) in (("behind", behind), ("before", before)):
            if not 0 <= low <= high:
                raise ConfigError(f"{name} {(low, high)}, expected (lowest, highest) from 0")
        if not 0 < size[0] <= size[1] <= 1:
            raise ConfigError(f"size {tuple(size)}, expected (smallest, largest) within 0..1")
        self.behind, self.before, self.size = tuple(behind), tuple(before), tuple(size)

    def transform(self, results: dict) -> dict:
        rng: np.random.Generator = results["rng"]
        images = results["images"]
        for image in images:
            crowd = np.zeros_like(image)
            for _ in range(rng.integers(self.behind[0], self.behind[1] + 1)):
                self._draw(crowd, rng)
            empty = image[..., 3] == 0
            image[empty] = crowd[empty]
            for _ in range(rng.integers(self.before[0], self.before[1] + 1)):
                self._draw(image, rng)
        return results

    def _draw(self, image: np.ndarray, rng: np.random.Generator) -> None:
        sides = np.array(image.shape[:2])
        extent = np.maximum(1, (rng.uniform(*self.size, 2) * sides).astype(int))
        top, left = (rng.random(2) * (sides - extent + 1)).astype(int)
        image[top : top + extent[0], left : left + extent[1]] = (*rng.integers(0, 256, 3), 255)
