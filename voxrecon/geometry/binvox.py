# SPDX-License-Identifier: MIT
"""Reading and writing .binvox, versions 1 and 2 (https://www.patrickmin.com/binvox/binvox.html).

An ASCII header (``#binvox 1``, ``dim``, ``translate``, ``scale``, ``data``) is followed by pairs of
bytes (value, count). y runs fastest, then z, then x, so the three numbers of ``dim`` are the
extents along x, z, y.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass

import numpy as np

from voxrecon.errors import FileError
from voxrecon.fileio import atomic_write, read_file

MAX_HEADER = 1024  # bytes; real headers have about 80
MAX_RUN = 255  # a run's length is one byte


@dataclass(frozen=True, eq=False)
class Voxels:
    """An occupancy grid and where it stands in the world.

    ``grid`` is (X, Y, Z) bool in the convention of :mod:`voxrecon.geometry.grid`. With d cells a
    side, the centre of cell ``[i, j, k]`` is at ``scale * ((i, j, k) + 0.5) / d + translate`` in
    the units of the mesh.
    """

    grid: np.ndarray
    translate: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0


def read_binvox(
    source: str | os.PathLike | bytes | bytearray | memoryview,
    *,
    name: str | None = None,
    max_dim: int = 512,
) -> Voxels:
    """Read a file, or the bytes of one (then ``name`` stands for it in messages).

    Every value but 0 is a set voxel. Runs of length 0 and header lines of unknown meaning are
    skipped; ``translate`` and ``scale`` default to 0 and 1. Nothing of the grid's size is allocated
    before the runs are known to fill it exactly.

    Raises:
        FileError: the file is missing, or is not a binvox file of 1..``max_dim`` cells a side.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        name, data = name or "<bytes>", source
    else:
        name = name or os.fspath(source)
        data = read_file(source, MAX_HEADER + 2 * max_dim**3, name)

    (x, z, y), translate, scale, start = _parse_header(bytes(data[:MAX_HEADER]), name, max_dim)
    cells, size = x * y * z, len(data) - start
    if size % 2:
        raise FileError(f"{name}: {size} bytes of runs, expected an even number")
    if size > 2 * cells:
        raise FileError(
            f"{name}: {size} bytes of runs, expected at most {2 * cells} for {cells} voxels"
        )
    runs = np.frombuffer(data, np.uint8, offset=start).reshape(-1, 2)
    covered = int(runs[:, 1].sum(dtype=np.int64))
    if covered != cells:
        raise FileError(
            f"{name}: the runs hold {covered} voxels, expected {x} x {z} x {y} = {cells}"
        )
    flat = np.repeat(runs[:, 0] != 0, runs[:, 1])  # (X*Z*Y,)
    grid = np.ascontiguousarray(flat.reshape(x, z, y).transpose(0, 2, 1))  # (X, Y, Z)
    return Voxels(grid, translate, scale)


def write_binvox(
    path: str | os.PathLike,
    grid: np.ndarray,
    translate: tuple[float, float, float] = (0.0, 0.0, 0.0),
    scale: float = 1.0,
) -> None:
    """Write a (X, Y, Z) grid of bools (or integers, 0 being empty) as binvox 1.

    The file appears whole or not at all; floats are written so that they read back equal.

    Raises:
        TypeError: the grid holds probabilities (apply a threshold first).
        ValueError: the grid has not three axes of at least one cell, ``translate`` is not finite,
            or ``scale`` is not finite and above 0.
        FileError: the file cannot be written.
    """
    grid = np.asarray(grid)
    if grid.dtype.kind not in "biu":
        raise TypeError(f"grid of {grid.dtype}, expected bools: apply a threshold first")
    if grid.ndim != 3 or not grid.size:
        raise ValueError(f"grid of shape {grid.shape}, expected (X, Y, Z)")
    tx, ty, tz, scale = (float(v) for v in (*translate, scale))
    if not (all(map(math.isfinite, (tx, ty, tz))) and math.isfinite(scale) and scale > 0):
        raise ValueError(f"translate {tx, ty, tz}, scale {scale}: expected finite, scale above 0")

    x, y, z = grid.shape
    header = f"#binvox 1\ndim {x} {z} {y}\ntranslate {tx!r} {ty!r} {tz!r}\nscale {scale!r}\ndata\n"
    content = header.encode() + _encode_runs(grid.transpose(0, 2, 1).ravel() != 0).tobytes()

    with atomic_write(path, parents=False) as temporary:
        temporary.write_bytes(content)


def _parse_header(
    head: bytes, name: str, max_dim: int
) -> tuple[list[int], tuple[float, float, float], float, int]:
    """Extents along x, z, y, translate, scale, and where the runs start."""
    if not re.match(rb"#binvox[ \t]+[12][ \t\r]*\n", head):
        first = head[:20].split(b"\n")[0].decode("latin-1")
        raise FileError(f"{name}: starts with {first!r}, expected '#binvox 1' or '#binvox 2'")
    end = re.search(rb"\ndata[ \t]*\r?\n", head)
    if end is None:
        raise FileError(f"{name}: no line 'data' in the first {len(head)} bytes, expected one")

    fields: dict[str, list[str]] = {}
    for line in head[: end.start()].decode("latin-1").split("\n")[1:]:
        key, *values = line.split() or [""]
        if key in fields and key in ("dim", "translate", "scale"):
            raise FileError(f"{name}: a second line {line!r}, expected one '{key}'")
        fields[key] = values

    def invalid(key: str, expected: str) -> FileError:
        found = " ".join((key, *fields[key])) if key in fields else f"no line '{key}'"
        return FileError(f"{name}: {found[:80]!r} in the header, expected {expected}")

    dims = [int(v) if v.isdecimal() and len(v) < 10 else 0 for v in fields.get("dim", ())]
    if len(dims) != 3 or not all(1 <= d <= max_dim for d in dims):
        raise invalid("dim", f"'dim' and three integers from 1 to {max_dim}")
    try:
        tx, ty, tz = (float(v) for v in fields.get("translate", ("0", "0", "0")))
        if not all(map(math.isfinite, (tx, ty, tz))):
            raise ValueError
    except ValueError:
        raise invalid("translate", "'translate' and three finite numbers") from None
    try:
        (scale,) = (float(v) for v in fields.get("scale", ("1",)))
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError
    except ValueError:
        raise invalid("scale", "'scale' and a finite number above 0") from None
    return dims, (tx, ty, tz), scale, end.end()


def _encode_runs(flat: np.ndarray) -> np.ndarray:
    """Pairs (value, count), (R, 2) uint8, of a non-empty array of bools."""
    starts = np.flatnonzero(np.concatenate(([True], flat[1:] != flat[:-1])))
    lengths = np.diff(starts, append=flat.size)
    # a long run is written in several pieces, all full but the last
    pieces = -(-lengths // MAX_RUN)
    runs = np.full((pieces.sum(), 2), MAX_RUN, np.uint8)
    runs[:, 0] = np.repeat(flat[starts], pieces)
    runs[np.cumsum(pieces) - 1, 1] = lengths - MAX_RUN * (pieces - 1)
    return runs
