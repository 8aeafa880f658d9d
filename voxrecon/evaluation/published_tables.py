# SPDX-License-Identifier: MIT
"""The tables in ``published/``: what papers, READMEs and reports have published. Their titles,
notes and numbers of samples are for who reads the files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..datasets.json_files import brief
from ..errors import FileError
from ..fileio import read_file

FOLDER = Path(__file__).with_name("published")
MAX_BYTES = 64 * 1024  # the longest has 8 kB
SCORES = ("iou", "fscore")  # metrics in [0, 1]; others are plain numbers, as hours
BY = ("class", "views", "other")
MEANS = ("sample", "class")
METRICS = ("VoxelIoU", "Pix3DIoU")
OVERALL = "overall"  # the column beside those of the classes
BEST = "best"  # of the thresholds that were searched

REQUIRED = ("title", "dataset", "split", "by", "source", "metrics", "columns", "rows")
DEFAULTS = {  # of what a table may say for all of its rows
    "threshold": None,
    "mean": "sample",
    "metric": "VoxelIoU",
    "view_selection": "",
}

# Objects of the test splits of ShapeNet.json and Pix3D.json, by taxonomy id.
TEST_SETS = {
    "ShapeNet": {
        "02691156": 810,  # aeroplane
        "02828884": 364,  # bench
        "02933112": 315,  # cabinet
        "02958343": 1501,  # car
        "03001627": 1357,  # chair
        "03211117": 220,  # display
        "03636649": 465,  # lamp
        "03691459": 325,  # speaker
        "04090263": 475,  # rifle
        "04256520": 635,  # sofa
        "04379243": 1703,  # table
        "04401088": 211,  # telephone
        "04530566": 389,  # watercraft
    },
    "Pix3D": {"chair": 2894},
}


@dataclass(frozen=True)
class TableRow:
    """One row of a published table.

    Attributes:
        method: the network.
        source: who published the row.
        split: the part of the data set that it was tested on.
        threshold: of the IoU; ``"best"``: of those searched, the one of the greatest IoU; None: not
            known.
        mean: what ``overall`` and the figures by views are a mean over, ``"sample"`` or
            ``"class"``.
        metric: the class whose IoU it is, ``"VoxelIoU"`` or ``"Pix3DIoU"``.
        view_selection: which n views of an object were taken: ``"first"``, ``"random"`` or in
            words; "" where not known.
        differs: what else keeps it from being compared with the rows beside it, or "".
        values: by metric (``iou``, ``fscore``, ...), then by column; what is not given is absent.
    """

    method: str
    source: str
    split: str
    threshold: float | str | None
    mean: str
    metric: str
    view_selection: str
    differs: str
    values: dict[str, dict[str | int, float]]


@dataclass(frozen=True)
class PublishedTable:
    """One file of ``published/``.

    Attributes:
        name: of the file, without its ending.
        dataset: what was tested.
        by: what the columns are: ``class`` (taxonomy ids of one view, and ``overall``), ``views``
            (numbers of views) or ``other``.
        rows: in the order of the file.
    """

    name: str
    dataset: str
    by: str
    rows: tuple[TableRow, ...]


def read_published() -> list[PublishedTable]:
    """All tables that come with the package, by name.

    Raises:
        FileError: a file is not as ``read_table`` expects.
    """
    return [read_table(path) for path in sorted(FOLDER.glob("*.yaml"))]


def read_table(path: str | os.PathLike) -> PublishedTable:
    """Read one table, a YAML file as those in ``published/``.

    A row's list has one value per column, ``~`` where none is given. A row's ``source``, ``split``,
    ``threshold``, ``mean``, ``metric`` and ``view_selection`` default to those of the table.

    Raises:
        FileError: the file cannot be read, is too large, not YAML or not of this form; the message
            names file and entry.
    """
    path = Path(path)
    try:
        data = yaml.safe_load(read_file(path, MAX_BYTES))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FileError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    where = str(path)
    _check_keys(data, where, REQUIRED, (*DEFAULTS, "notes", "samples"))
    _need(data["by"] in BY, f"{where}: by", data["by"], ", ".join(BY))
    metrics = data["metrics"]
    fine = isinstance(metrics, dict) and all(isinstance(key, str) for key in metrics)
    _need(fine and len(metrics) > 0, f"{where}: metrics", metrics, "names and meanings")
    return PublishedTable(
        name=path.stem,
        dataset=_text(data["dataset"], f"{where}: dataset"),
        by=data["by"],
        rows=_rows(data, _columns(data, where), where),
    )


def _columns(table: dict, where: str) -> list[str | int]:
    columns = _list(table["columns"], f"{where}: columns")
    classes = TEST_SETS.get(table["dataset"])
    for column in columns:
        if table["by"] == "views":
            fine, expected = type(column) is int and 1 <= column <= 24, "1 to 24 views"
        elif table["by"] == "class" and classes:
            # Unquoted, 03001627 is an octal number in YAML.
            fine = isinstance(column, str) and (column == OVERALL or column in classes)
            expected = f"a quoted taxonomy id of {table['dataset']} or {OVERALL!r}"
        else:
            fine, expected = type(column) in (str, int), "a name or a whole number"
        _need(fine, f"{where}: columns", column, expected)
    _need(len(set(columns)) == len(columns) > 0, f"{where}: columns", columns, "each once")
    return columns


def _rows(table: dict, columns: Sequence[str | int], where: str) -> tuple[TableRow, ...]:
    inherited = {key: table[key] for key in ("source", "split", *DEFAULTS) if key in table}
    rows: dict[tuple, TableRow] = {}
    for i, entry in enumerate(_list(table["rows"], f"{where}: rows")):
        here = f"{where}: row {i}"
        optional = ("source", "split", *DEFAULTS, "differs", "note", *table["metrics"])
        _check_keys(entry, here, ("method",), optional)
        entry = DEFAULTS | {"differs": ""} | inherited | entry
        threshold = entry["threshold"]
        fine = type(threshold) is float and 0 < threshold < 1
        fine = fine or threshold in (None, BEST)
        _need(fine, f"{here}: threshold", threshold, f"a number in (0, 1) or {BEST}")
        for key, known in (("mean", MEANS), ("metric", METRICS)):
            _need(entry[key] in known, f"{here}: {key}", entry[key], ", ".join(known))
        values = {
            metric: _numbers(entry[metric], columns, f"{here}: {metric}", metric in SCORES)
            for metric in table["metrics"]
            if metric in entry
        }
        _need(any(values.values()), here, entry["method"], f"one of {', '.join(table['metrics'])}")
        texts = ("method", "source", "split", "mean", "metric", "view_selection", "differs")
        row = TableRow(
            threshold=threshold,
            values=values,
            **{key: _text(entry[key], f"{here}: {key}") for key in texts},
        )
        key = row.method, row.source, threshold
        _need(key not in rows, here, row.method, "each method, source and threshold once")
        rows[key] = row
    _need(len(rows) > 0, f"{where}: rows", [], "at least one")
    return tuple(rows.values())


def _numbers(
    values: Any, columns: Sequence[str | int], where: str, score: bool
) -> dict[str | int, float]:
    values = _list(values, where)
    expected = f"{len(columns)}, one per column"
    _need(len(values) == len(columns), where, f"{len(values)} values", expected)
    high = 1.0 if score else 1e6
    for value in values:
        fine = value is None or (type(value) in (int, float) and 0 <= value <= high)  # NaN is not
        _need(fine, where, value, f"a number from 0 to {high:g} or ~")
    return {c: value for c, value in zip(columns, values, strict=True) if value is not None}


def _check_keys(
    entry: Any, where: str, required: Sequence[str], optional: Sequence[str] = ()
) -> None:
    _need(isinstance(entry, dict), where, entry, f"keys {', '.join(required)}")
    for key in required:
        if key not in entry:
            raise FileError(f"{where}: no {key!r}, expected {', '.join(required)}")
    for key in entry:
        known = (*required, *optional)
        _need(key in known, f"{where}: key", key, f"one of {', '.join(known)}")


def _list(value: Any, where: str) -> list:
    _need(isinstance(value, list), where, value, "a list")
    return value


def _text(value: Any, where: str) -> str:
    _need(isinstance(value, str) and value.isprintable(), where, value, "one line of text")
    return value


def _need(holds: bool, where: str, value: Any, expected: str) -> None:
    if not holds:
        raise FileError(f"{where}: {brief(value)}, expected {expected}")
