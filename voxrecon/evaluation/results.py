# SPDX-License-Identifier: MIT
"""Results of an evaluation: what is known of each sample, and the means of it.

``docs/evaluation.md`` describes them; ``SCHEMA`` grows whenever their meaning changes.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch

from .calibration import BINS, calibration_error, curve_counts
from .intervals import table_intervals
from .iou import iou
from .protocols import PROTOCOLS, Protocol

SCHEMA = 2
THRESHOLD = PROTOCOLS["pix2vox"].threshold  # at which one figure stands for all, as in the papers
MEANS = {"sample": "overall", "class": "class_mean"}  # of the summary, by what a protocol says
KEYS = (
    *("taxonomy", "id", "n_views", "view_numbers", "intersection", "union"),
    *("truth", "scores", "histogram"),
)


def build_results(
    records: Sequence[dict],
    thresholds: Sequence[float],
    broken: Iterable[str] = (),
    protocol: dict[str, Any] | Protocol = PROTOCOLS["pix2vox"],
    leaks: dict[str, list[str]] | None = None,
    measures: Iterable[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Everything an evaluation found, as plain Python numbers, lists and dictionaries.

    Args:
        records: one per sample and view count, each (taxonomy, id, n_views) once: ``taxonomy``,
            ``id``, ``name`` (of the class), ``n_views``, ``intersection`` and ``union`` (voxels at
            each threshold), and perhaps ``truth`` (a hash of the true grid), ``scores`` and
            ``histogram`` (of the measures).
        thresholds: T values.
        broken: messages on samples that were left out.
        protocol: what counts, or its ``record()``.
        leaks: names of the other classes under which a sample stands in train, by
            "<taxonomy>/<id>".
        measures: what gave the scores, with its settings.

    Returns:
        As ``docs/evaluation.md`` describes it, without the run and the baselines; ``summary`` has
        no intervals yet.
    """
    records = sorted(records, key=lambda r: (r["taxonomy"], r["id"], r["n_views"]))
    keys = {sample_key(record) for record in records}
    results = {
        "schema": SCHEMA,
        "protocol": protocol.record() if isinstance(protocol, Protocol) else dict(protocol),
        "measures": [dict(measure) for measure in measures],
        "run": {},
        "data_sha256": _data_hash(records),
        "thresholds": list(thresholds),
        "views": sorted({record["n_views"] for record in records}),
        "classes": {r["taxonomy"]: r["name"] for r in records},
        "samples": [{key: r[key] for key in KEYS if r.get(key) is not None} for r in records],
        "baselines": {},
        "leaks": {key: list(names) for key, names in (leaks or {}).items() if key in keys},
        "broken": list(broken),
    }
    results["summary"] = summarise(results)
    return results


def sample_key(sample: dict) -> str:
    """ "<taxonomy>/<id>"; ids repeat across classes."""
    return f"{sample['taxonomy']}/{sample['id']}"


def samples_at(results: dict, n_views: int) -> list[dict]:
    """The samples of a view count."""
    return [sample for sample in results["samples"] if sample["n_views"] == n_views]


def sample_ious(samples: Sequence[dict]) -> np.ndarray:
    """IoU (N, T) float64 of samples."""
    counts = (torch.tensor([s[key] for s in samples]) for key in ("intersection", "union"))
    return iou(*counts).numpy()


def headline(results: dict, n_views: int) -> int:
    """Index of the threshold at which a figure stands for all: the protocol's, or the best one."""
    threshold = results["protocol"]["threshold"]
    if threshold is None:
        threshold = results["summary"][str(n_views)]["best_threshold"]
    return results["thresholds"].index(threshold)


def headline_mean(results: dict, n_views: int) -> float:
    """The mean IoU that stands for all, as the protocol takes it."""
    summary = results["summary"][str(n_views)]
    return summary[MEANS[results["protocol"]["mean"]]][headline(results, n_views)]


def summarise(results: dict[str, Any], intervals: bool = False) -> dict[str, dict]:
    """The means of the samples of each view count.

    ``overall`` is the mean over samples and ``class_mean`` the mean of the means of classes, at
    each threshold; ``best_threshold`` has the greatest of the one that the protocol prefers, the
    first among equals.
    """
    summary = {str(n): _summary(results, samples_at(results, n)) for n in results["views"]}
    if intervals:
        _add_intervals(results, summary)
    return summary


def _summary(results: dict, samples: Sequence[dict]) -> dict[str, Any]:
    scores = sample_ious(samples)  # (N, T)
    rows = _rows_by_class(samples)
    overall, class_mean = _means(scores, rows.values())
    preferred = {"overall": overall, "class_mean": class_mean}[MEANS[results["protocol"]["mean"]]]
    clean = [i for i, sample in enumerate(samples) if sample_key(sample) not in results["leaks"]]
    summary = {
        "overall": overall,
        "class_mean": class_mean,
        "best_threshold": results["thresholds"][preferred.index(max(preferred))],
        "classes": {
            taxonomy: {
                "name": results["classes"][taxonomy],
                "n": len(places),
                "iou": scores[places].mean(0).tolist(),
            }
            for taxonomy, places in rows.items()
        },
        "scores": _scores(samples, rows),
        "without_leaks": None,
        **_of_histograms(samples),
    }
    if len(clean) < len(samples):
        of_clean = _rows_by_class([samples[i] for i in clean])
        means = _means(scores[clean], of_clean.values()) if clean else (None, None)
        summary["without_leaks"] = {
            "n": len(clean),
            **dict(zip(("overall", "class_mean"), means, strict=True)),
        }
    return summary


