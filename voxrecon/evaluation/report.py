# SPDX-License-Identifier: MIT
"""Results of an evaluation: a dictionary, the table that is printed, the JSON file to check it."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..errors import FileError
from ..fileio import atomic_write
from .iou import iou

SCHEMA = 1
THRESHOLD = 0.3  # at which one figure stands for all, as in the papers
SAMPLE_KEYS = ("taxonomy", "id", "n_views", "intersection", "union")
MAX_BYTES = 1 << 30  # 40,000 samples at 20 view counts are about 150 MB
COLUMNS = 5  # thresholds side by side that fit into 80 characters


def build_results(
    records: Sequence[dict], thresholds: Sequence[float], broken: Iterable[str] = ()
) -> dict[str, Any]:
    """Everything an evaluation found, as plain Python numbers, lists and dictionaries.

    Args:
        records: one per sample and view count, each (taxonomy, id, n_views) once: ``taxonomy``,
            ``id``, ``name`` (of the class), ``n_views``, ``intersection`` and ``union`` (voxels at
            each threshold).
        thresholds: T values.
        broken: messages on samples that were left out.

    Returns:
        ``{schema, thresholds, views, samples, broken, summary: {"<n_views>": ...}}`` with
        ``{overall, class_mean, best_threshold, classes: {<taxonomy>: {name, n, iou}}}`` per
        view count. ``overall`` is the mean over samples and ``class_mean`` the mean of the means of
        classes, at each threshold; ``best_threshold`` has the greatest ``overall``, the first among
        equals.
    """
    by_views = defaultdict(list)
    for record in records:
        by_views[record["n_views"]].append(record)
    return {
        "schema": SCHEMA,
        "thresholds": list(thresholds),
        "views": sorted(by_views),
        "samples": [{key: record[key] for key in SAMPLE_KEYS} for record in records],
        "broken": list(broken),
        "summary": {str(n): _summary(part, thresholds) for n, part in sorted(by_views.items())},
    }


def _summary(records: Sequence[dict], thresholds: Sequence[float]) -> dict[str, Any]:
    counts = (torch.tensor([r[key] for r in records]) for key in ("intersection", "union"))
    scores = iou(*counts)  # (N, T)
    rows = defaultdict(list)
    for i, record in enumerate(records):
        rows[record["taxonomy"]].append(i)
    means = {taxonomy: scores[rows[taxonomy]].mean(0) for taxonomy in sorted(rows)}
    overall = scores.mean(0).tolist()
    return {
        "overall": overall,
        "class_mean": torch.stack(list(means.values())).mean(0).tolist(),
        "best_threshold": thresholds[overall.index(max(overall))],
        "classes": {
            taxonomy: {
                "name": records[rows[taxonomy][0]]["name"],
                "n": len(rows[taxonomy]),
                "iou": mean.tolist(),
            }
            for taxonomy, mean in means.items()
        },
    }


def format_results(results: dict[str, Any]) -> Group:
    """The table to print: classes by row, thresholds by column, one section per view count.

    The first line of a section marks the threshold that is best for this view count. More than five
    thresholds go on in a second table, so that no number is cut off in 80 characters.
    """
    indices = range(len(results["thresholds"]))
    parts = [indices[i : i + COLUMNS] for i in indices[::COLUMNS]]
    lost = len(results.get("broken", ()))
    note = [Text(f"broken samples left out: {lost}", style="yellow")] if lost else []
    return Group(*(_table(results, part) for part in parts), *note)


def _table(results: dict[str, Any], columns: Sequence[int]) -> Table:
    table = Table(title="Voxel IoU", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("Class", overflow="fold")
    table.add_column("Samples", justify="right", no_wrap=True, min_width=7)
    for i in columns:
        header = f"t={results['thresholds'][i]}"
        table.add_column(header, justify="right", no_wrap=True, min_width=6)

    def add(label: str, count: str, cells: Sequence[str], best: int, **options: Any) -> None:
        marked = [Text(cells[i], style="bold green" if i == best else "") for i in columns]
        table.add_row(Text(label), count, *marked, **options)

    for n_views in results["views"]:
        summary = results["summary"][str(n_views)]
        classes = summary["classes"].values()
        best = results["thresholds"].index(summary["best_threshold"])
        title = f"{n_views} view{'s' * (n_views > 1)}, best t={summary['best_threshold']}"
        marks = ["best" if i == best else "" for i in range(len(results["thresholds"]))]
        add(title, "", marks, best, style="bold")
        for c in classes:
            add(f"  {c['name']}", f"{c['n']:,}", _digits(c["iou"]), best)
        n = sum(c["n"] for c in classes)
        add("  overall by sample", f"{n:,}", _digits(summary["overall"]), best, style="bold")
        add("  mean of classes", "", _digits(summary["class_mean"]), best, end_section=True)
    return table


def _digits(values: Sequence[float]) -> list[str]:
    return [f"{value:.4f}" for value in values]


def write_json(path: str | os.PathLike, obj: Any) -> None:
    """Write ``obj`` as JSON atomically: the whole file appears, or an older one stays as it was.

    Raises:
        FileError: the folder or the file cannot be written; nothing is left behind.
    """
    text = json.dumps(obj, allow_nan=False, indent=1) + "\n"
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_results(path: str | os.PathLike) -> dict[str, Any]:
    """Read a file of results, see ``build_results``.

    Raises:
        FileError: the file is missing, too large, not JSON or of another schema, or its samples do
            not hold two counts per threshold.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise FileError(f"{path}: {size:,} bytes, expected at most {MAX_BYTES:,}")
        results = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path}: not JSON: {error}") from error

    schema = results.get("schema") if isinstance(results, dict) else None
    if schema != SCHEMA:
        raise FileError(f"{path}: results of schema {schema!r}, expected {SCHEMA}")
    for key, kind in {"thresholds": list, "views": list, "samples": list, "summary": dict}.items():
        if not isinstance(results.get(key), kind):
            raise FileError(f"{path}: {key!r} is missing or wrong, expected a {kind.__name__}")
    for i, sample in enumerate(results["samples"]):
        if not _is_sample(sample, len(results["thresholds"])):
            raise FileError(
                f"{path}: sample {i} is malformed, expected {', '.join(SAMPLE_KEYS)} "
                f"with {len(results['thresholds'])} counts each"
            )
    return results


def _is_sample(sample: Any, thresholds: int) -> bool:
    if not isinstance(sample, dict) or not all(key in sample for key in SAMPLE_KEYS):
        return False
    if not isinstance(sample["taxonomy"], str) or not isinstance(sample["id"], str):
        return False
    if type(sample["n_views"]) is not int:
        return False
    pair = sample["intersection"], sample["union"]
    if not all(isinstance(counts, list) and len(counts) == thresholds for counts in pair):
        return False
    return all(
        type(i) is type(u) is int and 0 <= i <= u < 2**53 for i, u in zip(*pair, strict=True)
    )
