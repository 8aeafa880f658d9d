# SPDX-License-Identifier: MIT
"""What papers, READMEs and reports have published: the tables in ``published/``, and their rows for
a report, beside results of one's own. Each row that cannot be compared says why."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from voxrecon.datasets.json_files import brief
from voxrecon.errors import FileError
from voxrecon.fileio import read_file

FOLDER = Path(__file__).with_suffix("")
MAX_BYTES = 64 * 1024  # the longest has 7 kB
SCORES = ("iou", "fscore")  # metrics in [0, 1]; others are plain numbers, as hours
BY = ("class", "views", "other")
TEXTS = ("title", "dataset", "split", "source")
OVERALL = "overall"  # the column beside those of the classes
OTHER_DATA = "ShapeNet's 8,770 test objects, other data than this"

# Objects of the test split of ShapeNet.json, by taxonomy id.
SHAPENET_TEST = {
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
}


@dataclass(frozen=True)
class TableRow:
    """One row of a published table.

    Attributes:
        method: the network.
        source: who published the row.
        split: the part of the data set that it was tested on.
        threshold: of the IoU, where known.
        differs: what else keeps it from being compared with the rows beside it, or "".
        note: further doubts, or "".
        values: by metric (``iou``, ``fscore``, ...), then by column; what is not given is absent.
    """

    method: str
    source: str
    split: str
    threshold: float | None
    differs: str
    note: str
    values: dict[str, dict[str | int, float]]


@dataclass(frozen=True)
class PublishedTable:
    """One file of ``published/``.

    Attributes:
        name: of the file, without its ending.
        dataset, split: what was tested.
        by: what the columns are: ``class`` (taxonomy ids of one view, and ``overall``), ``views``
            (numbers of views) or ``other``.
        columns: in the order of the file.
        samples: number of samples by column, where known.
        metrics: names of metrics and what they mean.
    """

    name: str
    title: str
    dataset: str
    split: str
    by: str
    view_selection: str
    metrics: dict[str, str]
    source: str
    notes: tuple[str, ...]
    columns: tuple[str | int, ...]
    samples: dict[str | int, int]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True)
class PublishedRow:
    """What one source has published of one method on ShapeNet.

    ``mark`` is "" where it can be compared with the results at hand, else it says why not.
    ``classes`` (taxonomy id -> IoU) and ``overall`` are of one view, ``views`` is by number of
    views; where ``views`` holds 1, that is ``overall``. The same of the F-score.
    """

    method: str
    source: str
    mark: str
    classes: dict[str, float]
    overall: float | None
    views: dict[int, float]
    fscore_classes: dict[str, float]
    fscore_overall: float | None
    fscore_views: dict[int, float]


def read_published() -> list[PublishedTable]:
    """All tables that come with the package, by name.

    Raises:
        FileError: a file is not as ``read_table`` expects.
    """
    return [read_table(path) for path in sorted(FOLDER.glob("*.yaml"))]


def report_rows(results: dict[str, Any]) -> list[PublishedRow]:
    """The published rows to put beside results of schema 2, one per method and source.

    They can be compared where the results have the classes of ShapeNet's test split and as many
    samples of each, at every view count; else each row is marked.
    """
    tables = read_published()
    merged: dict[tuple[str, str], PublishedRow] = {}
    for row in by_class(results, tables) + by_views(results, tables):
        key = row.method, row.source
        merged[key] = _merge(merged[key], row) if key in merged else row
    return list(merged.values())


def by_class(
    results: dict[str, Any], tables: Sequence[PublishedTable] | None = None
) -> list[PublishedRow]:
    """The rows of one view on ShapeNet; ``tables``: None for those of the package.

    Of rows that differ in their threshold alone, the one nearest to that of the results' protocol.
    """
    return _select(results, tables, "class")


def by_views(
    results: dict[str, Any], tables: Sequence[PublishedTable] | None = None
) -> list[PublishedRow]:
    """The rows by number of views on ShapeNet, see ``by_class``."""
    return _select(results, tables, "views")


def _select(
    results: dict[str, Any], tables: Sequence[PublishedTable] | None, by: str
) -> list[PublishedRow]:
    same_data = _is_shapenet_test(results)
    threshold = results["protocol"]["threshold"]
    nearest: dict[tuple[str, str, str], TableRow] = {}
    for table in read_published() if tables is None else tables:
        if table.dataset != "ShapeNet" or table.by != by:
            continue
        for row in table.rows:
            key = table.name, row.method, row.source
            if key not in nearest or _gap(row, threshold) < _gap(nearest[key], threshold):
                nearest[key] = row
    return [_published_row(row, by, same_data) for row in nearest.values()]


def _gap(row: TableRow, threshold: float) -> float:
    return math.inf if row.threshold is None else abs(row.threshold - threshold)


def _is_shapenet_test(results: dict[str, Any]) -> bool:
    parts = (results["summary"][str(n)]["classes"] for n in results["views"])
    return all({key: c["n"] for key, c in part.items()} == SHAPENET_TEST for part in parts)


def _published_row(row: TableRow, by: str, same_data: bool) -> PublishedRow:
    reasons = [f"another split: {row.split}"] if row.split != "test" else []
    if not same_data:
        reasons.insert(0, "other data than this" if reasons else OTHER_DATA)
    reasons += [row.differs] if row.differs else []
    source = row.source if row.threshold is None else f"{row.source}, t = {row.threshold}"
    fields: dict[str, Any] = {}
    for metric, prefix in zip(SCORES, ("", "fscore_"), strict=True):
        values = dict(row.values.get(metric, {}))
        fields[f"{prefix}overall"] = values.get(1) if by == "views" else values.pop(OVERALL, None)
        fields[f"{prefix}classes"] = values if by == "class" else {}
        fields[f"{prefix}views"] = values if by == "views" else {}
    return PublishedRow(row.method, source, "; ".join(reasons), **fields)


def _merge(a: PublishedRow, b: PublishedRow) -> PublishedRow:
    reasons = dict.fromkeys(part for row in (a, b) for part in row.mark.split("; ") if part)
    fields: dict[str, Any] = {}
    for prefix in ("", "fscore_"):
        for name in (f"{prefix}classes", f"{prefix}views"):
            fields[name] = getattr(a, name) | getattr(b, name)
        overall = [getattr(row, f"{prefix}overall") for row in (a, b)]
        fields[f"{prefix}overall"] = overall[1] if overall[0] is None else overall[0]
    return PublishedRow(a.method, a.source, "; ".join(reasons), **fields)


def read_table(path: str | os.PathLike) -> PublishedTable:
    """Read one table, a YAML file as those in ``published/``.

    A row's list has one value per column, ``~`` where none is given; ``source``, ``split`` and
    ``threshold`` of a row default to those of the table.

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
    optional = ("view_selection", "threshold", "notes", "samples")
    _check_keys(data, where, (*TEXTS, "by", "metrics", "columns", "rows"), optional)
    _need(data["by"] in BY, f"{where}: by", data["by"], ", ".join(BY))
    columns = _columns(data, where)
    notes = _list(data.get("notes", []), f"{where}: notes")
    return PublishedTable(
        name=path.stem,
        by=data["by"],
        columns=columns,
        samples=_numbers(data.get("samples", [None] * len(columns)), columns, f"{where}: samples"),
        view_selection=_text(data.get("view_selection", ""), f"{where}: view_selection"),
        notes=tuple(_text(note, f"{where}: notes") for note in notes),
        metrics=_metrics(data["metrics"], f"{where}: metrics"),
        rows=_rows(data, columns, where),
        **{key: _text(data[key], f"{where}: {key}") for key in TEXTS},
    )


