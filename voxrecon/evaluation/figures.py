# SPDX-License-Identifier: MIT
"""The figures that stand for a results dictionary, and its protocol in words: what the page and the
Markdown table both say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .results import MEANS, headline, sample_ious, sample_key, samples_at

Interval = Sequence[float]  # low, high

BASELINES = {
    "mean grid": "the mean grid of the training set",
    "class mean": "the mean training grid of the class, which is known",
    "oracle": "the training grid nearest to the truth",
    "retrieval": "the training object nearest by the network's own features",
}
AVERAGED = {"sample": "samples", "class": "classes"}  # by what a protocol says
SELECTIONS = {"first": "the first n of the data set", "random": "n at random"}
ORDERS = {
    "first": "in the data set's order",
    "random": "in random order",
    "azimuth": "sorted by azimuth",
}
LISTED = 6  # further thresholds that are named


@dataclass(frozen=True)
class Score:
    """What a score beyond IoU is called, and what one has to know to compare it.

    Attributes:
        less: less of it is better.
        of_truth: it depends on the true grid alone.
        measure: the class that gives it, "" for none.
        level: of that one's surface, where it gives several.
    """

    label: str
    measure: str = ""
    level: float = 0.0
    less: bool = False
    of_truth: bool = False


SCORES = {
    "fscore": Score("F-score at 1 %", "FScore"),
    "precision": Score("Precision at 1 %", "FScore"),
    "recall": Score("Recall at 1 %", "FScore"),
    "ceiling": Score("Ceiling of the F-score", "FScore", of_truth=True),
    "fscore_mid": Score("F-score, level 0.5", "FScore", 0.5),
    "precision_mid": Score("Precision, level 0.5", "FScore", 0.5),
    "recall_mid": Score("Recall, level 0.5", "FScore", 0.5),
    "ceiling_mid": Score("Ceiling, level 0.5", "FScore", 0.5, of_truth=True),
    "chamfer": Score("Chamfer distance", "ChamferDistance", less=True),
    "chamfer_floor": Score("Floor of the Chamfer distance", "ChamferDistance", of_truth=True),
    "brier": Score("Brier score", "Calibration", less=True),
    "order_deviation": Score("IoU, deviation by order", less=True),
    "order_range": Score("IoU, best minus worst order", less=True),
}


@dataclass(frozen=True)
class Figures:
    """One row of the headline table: means over ``n`` samples, None where one is not defined.
    ``mean`` and ``without_leaks`` are as the protocol takes them, ``scores`` (name -> mean,
    interval) as well."""

    label: str
    n: int
    overall: float | None
    class_mean: float | None
    mean: float | None
    without_leaks: float | None
    interval: Interval | None = None
    overall_interval: Interval | None = None
    class_interval: Interval | None = None
    scores: Mapping[str, tuple] = field(default_factory=dict)
    classes: Mapping[str, float] = field(default_factory=dict)  # of a baseline, by taxonomy id
    note: str = ""


def count_views(n: int) -> str:
    return f"{n} view" if n == 1 else f"{n} views"


def classes_of(results: Mapping[str, Any]) -> dict[str, str]:
    """Names of the classes that have samples, by taxonomy id."""
    known = {key for summary in results["summary"].values() for key in summary["classes"]}
    return {key: name for key, name in results["classes"].items() if key in known}


def ious_by_key(results: Mapping[str, Any], n_views: int) -> dict[str, float]:
    """IoU at the threshold that stands for all, by "<taxonomy>/<id>"."""
    samples = samples_at(results, n_views)
    ious = sample_ious(samples)[:, headline(results, n_views)].tolist()
    return dict(zip(map(sample_key, samples), ious, strict=True))


def find_score(name: str) -> Score:
    """What is known of a score; of one that a further measure gives, its name."""
    return SCORES.get(name) or Score(name)


def score_figure(results: Mapping[str, Any], n_views: int, name: str) -> tuple:
    """The mean of a score as the protocol takes it, and its interval; None for either."""
    score = results["summary"][str(n_views)]["scores"].get(name, {})
    of_class = results["protocol"]["mean"] == "class"
    keys = ("class_mean", "class_interval") if of_class else ("mean", "interval")
    return score.get(keys[0]), score.get(keys[1])


def network_figures(results: Mapping[str, Any]) -> dict[int, Figures]:
    """The network's figures by number of views, at the threshold that stands for all."""
    rows = {}
    for n in sorted(results["views"]):
        i, summary = headline(results, n), results["summary"][str(n)]
        kind = MEANS[results["protocol"]["mean"]]
        clean, ends = (summary["without_leaks"] or {}).get(kind), summary.get("interval")
        best = results["protocol"]["threshold"] is None
        rows[n] = Figures(
            label=count_views(n) + (f", t = {results['thresholds'][i]:g}" if best else ""),
            n=sum(c["n"] for c in summary["classes"].values()),
            overall=summary["overall"][i],
            class_mean=summary["class_mean"][i],
            mean=summary[kind][i],
            without_leaks=clean and clean[i],
            interval=ends and ends[kind][i],
            overall_interval=ends and ends["overall"][i],
            class_interval=ends and ends["class_mean"][i],
            scores={name: score_figure(results, n, name) for name in summary["scores"]},
        )
    return rows


