# SPDX-License-Identifier: MIT
"""Charts as inline SVG: lines with bands, boxes by row, an interval on a line.

Every text is escaped (markupsafe), so names from a results file can be passed as they are. There
are no ids in the pictures: several of them stand in one page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from rich.cells import cell_len, set_cell_size

Place = Callable[[float, float], tuple[float, float]]

WIDTH, HEIGHT = 520, 320
LEFT, RIGHT, TOP, BOTTOM = 62, 26, 12, 46
NAME_LEFT, NAME_CELLS = 132, 17  # room for names left of boxes, and what fits into it
ROW, HALF_BOX = 15, 4.5  # of a box
TAG_GAP = 11  # between tags at the ends of lines
TICK_GAP = 20  # between tick labels
LEAST_REACH = 0.05  # of a nice axis, so that noise does not fill it

OURS = "#0072b2"
OTHERS = ("#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")  # Okabe and Ito
RAMP = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98)])  # of viridis


@dataclass(frozen=True)
class Axis:
    """A scale from ``low`` to ``high`` with its ticks; ``log`` needs both above 0."""

    label: str
    low: float
    high: float
    ticks: Sequence[float]
    log: bool = False

    def at(self, value: float) -> float:
        """Where a value stands, 0 at ``low`` and 1 at ``high``."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return (value - low) / (high - low) if high > low else 0.5

    def tick_labels(self) -> list[str]:
        """The ticks as text, with one number of decimals on a linear scale."""
        labels = [f"{tick:g}" for tick in self.ticks]
        decimals = max(len(label.partition(".")[2]) for label in labels)
        return labels if self.log else [f"{tick:.{decimals}f}" for tick in self.ticks]


@dataclass(frozen=True)
class Line:
    """Points (x, y) in order of x; ``band`` has low and high at each; ``tag`` stands at the end."""

    label: str
    points: Sequence[tuple[float, float]]
    color: str = OURS
    band: Sequence[Sequence[float]] = ()
    thin: bool = False
    tag: str = ""


@dataclass(frozen=True)
class Boxes:
    """A name and its groups of values, each with its color."""

    label: str
    groups: Sequence[tuple[Sequence[float], str]]


def nice_axis(label: str, values: Sequence[float], most: float = math.inf) -> Axis:
    """An axis with round ticks around values, and not beyond ``most``."""
    high = max(values)
    low = min(*values, high - LEAST_REACH)
    reach = round(high - low, 10)
    power = 10.0 ** math.floor(math.log10(reach / 5))
    step = power * next((m for m in (1, 2, 5) if m * power >= reach / 5), 10)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = [round(i * step, 10) for i in range(first, last + 1) if i * step <= most + 1e-9]
    return Axis(label, ticks[0], max(ticks[-1], high), ticks)


def ramp(n: int) -> list[str]:
    """Colors of n steps of one quantity, dark to light."""
    places = np.linspace(0, len(RAMP) - 1, n)
    channels = [np.interp(places, range(len(RAMP)), RAMP[:, i]) for i in range(3)]
    return [
        "#{:02x}{:02x}{:02x}".format(*np.rint(color).astype(int))
        for color in zip(*channels, strict=True)
    ]