def _columns(table: dict, where: str) -> tuple[str | int, ...]:
    columns = _list(table["columns"], f"{where}: columns")
    for column in columns:
        if table["by"] == "views":
            fine, expected = type(column) is int and 1 <= column <= 24, "1 to 24 views"
        elif table["by"] == "class" and table["dataset"] == "ShapeNet":
            # Unquoted, 03001627 is an octal number in YAML.
            fine = column == OVERALL or (isinstance(column, str) and column in SHAPENET_TEST)
            expected = f"a quoted taxonomy id of ShapeNet or {OVERALL!r}"
        else:
            fine, expected = type(column) in (str, int), "a name or a whole number"
        _need(fine, f"{where}: columns", column, expected)
    _need(len(set(columns)) == len(columns) > 0, f"{where}: columns", columns, "each once")
    return tuple(columns)


def _metrics(metrics: Any, where: str) -> dict[str, str]:
    _need(isinstance(metrics, dict) and len(metrics) > 0, where, metrics, "names and meanings")
    return {_text(key, where): _text(meaning, where) for key, meaning in metrics.items()}


def _rows(table: dict, columns: tuple[str | int, ...], where: str) -> tuple[TableRow, ...]:
    rows: dict[tuple, TableRow] = {}
    for i, entry in enumerate(_list(table["rows"], f"{where}: rows")):
        here = f"{where}: row {i}"
        optional = ("source", "split", "threshold", "differs", "note", *table["metrics"])
        _check_keys(entry, here, ("method",), optional)
        entry = {key: table.get(key) for key in ("source", "split", "threshold")} | entry
        threshold = entry["threshold"]
        fine = type(threshold) is float and 0 < threshold < 1
        _need(threshold is None or fine, f"{here}: threshold", threshold, "a number in (0, 1)")
        values = {
            metric: _numbers(entry[metric], columns, f"{here}: {metric}", metric in SCORES)
            for metric in table["metrics"]
            if metric in entry
        }
        _need(any(values.values()), here, entry["method"], f"one of {', '.join(table['metrics'])}")
        texts = {key: _text(entry[key], f"{here}: {key}") for key in ("method", "source", "split")}
        notes = {key: _text(entry.get(key, ""), f"{here}: {key}") for key in ("differs", "note")}
        key = texts["method"], texts["source"], threshold
        _need(key not in rows, here, texts["method"], "each method, source and threshold once")
        rows[key] = TableRow(threshold=threshold, values=values, **texts, **notes)
    _need(len(rows) > 0, f"{where}: rows", [], "at least one")
    return tuple(rows.values())


def _numbers(
    values: Any, columns: Sequence[str | int], where: str, score: bool = False
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
