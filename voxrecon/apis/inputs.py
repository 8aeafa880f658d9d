# SPDX-License-Identifier: MIT
"""What people have, paths, pictures, arrays or folders, to photos by object."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voxrecon.captures.photos import read_mask, read_photo
from voxrecon.errors import ConfigError, FileError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".heic", ".heif")
LONGEST = 1024  # pixels of a photo's longer side that are worked with
OBJECT = "object"  # the name of one that has none
MASKS = "masks"  # a folder of this name holds masks, not an object


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo (H, W, 4) uint8 RGBA, upright; ``size`` are the width and height of its file."""

    pixels: np.ndarray
    name: str
    size: tuple[int, int]


def group_photos(inputs: Any) -> tuple[list[list[Any]], list[str], bool]:
    """The sources of photos of each object, the objects' names, and whether many were meant.

    A path of a photo, a PIL image, an array (H, W), (H, W, 3 or 4) or (V, H, W, 3 or 4), a list of
    those and a folder of photos are one object; a list of lists or of folders and a folder of
    folders are many.

    Raises:
        ConfigError: nothing, or one object and many mixed.
        FileError: a folder without photos, or a path to nothing.
    """
    if isinstance(inputs, str | os.PathLike) and Path(inputs).is_dir():
        folder = Path(inputs)
        inner = sorted(p for p in folder.iterdir() if p.is_dir() and p.name != MASKS)
        inner = [path for path in inner if not path.name.startswith(".")]
        if not inner:
            return [_photos_in(folder)], [_name(folder)], False
        if _list_photos(folder):
            raise ConfigError(f"{folder}: holds photos and folders, expected one or the other")
        return [_photos_in(path) for path in inner], [path.name for path in inner], True
    if isinstance(inputs, np.ndarray) and inputs.ndim == 4:
        inputs = list(inputs)
    if not isinstance(inputs, list | tuple):
        return [[inputs]], [_name(inputs)], False
    if not inputs:
        raise ConfigError("no photos given, expected at least one")
    many = [_is_group(entry) for entry in inputs]
    if all(many):
        groups = [group_photos(entry) for entry in inputs]
        if any(deeper for _, _, deeper in groups):
            raise ConfigError("objects inside of objects, expected a list of lists of photos")
        return [group for (group,), _, _ in groups], _name_objects(inputs), True
    if any(many):
        raise ConfigError("photos and lists of photos mixed, expected one or the other")
    return [list(inputs)], [_name(inputs[0]) if len(inputs) == 1 else OBJECT], False


def load_photo(source: Any, number: int) -> Photo:
    """Read one photo; ``number``, from 1, names one that has no path.

    Raises:
        FileError: the file cannot be used.
        ConfigError: not a photo.
    """
    if isinstance(source, str | os.PathLike):
        pixels, size = read_photo(source, LONGEST)
        return Photo(pixels, os.fspath(source), size)
    name = f"photo {number}"
    if hasattr(source, "convert"):  # PIL's Image, without importing it
        from PIL import ImageOps

        name = getattr(source, "filename", "") or name
        source = np.asarray(ImageOps.exif_transpose(source).convert("RGBA"))
    pixels = _to_rgba(source, name)
    return Photo(pixels, name, pixels.shape[1::-1])


def load_mask(source: Any, photo: Photo) -> np.ndarray:
    """A mask of a photo, a path or an array (H, W) of bool or uint8, as (H, W) uint8.

    Raises:
        FileError, ConfigError: it cannot be used, or is of another size.
    """
    if isinstance(source, str | os.PathLike):
        return read_mask(source, photo.size, photo.pixels.shape[:2])
    mask = np.asarray(source)
    if mask.dtype == bool:
        mask = 255 * mask.astype(np.uint8)
    if mask.dtype != np.uint8 or mask.ndim != 2:
        raise ConfigError(
            f"{photo.name}: mask {_describe(mask)}, expected an array (H, W) of bool or uint8"
        )
    return mask


def find_masks(folder: str | os.PathLike, sources: Sequence[Any]) -> list[Path | None]:
    """For each photo the file of the same name in a folder; None where there is none.

    Raises:
        FileError: no such folder, or none of the photos has a mask in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileError(f"{folder}: no such folder of masks")
    found: list[Path | None] = []
    for source in sources:
        stem = Path(source).stem if isinstance(source, str | os.PathLike) else None
        paths = (folder / f"{stem}{suffix}" for suffix in SUFFIXES)
        found.append(next((path for path in paths if stem and path.is_file()), None))
    if not any(found):
        raise FileError(f"{folder}: no mask of any photo, expected <name of the photo>.png")
    return found


def _is_group(entry: Any) -> bool:
    if isinstance(entry, str | os.PathLike):
        return Path(entry).is_dir()
    return isinstance(entry, list | tuple) or (isinstance(entry, np.ndarray) and entry.ndim == 4)


def _photos_in(folder: Path) -> list[Path]:
    photos = _list_photos(folder)
    if not photos:
        raise FileError(f"{folder}: no photos, expected {', '.join(SUFFIXES)}")
    return photos


def _list_photos(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def _name(source: Any) -> str:
    if isinstance(source, str | os.PathLike):
        return Path(os.path.abspath(source)).stem  # of "." too
    return OBJECT


def _name_objects(groups: Sequence[Any]) -> list[str]:
    """A name for each group, all different: they become files."""
    names: list[str] = []
    for number, group in enumerate(groups, 1):
        name = _name(group) if isinstance(group, str | os.PathLike) else f"object_{number}"
        names.append(name if name not in names else f"{name}_{number}")
    return names


def _to_rgba(pixels: Any, name: str) -> np.ndarray:
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.dtype != np.uint8
        or pixels.size == 0
        or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4)))
    ):
        raise ConfigError(
            f"{name}: {_describe(pixels)}, expected a path, a PIL image or an array (H, W), "
            "(H, W, 3) or (H, W, 4) uint8"
        )
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    if pixels.shape[2] == 3:
        pixels = np.dstack((pixels, np.full(pixels.shape[:2], 255, np.uint8)))
    return pixels


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array {value.shape} {value.dtype}"
    return f"{type(value).__name__}"