def line_chart(
    lines: Sequence[Line], x: Axis, y: Axis, title: str, guide: Sequence[Sequence[float]] = ()
) -> Markup:
    """Lines with their bands, and a dotted guide through points (x, y) behind them."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def place(px: float, py: float) -> tuple[float, float]:
        return LEFT + x.at(px) * (right - LEFT), bottom - y.at(py) * (bottom - TOP)

    parts = [_grid(x, y, place)]
    if guide:
        parts.append(_path([place(*p) for p in guide], "#888", 1, "2 3"))
    for line in lines:
        if line.band:
            xs = [point[0] for point in line.points]
            lows, highs = zip(*line.band, strict=True)
            edge = [*map(place, xs, highs), *map(place, xs[::-1], lows[::-1])]
            band = Markup('<path d="{}Z" fill="{}" opacity=".18"/>')
            parts.append(band.format(_commands(edge), line.color))
    dot = Markup('<circle cx="{}" cy="{}" r="{}" fill="{}"><title>{}</title></circle>')
    for line in lines:
        width, radius = (1.2, 1.8) if line.thin else (2.2, 2.6)
        points = [place(*point) for point in line.points]
        parts.append(_path(points, line.color, width))
        for (px, py), at in zip(line.points, points, strict=True):
            text = f"{line.label}, {x.label} {px:g}: {py:.3f}"
            parts.append(dot.format(*map(_number, at), radius, line.color, text))
    parts.append(_tags(lines, place))
    return _picture(parts, HEIGHT, title)


def box_chart(rows: Sequence[Boxes], x: Axis, title: str) -> Markup:
    """Boxes from row to row: quartiles and median, whiskers from 5 to 95 %, a dot per value."""
    right = WIDTH - RIGHT
    parts, top = [], TOP
    bottom = TOP + sum(ROW * len(row.groups) + 8 for row in rows)
    for tick, label in zip(x.ticks, x.tick_labels(), strict=True):
        at = _number(NAME_LEFT + x.at(tick) * (right - NAME_LEFT))
        parts.append(Markup('<path class="grid" d="M{} {}V{}"/>').format(at, TOP, bottom))
        parts.append(_text(at, bottom + 16, label, "middle"))
    parts.append(_text((NAME_LEFT + right) / 2, bottom + 36, x.label, "middle"))
    for row in rows:
        middle = top + 4 + ROW * len(row.groups) / 2
        parts.append(_text(NAME_LEFT - 8, middle + 4, _short(row.label), "end", row.label))
        for i, (values, color) in enumerate(row.groups):
            at = [NAME_LEFT + x.at(v) * (right - NAME_LEFT) for v in values]
            parts.append(_box(at, top + 4 + ROW * (i + 0.5), color))
        top += ROW * len(row.groups) + 8
    return _picture(parts, bottom + BOTTOM, title)


def interval_mark(value: float, interval: Sequence[float] | None, color: str = OURS) -> Markup:
    """A point between 0 and 1 on a line with its interval; a hollow one has none."""
    span = Markup("")
    if interval:
        low, high = (_number(4 + 192 * end) for end in interval)
        span = Markup('<path d="M{} 4.5v7M{} 8H{}M{} 4.5v7" stroke="{}"/>').format(
            low, low, high, high, color
        )
    return Markup(
        '<svg class="mark" viewBox="0 0 200 16" width="200" height="16" aria-hidden="true">'
        '<path class="grid" d="M4 8H196M4 5v6M100 6v4M196 5v6"/>{}'
        '<circle cx="{}" cy="8" r="3.2" fill="{}" stroke="{}"/></svg>'
    ).format(span, _number(4 + 192 * value), color if interval else "#fff", color)


def _grid(x: Axis, y: Axis, place: Place) -> Markup:
    bottom, last = HEIGHT - BOTTOM, -math.inf
    parts = [Markup('<path class="axis" d="M{} {}H{}"/>').format(LEFT, bottom, WIDTH - RIGHT)]
    for tick, label in zip(y.ticks, y.tick_labels(), strict=True):
        at = place(x.low, tick)[1]
        line = Markup('<path class="grid" d="M{} {}H{}"/>')
        parts.append(line.format(LEFT, _number(at), WIDTH - RIGHT))
        parts.append(_text(LEFT - 7, at + 4, label, "end"))
    for tick, label in zip(x.ticks, x.tick_labels(), strict=True):
        at = place(tick, y.low)[0]
        parts.append(Markup('<path class="axis" d="M{} {}v4"/>').format(_number(at), bottom))
        if at - last >= TICK_GAP:
            parts.append(_text(at, bottom + 17, label, "middle"))
            last = at
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x.label, "middle"))
    turned = Markup('<text transform="translate(13 {}) rotate(-90)" text-anchor="middle">{}</text>')
    parts.append(turned.format((TOP + bottom) // 2, y.label))
    return Markup("").join(parts)


def _tags(lines: Sequence[Line], place: Place) -> Markup:
    """Tags at the right edge, by the heights at which lines end; those that would overlap are
    spread about their middle."""
    ends = [(place(*line.points[-1])[1], line) for line in lines if line.tag]
    ends.sort(key=lambda end: end[0])
    groups: list[tuple[float, int]] = []  # middle and number of tags
    for at, _ in ends:
        middle, n = at, 1
        while groups and middle - groups[-1][0] < TAG_GAP * (n + groups[-1][1]) / 2:
            before, m = groups.pop()
            middle, n = (middle * n + before * m) / (n + m), n + m
        groups.append((middle, n))
    heights = [middle + TAG_GAP * (k - (n - 1) / 2) for middle, n in groups for k in range(n)]
    heights = [max(at, TOP + TAG_GAP * k) for k, at in enumerate(heights)]
    text = Markup('<text class="tag" x="{}" y="{}" style="fill:{}">{}</text>')
    return Markup("").join(
        text.format(WIDTH - RIGHT + 5, _number(at + 4), line.color, line.tag)
        for (_, line), at in zip(ends, heights, strict=True)
    )


def _box(at: Sequence[float], y: float, color: str) -> Markup:
    whisker, left, middle, right, end = np.quantile(at, (0.05, 0.25, 0.5, 0.75, 0.95))
    dots = "".join(
        f"M{_number(value)} {_number(y)}h0" for value in sorted({round(v, 1) for v in at})
    )
    return Markup(
        '<path d="M{} {y}H{}M{} {y}H{}" stroke="{color}"/>'
        '<rect x="{}" y="{}" width="{}" height="{}"'
        ' fill="{color}" fill-opacity=".22" stroke="{color}"/>'
        '<path class="dots" d="{}" stroke="{color}"/>'
        '<path d="M{} {}v{}" stroke="{color}" stroke-width="2.4"/>'
    ).format(
        *map(_number, (whisker, left, right, end, left, y - HALF_BOX, right - left, 2 * HALF_BOX)),
        dots,
        *map(_number, (middle, y - HALF_BOX, 2 * HALF_BOX)),
        y=_number(y),
        color=color,
    )


def _picture(parts: Sequence[Markup], height: float, title: str) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(WIDTH, _number(height), title, Markup("").join(parts))


def _path(
    points: Sequence[tuple[float, float]], color: str, width: float, dash: str = ""
) -> Markup:
    dash = Markup(' stroke-dasharray="{}"').format(dash) if dash else ""
    return Markup('<path d="{}" fill="none" stroke="{}" stroke-width="{}"{}/>').format(
        _commands(points), color, width, dash
    )


def _commands(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_number(px)} {_number(py)}" for px, py in points)


def _text(px: float, py: float, text: str, anchor: str, title: str = "") -> Markup:
    title = Markup("<title>{}</title>").format(title) if title and title != text else ""
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}{}</text>').format(
        _number(px), _number(py), anchor, text, title
    )


def _short(name: str) -> str:
    if cell_len(name) <= NAME_CELLS:
        return name
    return set_cell_size(name, NAME_CELLS - 1).rstrip() + "…"


def _number(value: float | str) -> str:
    return f"{float(value):.1f}".removesuffix(".0")
