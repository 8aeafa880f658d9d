# SPDX-License-Identifier: MIT
"""Is one network better than another? Both on the same samples, by their differences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..datasets.json_files import brief
from ..errors import FileError
from .figures import SCORES, count_views, find_score
from .intervals import RESAMPLES, class_mean_interval
from .results import headline, sample_ious, sample_key, samples_at

RULES = ("threshold", "mean", "strict", "view_selection", "metric")  # an order may differ


@dataclass(frozen=True)
class Row:
    """How far B differs from A in one score, in the mean over some samples.

    Attributes:
        score: ``"iou"`` or the name of a score.
        n_views: Number of views.
        taxonomy: Of the class; empty for the means over samples and over classes.
        name: Of the class or mean.
        n: Samples that have the score in both.
        a: Mean of A; None without samples, like ``b`` and ``difference``.
        b: Mean of B.
        difference: Mean of B - A.
        low: Where the 95 % interval of the difference begins; None for a single sample, whose
            mean has no spread to estimate.
        high: Where it ends.
        verdict: ``"A"`` or ``"B"``, which is better where the interval leaves out 0; ``"equal"``
            where no sample differs, else ``"-"``.
        left_out: Samples to which A or B has no score.
    """

    score: str
    n_views: int
    taxonomy: str
    name: str
    n: int
    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: str
    left_out: int


def compare_results(
    a: dict[str, Any],
    b: dict[str, Any],
    names: tuple[str, str] = ("A", "B"),
    threshold: float | None = None,
    views: Sequence[int] | None = None,
    resamples: int = RESAMPLES,
) -> list[Row]:
    """Rows by view count and score, each with its classes, the mean over samples, that of classes.

    The bootstrap is paired: samples are drawn once for both, which is to say that the intervals are
    those of the mean of the differences of samples.

    Args:
        a: results as ``read_results`` gives them.
        b: the results that may be better.
        names: what messages call the two.
        threshold: of the IoU; None: the protocol's, or each one's best where it has none.
        views: view counts; None: all that both have.
        resamples: of the bootstrap.

    Raises:
        FileError: the two cannot be compared: protocols, samples, true grids or the measures that a
            score is from differ, or one of them has not the view counts or the threshold.
    """
    check_protocols(a, b, names)
    rows = []
    for n in common_views(a, b, names) if views is None else views:
        for results, name in zip((a, b), names, strict=True):
            _expect(n, results["views"], f"{name}: no results of {count_views(n)}")
            if threshold is not None:
                _expect(threshold, results["thresholds"], f"{name}: no threshold {threshold}")
        samples = _pair(a, b, n, names)
        values = {"iou": _ious(n, (a, b), samples, threshold), **_scores(samples)}
        _check_measures(a, b, list(values)[1:], names)
        rows += _rows_at(n, a["classes"], samples[0], values, resamples)
    return rows


def check_protocols(a: dict[str, Any], b: dict[str, Any], names: tuple[str, str]) -> None:
    """FileError if the protocols differ in what makes figures comparable."""
    for rule in RULES:
        ours, theirs = (results["protocol"].get(rule) for results in (a, b))
        if ours != theirs:
            raise FileError(
                f"{names[1]}: {rule} {theirs!r} in its protocol, expected {ours!r} as in {names[0]}"
            )


def _check_measures(a: dict, b: dict, scores: Sequence[str], names: tuple[str, str]) -> None:
    """FileError if a score is measured in two ways; other points make no other score."""
    for score in scores:
        ours, theirs = (_options(results.get("measures", ()), score) for results in (a, b))
        for option in dict.fromkeys((*ours, *theirs)):
            values = ours.get(option), theirs.get(option)
            if values[0] != values[1]:
                raise FileError(
                    f"{names[1]}: {option} {brief(values[1])}, expected {brief(values[0])} as in "
                    f"{names[0]} to compare {score}"
                )


def _options(measures: Sequence[dict[str, Any]], score: str) -> dict[str, Any]:
    """Options of the measures that may give a score, by type and name."""
    known, found = {s.measure for s in SCORES.values()}, {}
    of = SCORES.get(score)
    for measure in measures:
        kind = measure.get("type", "")
        if of and (kind != of.measure or measure.get("level", 0) != of.level):
            continue
        if of or kind not in known:
            options = {f"{kind} {key}": value for key, value in measure.items()}
            found |= {key: value for key, value in options.items() if key != f"{kind} seed"}
    return found


def common_views(a: dict[str, Any], b: dict[str, Any], names: tuple[str, str]) -> list[int]:
    """The view counts that both have; FileError if there is none."""
    common = sorted({*a["views"]} & {*b["views"]})
    if not common:
        raise FileError(
            f"{names[1]}: results of {_listed(b['views'])} views, expected some of "
            f"{_listed(a['views'])} as in {names[0]}"
        )
    return common


def _pair(a: dict, b: dict, n_views: int, names: tuple[str, str]) -> tuple[list[dict], list[dict]]:
    """The samples of both at a view count, in the same order."""
    ours, theirs = ({sample_key(s): s for s in samples_at(r, n_views)} for r in (a, b))
    for name, other, more in (
        (*names, ours.keys() - theirs.keys()),
        (*names[::-1], theirs.keys() - ours.keys()),
    ):
        if more:
            raise FileError(
                f"{other}: no sample {min(more)} of {count_views(n_views)}, expected as in {name}"
            )
    keys = sorted(ours)
    for key in keys:
        truths = [of[key].get("truth", "") for of in (ours, theirs)]
        if truths[0] != truths[1]:
            raise FileError(
                f"{names[1]}: sample {key} has the true grid {truths[1]!r}, expected "
                f"{truths[0]!r} as in {names[0]}"
            )
    if a["data_sha256"] != b["data_sha256"]:
        raise FileError(
            f"{names[1]}: data_sha256 {b['data_sha256'][:12]}, expected {a['data_sha256'][:12]} as "
            f"in {names[0]}: other samples"
        )
    return [ours[key] for key in keys], [theirs[key] for key in keys]


def _rows_at(
    n_views: int,
    class_names: dict[str, str],
    samples: Sequence[dict],
    values: dict[str, np.ndarray],
    resamples: int,
) -> list[Row]:
    """The rows of one view count; ``values`` (2, N) are scores of the samples, NaN for none."""
    alike = defaultdict(list)  # scores of the same samples share their draws
    for score, pair in values.items():
        alike[np.isnan(pair).any(0).tobytes()].append(score)
    taxonomies = [sample["taxonomy"] for sample in samples]
    classes = {key: np.array([t == key for t in taxonomies]) for key in sorted({*taxonomies})}
    rows: dict[str, list[Row]] = {}
    for group in alike.values():
        both = np.stack([values[score] for score in group], axis=-1)  # (2, N, S)
        there = ~np.isnan(both[..., 0]).any(0)
        parts = {key: both[:, chosen & there] for key, chosen in classes.items()}
        found = [
            (key, class_names[key], int(classes[key].sum()), [part]) for key, part in parts.items()
        ]
        found.append(("", "mean, samples", len(taxonomies), [both[:, there]]))
        found.append(("", "mean, classes", len(taxonomies), list(parts.values())))
        for taxonomy, name, count, of in found:
            n = sum(part.shape[1] for part in of)
            for score, figures in zip(group, _figures(of, group, resamples), strict=True):
                row = Row(score, n_views, taxonomy, name, n, *figures, left_out=count - n)
                rows.setdefault(score, []).append(row)
    return [row for score in values for row in rows[score]]


def _ious(
    n_views: int,
    results: tuple[dict, dict],
    samples: tuple[list[dict], list[dict]],
    threshold: float | None,
) -> np.ndarray:
    """(2, N)"""
    pair = []
    for of, there in zip(results, samples, strict=True):
        at = headline(of, n_views) if threshold is None else of["thresholds"].index(threshold)
        pair.append(sample_ious(there)[:, at])
    return np.stack(pair)


def _scores(samples: tuple[list[dict], list[dict]]) -> dict[str, np.ndarray]:
    """(2, N) of each further score that both have, NaN where one is not defined."""
    of_a, of_b = ([sample.get("scores", {}) for sample in of] for of in samples)
    known = {name for scores in of_b for name in scores if not find_score(name).of_truth} - {"iou"}
    names = dict.fromkeys(name for scores in of_a for name in scores if name in known)
    # None becomes NaN
    return {
        name: np.array([[s.get(name) for s in of] for of in (of_a, of_b)], float) for name in names
    }


def _figures(parts: Sequence[np.ndarray], scores: Sequence[str], resamples: int) -> list[tuple]:
    """Of each of S scores A, B, B - A, its interval and the verdict: means of the means of parts
    (2, N, S); parts without samples do not count."""
    parts = [part for part in parts if part.shape[1]]
    if not parts:
        return [(*[None] * 5, "-") for _ in scores]
    a, b = np.mean([part.mean(1) for part in parts], axis=0)
    differences = [part[1] - part[0] for part in parts]
    mean = np.mean([part.mean(0) for part in differences], axis=0)
    ends = np.stack(class_mean_interval(differences, resamples), axis=1).tolist()  # (S, 2)
    spread = any(len(part) > 1 for part in differences)
    figures = []
    for i, score in enumerate(scores):
        low, high = ends[i]
        verdict = "-"
        if not any(part[:, i].any() for part in differences):
            verdict = "equal"
        elif not spread:
            low = high = None
        elif low > 0 or high < 0:
            verdict = "B" if (low > 0) != find_score(score).less else "A"
        figures.append((float(a[i]), float(b[i]), float(mean[i]), low, high, verdict))
    return figures


def _expect(value: float, given: Sequence[float], message: str) -> None:
    if value not in given:
        raise FileError(f"{message}, expected one of {_listed(given)}")


def _listed(values: Sequence[float]) -> str:
    return ", ".join(map(str, values))