def class_figure(results: Mapping[str, Any], n_views: int, taxonomy: str) -> tuple:
    """IoU of a class at the threshold that stands for all, and its interval; None for either."""
    i, c = headline(results, n_views), results["summary"][str(n_views)]["classes"].get(taxonomy)
    if c is None:
        return None, None
    ends = c.get("interval")
    return c["iou"][i], ends and ends[i]


def baseline_figures(results: Mapping[str, Any]) -> list[Figures]:
    """The baselines' figures, over the samples where they are defined."""
    leaks, kind = results["leaks"], MEANS[results["protocol"]["mean"]]
    taxonomies = {sample_key(sample): sample["taxonomy"] for sample in results["samples"]}
    rows = []
    for name, by_key in results["baselines"].items():
        known = {key: by_key[key] for key in taxonomies if by_key.get(key) is not None}
        clean = {key: value for key, value in known.items() if key not in leaks}
        means = _means(known, taxonomies)
        rows.append(
            Figures(
                label=name,
                n=len(known),
                overall=means["overall"],
                class_mean=means["class_mean"],
                mean=means[kind],
                without_leaks=_means(clean, taxonomies)[kind] if leaks else None,
                classes=means["classes"],
                note=BASELINES.get(name, ""),
            )
        )
    return rows


def _means(values: Mapping[str, float], taxonomies: Mapping[str, str]) -> dict[str, Any]:
    """Means of values by key: overall, of each class, and of those."""
    parts = defaultdict(list)
    for key, value in values.items():
        parts[taxonomies[key]].append(value)
    classes = {taxonomy: mean(part) for taxonomy, part in parts.items()}
    return {
        "overall": mean(values.values()),
        "class_mean": mean(classes.values()),
        "classes": classes,
    }


def mean(values: Iterable[float]) -> float | None:
    values = list(values)
    return sum(values) / len(values) if values else None


def averaged(results: Mapping[str, Any]) -> str:
    """What the protocol's mean is taken over: "samples" or "classes"."""
    return AVERAGED[results["protocol"]["mean"]]


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
        f"The figure of the test set is the mean over {averaged(results)}"
        + (" of the means of their samples." if protocol["mean"] == "class" else "."),
        f"Of the views of an object, n are taken: {SELECTIONS.get(selection, selection)}; "
        f"they enter {ORDERS.get(order, order)}.",
        "Intervals are 95 % bootstrap intervals over the test samples: they say what another draw "
        "of test objects would change, not what another training would.",
    ]
