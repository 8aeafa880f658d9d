# SPDX-License-Identifier: MIT
"""What people have, paths, pictures, arrays or folders, to photos by object."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from voxrecon.captures.photos import MODES, read_mask, read_photo
from voxrecon.errors import ConfigError, FileError
from voxrecon.fileio import reason

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
    if _is_folder(inputs):
        folder = Path(inputs)
        inner = list_objects(folder)
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


def list_objects(folder: Path) -> list[Path]:
    """The folders of objects in a folder, in order; hidden ones and masks are none."""
    inner = sorted(path for path in folder.iterdir() if path.is_dir())
    return [path for path in inner if path.name != MASKS and not path.name.startswith(".")]


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
        if source.mode not in MODES:
            raise ConfigError(f"{name}: pixels of kind {source.mode}, expected 8 bits per channel")
        if getattr(source, "is_animated", False) and source.format != "MPO":  # phones write MPO
            raise ConfigError(f"{name}: {source.n_frames} frames, expected one that stands still")
        try:  # files are decoded only now
            source = np.asarray(ImageOps.exif_transpose(source).convert("RGBA"))
        except (OSError, SyntaxError, ValueError) as error:
            raise FileError(f"{name}: broken: {reason(error)}") from error
    pixels = _to_rgba(source, name)
    return Photo(_limit(pixels), name, pixels.shape[1::-1])


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


def group_masks(
    masks: Any, inputs: Any, groups: Sequence[Sequence[Any]], names: Sequence[str], many: bool
) -> list[list[Any]]:
    """A mask, or None, for each photo of each object that ``group_photos`` has found.

    Args:
        masks: None: those in the folder ``masks`` of each folder of photos; a folder: masks with
            the photos' names, or of many objects folders with their names; else in the shape of
            ``inputs``, with None for a photo or an object that has none.

    Raises:
        ConfigError: another number of masks than of photos.
        FileError: no such folder, or no mask in it.
    """
    if masks is None or _is_folder(masks):
        if masks is None:
            folders = [folder / MASKS if folder else None for folder in _folders(inputs, groups)]
        elif many:
            folders = [Path(masks) / name for name in names]
            if not any(map(_is_folder, folders)):
                raise FileError(f"{masks}: no folder of masks, expected some such as {names[0]}")
        else:
            folders = [Path(masks)]
        return [
            find_masks(folder, sources) if _is_folder(folder) else [None] * len(sources)
            for folder, sources in zip(folders, groups, strict=True)
        ]
    if _is_path(masks) and not os.path.exists(masks):
        raise FileError(f"{masks}: no such mask, and no such folder of masks")
    return match(masks, groups, many, "masks")


def match(given: Any, groups: Sequence[Sequence[Any]], many: bool, what: str) -> list[list[Any]]:
    """Masks or boxes, given in the shape of the photos, for each photo of each object.

    Raises:
        ConfigError: their number is another.
    """
    if given is None:
        given = [None] * len(groups)
    elif not many:
        given = [given if isinstance(given, list | tuple) else [given]]
    expected = [len(sources) for sources in groups]
    if not isinstance(given, list | tuple) or len(given) != len(groups):
        raise ConfigError(f"{what}: expected a list for each of {len(groups)} objects")
    filled = [
        [None] * count if each is None else [*each] if isinstance(each, list | tuple) else [each]
        for each, count in zip(given, expected, strict=True)
    ]
    if [len(each) for each in filled] != expected:
        raise ConfigError(f"{what} for {[len(e) for e in filled]} photos, expected {expected}")
    return filled


def _folders(inputs: Any, groups: Sequence[Sequence[Any]]) -> list[Path | None]:
    """The folder of each object that was given as one."""
    if _is_folder(inputs):
        return [Path(sources[0]).parent for sources in groups]
    if isinstance(inputs, list | tuple) and all(map(_is_group, inputs)):
        return [Path(entry) if _is_folder(entry) else None for entry in inputs]
    return [None] * len(groups)


def find_masks(folder: str | os.PathLike, sources: Sequence[Any]) -> list[Path | None]:
    """For each photo the file of the same name in a folder; None where there is none.

    Raises:
        FileError: no such folder, or none of the photos has a mask in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileError(f"{folder}: no such folder of masks")
    stems = [Path(s).stem if isinstance(s, str | os.PathLike) else None for s in sources]
    twice = next((stem for stem in stems if stem and stems.count(stem) > 1), None)
    if twice:
        raise ConfigError(f"{folder}: {twice} is the name of several photos, expected one a mask")
    masks = {path.stem: path for path in _list_photos(folder)}
    found = [masks.get(stem) for stem in stems]
    if not any(found):
        raise FileError(f"{folder}: no mask of any photo, expected <name of the photo>.png")
    return found


def _limit(pixels: np.ndarray) -> np.ndarray:
    """A large photo smaller, to ``LONGEST`` pixels on its longer side."""
    height, width = pixels.shape[:2]
    factor = LONGEST / max(height, width)
    if factor >= 1:
        return pixels
    size = max(1, round(factor * width)), max(1, round(factor * height))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _is_group(entry: Any) -> bool:
    stacked = isinstance(entry, np.ndarray) and entry.ndim == 4
    return _is_folder(entry) or isinstance(entry, list | tuple) or stacked


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
    if not _is_path(source):
        return OBJECT
    path = Path(os.path.abspath(source))  # of "." too
    return path.name if os.path.isdir(path) else path.stem


def _is_path(source: Any) -> bool:
    return isinstance(source, str | os.PathLike)


def _is_folder(source: Any) -> bool:
    return _is_path(source) and os.path.isdir(source)


def _name_objects(groups: Sequence[Any]) -> list[str]:
    """A name for each group, all different: they become files."""
    names: list[str] = []
    for number, group in enumerate(groups, 1):
        name = first = _name(group) if _is_path(group) else f"{OBJECT}_{number}"
        while name in names:
            name, number = f"{first}_{number}", number + 1
        names.append(name)
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
