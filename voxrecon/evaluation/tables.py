# SPDX-License-Identifier: MIT
"""Results as tables for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .figures import averaged, baseline_figures, count_views, find_score, score_figure
from .results import MEANS, headline

COLUMNS = 7  # figures side by side that fit into 80 characters
HEADERS = {"retrieval": "retrie-\nval"}


def format_results(results: dict[str, Any]) -> Group:
    """What to print: classes by row, numbers of views and baselines by column; IoU at all
    thresholds; further scores; what is to be known of samples.

    More than seven columns go on in a second table, so that no number is cut off in 80 characters.
    """
    views = results["views"]
    parts = _class_tables(results)
    if len(results["thresholds"]) > 1:
        parts += _threshold_tables(results)
    names = dict.fromkeys(n for v in views for n in results["summary"][str(v)]["scores"])
    if names:
        parts += _score_tables(results, list(names))
    return Group(*parts, *(Text(line, style="yellow") for line in notes(results)))


def printable(text: str) -> str:
    """Names in foreign files may hold anything, escape sequences of the terminal too."""
    return "".join(c if c.isprintable() else "?" for c in text)


def notes(results: dict[str, Any]) -> list[str]:
    """Lines on leaks and broken samples."""
    lines = []
    if results["leaks"]:
        n = results["views"][0]
        without = results["summary"][str(n)]["without_leaks"]
        named = [f"{key} ({', '.join(of)})" for key, of in list(results["leaks"].items())[:5]]
        lines.append(
            f"leaks: {len(results['leaks'])} samples stand in train under another class: "
            + printable("; ".join(named))
            + ("; ..." if len(results["leaks"]) > 5 else "")
        )
        if without and without["n"]:
            mean = without[MEANS[results["protocol"]["mean"]]][headline(results, n)]
            lines.append(
                f"without them: IoU {mean:.4f}, mean of {averaged(results)}, of "
                f"{without['n']:,} samples, {count_views(n)}"
            )
    if results["broken"]:
        lines.append(f"broken samples left out: {len(results['broken'])}")
    return lines


def _class_tables(results: dict[str, Any]) -> list[RenderableType]:
    protocol, summary = results["protocol"], results["summary"]
    columns = []  # of each: header, by class, overall, class mean, interval
    for n in results["views"]:
        of_n, at = summary[str(n)], headline(results, n)
        by_class = {key: c["iou"][at] for key, c in of_n["classes"].items()}
        ends = of_n.get("interval", {}).get(MEANS[protocol["mean"]])
        columns.append(
            (
                count_views(n).replace(" ", "\n"),
                by_class,
                of_n["overall"][at],
                of_n["class_mean"][at],
                ends and ends[at],
                results["thresholds"][at],
            )
        )
    columns += [
        (
            HEADERS.get(f.label, printable(f.label).replace(" ", "\n")),
            *(f.classes, f.overall, f.class_mean),
            *(None, None),
        )
        for f in baseline_figures(results)
    ]
    samples = max(
        sum(c["n"] for c in summary[str(n)]["classes"].values()) for n in results["views"]
    )

    at = {column[5] for column in columns if column[5] is not None}
    where = f" at t = {at.pop()}" if len(at) == 1 else " at the best threshold"
    sign = ">" if protocol["strict"] else ">="
    title = f"Voxel IoU{where} (p {sign} t), protocol {printable(protocol['name'])}"
    tables = []
    classes = dict.fromkeys(key for n in results["views"] for key in summary[str(n)]["classes"])
    for start in range(0, len(columns), COLUMNS):
        part = columns[start : start + COLUMNS]
        table = _table("Class", [column[0] for column in part], "n")
        for key in classes:
            count = max(
                summary[str(n)]["classes"].get(key, {"n": 0})["n"] for n in results["views"]
            )
            cells = [_digits(column[1].get(key)) for column in part]
            table.add_row(Text(printable(results["classes"][key])), f"{count:,}", *cells)
        table.add_section()
        bold = {"sample": 0, "class": 1}[protocol["mean"]]
        for i, (label, place) in enumerate((("mean, samples", 2), ("mean, classes", 3))):
            cells = [_digits(column[place]) for column in part]
            count = f"{samples:,}" if i == 0 else ""
            table.add_row(Text(label), count, *cells, style="bold" if i == bold else "")
            if i != bold or not any(column[4] for column in part):
                continue
            for end, word in enumerate(("95 %: from", "to")):  # of the mean above
                cells = [_digits(column[4][end]) if column[4] else "" for column in part]
                table.add_row(Text(word, justify="right"), "", *cells, style="dim")
        tables += [Text(title, style="italic"), table]
        title = "continued"
    return tables


def _threshold_tables(results: dict[str, Any]) -> list[RenderableType]:
    """The mean that the protocol takes, by number of views and threshold, the best one marked."""
    mean, thresholds, tables = results["protocol"]["mean"], results["thresholds"], []
    title = f"By threshold, mean of {averaged(results)}"
    for start in range(0, len(thresholds), COLUMNS):
        part = slice(start, start + COLUMNS)
        table = _table("Views", [f"t={t}" for t in thresholds[part]])
        for n in results["views"]:
            summary = results["summary"][str(n)]
            cells = [
                Text(_digits(value), style="bold green" * (t == summary["best_threshold"]))
                for t, value in zip(thresholds[part], summary[MEANS[mean]][part], strict=True)
            ]
            table.add_row(str(n), *cells)
        tables += [Text(title, style="italic"), table]
    return tables


def _score_tables(results: dict[str, Any], names: Sequence[str]) -> list[RenderableType]:
    """Further scores by number of views: the mean that the protocol takes, of the samples that have
    one."""
    views, tables = results["views"], []
    title = f"Further scores, mean of {averaged(results)}"
    for start in range(0, len(views), COLUMNS):
        part = views[start : start + COLUMNS]
        table = _table("Score", [count_views(n).replace(" ", "\n") for n in part])
        for name in names:
            means = [score_figure(results, n, name)[0] for n in part]
            table.add_row(Text(printable(find_score(name).label)), *map(_digits, means))
        eces = [results["summary"][str(n)]["calibration"] for n in part]
        if any(eces):
            table.add_row("Calibration error", *(_digits(c and c["ece"]) for c in eces))
        tables += [Text(title, style="italic"), table]
    return tables


def _table(first: str, columns: Sequence[str], second: str = "") -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold", min_width=10, vertical="bottom")
    if second:
        table.add_column(second, justify="right", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True, min_width=6)
    return table


def _digits(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.4f}"
