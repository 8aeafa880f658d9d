# SPDX-License-Identifier: MIT
"""Cabinets: cases of doors, drawers and open compartments in many outlines, and open shelves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..materials import Plain, metal, paint, plastic, wood
from ..solids import Assembly, beam, block, both_sides, box, extrude, rod, union
from ..surface import Material

GLASS = Plain((0.35, 0.46, 0.52))
SIZES = {  # least and most of depth, width, height
    "wardrobe": ((0.45, 0.75), (0.70, 2.40), (1.70, 2.40)),
    "bookshelf": ((0.22, 0.42), (0.50, 1.80), (0.90, 2.20)),
    "sideboard": ((0.35, 0.55), (1.00, 2.20), (0.55, 1.00)),
    "television board": ((0.32, 0.55), (1.00, 2.20), (0.28, 0.60)),
    "chest": ((0.40, 0.65), (0.50, 1.40), (0.65, 1.35)),
    "bedside": ((0.32, 0.55), (0.32, 0.65), (0.40, 0.80)),
    "tall": ((0.30, 0.60), (0.30, 0.65), (1.30, 2.20)),
}
PLANS = {  # from above: (share of the depth, of the half width)
    "bow": [(0, -1), *((1 - 0.4 * v * v, v) for v in np.linspace(-1, 1, 11)), (0, 1)],
    "half": [
        (0, -1),
        *((np.cos(a) + 0.05, np.sin(a)) for a in np.linspace(-1.57, 1.57, 15)),
        (0, 1),
    ],
    "corner": [(0, -0.1), (0.6, -1), (0.8, -1), (1, -0.7), (1, 0.7), (0.8, 1), (0.6, 1), (0, 0.1)],
    "cut off": [(0, -1), (0.55, -1), (1, -0.65), (1, 0.65), (0.55, 1), (0, 1)],
    "break": [
        (0, -1),
        (0.7, -1),
        (0.7, -0.45),
        (1, -0.45),
        (1, 0.45),
        (0.7, 0.45),
        (0.7, 1),
        (0, 1),
    ],
    "slanted": [(0, -1), (1, -1), (0.5, 1), (0, 1)],
}
COLUMNS = {  # what stands above each other in a column, from below
    "doors": (("door",), ("door", "door"), ("door", "ajar"), ("drawers", "door"), ("ajar",)),
    "drawers": (("drawers",), ("drawers", "open"), ("drawers", "door")),
    "shelves": (("open",), ("open", "open"), ("door", "open"), ("drawers", "open")),
    "mixed": (("door",), ("open",), ("drawers", "open"), ("open", "door"), ("ajar",), ("niche",)),
    "glass": (("glass",), ("drawers", "glass"), ("door", "glass"), ("glass", "niche")),
    "niches": (("niche", "niche"), ("niche", "niche", "niche"), ("niche",), ("door", "niche")),
}


class _Style(NamedTuple):
    """What the cases of one object have in common; lengths in metres."""

    wall: float
    body: Material
    front: Material
    knob: Material
    bar: bool  # handles, not knobs
    panel: bool  # on doors
    even: bool  # left and right alike
    theme: str
    span: float  # of a column


class _Case(NamedTuple):
    """A case with its back at x = 0; ``plan`` is empty for a rectangle."""

    depth: float
    y: tuple[float, float]
    z: tuple[float, float]
    plan: tuple = ()

    def part(self, y, z, ahead=0.0, inset=0.0):
        """What lies behind a part of the front, moved ahead by so much and narrowed."""
        if not self.plan:
            return box((ahead, y[0], z[0]), (self.depth + ahead, y[1], z[1]))
        middle, half = sum(self.z) / 2, (self.z[1] - self.z[0]) / 2 - inset
        outline = [(u * self.depth + ahead, middle + v * half) for u, v in self.plan]
        return extrude(outline, "y", *y) ^ box((-1, y[0], z[0]), (9, y[1], z[1]))


def cabinet(rng: np.random.Generator) -> Assembly:
    """One case or several, and what they stand on and carry. In metres; doors to +x."""
    size = np.array([rng.uniform(*r) for r in SIZES[str(rng.choice(tuple(SIZES)))]])
    body = _surface(rng)
    style = _Style(
        wall=size.max() * rng.uniform(0.021, 0.032),
        body=body,
        front=body if rng.random() < 0.4 else _surface(rng),
        knob=metal(rng),
        bar=rng.random() < 0.5,
        panel=rng.random() < 0.5,
        even=rng.random() < 0.6,
        theme=str(rng.choice([t for t in COLUMNS if size[2] > 0.9 or t != "glass"])),
        span=rng.uniform(0.35, 0.75),
    )
    out = Assembly()
    form = rng.choice((_single, _single, _single, _stepped, _hutch, _kitchen, _rack, _cubes))
    form(out, rng, style, *size)
    return out


def _surface(rng):
    """Wood, mostly upright, or lacquer."""
    return rng.choice((lambda r: wood(r, 1.5, 1), lambda r: wood(r, 1.5, 2), paint, plastic))(rng)


def _single(out, rng, style, depth, width, height):
    """One case, of any plan, on feet, and perhaps with a top."""
    name = str(rng.choice(tuple(PLANS))) if rng.random() < 0.5 else ""
    if name in ("corner", "half"):
        width = min(width, 1.1)
        depth = width * rng.uniform(0.5, 0.8)
    w, half, inset = style.wall, width / 2, (0.65, 0.7) if name else (1, 1)
    foot, top = 0.0, "none"
    if name != "corner":
        foot = _feet(out, rng, style, depth * inset[0], width * inset[1], height)
        top = rng.choice(("none", "slab", "arch", "mirror"))
    _fill(out, rng, style, _Case(depth, (foot, height), (-half, half), PLANS.get(name, ())))
    if top == "slab" and not name:
        over = rng.uniform(0.01, 0.06)
        low, high = (-0.01, height - 0.01, -half - over), (depth + over, height + w, half + over)
        out.add(box(low, high), style.front)
    elif top == "arch" and height > 0.9:
        a, rise = np.linspace(0, np.pi, 13), rng.uniform(0.06, 0.22) * height
        crown = [(-half * np.cos(t), height - 0.01 + rise * np.sin(t)) for t in a]
        out.add(extrude(crown, "x", 0, depth * rng.uniform(0.2, 0.6)), style.body)
    elif top == "mirror" and height < 1.3:
        tall, half = rng.uniform(0.4, 0.8) * min(width, 1), half * rng.uniform(0.4, 0.9)
        out.add(box((0, height - 0.03, -half), (w, height + tall, half)), style.body)
        size = (w, 0.9 * tall - 0.05, 1.85 * half)
        out.add(block(size, (w / 2 + 0.01, height + tall / 2, 0)), GLASS)


def _stepped(out, rng, style, depth, width, height):
    """Cases of different heights side by side."""
    width, height = max(width, 0.6 * height), max(height, 0.5 * width)
    count = rng.integers(2, 5)
    heights = height * rng.uniform(0.3, 1, count)
    if rng.random() < 0.5:  # a staircase
        heights = np.sort(heights)[:: rng.choice((-1, 1))]
    heights[heights.argmax()] = height
    edges = np.cumsum((0, *rng.uniform(0.5, 1.2, count)))
    edges = (edges / edges[-1] - 0.5) * width
    for tall, z0, z1 in zip(heights, edges, edges[1:], strict=False):
        _fill(out, rng, style, _Case(depth * rng.uniform(0.8, 1), (0, tall), (z0 - 0.01, z1)))


def _hutch(out, rng, style, depth, width, height):
    """A lower case and a shallower one on it, or a little above it between boards."""
    height = max(height, 0.9 * width, 1.1)
    width = max(width, 0.6 * height)
    half, w = width / 2, style.wall
    middle, gap = height * rng.uniform(0.35, 0.6), rng.choice((0, 0.12, 0.2)) * height
    foot = _feet(out, rng, style, depth, width, height)
    _fill(out, rng, style, _Case(depth, (foot, middle), (-half, half)))
    depth, half = depth * rng.uniform(0.4, 0.75), half * rng.uniform(0.7, 0.98)
    _fill(out, rng, style, _Case(depth, (middle - 0.01 + gap, height), (-half, half)))
    if gap:
        y = middle + gap / 2
        out.add(both_sides(block((depth, gap + 0.04, w), (depth / 2, y, half - w / 2))), style.body)
        out.add(block((w, gap + 0.04, 2 * half), (w / 2, y, 0)), style.body)


def _kitchen(out, rng, style, depth, width, height):
    """Base units under a worktop that projects, and perhaps wall units or a tall one."""
    half, w = max(width, 1.2) / 2, style.wall * 1.2
    base, over = rng.uniform(0.75, 0.95), rng.uniform(0.03, 0.2)
    out.add(box((0, 0, 0.03 - half), (0.85 * depth, 0.12, half - 0.03)), style.knob)
    _fill(out, rng, style, _Case(depth, (0.1, base), (-half, half)))
    side = rng.choice((-1, 0, 1)) * rng.uniform(0, 0.5)  # a worktop that ends in a breakfast bar
    low, high = -half - 0.02 - max(-side, 0), half + 0.02 + max(side, 0)
    out.add(box((-0.01, base - 0.01, low), (depth + over, base + w, high)), style.front)
    extra = rng.choice(("none", "wall units", "tall"))
    low, high = base + rng.uniform(0.4, 0.6), base + rng.uniform(0.9, 1.3)
    if extra == "wall units":
        wall = box((-0.02, base - 0.05, 0.02 - half), (w - 0.02, high - 0.05, half - 0.02))
        out.add(wall, style.body)
        edge = half * rng.choice((1, 1, rng.uniform(-0.4, 0.4)))
        _fill(out, rng, style, _Case(depth * rng.uniform(0.5, 0.7), (low, high), (-half, edge)))
    elif extra == "tall":
        edge = half * rng.uniform(0.1, 0.5)
        _fill(out, rng, style, _Case(depth + over + 0.01, (0, high), (edge, half + 0.4)))


def _rack(out, rng, style, depth, width, height):
    """Boards between posts or ends, upright or leaning, with a case or a cross here and there."""
    height, half, w = max(height, 0.8 * width, 0.8), width / 2, style.wall * 1.2
    lean = rng.choice((0, 0, 0.5, 0.75)) * depth  # a ladder: the boards grow shallower
    count = min(round(height / rng.uniform(0.25, 0.45)) + 1, 6)
    form = rng.choice(("posts", "ends", "middle"))
    levels = np.linspace(rng.uniform(0.04, 0.2), rng.choice((0.8, 0.99)), count) * height
    for y in levels:
        low, high = (
            (0.01, y - w / 2, 0.01 - half),
            (depth - lean * y / height - 0.01, y + w / 2, half - 0.01),
        )
        out.add(box(low, high), style.front)
    inner = 0.4 * half if form == "middle" else half - w / 2
    if form == "ends":
        end = [(0, 0), (depth, 0), (depth - lean, height), (0, height)]
        out.add(both_sides(extrude(end, "z", inner - w / 2, inner + w / 2)), style.body)
    else:
        out.add(both_sides(beam((w / 2, 0, inner), (w / 2, height, inner), w, w)), style.body)
        front = (depth - w / 2, 0, inner), (depth - lean - w / 2, height, inner)
        out.add(both_sides(beam(*front, w, w)), style.body)
    for y0, y1 in zip(levels, levels[1:], strict=False):
        if rng.random() < 0.3:
            edges = np.sort(rng.choice((-1, -0.35, 0.35, 1), 2, replace=False)) * inner
            _fill(out, rng, style, _Case(depth - 1.1 * lean * y1 / height, (y0, y1), tuple(edges)))
    if rng.random() < 0.3:
        out.add(beam((w / 2, 0.05, -inner), (w / 2, height * 0.95, inner), w, w), style.body)
    elif rng.random() < 0.3:
        out.add(box((0, levels[0], -inner), (0.8 * w, levels[-1], inner)), style.body)


def _cubes(out, rng, style, depth, width, height):
    """Rows of boxes, each pushed to one side of the row below."""
    count, height = rng.integers(2, 5), max(height, 0.8 * width)
    edges, part = np.linspace(0, height, count + 1), width * rng.uniform(0.45, 0.8)
    place = 0.0
    for y0, y1 in zip(edges, edges[1:], strict=False):
        wide = part * rng.uniform(0.6, 1.1)
        place += rng.uniform(-0.5, 0.5) * wide
        z = (place - wide / 2, place + wide / 2)
        _fill(out, rng, style, _Case(depth * rng.uniform(0.75, 1), (y0 - 0.01, y1), z))


def _feet(out, rng, style, depth, width, height):
    """Legs, a plinth, runners or none; returns the height of the case's bottom."""
    kind = rng.choice(("legs", "legs", "plinth", "runners", "none"))
    w, z = style.wall, width / 2 - 0.04
    y = rng.uniform(0.08, 0.3) * min(height, 1.3)
    if kind == "legs":
        splay = rng.choice((0, 0.25)) * y
        material = metal(rng) if rng.random() < 0.5 else style.body
        for x, way in ((0.04, -1), (depth - 0.04, 1)):
            foot, head = (x - way * w + way * splay, 0, z - w + splay), (x - way * w, y + w, z - w)
            out.add(both_sides(rod(foot, head, 0.55 * w, 0.9 * w)), material)
    elif kind == "plinth":
        y *= 0.5
        out.add(box((0.02, 0, -z), (depth - 0.05, y + 0.02, z)), style.knob)
    elif kind == "runners":
        loop = box((0.03, 0, z - w), (depth - 0.03, y + w, z))
        loop -= box((0.03 + w, w, 0), (depth - 0.03 - w, y, 9))
        out.add(both_sides(loop), style.knob)
    return 0.0 if kind == "none" else y


