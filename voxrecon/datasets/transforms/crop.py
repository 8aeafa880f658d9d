# SPDX-License-Identifier: MIT
from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from voxrecon.errors import ConfigError, SampleError
from voxrecon.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CropViews(BaseTransform):
    """Cut a square out of every view: ``images`` becomes one array (V, size, size, 4) uint8.

    It is the centre by default. Pix2Vox publishes a random crop, which without a bounding box is
    the centre one too (public transforms). An odd margin leaves the smaller half at the top and
    left: 137 to 128 starts at 4.

    Args:
        size: Side of the square, in pixels.
        random: Draw the upper left corner from ``rng``, for each view by itself, as 3D-R2N2 does.

    Raises:
        SampleError: a view is smaller than ``size``.
    """

    def __init__(self, size: int = 128, random: bool = False) -> None:
        if not isinstance(size, int) or size < 1:
            raise ConfigError(f"CropViews size {size!r}, expected an integer from 1")
        self.size, self.random = size, random

    def transform(self, results: dict) -> dict:
        size = self.size
        crops = np.empty((len(results["images"]), size, size, 4), np.uint8)  # (V, h, w, 4)
        for i, image in enumerate(results["images"]):
            height, width = image.shape[:2]
            if height < size or width < size:
                raise SampleError(
                    f"{results['img_paths'][i]}: {width} x {height} pixels, "
                    f"expected at least {size} a side"
                )
            margins = (height - size, width - size)
            if self.random:
                top, left = (int(results["rng"].integers(margin + 1)) for margin in margins)
            else:
                top, left = (margin // 2 for margin in margins)
            crops[i] = image[top : top + size, left : left + size]
        results["images"] = crops
        return results
