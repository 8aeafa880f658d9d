# SPDX-License-Identifier: MIT
"""The charts of the report page, each drawn from results with the lines of its legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from .charts import OTHERS, Axis, Boxes, Line, box_chart, line_chart, nice_axis, ramp
from .figures import classes_of, count_views, network_figures
from .published import PublishedRow
from .published_figures import rows_by_views

Chart = tuple[Markup, list[Line]]
TICKS = (0, 0.2, 0.4, 0.6, 0.8, 1)
ENDS = ("#d55e00", "#0072b2")  # colors of the smallest and the greatest number of views


def threshold_chart(results: Mapping[str, Any]) -> Chart:
    """Mean IoU over samples against the threshold, a line for each number of views."""
    lines = []
    views = sorted(results["views"])
    for n, color in zip(views, ramp(len(views)), strict=True):
        summary = results["summary"][str(n)]
        curve = summary["curve"] or {"thresholds": (), "overall": ()}
        points = dict(zip(curve["thresholds"], curve["overall"], strict=True))
        points |= dict(zip(results["thresholds"], summary["overall"], strict=True))
        lines.append(Line(count_views(n), sorted(points.items()), color))
    y = nice_axis("mean IoU", [v for line in lines for _, v in line.points], most=1)
    x = Axis("threshold of the probability", 0, 1, TICKS)
    t = results["protocol"]["threshold"]
    guide = () if t is None else ((t, y.low), (t, y.high))
    title = f"Mean IoU against threshold for {len(lines)} numbers of views"
    return line_chart(lines, x, y, title, guide), lines


def views_chart(results: Mapping[str, Any], published: Sequence[PublishedRow]) -> Chart | None:
    """IoU against the number of views, with a line of each published row that can be compared; None
    for one point alone."""
    figures = network_figures(results)
    points = [(n, row.mean) for n, row in figures.items()]
    band = [row.interval for row in figures.values()]
    if None in band:
        band = []
    lines = [
        Line(
            row.method,
            sorted(by_views.items()),
            OTHERS[i % len(OTHERS)],
            thin=True,
            tag=str(i + 1),  # its number in the table of published figures
        )
        for i, (row, by_views) in enumerate(rows_by_views(published))
        if len(by_views) > 1 and not row.mark
    ]
    if len(points) == 1 and not lines:
        return None
    ours = Line("this network", points, band=band)
    values = [v for line in (*lines, ours) for _, v in line.points] + sum(map(list, band), [])
    counts = sorted({n for line in (*lines, ours) for n, _ in line.points})
    x = Axis("views", counts[0], counts[-1], counts, log=True)
    y = nice_axis("mean IoU", values, most=1)
    title = f"Mean IoU against the number of views, {counts[0]} to {counts[-1]}"
    return line_chart([*lines, ours], x, y, title), [ours, *lines]  # ours is drawn last, on top


def calibration_charts(summaries: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Reliability, and how many voxels have which probability; None where not known."""
    bins_of = {n: s["calibration"]["bins"] for n, s in summaries.items() if s["calibration"]}
    known = {
        n: filled for n, bins in bins_of.items() if (filled := [b for b in bins if b["count"]])
    }
    if not known:
        return {"reliability": None}
    reliability, shares = [], []
    for (n, bins), color in zip(known.items(), ramp(len(known)), strict=True):
        total = sum(b["count"] for b in bins)
        reliability.append(
            Line(count_views(n), [(b["probability"], b["occupied"]) for b in bins], color)
        )
        points = [((b["low"] + b["high"]) / 2, b["count"] / total) for b in bins]
        shares.append(Line(count_views(n), points, color))
    x = Axis("predicted probability", 0, 1, TICKS)
    y = Axis("fraction occupied", 0, 1, TICKS)
    least = min(v for line in shares for _, v in line.points)
    powers = [10.0**-k for k in range(int(np.ceil(-np.log10(least))), -1, -1)]
    share = Axis("share of voxels", min(powers[0], 0.1), 1, powers, log=True)
    titles = (
        "Fraction of voxels occupied against predicted probability",
        "Share of voxels by probability",
    )
    return {
        "reliability": (line_chart(reliability, x, y, titles[0], ((0, 0), (1, 1))), reliability),
        "shares": (line_chart(shares, x, share, titles[1]), shares),
    }


def box_chart_of_classes(
    results: Mapping[str, Any], ious: Mapping[int, Mapping[str, float]]
) -> Chart:
    """How the IoU of samples is distributed in each class; ``ious`` by one or two numbers of views
    and "<taxonomy>/<id>"."""
    colors = dict(zip(ious, ENDS, strict=False))
    rows = []
    for taxonomy, name in classes_of(results).items():
        groups = [
            ([v for key, v in ious[n].items() if key.startswith(f"{taxonomy}/")], color)
            for n, color in colors.items()
        ]
        rows.append(Boxes(name, [group for group in groups if group[0]]))
    x = Axis("IoU of a sample", 0, 1, TICKS)
    legend = [Line(count_views(n), (), color) for n, color in colors.items()]
    return box_chart(rows, x, "Distribution of the IoU of samples by class"), legend
