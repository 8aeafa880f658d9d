# SPDX-License-Identifier: MIT
"""The report of an evaluation as a Markdown table, for a README or a paper."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from .figures import (
    averaged,
    baseline_figures,
    class_figure,
    classes_of,
    count_views,
    criterion,
    find_score,
    network_figures,
)
from .published import PublishedRow
from .published_figures import comparable, mark_letters, published_views, reasons_of

SPECIAL = re.compile(r"([\\`*\[\]<>|~$&#])|(?<![^\W_])(_)|(_)(?![^\W_])")
DASH = "–"


def format_markdown(results: Mapping[str, Any], published: Sequence[PublishedRow] = ()) -> str:
    """A table of IoU at the protocol's threshold, a row per class and a column per number of views
    and baseline; one of the published rows, where any can be compared; and what one has to know to
    compare the figures.

    Columns of the raw text are aligned. Names are escaped.
    """
    parts = ["\n".join(_align(_rows(results)))]
    if comparable(published):
        parts += ["\n".join(_align(_published_rows(results, published))), _reasons(published)]
    parts.append("  \n".join(_lines(results)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _rows(results: Mapping[str, Any]) -> list[list[str]]:
    network, baselines = network_figures(results), baseline_figures(results)
    few, counts = min(network), results["summary"][str(min(network))]["classes"]
    rows = [
        [f"IoU, probability {criterion(results)}", "samples"]
        + [row.label for row in network.values()]
        + [_escape(row.label) for row in baselines]
    ]
    for taxonomy, name in classes_of(results).items():
        rows.append(
            [_escape(name), f"{counts[taxonomy]['n']:,}" if taxonomy in counts else DASH]
            + [_figure(*class_figure(results, n, taxonomy)) for n in network]
            + [_figure(row.classes.get(taxonomy)) for row in baselines]
        )
    rows.append(
        ["**mean over samples**", f"{network[few].n:,}"]
        + [_figure(row.overall, row.overall_interval) for row in network.values()]
        + [_figure(row.overall) for row in baselines]
    )
    rows.append(
        ["**mean over classes**", ""]
        + [_figure(row.class_mean, row.class_interval) for row in network.values()]
        + [_figure(row.class_mean) for row in baselines]
    )
    if results["leaks"]:
        clean = results["summary"][str(few)]["without_leaks"]
        rows.append(
            [f"mean over {averaged(results)} without leaks", f"{clean['n']:,}" if clean else ""]
            + [_figure(row.without_leaks) for row in (*network.values(), *baselines)]
        )
    for name in dict.fromkeys(name for row in network.values() for name in row.scores):
        figures = [_figure(*row.scores.get(name, (None, None))) for row in network.values()]
        rows.append([_escape(find_score(name).label), "", *figures, *("" for _ in baselines)])
    return rows


def _published_rows(
    results: Mapping[str, Any], published: Sequence[PublishedRow]
) -> list[list[str]]:
    network, letters = network_figures(results), mark_letters(published)
    ours = {n: row.mean for n, row in network.items()}
    by_views = [published_views(row) for row in published]
    counts = sorted({*ours, *(n for values in by_views for n in values)})
    rows = [
        ["IoU", *map(count_views, counts), "source"],
        ["**this network**", *(_figure(ours.get(n)) for n in counts), ""],
    ]
    for row, values in zip(published, by_views, strict=True):
        marks = ",".join(letters[reason] for reason in reasons_of(row))
        name = _escape(row.method) + (f"<sup>{marks}</sup>" if marks else "")
        rows.append([name, *(_figure(values.get(n)) for n in counts), _escape(row.source)])
    return rows


def _reasons(published: Sequence[PublishedRow]) -> str:
    letters = mark_letters(published)
    return "  \n".join(f"<sup>{letter}</sup> {_escape(text)}" for text, letter in letters.items())


def _lines(results: Mapping[str, Any]) -> list[str]:
    protocol, run = results["protocol"], defaultdict(lambda: "unknown", results["run"])
    return [
        f"Protocol {_escape(protocol['name'])}: voxels at probability {criterion(results)}, mean "
        f"over {averaged(results)}, "
        f"views selected: {_escape(protocol.get('view_selection', 'first'))}, in "
        f"order: {_escape(protocol.get('view_order', 'first'))}; in brackets 95 % bootstrap "
        "intervals over samples.",
        f"Test samples in the training set under another class: {len(results['leaks'])}.",
        f"Config {_escape(run['config'])}, checkpoint sha256 "
        f"{_escape(run['checkpoint_sha256'][:12])}, data {_escape(run['data_root'])} "
        f"({_escape(run['split'])}) sha256 {_escape(results['data_sha256'][:12])}.",
    ]


def _figure(value: float | None, interval: Sequence[float] | None = None) -> str:
    if value is None:
        return DASH
    return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def _escape(text: str) -> str:
    """Text that Markdown shows as it is, in one line and in one cell."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return SPECIAL.sub(r"\\\g<0>", text)


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, its head first; names to the left, figures to the right."""
    widths = [max(3, *map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        gaps = [" " * (width - cell_len(cell)) for width, cell in zip(widths, row, strict=True)]
        cells = [row[0] + gaps[0], *(g + c for g, c in zip(gaps[1:], row[1:], strict=True))]
        lines.append(f"| {' | '.join(cells)} |")
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, f"| {' | '.join(rule)} |")
    return lines