def _means(scores: np.ndarray, rows: Iterable[Sequence[int]]) -> tuple[list, list]:
    """Mean (T,) over samples and mean of the means of classes of scores (N, T)."""
    of_classes = np.stack([scores[places].mean(0) for places in rows])
    return scores.mean(0).tolist(), of_classes.mean(0).tolist()


def _add_intervals(results: dict, summary: dict[str, dict]) -> None:
    """Put 95 % intervals beside the means; view counts of the same samples share the draws."""
    groups = defaultdict(list)
    for n in results["views"]:
        groups[tuple(map(sample_key, samples_at(results, n)))].append(str(n))
    for group in groups.values():
        rows, columns = {}, []
        for n in group:
            samples = samples_at(results, int(n))
            rows = _rows_by_class(samples)
            columns.append(sample_ious(samples))
            columns += [_values(samples, name)[:, None] for name in summary[n]["scores"]]
        ends = table_intervals(np.concatenate(columns, axis=1), list(rows.values()))
        overall, of_classes, class_mean = (_pairs(part) for part in ends)
        at, count = 0, len(results["thresholds"])
        for n in group:
            here = slice(at, at + count)
            summary[n]["interval"] = {"overall": overall[here], "class_mean": class_mean[here]}
            for of_class, pairs in zip(rows, of_classes, strict=True):
                several = pairs[here] if pairs[at] else None
                summary[n]["classes"][of_class]["interval"] = several
            for score in summary[n]["scores"].values():
                score["interval"], score["class_interval"] = (
                    overall[at + count],
                    class_mean[at + count],
                )
                at += 1
            at += count


def _pairs(ends: np.ndarray) -> list:
    """Ends (..., 2) as nested lists, None in place of a pair of NaN."""
    if ends.ndim > 1:
        return [_pairs(part) for part in ends]
    return None if np.isnan(ends).any() else ends.tolist()


def _rows_by_class(samples: Sequence[dict]) -> dict[str, list[int]]:
    rows = defaultdict(list)
    for i, sample in enumerate(samples):
        rows[sample["taxonomy"]].append(i)
    return {taxonomy: rows[taxonomy] for taxonomy in sorted(rows)}


def _scores(samples: Sequence[dict], rows: dict[str, list[int]]) -> dict:
    """Of each score its means over the samples that have it; None counts as having none."""
    names = dict.fromkeys(name for sample in samples for name in sample.get("scores", {}))
    found = {}
    for name in names:
        values = _values(samples, name)
        there = values[~np.isnan(values)]
        means = {taxonomy: _mean(values[places]) for taxonomy, places in rows.items()}
        defined = [mean for mean in means.values() if mean is not None]
        found[name] = {
            "n": len(there),
            "mean": _mean(there),
            "class_mean": float(np.mean(defined)) if defined else None,
            "classes": means,
        }
    return found


def _values(samples: Sequence[dict], name: str) -> np.ndarray:
    """A score (N,) of samples, NaN where there is none."""
    given = [sample.get("scores", {}).get(name) for sample in samples]
    return np.array([math.nan if value is None else value for value in given], np.float64)


def _mean(values: np.ndarray) -> float | None:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else None


def _of_histograms(samples: Sequence[dict]) -> dict[str, dict | None]:
    """Calibration over all voxels, and mean IoU at the edges of the bins."""
    if not all("histogram" in sample for sample in samples):
        return {"calibration": None, "curve": None}
    count, occupied, probability = (
        np.array([sample["histogram"][key] for sample in samples])
        for key in ("count", "occupied", "probability")
    )  # each (N, bins)
    counts = curve_counts({"count": count, "occupied": occupied})
    both, either = (torch.as_tensor(np.ascontiguousarray(part)) for part in counts)  # (N, bins - 1)
    totals = [part.sum(axis=0) for part in (count, occupied, probability)]
    bins = [
        {
            "low": k / BINS,
            "high": (k + 1) / BINS,
            "count": int(n),
            "probability": float(p / n) if n else None,
            "occupied": float(o / n) if n else None,
        }
        for k, (n, o, p) in enumerate(zip(*totals, strict=True))
    ]
    return {
        "calibration": {
            "ece": float(calibration_error(*totals)) if totals[0].any() else None,
            "brier": _mean(_values(samples, "brier")),
            "bins": bins,
        },
        "curve": {
            "thresholds": [k / BINS for k in range(1, BINS)],
            "overall": iou(both, either).mean(0).tolist(),
        },
    }


def _data_hash(samples: Iterable[dict]) -> str:
    """Over keys and true grids; "" where the grids are not known."""
    lines = {f"{sample_key(s)} {s.get('truth')}\n" for s in samples if s.get("truth")}
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest() if lines else ""
