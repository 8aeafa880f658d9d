# SPDX-License-Identifier: MIT
"""The MATLAB files of Pix3D and Pascal 3D+. They are foreign: call these in a limited process."""

from __future__ import annotations

import io
import math

import numpy as np

from voxrecon.errors import FileError

from .json_files import MAX_PIXEL
from .storage import read_bytes
from .transforms.loading import MAX_DIM, read_mat

MAX_ANNOTATION = 2**24  # bytes; those of Pascal 3D+ have some KB
MAX_OBJECTS = 1000


def read_voxels(path: str) -> np.ndarray:
    """The official grid of a Pix3D model (key ``voxel``), (X, Y, Z) bool in the grid's axes.

    Its own are x to the viewer's left, y towards the viewer and z up.

    Raises:
        FileError: no such file, or not of this form.
    """
    grid = read_mat(_read(path, 2 * MAX_DIM**3), path, key="voxel")
    # the front looks at the viewer, and the object's right is on the viewer's left
    return np.ascontiguousarray(grid.transpose(1, 2, 0))


def read_annotation(path: str) -> list[tuple[list[float], int | None]]:
    """The objects of a Pascal 3D+ annotation: each its box and the number of its CAD model.

    Raises:
        FileError: no such file, or not of this form.
    """
    from scipy.io import loadmat

    content = loadmat(
        io.BytesIO(_read(path, MAX_ANNOTATION)),
        squeeze_me=True,
        struct_as_record=False,
        variable_names=["record"],
    )
    objects = getattr(content.get("record"), "objects", None)
    if objects is None:
        raise FileError(f"{path}: no record.objects, expected an annotation of Pascal 3D+")
    objects = np.atleast_1d(objects)  # squeezed where there is only one
    if objects.ndim > 1 or len(objects) > MAX_OBJECTS:
        raise FileError(f"{path}: objects of shape {objects.shape}, expected a list")
    return [_parse(item, f"{path}: object {i}") for i, item in enumerate(objects)]


def _parse(item: object, where: str) -> tuple[list[float], int | None]:
    box = np.atleast_1d(getattr(item, "bbox", ()))
    if box.shape != (4,) or box.dtype.kind not in "fiu" or not (abs(box) <= MAX_PIXEL).all():
        raise FileError(f"{where}: no box, expected x0, y0, x1, y1")
    cad = getattr(item, "cad_index", None)  # an empty array where there is none
    number = isinstance(cad, int | float) and math.isfinite(cad) and cad == int(cad) and cad >= 1
    return [float(v) for v in box], int(cad) if number else None


def _read(path: str, limit: int) -> bytes:
    try:
        return read_bytes(path, limit)
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