def _fill(out, rng, style, case):
    """A case of columns, each of several compartments above each other."""
    w = style.wall
    (y0, y1), (z0, z1) = case.y, case.z
    count = max(1, round((z1 - z0) / style.span))
    edges = np.cumsum((0, *(rng.uniform(0.6, 1.3, count) if not style.even else np.ones(count))))
    edges = z0 + w / 2 + edges / edges[-1] * (z1 - z0 - w)
    patterns = COLUMNS[style.theme]
    chosen, holes = rng.integers(len(patterns), size=count), []
    cuts = rng.uniform(0.25, 0.75)
    for i in range(count):
        pattern = patterns[chosen[min(i, count - 1 - i) if style.even else i]]
        if y1 - y0 < 0.45:
            pattern = pattern[-1:]
        share = np.linspace(0, 1, len(pattern) + 1)
        if len(pattern) == 2:
            share[1] = cuts if style.even else rng.uniform(0.25, 0.75)
        rows = y0 + w / 2 + share * (y1 - y0 - w)
        for kind, low, high in zip(pattern, rows, rows[1:], strict=False):
            cell = (low + w / 2, high - w / 2), (edges[i] + w / 2, edges[i + 1] - w / 2)
            _cell(out, rng, style, case, str(kind), *cell, holes)
    body = case.part(case.y, case.z)
    out.add(body - union(holes) if holes else body, style.body)


