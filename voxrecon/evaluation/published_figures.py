# SPDX-License-Identifier: MIT
"""Rows of papers' tables beside one's own results: what they have, and what keeps them apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .published import PublishedRow

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def mark_letters(published: Iterable[PublishedRow]) -> dict[str, str]:
    """A letter for each reason in the marks, in order of appearance: ``{reason: letter}``."""
    reasons = dict.fromkeys(reason for row in published for reason in reasons_of(row))
    return {
        reason: LETTERS[i] if i < len(LETTERS) else str(i + 1) for i, reason in enumerate(reasons)
    }


def reasons_of(row: PublishedRow) -> list[str]:
    return [reason for reason in row.mark.split("; ") if reason]


def published_views(row: PublishedRow, metric: str = "iou") -> dict[int, float]:
    """Figures of a metric by number of views, with the overall one."""
    of = _published_figures(row, metric)
    return {**({} if of["overall"] is None else {1: of["overall"]}), **of["views"]}


def rows_by_views(
    published: Iterable[PublishedRow], metric: str = "iou"
) -> list[tuple[PublishedRow, dict[int, float]]]:
    """The rows of several numbers of views, and those that have one figure alone."""
    rows = [(row, published_views(row, metric)) for row in published]
    return [
        (row, views)
        for row, views in rows
        if len(views) > 1 or (views and not _published_figures(row, metric)["classes"])
    ]


def rows_by_class(
    published: Iterable[PublishedRow], metric: str = "iou"
) -> list[tuple[PublishedRow, float | None, Mapping[str, float]]]:
    """The rows that have figures of classes, each with the overall one and these."""
    rows = [(row, _published_figures(row, metric)) for row in published]
    return [(row, of["overall"], of["classes"]) for row, of in rows if of["classes"]]


def _published_figures(row: PublishedRow, metric: str) -> dict[str, Any]:
    prefix = {"iou": "", "fscore": "fscore_"}[metric]
    return {name: getattr(row, prefix + name) for name in ("classes", "overall", "views")}


def comparable(published: Iterable[PublishedRow]) -> bool:
    """Whether a row has no mark: only then do others beside it say anything."""
    return any(not row.mark for row in published)
