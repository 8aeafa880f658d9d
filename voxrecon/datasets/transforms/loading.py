# SPDX-License-Identifier: MIT
"""Renderings and grids from disk. Nothing in a file is believed before it is checked."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from mmcv.image import imfrombytes
from mmcv.transforms import BaseTransform

from voxrecon.errors import FileError, SampleError
from voxrecon.geometry.binvox import read_binvox
from voxrecon.geometry.mat_files import MAX_DIM, read_mat
from voxrecon.registry import TRANSFORMS

from ..storage import read_bytes

MAX_SIDE = 4096  # pixels
MAX_IMAGE_BYTES = 4 * MAX_SIDE**2  # more than the pixels themselves
PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
MAX_SCANS = 200  # of a progressive JPEG; real ones have about ten
TO_RGBA = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}


@TRANSFORMS.register_module()
class LoadViews(BaseTransform):
    """Decode ``img_paths`` into ``images``, a list of (H, W, 4) uint8 RGBA, one a view.

    Raises:
        SampleError: a file is missing, or no whole 8-bit PNG or JPEG of 1 to 4096 pixels a side.
    """

    def transform(self, results: dict) -> dict:
        backend_args = results.get("backend_args")
        images = []
        for path in results["img_paths"]:
            try:
                data = read_bytes(path, MAX_IMAGE_BYTES, backend_args)
            except FileNotFoundError:
                raise SampleError(f"{path}: no such rendering") from None
            images.append(decode_image(data, path))
        results["images"] = images
        return results


@TRANSFORMS.register_module()
class LoadVoxels(BaseTransform):
    """Read the first of ``voxel_paths`` that exists into ``voxels``, (X, Y, Z) uint8 of 0 and 1;
    nothing for data without grids. ``.mat`` files have it as ``Volume``, as Pix2Vox reads.

    Raises:
        SampleError: no file, a broken one, or a grid that has not ``grid_size`` cells on each side.
    """

    def transform(self, results: dict) -> dict:
        paths = results["voxel_paths"]
        if not paths:
            return results
        for path in paths:
            try:
                data = read_bytes(path, 2 * MAX_DIM**3, results.get("backend_args"))
                break
            except FileNotFoundError:
                continue
        else:
            raise SampleError(
                f"{paths[0]}: no such grid{', nor ' * bool(paths[1:])}{', '.join(paths[1:])}"
            )
        try:
            read = read_mat if path.endswith(".mat") else read_grid
            grid = read(data, path)
        except SampleError:
            raise
        except FileError as error:
            raise SampleError(str(error)) from error
        size = results.get("grid_size")
        if size is not None and grid.shape != (size,) * 3:
            shape = " x ".join(map(str, grid.shape))
            raise SampleError(f"{path}: a grid of {shape} cells, expected {size} on each side")
        results["voxels"] = grid.view(np.uint8)
        return results


def read_grid(data: bytes, name: str) -> np.ndarray:
    """(X, Y, Z) bool from the bytes of a binvox file."""
    return read_binvox(data, name=name, max_dim=MAX_DIM).grid


def decode_image(data: bytes, name: str) -> np.ndarray:
    """A PNG or JPEG file's bytes to (H, W, 4) uint8 RGBA; grey is repeated, alpha 255 by default.

    Raises:
        SampleError: another type, 16 bits a channel, no or too many pixels, truncated or corrupt.
    """
    width, height, bits, whole = _read_header(data, name)
    if bits > 8:
        raise SampleError(f"{name}: {bits} bits per channel, expected 8")
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise SampleError(f"{name}: {width} x {height} pixels, expected 1 to {MAX_SIDE} a side")
    if data.count(b"\xff\xda") > MAX_SCANS:  # each is a pass over all pixels
        raise SampleError(f"{name}: more than {MAX_SCANS} scans of a JPEG, expected some")
    # a decoder may fill up a truncated file without a word
    if not whole:
        raise SampleError(f"{name}: truncated after {len(data)} bytes, expected an end marker")
    try:
        image = imfrombytes(data, flag="unchanged", backend="cv2")
    except cv2.error:
        image = None
    if image is None or image.dtype != np.uint8 or image.shape[:2] != (height, width):
        raise SampleError(f"{name}: corrupt, expected a PNG or JPEG that can be decoded")
    return cv2.cvtColor(image, TO_RGBA[image.shape[2] if image.ndim == 3 else 1])


def _read_header(data: bytes, name: str) -> tuple[int, int, int, bool]:
    """Width, height, bits per channel, and whether the end marker is there."""
    if data.startswith(PNG_START) and len(data) >= 33:
        width, height, bits = struct.unpack_from(">IIB", data, 16)
        return width, height, bits, _check_chunks(data, name)
    if data.startswith(b"\xff\xd8\xff"):
        return _read_jpeg_header(data, name)
    raise SampleError(
        f"{name}: starts with {data[:8]!r} ({len(data)} bytes), expected a PNG or JPEG"
    )


def _check_chunks(data: bytes, name: str) -> bool:
    """Whether the end of a PNG is there. A decoder would print on stderr what is refused here."""
    at, end = 8, 8  # of a chunk: length, name, content, CRC
    while (kind := data[at + 4 : at + 8]) != b"IEND":
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        if data[end : end + 4] != zlib.crc32(data[at + 4 : end]).to_bytes(4, "big"):
            raise SampleError(f"{name}: corrupt chunk {kind!r} at byte {at}, expected another CRC")
        if kind in (b"zTXt", b"iTXt"):  # a decoder inflates it, however large it gets
            raise SampleError(f"{name}: compressed text {kind!r} at byte {at}, expected a picture")
        at = end + 4
    if kind != b"IEND" and data.endswith(PNG_END):
        raise SampleError(f"{name}: corrupt chunk {kind!r} at byte {at}, it ends at {end}")
    return data[at:].startswith(PNG_END)


def _read_jpeg_header(data: bytes, name: str) -> tuple[int, int, int, bool]:
    frame, at = None, 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = struct.unpack_from(">xBH", data, at)
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and at + 9 <= len(data):
            bits, height, width = struct.unpack_from(">BHH", data, at + 4)
            frame = (width, height, bits)
        if marker == 0xDA and frame:
            # only behind the start of scan: thumbnails inside the header have an end marker too
            return *frame, data.find(b"\xff\xd9", at + 2 + length) >= 0
        at += 2 + length
    raise SampleError(f"{name}: a JPEG of {len(data)} bytes without a scan, expected a whole one")
