# SPDX-License-Identifier: MIT
"""The published rows to put beside results of one's own. Each that cannot be compared with them
says why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .published_tables import BEST, OVERALL, SCORES, TEST_SETS, TableRow, read_published

OBJECTS = {"ShapeNet": "8,770 test objects", "Pix3D": "2,894 photos of chairs"}
PIX3D_CLASSES = {
    *("bed", "bookcase", "chair", "desk", "misc"),
    *("sofa", "table", "tool", "wardrobe"),
}
MEANS = {"sample": "overall is the mean over samples", "class": "overall is the mean of classes"}


@dataclass(frozen=True)
class PublishedRow:
    """What one source has published of one method.

    ``mark`` is "" where it can be compared with the results at hand, else it says why not, reasons
    parted by "; ". ``classes`` (taxonomy id -> IoU) and ``overall`` are of one view, ``views`` is
    by number of views; where ``views`` holds 1, that is ``overall``. The same of the F-score.
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


def report_rows(results: dict[str, Any]) -> list[PublishedRow]:
    """The published rows to put beside results of schema 2, one per method and source: of Pix3D
    where the results have its classes, else of ShapeNet.

    A row can be compared where the results have the classes of its test split and as many samples
    of each, at every view count, and their protocol has its metric, threshold, mean and selection
    of views; else it is marked. Of rows that differ in their threshold alone, the one nearest to
    the protocol's is given.
    """
    dataset = "Pix3D" if set(results["classes"]) <= PIX3D_CLASSES else "ShapeNet"
    same_data = _is_test_set(results, dataset)
    protocol = results["protocol"]
    nearest: dict[tuple[str, str, str], TableRow] = {}
    for table in read_published():
        if table.dataset != dataset or table.by == "other":
            continue
        for row in table.rows:
            key = table.by, row.method, row.source
            if key not in nearest or _gap(row, protocol) < _gap(nearest[key], protocol):
                nearest[key] = row
    merged: dict[tuple[str, str], PublishedRow] = {}
    for (by, *_), row in nearest.items():
        marks = _data_marks(row, dataset, same_data) + _protocol_marks(row, protocol)
        new = _published_row(row, by, marks + ([row.differs] if row.differs else []))
        key = new.method, new.source
        merged[key] = _merge(merged[key], new) if key in merged else new
    return list(merged.values())


def _gap(row: TableRow, protocol: dict[str, Any]) -> float:
    ours = protocol["threshold"]
    if ours is None or row.threshold in (None, BEST):
        return math.inf
    return abs(row.threshold - ours)


def _is_test_set(results: dict[str, Any], dataset: str) -> bool:
    parts = (results["summary"][str(n)]["classes"] for n in results["views"])
    return all({key: c["n"] for key, c in part.items()} == TEST_SETS[dataset] for part in parts)


def _data_marks(row: TableRow, dataset: str, same_data: bool) -> list[str]:
    if row.split != "test":
        other = [] if same_data else ["other data than this"]
        return [*other, f"another split: {row.split}"]
    return [] if same_data else [f"{dataset}'s {OBJECTS[dataset]}, other data than this"]


def _protocol_marks(row: TableRow, protocol: dict[str, Any]) -> list[str]:
    """In what the row's protocol is not that of the results."""
    marks = []
    if row.metric != protocol["metric"]:
        marks.append(f"another metric: {row.metric}")
    ours = BEST if protocol["threshold"] is None else protocol["threshold"]
    if row.threshold is None:
        marks.append("threshold not known")
    elif row.threshold != ours:
        theirs, ours = (f"the {BEST}" if t == BEST else f"{t:g}" for t in (row.threshold, ours))
        marks.append(f"threshold {theirs}, not {ours}")
    if row.mean != protocol["mean"]:
        marks.append(MEANS[row.mean])
    if row.view_selection and row.view_selection != protocol.get("view_selection", "first"):
        marks.append(f"views selected: {row.view_selection}")
    return marks


def _published_row(row: TableRow, by: str, marks: list[str]) -> PublishedRow:
    source = row.source if row.threshold in (None, BEST) else f"{row.source}, t = {row.threshold}"
    fields: dict[str, Any] = {}
    for metric, prefix in zip(SCORES, ("", "fscore_"), strict=True):
        values = dict(row.values.get(metric, {}))
        fields[f"{prefix}overall"] = values.get(1) if by == "views" else values.pop(OVERALL, None)
        fields[f"{prefix}classes"] = values if by == "class" else {}
        fields[f"{prefix}views"] = values if by == "views" else {}
    return PublishedRow(row.method, source, "; ".join(marks), **fields)


def _merge(a: PublishedRow, b: PublishedRow) -> PublishedRow:
    reasons = dict.fromkeys(part for row in (a, b) for part in row.mark.split("; ") if part)
    fields: dict[str, Any] = {}
    for prefix in ("", "fscore_"):
        for name in (f"{prefix}classes", f"{prefix}views"):
            fields[name] = getattr(a, name) | getattr(b, name)
        overall = [getattr(row, f"{prefix}overall") for row in (a, b)]
        fields[f"{prefix}overall"] = overall[1] if overall[0] is None else overall[0]
    return PublishedRow(a.method, a.source, "; ".join(reasons), **fields)
