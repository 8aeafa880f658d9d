# SPDX-License-Identifier: MIT
"""What commands note in the data sets that they make: runs with other options do not mix."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from voxrecon.errors import ConfigError, FileError
from voxrecon.fileio import atomic_write, reason
from voxrecon.geometry.r2n2_layout import write_taxonomy

MAX_BYTES = 10_000


def claim(path: Path, ours: dict[str, str | int]) -> None:
    """Note in a JSON file what its folder will hold; refuse one that holds something else.

    Raises:
        ConfigError: the folder holds other data, or was made with other options.
        FileError: the file is damaged or cannot be written.
    """
    root = path.parent
    if not path.exists():
        made = ("ShapeNetVox*", "taxonomy.json", "ShapeNetRendering/*/*/rendering/*.png")
        if any(True for pattern in made for _ in root.glob(pattern)):
            raise ConfigError(f"{root}: holds other data (no {path.name}), expected a new folder")
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(ours) + "\n")
        return
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise FileError(f"{path}: not such a file, expected {json.dumps(ours)}")
    try:
        theirs = json.loads(path.read_text())
        theirs = {key: theirs[key] for key in ours}
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {reason(error)}") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FileError(f"{path}: damaged, expected {json.dumps(ours)}") from error
    for key, value in ours.items():
        if theirs[key] != value:
            raise ConfigError(
                f"{root}: was made with {key} {str(theirs[key])[:40]!r}, not {str(value)!r}: "
                "expected the same, or another folder"
            )


def write_splits(path: Path, classes: Sequence[tuple[str, str, dict[str, list[str]]]]) -> None:
    """The taxonomy, with a warning where another one stood: what was trained on may be tested."""
    before = path.read_bytes() if path.is_file() else None
    write_taxonomy(path, classes)
    if before is not None and before != path.read_bytes():
        print(f"warning: {path}: other splits than before; results before and after do not compare")
