# SPDX-License-Identifier: MIT
"""MATLAB files: grids of data sets, and the grids and annotations of Pix3D and Pascal 3D+.

The latter are read once, by the commands that prepare them: in a process with limits.
"""

from __future__ import annotations

import io
import math

import numpy as np

from voxrecon.errors import FileError
from voxrecon.fileio import read_file

MAX_DIM = 512  # cells
MAX_PIXEL = 1e6  # of a box's corners
MAX_ANNOTATION = 2**24  # bytes; those of Pascal 3D+ have some KB
MAX_OBJECTS = 1000
KINDS = {"logical", "double", "single"} | {f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32)}
BYTES = {"double": 8, "single": 4, **{f"{u}int{n}": n // 8 for u in ("", "u") for n in (16, 32)}}
MAX_GRID = 2**26  # bytes before they become bools: 200^3 doubles, 400^3 of one byte
PARSER = ("scipy.io",)  # what that process loads beforehand


def read_mat(data: bytes, name: str, key: str = "Volume") -> np.ndarray:
    """(X, Y, Z) bool from the bytes of a MATLAB file: ``key != 0``, axes as they are.

    Raises:
        FileError: not a MATLAB file, or no numbers on three axes of 1 to 512 under ``key``.
    """
    from scipy.io import loadmat, whosmat

    try:
        headers = {found: (shape, kind) for found, shape, kind in whosmat(io.BytesIO(data))}
        shape, kind = headers.get(key, ((), "missing"))
        if len(shape) != 3 or not all(1 <= n <= MAX_DIM for n in shape) or kind not in KINDS:
            raise FileError(
                f"{name}: {key!r} is {kind} of shape {shape}, "
                f"expected numbers on three axes of 1 to {MAX_DIM}"
            )
        if math.prod(shape) * BYTES.get(kind, 1) > MAX_GRID:
            raise FileError(
                f"{name}: {shape} numbers of kind {kind}, expected at most {MAX_GRID} bytes of them"
            )
        volume = loadmat(io.BytesIO(data), variable_names=[key])[key]
    except FileError:
        raise
    except Exception as error:  # scipy raises whatever the bytes provoke
        brief = " ".join(str(error).split())[:80]
        raise FileError(f"{name}: not a MATLAB file: {brief}") from error
    return np.ascontiguousarray(volume != 0)


def read_voxels(path: str) -> np.ndarray:
    """The official grid of a Pix3D model (key ``voxel``), (X, Y, Z) bool in the grid's axes.

    Its own are x to the viewer's left, y towards the viewer and z up.

    Raises:
        FileError: no such file, or not of this form.
    """
    grid = read_mat(read_file(path, 2 * MAX_DIM**3), path, key="voxel")
    # the front looks at the viewer, and the object's right is on the viewer's left
    return np.ascontiguousarray(grid.transpose(1, 2, 0))


def read_annotation(path: str) -> list[tuple[list[float], int | None]]:
    """The objects of a Pascal 3D+ annotation: each its box and the number of its CAD model.

    Raises:
        FileError: no such file, or not of this form.
    """
    from scipy.io import loadmat

    content = loadmat(
        io.BytesIO(read_file(path, MAX_ANNOTATION)),
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
