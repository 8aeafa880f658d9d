# SPDX-License-Identifier: MIT
"""From where each photo of a captured object was taken: a CSV or JSON file, or their names."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from voxrecon.datasets.json_files import brief, check_plain, read_json
from voxrecon.datasets.storage import read_bytes
from voxrecon.errors import FileError

MAX_BYTES = 2**20
MAX_PHOTOS = 999
NAMED = {"front": 0.0, "right": 90.0, "back": 180.0, "left": 270.0}  # azimuths
KINDS = (".jpg", ".jpeg", ".png", ".heic", ".heif")
RANGES = {
    "azimuth": (-360.0, 360.0),
    "elevation": (-90.0, 90.0),
    "rotation": (-360.0, 360.0),
    "distance": (1e-6, 1e6),
    "fov": (1.0, 170.0),
}


@dataclass(frozen=True)
class Pose:
    """One photo and its camera, in the convention of :mod:`voxrecon.geometry.grid`.

    Attributes:
        file: Name of the photo.
        azimuth, elevation: degrees, 0 to 360 and -90 to 90.
        rotation: degrees by which the camera was turned clockwise about its own axis.
        distance: from the middle of the object, in units of the scan; None: not known.
        fov: angle in degrees across the longer side of the photo; None: not known.
    """

    file: str
    azimuth: float
    elevation: float = 0.0
    rotation: float = 0.0
    distance: float | None = None
    fov: float | None = None


def read_poses(path: str | os.PathLike, default: Pose) -> list[Pose]:
    """The rows of a CSV file with a header, or the objects of a JSON list, in their order.

    The columns, or keys, are those of :class:`Pose`; ``file`` and ``azimuth`` are needed. A value
    that is missing, empty or null is that of ``default``.

    Raises:
        FileError: no such file, another type, an unknown column, a value that is not a number in
            its range, a photo that is there twice.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        rows = read_json(str(path), MAX_BYTES, "file of poses")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise FileError(f"{path}: {brief(rows)}, expected a list of objects")
    elif path.suffix.lower() == ".csv":
        rows = _read_csv(path)
    else:
        raise FileError(f"{path}: expected a .csv or .json file of poses")
    if not 1 <= len(rows) <= MAX_PHOTOS:
        raise FileError(f"{path}: {len(rows)} rows, expected 1 to {MAX_PHOTOS}")
    poses = [_parse(row, default, f"{path}: row {i}") for i, row in enumerate(rows, start=1)]
    seen: set[str] = set()
    for number, pose in enumerate(poses, start=1):
        if pose.file in seen:
            raise FileError(f"{path}: row {number}: {pose.file!r} is there twice, expected once")
        seen.add(pose.file)
    return poses


def name_poses(folder: str | os.PathLike, default: Pose) -> list[Pose]:
    """The four photos front, right, back and left of a folder, whatever their type.

    Raises:
        FileError: one of them is not there, or in two types.
    """
    folder = Path(folder)
    poses = []
    for name, azimuth in NAMED.items():
        found = find_file(folder, name, KINDS)
        if found is None:
            kinds = ", ".join(kind[1:] for kind in KINDS)
            raise FileError(f"{folder / name}: no such photo ({kinds}), expected it or --poses")
        poses.append(replace(default, file=found.name, azimuth=azimuth))
    return poses


def find_file(folder: Path, stem: str, kinds: Iterable[str]) -> Path | None:
    """The one file of a folder with this stem and one of these suffixes, in any case.

    Raises:
        FileError: there are two.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return None
    found = [n for n in names if Path(n).stem == stem and Path(n).suffix.lower() in kinds]
    if len(found) > 1:
        raise FileError(f"{folder}: both {found[0]} and {found[1]}, expected one of them")
    return folder / found[0] if found else None


def _read_csv(path: Path) -> list[dict]:
    try:
        text = read_bytes(str(path), MAX_BYTES).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except FileNotFoundError as error:
        raise FileError(f"{path}: no file of poses: {error.strerror}") from error
    except (ValueError, csv.Error) as error:
        raise FileError(f"{path}: not a CSV file: {error}") from error
    rows = [[cell.strip() for cell in row] for row in rows if any(row)]
    header, rows = (rows[0], rows[1:]) if rows else ([], [])
    if len(set(header)) != len(header):
        raise FileError(f"{path}: the header has a column twice, expected each once")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise FileError(
                f"{path}: row {number} has {len(row)} cells, expected {len(header)} as the header"
            )
    return [dict(zip(header, row, strict=True)) for row in rows]


def _parse(row: dict, default: Pose, where: str) -> Pose:
    for key in row:
        if key != "file" and key not in RANGES:
            known = ", ".join(("file", *RANGES))
            raise FileError(f"{where}: column {brief(key)}, expected some of {known}")
    check_plain(row.get("file"), where)
    values = {
        key: _number(row[key], key, where) for key in RANGES if row.get(key) not in (None, "")
    }
    if "azimuth" not in values:
        raise FileError(f"{where}: no azimuth, expected degrees")
    values["azimuth"] %= 360
    return replace(default, file=row["file"], **values)


def _number(value: object, key: str, where: str) -> float:
    low, high = RANGES[key]
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high:
        raise FileError(f"{where}: {key} {brief(value)}, expected a number, {low:g} to {high:g}")
    return number
