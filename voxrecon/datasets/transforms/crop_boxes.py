# SPDX-License-Identifier: MIT
from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from voxrecon.errors import ConfigError, SampleError
from voxrecon.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CropBoxes(BaseTransform):
    """Cut the object's box out of every view: ``images`` becomes (V, size, size, 4) uint8.

    The crops of Pix2Vox's public transforms: a square of the box's larger side about its middle,
    resized bilinearly; where it reaches beyond the picture, the picture's edge goes on. Each view
    has a box of its own, in pixels (``boxes``); the public code scales the box anew for every view
    of an object and so cuts the second one elsewhere.

    Args:
        size: Side of the crops, in pixels.
        jitter: For training: the side times U(0.8, 1.2), and left, right, top and bottom each that
            side times U(0.4, 0.6) from the middle, drawn from ``rng`` in this order.

    Raises:
        SampleError: no box, or one that is empty or wholly outside its picture.
    """

    def __init__(self, size: int = 224, jitter: bool = False) -> None:
        if not isinstance(size, int) or size < 1:
            raise ConfigError(f"CropBoxes size {size!r}, expected an integer from 1")
        self.size, self.jitter = size, jitter

    def transform(self, results: dict) -> dict:
        images, boxes = results["images"], results.get("boxes")
        if boxes is None:
            raise SampleError(f"{results['img_paths'][0]}: no box, expected one a view")
        crops = np.empty((len(images), self.size, self.size, 4), np.uint8)
        for i, (image, box) in enumerate(zip(images, boxes, strict=True)):
            _check(box, image, results["img_paths"][i])
            crops[i] = crop(image, *self._place(box, results.get("rng")), self.size)
        results["images"] = crops
        return results

    def _place(self, box: tuple, rng: np.random.Generator | None) -> tuple[int, int, int, int]:
        """First and last column, first and last row."""
        x0, y0, x1, y1 = box
        side, reach = max(x1 - x0, y1 - y0), np.full(4, 0.5)
        if self.jitter:
            side, reach = side * rng.uniform(0.8, 1.2), rng.uniform(0.4, 0.6, 4)
        left, right, top, bottom = side * reach
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        return int(x - left), int(x + right), int(y - top), int(y + bottom)


def crop(image: np.ndarray, left: int, right: int, top: int, bottom: int, size: int) -> np.ndarray:
    """Columns ``left``..``right`` and rows ``top``..``bottom``, both included and perhaps beyond
    the picture (H, W, C), resized to (size, size, C).

    Only the pixels between which it interpolates are taken, so that no box costs memory.
    """
    height, width = image.shape[:2]
    rows, y = _neighbours(top, bottom, size, height)
    columns, x = _neighbours(left, right, size, width)
    part = image[rows.ravel()[:, None], columns.ravel()].astype(np.float32)
    part = part.reshape(2, size, 2, size, -1)
    part = part[0] + y[:, None, None, None] * (part[1] - part[0])  # (size, 2, size, C)
    part = part[:, 0] + x[:, None] * (part[:, 1] - part[:, 0])
    return np.rint(part).astype(np.uint8)


def _neighbours(first: int, last: int, size: int, extent: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (2, size) of the pixels before and behind each sample, and its share (size,) of the
    way from one to the other."""
    count = last - first + 1
    # pixel centres fall on pixel centres, and the crop's edge is repeated
    at = np.clip((np.arange(size) + 0.5) * (count / size) - 0.5, 0, count - 1)
    before = np.minimum(np.floor(at), max(count - 2, 0))
    pair = first + np.stack([before, np.minimum(before + 1, count - 1)])
    return np.clip(pair, 0, extent - 1).astype(int), (at - before).astype(np.float32)


def _check(box: tuple, image: np.ndarray, path: str) -> None:
    x0, y0, x1, y1 = box
    height, width = image.shape[:2]
    if not (x0 < x1 and y0 < y1):
        raise SampleError(f"{path}: box {tuple(box)}, expected x0 < x1 and y0 < y1")
    if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        raise SampleError(f"{path}: box {tuple(box)}, outside the {width} x {height} pixels")
