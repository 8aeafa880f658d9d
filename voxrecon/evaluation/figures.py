# SPDX-License-Identifier: MIT
"""The figures that stand for a results dictionary, and its protocol in words: what the page and the
Markdown table both say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .results import headline, sample_key, samples_at

Interval = Sequence[float]  # low, high

BASELINES = {
    "mean grid": "the mean grid of the training set",
    "class mean": "the mean training grid of the class, which is known",
    "oracle": "the training grid nearest to the truth",
    "retrieval": "the training object nearest by the network's own features",
}
MEANS = {"sample": "the mean over samples", "class": "the mean of the means of classes"}
SELECTIONS = {"first": "the first n of the data set", "random": "n at random"}
ORDERS = {
    "first": "in the data set's order",
    "random": "in random order",
    "azimuth": "sorted by azimuth",
}
LISTED = 6  # further thresholds that are named
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Published(Protocol):
    """A row of a paper's table: ``mark`` says what keeps it from being compared, reasons parted by
    "; ", "" for nothing. ``classes`` (taxonomy id -> IoU) and ``overall`` are of one view,
    ``views`` is by number of views."""

    method: str
    source: str
    mark: str
    classes: Mapping[str, float]
    overall: float | None
    views: Mapping[int, float]


@dataclass(frozen=True)
class Figures:
    """One row of the headline table: means over ``n`` samples, None where one is not defined."""

    label: str
    n: int
    overall: float | None
    class_mean: float | None
    without_leaks: float | None
    overall_interval: Interval | None = None
    class_interval: Interval | None = None
    scores: Mapping[str, Any] = field(default_factory=dict)
    classes: Mapping[str, float] = field(default_factory=dict)  # of a baseline, by taxonomy id
    note: str = ""


def count_views(n: int) -> str:
    return f"{n} view" if n == 1 else f"{n} views"


def classes_of(results: Mapping[str, Any]) -> dict[str, str]:
    """Names of the classes that have samples, by taxonomy id."""
    known = {key for summary in results["summary"].values() for key in summary["classes"]}
    return {key: name for key, name in results["classes"].items() if key in known}


def sample_ious(results: Mapping[str, Any], n_views: int) -> dict[str, float]:
    """IoU at the threshold that stands for all, by "<taxonomy>/<id>"."""
    i = headline(results, n_views)
    return {
        sample_key(sample): sample["intersection"][i] / sample["union"][i]
        if sample["union"][i]
        else 1.0
        for sample in samples_at(results, n_views)
    }


def network_figures(results: Mapping[str, Any]) -> dict[int, Figures]:
    """The network's figures by number of views, at the threshold that stands for all."""
    rows = {}
    for n in sorted(results["views"]):
        i, summary = headline(results, n), results["summary"][str(n)]
        clean, ends = summary["without_leaks"], summary.get("interval")
        best = results["protocol"]["threshold"] is None
        rows[n] = Figures(
            label=count_views(n) + (f", t = {results['thresholds'][i]:g}" if best else ""),
            n=sum(c["n"] for c in summary["classes"].values()),
            overall=summary["overall"][i],
            class_mean=summary["class_mean"][i],
            without_leaks=clean["overall"][i] if clean and clean["overall"] else None,
            overall_interval=ends and ends["overall"][i],
            class_interval=ends and ends["class_mean"][i],
            scores=summary["scores"],
        )
    return rows


def class_figure(results: Mapping[str, Any], n_views: int, taxonomy: str) -> tuple:
    """IoU of a class at the threshold that stands for all, and its interval; None for either."""
    i, c = headline(results, n_views), results["summary"][str(n_views)]["classes"].get(taxonomy)
    if c is None:
        return None, None
    return c["iou"][i], c["interval"][i] if "interval" in c else None


def baseline_figures(results: Mapping[str, Any]) -> list[Figures]:
    """The baselines' figures, over the samples where they are defined."""
    leaks = results["leaks"]
    taxonomies = {sample_key(sample): sample["taxonomy"] for sample in results["samples"]}
    rows = []
    for name, by_key in results["baselines"].items():
        known = {key: by_key[key] for key in taxonomies if by_key.get(key) is not None}
        parts = defaultdict(list)
        for key, value in known.items():
            parts[taxonomies[key]].append(value)
        classes = {taxonomy: mean(values) for taxonomy, values in parts.items()}
        rows.append(
            Figures(
                label=name,
                n=len(known),
                overall=mean(known.values()),
                class_mean=mean(classes.values()),
                without_leaks=mean(v for k, v in known.items() if k not in leaks)
                if leaks
                else None,
                classes=classes,
                note=BASELINES.get(name, ""),
            )
        )
    return rows


def mean(values: Iterable[float]) -> float | None:
    values = list(values)
    return sum(values) / len(values) if values else None


def criterion(results: Mapping[str, Any]) -> str:
    """From which probability on a voxel counts: "≥ 0.3"."""
    sign, t = ">" if results["protocol"]["strict"] else "≥", results["protocol"]["threshold"]
    return f"{sign}\u00a0the best threshold" if t is None else f"{sign}\u00a0{t:g}"


def protocol_sentences(results: Mapping[str, Any]) -> list[str]:
    """What the protocol measures, in words."""
    protocol, t = results["protocol"], results["protocol"]["threshold"]
    others = [f"{other:g}" for other in results["thresholds"] if other != t]
    named = ", ".join(others) if len(others) <= LISTED else f"{len(others)} others"
    also = f" (IoU at {named} is in the results file)" if others and t is not None else ""
    each = f", of {len(others)}, for each number of views" if t is None else ""
    selection, order = protocol.get("view_selection", "first"), protocol.get("view_order", "first")
    return [
        f"A voxel counts as predicted where its probability is {criterion(results)}{each}{also}.",
        "The IoU of a sample is the number of voxels in both grids over that in either, "
        "1 where both are empty.",
        f"The figure of the test set is {MEANS[protocol['mean']]}.",
        f"Of the views of an object, n are taken: {SELECTIONS.get(selection, selection)}; "
        f"they enter {ORDERS.get(order, order)}.",
        "Intervals are 95 % bootstrap intervals over the test samples: they say what another draw "
        "of test objects would change, not what another training would.",
    ]


def mark_letters(published: Iterable[Published]) -> dict[str, str]:
    """A letter for each reason in the marks, in order of appearance: ``{reason: letter}``."""
    reasons = dict.fromkeys(reason for row in published for reason in reasons_of(row))
    return {
        reason: LETTERS[i] if i < len(LETTERS) else str(i + 1) for i, reason in enumerate(reasons)
    }


def reasons_of(row: Published) -> list[str]:
    return [reason for reason in row.mark.split("; ") if reason]


def published_views(row: Published) -> dict[int, float]:
    """IoU by number of views, with the one of ``overall``."""
    return {**({} if row.overall is None else {1: row.overall}), **row.views}


def rows_by_views(published: Iterable[Published]) -> list[tuple[Published, dict[int, float]]]:
    """The rows of several numbers of views, and those that have one figure alone."""
    rows = [(row, published_views(row)) for row in published]
    return [(row, views) for row, views in rows if len(views) > 1 or not row.classes]


def comparable(published: Iterable[Published]) -> bool:
    """Whether a row has no mark: only then do others beside it say anything."""
    return any(not row.mark for row in published)
