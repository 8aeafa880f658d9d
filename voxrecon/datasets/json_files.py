# SPDX-License-Identifier: MIT
"""JSON from outside: nothing in it is believed before it is checked."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from voxrecon.errors import FileError
from voxrecon.geometry.mat_files import MAX_PIXEL

from .storage import read_bytes

MAX_NAME = 200  # bytes; a file system takes 255, and temporary files have longer names


def read_json(path: str, limit: int, what: str, backend_args: dict | None = None) -> Any:
    """The content of a JSON file of at most ``limit`` bytes.

    Raises:
        FileError: the file (``what`` in messages) is missing, too large or not JSON.
    """
    try:
        return json.loads(read_bytes(path, limit, backend_args).decode())
    except FileNotFoundError as error:
        raise FileError(f"{path}: no {what}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path}: not a JSON file: {error}") from error


def is_plain(name: object) -> bool:
    """Whether a name can be an id: ids become parts of paths, so nothing that could lead out of the
    data folder, and nothing hidden."""
    return (
        isinstance(name, str)
        and 0 < len(name.encode(errors="replace")) <= MAX_NAME
        and name.isprintable()
        and not set("/\\:") & set(name)
        and ".." not in name
        and name[0] != "."
    )


def check_plain(name: object, where: str) -> None:
    """FileError, beginning with ``where``, unless a name can be an id."""
    if not is_plain(name):
        raise FileError(f"{where}: id {brief(name)}, expected a plain file name")


def check_path(path: object, where: str) -> PurePosixPath:
    """A path below the data folder, in plain names."""
    if not isinstance(path, str) or not path:
        raise FileError(f"{where}: path {brief(path)}, expected a string")
    for part in path.split("/"):
        check_plain(part, f"{where}: path {brief(path)}")
    return PurePosixPath(path)


def check_box(box: object, where: str) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) in pixels; it may lie beyond the border of its picture, and be empty."""
    numbers = box if isinstance(box, list) else []
    fine = [type(v) in (int, float) and abs(v) <= MAX_PIXEL for v in numbers]
    if len(fine) != 4 or not all(fine):
        raise FileError(f"{where}: box {brief(box)}, expected four numbers x0, y0, x1, y1")
    return tuple(float(v) for v in numbers)


def brief(value: object) -> str:
    """A value for a message, at most 60 characters."""
    shown = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return shown if len(shown) <= 60 else shown[:57] + "..."
