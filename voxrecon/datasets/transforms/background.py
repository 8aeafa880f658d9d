# SPDX-License-Identifier: MIT
from __future__ import annotations

import os

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from voxrecon.errors import ConfigError, SampleError
from voxrecon.registry import TRANSFORMS

from ..storage import read_bytes
from .loading import MAX_IMAGE_BYTES, decode_image

PICTURES = (".jpg", ".jpeg", ".png")


@TRANSFORMS.register_module()
class AddBackground(BaseTransform):
    """A random crop of a random photo behind the object, for each view.

    The recipe of RenderForCNN (Su et al. 2015, section 4.1), with which the renderings are made
    that networks for Pix3D are trained on. It works on the array ``images`` (V, h, w, 4) uint8 that
    ``CropViews`` leaves; the alpha channel blends, and the result is opaque. A photo that is
    smaller than the view is enlarged to cover it.

    Args:
        folder: Photos, JPEG or PNG, in folders of any depth; listed once, in sorted order.
        probability: Of a background; a view without one stays as it is.

    Raises:
        ConfigError: no such folder, or no photo in it.
        SampleError: a photo is broken.
    """

    def __init__(self, folder: str, probability: float = 1.0) -> None:
        if not 0 <= probability <= 1:
            raise ConfigError(f"AddBackground probability {probability!r}, expected 0 to 1")
        if not os.path.isdir(folder):
            raise ConfigError(f"AddBackground folder {folder}: no such folder of photos")
        self.paths = sorted(
            os.path.join(inside, name)
            for inside, _, names in os.walk(folder)
            for name in names
            if name.lower().endswith(PICTURES)
        )
        if not self.paths:
            raise ConfigError(f"AddBackground folder {folder}: no photos, expected JPEG or PNG")
        self.probability = probability

    def transform(self, results: dict) -> dict:
        rng: np.random.Generator = results["rng"]
        for image in results["images"]:
            if rng.random() >= self.probability:
                continue
            photo = self._crop(self.paths[rng.integers(len(self.paths))], image.shape[:2], rng)
            alpha = image[..., 3:].astype(np.uint16)
            blend = alpha * image[..., :3] + (255 - alpha) * photo
            image[..., :3] = (blend + np.uint16(127)) // 255
            image[..., 3] = 255
        return results

    def _crop(self, path: str, sides: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """(h, w, 3) uint8."""
        try:
            photo = decode_image(read_bytes(path, MAX_IMAGE_BYTES), path)[..., :3]
        except FileNotFoundError:
            raise SampleError(f"{path}: no such photo any more") from None
        enlarged = max(1.0, sides[0] / photo.shape[0], sides[1] / photo.shape[1])
        # cut first: a strip of a photo would grow large
        height, width = (max(1, round(side / enlarged)) for side in sides)
        top = int(rng.integers(photo.shape[0] - height + 1))
        left = int(rng.integers(photo.shape[1] - width + 1))
        part = photo[top : top + height, left : left + width]
        return cv2.resize(part, sides[::-1]) if enlarged > 1 else part
