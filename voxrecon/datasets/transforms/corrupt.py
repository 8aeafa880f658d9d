# SPDX-License-Identifier: MIT
from __future__ import annotations

import hashlib
import math

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from voxrecon.errors import ConfigError, SampleError
from voxrecon.registry import TRANSFORMS

# what strengths 1 to 5 mean
SCALES = {
    "noise": (0.05, 0.1, 0.15, 0.2, 0.3),  # standard deviation, white being 1
    "occlusion": (0.1, 0.2, 0.3, 0.4, 0.5),  # share of the object's pixels
    "blur": (0.005, 0.01, 0.02, 0.03, 0.045),  # standard deviation, in sides of the picture
    "background": (0.2, 0.4, 0.6, 0.8, 1.0),  # contrast
}
PLAIN = 240.0  # grey level that VoxelDataPreprocessor puts behind an object
GREYS = (60, 180)  # levels of an occluder: neither black nor the background's
PATCHES = 4  # random colours a side, between which the background is smooth
GRAIN = 25.0  # standard deviation of the background's noise, in grey levels


@TRANSFORMS.register_module()
class CorruptViews(BaseTransform):
    """Spoil every view in one way, for testing: it belongs behind the cropping.

    Five strengths each, in the manner of Hendrycks & Dietterich (ICLR 2019); the scales
    (``SCALES``) are ours. The object's pixels are those whose alpha is not 0.

    ============== =================================================================================
    noise          Gaussian, on the colours of the object's pixels
    occlusion      a grey rectangle or ellipse about a random point of the object's bounding box,
                   just so large that it hides its share of the object's pixels
    blur           Gaussian, of the object on the plain background: what it reaches becomes opaque,
                   since ``VoxelDataPreprocessor`` shows every pixel but those of alpha 0 in full
    background     smooth random colours with noise, blended behind the object in place of the plain
                   background; the result is opaque
    ============== =================================================================================

    What is drawn depends on the sample, the number of the view and the kind alone: not on ``rng``,
    nor on the sample's place in the data set, on how many views are loaded, or on the strength.

    Args:
        kind: One of the above.
        strength: 1 to 5.

    Raises:
        ConfigError: no such kind or strength.
        SampleError: a background is asked for behind a picture without transparent pixels.
    """

    def __init__(self, kind: str, strength: int) -> None:
        if not isinstance(kind, str) or kind not in SCALES:
            raise ConfigError(f"CorruptViews kind {kind!r}, expected one of {', '.join(SCALES)}")
        if type(strength) is not int or not 1 <= strength <= len(SCALES[kind]):
            raise ConfigError(f"CorruptViews strength {strength!r}, expected 1 to 5")
        self.kind, self.scale = kind, SCALES[kind][strength - 1]
        self.corrupt = {
            "noise": add_noise,
            "occlusion": occlude,
            "blur": blur,
            "background": add_background,
        }[kind]

    def transform(self, results: dict) -> dict:
        images = results["images"]
        for i, number in enumerate(results["views"]):
            if self.kind == "background" and images[i][..., 3].all():
                raise SampleError(
                    f"{results['img_paths'][i]}: no transparent pixels, expected some to put a "
                    "background there"
                )
            words = (results["taxonomy"], results["id"], str(number), self.kind)
            seed = hashlib.sha256("/".join(words).encode()).digest()
            rng = np.random.default_rng(int.from_bytes(seed, "big"))
            images[i] = self.corrupt(images[i], self.scale, rng)
        return results


def add_noise(image: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 4) uint8 RGBA with noise on the colours of the object."""
    spoilt = image[..., :3] + 255 * deviation * rng.standard_normal((*image.shape[:2], 3))
    return np.where(image[..., 3:] > 0, _with_alpha(spoilt, image[..., 3]), image)


def occlude(image: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 4) uint8 RGBA with a grey shape before at least this share of the object."""
    is_ellipse, grey = rng.random() < 0.5, rng.integers(*GREYS, endpoint=True)
    place, stretch = rng.random(2), 2 ** rng.uniform(-1, 1)
    seen = image[..., 3] > 0
    pixels = np.argwhere(seen)  # (N, 2)
    if not len(pixels):
        return image
    low, extent = pixels.min(0), np.ptp(pixels, axis=0) + 1
    rows, columns = (
        np.abs(np.arange(side) + 0.5 - start)
        for side, start in zip(image.shape[:2], low + place * extent, strict=True)
    )
    rows, columns = (rows / extent[0])[:, None], columns / extent[1] * stretch
    # (H, W): the size from which on the shape hides a pixel
    size = np.hypot(rows, columns) if is_ellipse else np.maximum(rows, columns)
    hidden = size <= np.sort(size[seen])[math.ceil(share * len(pixels)) - 1]
    return np.where(hidden[..., None], np.array([grey, grey, grey, 255], np.uint8), image)


def blur(image: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 4) uint8 RGBA, blurred; whatever stays transparent has the plain colour."""
    sigma = deviation * max(image.shape[:2])
    alpha = image[..., 3:] / 255
    solid = np.dstack([image[..., :3] * alpha + PLAIN * (1 - alpha), image[..., 3]])
    # one product for colours on plain grey and alpha: that of colours times alpha, then blended
    solid = cv2.GaussianBlur(solid, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return _with_alpha(solid[..., :3], np.where(solid[..., 3] >= 0.5, 255, 0))


def add_background(image: np.ndarray, contrast: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 4) uint8 RGBA, opaque: a texture that stands out from the plain grey by contrast."""
    height, width = image.shape[:2]
    patches = rng.uniform(0, 255, (PATCHES, PATCHES, 3))
    texture = cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC)
    texture = texture + GRAIN * rng.standard_normal((height, width, 1))
    texture = PLAIN + contrast * (np.clip(texture, 0, 255) - PLAIN)
    alpha = image[..., 3:] / 255
    blend = alpha * image[..., :3] + (1 - alpha) * texture
    return _with_alpha(blend, np.full((height, width), 255))


def _with_alpha(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours (H, W, 3) and alpha (H, W), of any type and range, as (H, W, 4) uint8."""
    return np.clip(np.rint(np.dstack([colours, alpha])), 0, 255).astype(np.uint8)
