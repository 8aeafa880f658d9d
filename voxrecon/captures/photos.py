# SPDX-License-Identifier: MIT
"""Photos of phones and cameras, upright, at a size that is worked with."""

from __future__ import annotations

import importlib.util
import os
import stat
from pathlib import Path

import cv2
import numpy as np

from voxrecon.errors import ConfigError, FileError
from voxrecon.fileio import reason
from voxrecon.sandbox import run_limited

MAX_BYTES = 128 * 2**20
MAX_PIXELS = 64 * 10**6  # phones have up to 50 million
SECONDS, MEGABYTES = 60.0, 2048
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
HEIC = (".heic", ".heif")


def read_photo(path: str | os.PathLike, longest: int) -> tuple[np.ndarray, tuple[int, int]]:
    """A JPEG, PNG, WEBP or HEIC file, turned upright as its EXIF orientation says.

    A large one is made smaller, to ``longest`` pixels on its longer side.

    Returns:
        (H, W, 4) uint8 RGBA, and width and height of the file's own pixels, upright.

    Raises:
        FileError: no such file, too large, another type, an animation, broken.
        ConfigError: a HEIC file, but pillow-heif is not installed.
    """
    path = Path(path)
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: no such photo: {reason(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"{path}: not a file, expected a photo")
    if status.st_size > MAX_BYTES:
        raise FileError(f"{path}: {status.st_size} bytes, expected at most {MAX_BYTES}")
    preload = ["PIL.Image", "PIL.ImageOps", "PIL.WebPImagePlugin"]
    if path.suffix.lower() in HEIC:
        if importlib.util.find_spec("pillow_heif") is None:
            raise ConfigError(f"{path}: HEIC needs pillow-heif (pip install pillow-heif)")
        preload.append("pillow_heif")
    return run_limited(
        _decode,
        str(path),
        longest,
        name=str(path),
        seconds=SECONDS,
        megabytes=MEGABYTES,
        preload=preload,
    )


def read_mask(path: str | os.PathLike, size: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """The alpha of a mask's file, or its grey values if it is opaque, (H, W) uint8.

    Args:
        size: Width and height that the file must have: those of the photo.
        shape: (H, W) that it is brought to.

    Raises:
        FileError: as ``read_photo``, or a file of another size.
    """
    mask, own = read_photo(path, max(shape))
    if own != size:
        raise FileError(
            f"{path}: {own[0]} x {own[1]} pixels, expected {size[0]} x {size[1]} as the photo"
        )
    alpha = mask[..., 3]
    return cv2.cvtColor(mask, cv2.COLOR_RGBA2GRAY) if alpha.min() == 255 else alpha


def _decode(path: str, longest: int) -> tuple[np.ndarray, tuple[int, int]]:
    """In the child."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    formats, expected = ("JPEG", "PNG", "WEBP"), "JPEG, PNG or WEBP"
    if path.lower().endswith(HEIC):
        import pillow_heif

        pillow_heif.register_heif_opener()
        formats, expected = ("HEIF",), "HEIF"
    Image.MAX_IMAGE_PIXELS = None  # ours is below
    try:
        opened = Image.open(path, formats=formats)
    except UnidentifiedImageError:
        raise FileError(f"{path}: not a picture, expected a {expected} file") from None
    with opened as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise FileError(
                f"{path}: {width} x {height} pixels, expected at most {MAX_PIXELS // 10**6} million"
            )
        # a JPEG of a phone may hold a second picture, such as one for bright screens
        if image.format in ("PNG", "WEBP") and image.is_animated:
            raise FileError(
                f"{path}: {image.n_frames} frames, expected a picture that stands still"
            )
        if image.mode not in MODES:
            raise FileError(f"{path}: pixels of kind {image.mode}, expected 8 bits per channel")
        has_alpha = "A" in image.mode or "transparency" in image.info
        image = ImageOps.exif_transpose(image.convert("RGBA" if has_alpha else "RGB"))
        size = image.size
        image.thumbnail((longest, longest), Image.Resampling.BOX)
        return np.asarray(image.convert("RGBA")), size
