# SPDX-License-Identifier: MIT
"""The taxonomy JSON of Pix2Vox: which objects there are, by class and split."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass

from voxrecon.errors import ConfigError, FileError

from .json_files import brief, check_plain, read_json

SPLITS = ("train", "val", "test")
MAX_BYTES = 8 * 1024**2  # ShapeNet.json has 1.7 MB


@dataclass(frozen=True)
class TaxonomyClass:
    """Id and name of a class, and its objects' ids by split (only the splits that it has)."""

    id: str
    name: str
    splits: dict[str, tuple[str, ...]]


def read_taxonomy(path: str | os.PathLike) -> list[TaxonomyClass]:
    """Read ``[{taxonomy_id, taxonomy_name, train: [ids], val: [ids], test: [ids]}, ...]``.

    Other keys are ignored, and a class may lack a split.

    Raises:
        FileError: the file is missing, too large, not of this form, names a class twice or an
            object twice in one split, or holds an id that is not a plain file name.
    """
    path = os.fspath(path)
    entries = read_json(path, MAX_BYTES, "taxonomy file")
    if not isinstance(entries, list) or not entries:
        raise FileError(f"{path}: {brief(entries)}, expected a list of classes")
    classes = [_parse_class(entry, f"{path}: entry {i}") for i, entry in enumerate(entries)]
    _refuse_repeats([c.id for c in classes], f"{path}: class")
    return classes


def select_classes(
    classes: Sequence[TaxonomyClass], wanted: str | Sequence[str] | None
) -> list[TaxonomyClass]:
    """The classes whose id or name is in ``wanted`` (None: all), in the file's order.

    Raises:
        ConfigError: an id or name is unknown.
    """
    if wanted is None:
        return list(classes)
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    known = [key for c in classes for key in (c.id, c.name)]
    for key in wanted:
        if key not in known:
            nearest = difflib.get_close_matches(str(key), known, n=1, cutoff=0.0)[0]
            raise ConfigError(f"no class {key!r} in the taxonomy, nearest is {nearest!r}")
    if not wanted:
        raise ConfigError("classes=[], expected None for all or at least one id or name")
    return [c for c in classes if c.id in wanted or c.name in wanted]


def list_samples(
    classes: Sequence[TaxonomyClass], split: str, path: str
) -> list[tuple[TaxonomyClass, str]]:
    """(class, object id) of a split.

    Raises:
        ConfigError: there are none; the message names the splits that have some.
    """
    samples = [(c, name) for c in classes for name in c.splits.get(split, ())]
    if not samples:
        sizes = {s: sum(len(c.splits[s]) for c in classes if s in c.splits) for s in SPLITS}
        there = ", ".join(f"{s} ({n})" for s, n in sizes.items() if n) or "none"
        raise ConfigError(f"{path}: no samples in split {split!r}, splits with samples: {there}")
    return samples


def _parse_class(entry: object, where: str) -> TaxonomyClass:
    if not isinstance(entry, dict):
        raise FileError(f"{where}: {brief(entry)}, expected an object")
    for key in ("taxonomy_id", "taxonomy_name"):
        if not isinstance(entry.get(key), str):
            raise FileError(f"{where}: {key} is {brief(entry.get(key))}, expected a string")
        if not entry[key].isprintable() or len(entry[key]) > 255:  # it is printed in tables
            raise FileError(f"{where}: {key} is {brief(entry[key])}, expected a printable name")
    check_plain(entry["taxonomy_id"], where)
    splits = {}
    for split in SPLITS:
        if split not in entry:
            continue
        ids = entry[split]
        if not isinstance(ids, list):
            raise FileError(f"{where}: {split} is {brief(ids)}, expected a list of ids")
        for name in ids:
            check_plain(name, f"{where}: {split}")
        _refuse_repeats(ids, f"{where}: {split}")
        splits[split] = tuple(ids)
    return TaxonomyClass(entry["taxonomy_id"], entry["taxonomy_name"], splits)


def _refuse_repeats(names: Sequence[str], where: str) -> None:
    if len(set(names)) != len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))
        raise FileError(f"{where}: {twice!r} is there twice, expected once")