def _cell(out, rng, style, case, kind, y, z, holes):
    """What closes a compartment; or the room in it, added to ``holes``."""
    w, tall, wide = style.wall, y[1] - y[0], z[1] - z[0]
    if kind in ("open", "niche", "ajar"):
        count = 1 if kind == "niche" else max(1, round(tall / rng.uniform(0.25, 0.5)))
        levels = np.linspace(y[0], y[1] + w, count + 1)
        for low, high in zip(levels, levels[1:], strict=False):
            holes.append(case.part((low, high - w), z, w, w))
        if kind == "ajar" and not case.plan:
            side, turn = rng.choice((-1, 1)), rng.uniform(40, 110)
            leaf = box((0, y[0], 0), (w, y[1], -side * wide)).rotate((0, -side * turn, 0))
            hinge = z[1] if side > 0 else z[0]
            out.add(leaf.translate((case.depth - w / 2, 0, hinge)), style.front)
        return
    gap, proud = 0.004, rng.choice((0.3, 0.6)) * w
    rows, leaves = 1, 1 if wide < 0.55 else 2
    if kind == "drawers":
        rows, leaves = max(1, round(tall / rng.uniform(0.16, 0.3))), 1
    for low in y[0] + tall / rows * np.arange(rows):
        for left in z[0] + wide / leaves * np.arange(leaves):
            ys, zs = (low + gap, low + tall / rows - gap), (left + gap, left + wide / leaves - gap)
            pull = 0.35 * case.depth if kind == "drawers" and rng.random() < 0.06 else 0
            out.add(case.part(ys, zs, proud + pull), style.front)
            if kind == "drawers":
                at, knob = sum(zs) / 2, (0.015, 0.3 * (zs[1] - zs[0]))
            else:
                at = zs[0] + 0.04 if leaves == 1 or left > z[0] else zs[1] - 0.04
                knob = (0.3 * tall, 0.015)
            b, a = knob if style.bar else (0.036, 0.036)
            y_knob, z_knob = (sum(ys) / 2 - b / 2, sum(ys) / 2 + b / 2), (at - a / 2, at + a / 2)
            out.add(case.part(y_knob, z_knob, proud + pull + 0.02), style.knob)
            if kind == "glass" or (kind == "door" and style.panel):
                edge = 0.18 * min(wide / leaves, tall, 0.35)
                zone = (ys[0] + edge, ys[1] - edge), (zs[0] + edge, zs[1] - edge)
                out.add(case.part(*zone, proud + 0.006), GLASS if kind == "glass" else style.body)
