# SPDX-License-Identifier: MIT
"""Benches: of parks, halls and waiting rooms, double, winding, moulded, and picnic tables."""

from __future__ import annotations

import numpy as np

from ..materials import Speckle, fabric, metal, paint, shade, wood
from ..solids import Assembly, beam, block, box, extrude, rod, rounded_box, union


def bench(rng: np.random.Generator) -> Assembly:
    """A long seat for several people side by side, and what carries it. In metres."""
    out = Assembly()
    family = rng.choice((_straight, _winding, _moulded, _picnic), p=(0.6, 0.18, 0.11, 0.11))
    family(out, rng)
    return out


def _stone(rng):
    """Concrete or natural stone."""
    grey = rng.uniform(0.4, 0.85)
    colour = (grey, grey * rng.uniform(0.93, 1), grey * rng.uniform(0.8, 0.98))
    return Speckle(colour, shade(colour, 0.75), 0.03)


def _timber(rng):
    """Planks along the bench, now and then painted."""
    return wood(rng, 1.2, 2) if rng.random() < 0.75 else paint(rng)


def _straight(out, rng):
    """Any seat on any stand with any back, in one piece or in places for one person each."""
    length, height = rng.uniform(0.85, 2.3), rng.uniform(0.34, 0.56)
    double = rng.random() < 0.12  # two rows of sitters, back to back
    depth = rng.uniform(0.75, 1.1) if double else rng.uniform(0.32, 0.62)
    seat = rng.choice(("slats", "slats", "board", "cushion", "slab"))
    slab = seat == "slab"
    usual = ("legs", "legs", "blocks", "trestle", "chest", "columns", "plates", "loops")
    stand = rng.choice(("blocks", "plates", "chest") if slab else usual)
    top, bar = _stone(rng) if slab else _timber(rng), max(0.04, length / 42)
    frame = _stone(rng) if stand == "blocks" else rng.choice((metal, paint, wood))(rng)
    thick = rng.uniform(0.09, 0.2) if slab else bar

    widths = np.ones(int(rng.integers(2, 6)) if rng.random() < 0.3 else 1)
    gap = 0.07 if len(widths) > 1 else 0.01
    table = rng.random() < 0.2  # instead of a place at one end
    if table:
        widths = np.append(widths, rng.uniform(0.25, 0.5))[:: rng.choice((-1, 1))]
    edges = length * (np.append(0, widths.cumsum()) / widths.sum() - 0.5)
    back = rng.choice(("none", "slats", "slats", "palings", "panel", "rail"))
    foot, lean = (0, 0.01) if double else (0.05 - depth / 2, rng.uniform(0.01, 0.22))
    over = rng.uniform(0.28, 0.75)
    for low, high, width in zip(edges[:-1], edges[1:], widths, strict=True):
        span = low + gap / 2, high - gap / 2
        if width < 1:
            board = (-depth / 2, depth / 2), span, height + rng.choice((0.003, 0.1))
            _seat(out, rng, "board", *board, thick + 0.1, frame)
            continue
        _seat(out, rng, seat, (-depth / 2, depth / 2), span, height, thick, top)
        if back != "none":
            _back(out, rng, back, (foot, height), over, lean, span, bar, top, frame)
    ends = length * np.array((-1, 1)) * (0.46 if stand == "chest" else rng.uniform(0.3, 0.46))
    stations = np.linspace(*ends, 3 if length > 1.6 and rng.random() < 0.6 else 2)
    if len(edges) > 2:
        plank = (depth * 0.93, bar, length * 0.98)
        out.add(block(plank, (0, height - thick, 0)), frame)
    _stand(out, rng, stand, depth, stations, height - thick, bar, frame)
    if rng.random() < 0.6 and not double and not table:
        ends = (length - bar) * 0.49, (bar - length) * 0.49
        places = (ends, ends, ends[:1], ends[1:], (*ends, *edges[1:-1]))[rng.integers(5)]
        reach, rise = depth * rng.uniform(0.2, 0.5), rng.uniform(0.17, 0.27)
        for z in places:
            _arm(out, depth, reach, height, rise, thick, z, bar, frame)


def _seat(out, rng, kind, across, span, top, thick, material):
    """What one sits on, between two x and two z, its upper side at ``top``."""
    (rear, front), depth = across, across[1] - across[0]
    low, high = (rear, top - thick, span[0]), (front, top, span[1])
    if kind == "slats":
        count = int(rng.integers(2, 6)) if depth < 0.7 else int(rng.integers(5, 9))
        pitch = depth / (count - 0.2)
        for x in rear + pitch * np.arange(count):
            out.add(box((x, *low[1:]), (x + 0.8 * pitch, *high[1:])), material)
    else:
        out.add(box(low, high), material)
        if kind == "cushion":
            pad = (rear + 0.01, top - 0.02, low[2] + 0.01), (front, top + 0.08, high[2] - 0.01)
            out.add(rounded_box(*pad, 0.04), fabric(rng))


def _stand(out, rng, kind, depth, stations, under, bar, material):
    """What carries a seat whose lower side is at ``under``, at these places along z."""
    x, head, wide = depth / 2 - bar, under + 0.015, rng.uniform(0.12, 0.3)
    splay, middle, length = rng.uniform(0, 0.09), np.mean(stations), np.ptp(stations)
    for z in stations:
        if kind in ("legs", "trestle", "columns"):
            out.add(block((depth * 0.94, 0.05, bar), (0, under - 0.005, z)), material)
        if kind in ("legs", "trestle"):
            cross = -1 if kind == "trestle" else 1
            for side in (-1, 1):
                size = bar * (1 + 0.1 * side)  # crossing bars are not flush
                foot = (side * (x + splay), 0, z)
                out.add(beam(foot, (side * cross * x, head, z), size, size), material)
        elif kind == "columns":
            out.add(block((bar * 2, under, bar * 2), (0, under / 2, z)), material)
            out.add(block((depth * 0.85, 0.05, bar * 1.6), (0, 0.025, z)), material)
        elif kind in ("plates", "loops"):
            plate = block((depth * 0.95, head, bar * 1.2), (0, head / 2, z))
            hole = block((depth * 0.95 - 2 * bar, head - 2 * bar, 1), (0, head / 2, z))
            out.add(plate - hole if kind == "loops" else plate, material)
        elif kind == "blocks":
            out.add(block((depth * 0.8, head, wide), (0, head / 2, z)), material)
    if kind == "chest":
        body = block((depth * 0.95, head - bar, length * 1.08), (0, (head + bar) / 2, middle))
        out.add(body + block((depth * 0.8, 2 * bar, length), (0, bar, middle)), material)
    elif kind in ("trestle", "columns") and rng.random() < 0.45:
        rail = (bar, bar, length)  # at the height where the bars of a trestle cross
        out.add(block(rail, (0, under * 0.5, middle)), material)


def _back(out, rng, kind, foot, over, lean, span, bar, fill, frame):
    """A back-rest ``over`` high, standing on the seat at ``foot`` (x, y), between two z."""
    (low, high), middle, width = span, sum(span) / 2, span[1] - span[0]

    def at(share, side=middle):
        return foot[0] - lean * share, foot[1] - 0.03 + over * share, side

    for z in np.linspace(low + bar, high - bar, 3 if width > 1.5 else 2):
        out.add(beam(at(0, z), at(0.97, z), bar, bar * 0.9), frame)
    crown = 0.1 if kind == "panel" else rng.uniform(0.7, 0.88)
    out.add(beam(at(crown), at(1), width, bar * 1.1), fill)
    if kind == "slats":
        count = int(rng.integers(1, 4))
        pitch = (crown - 0.15) / count
        for share in 0.15 + pitch * np.arange(count):
            out.add(beam(at(share), at(share + 0.72 * pitch), width, bar * 0.95), fill)
    elif kind == "palings":
        out.add(beam(at(0.12), at(0.24), width, bar * 0.95), fill)
        for z in np.linspace(low, high, max(3, int(width / rng.uniform(0.1, 0.2))))[1:-1]:
            out.add(beam(at(0.1, z), at(0.9, z), bar, bar * 0.7), fill)


def _arm(out, depth, reach, seat, rise, thick, z, bar, material):
    """An arm-rest on two posts, from the rear edge to ``reach`` in front of the middle."""
    rear, half = 0.01 - depth / 2, bar * 0.65
    low, high = (rear - 0.02, seat + rise - bar, z - half), (reach, seat + rise, z + half)
    posts = [
        block((bar, rise + thick / 2, bar), (x, seat + rise / 2 - thick / 4 - 0.01, z))
        for x in (rear + bar / 2 + 0.02, reach - bar)
    ]
    out.add(union((box(low, high), *posts)), material)


def _winding(out, rng):
    """A bench along a bow, a wave, a corner or three sides; its path is a row of (x, z)."""
    size, depth, height = rng.uniform(0.6, 1.3), rng.uniform(0.32, 0.5), rng.uniform(0.36, 0.52)
    shape = rng.choice(("bow", "bow", "wave", "corner", "bay"))
    t = np.linspace(-1, 1, int(rng.choice((5, 13))))
    if shape == "bow":
        half = rng.uniform(0.5, 2.4)
        towards = rng.choice((-1, -1, 1))  # or the sitters turn their backs to the middle
        path = np.stack((towards * np.cos(half * t), np.sin(half * t)), 1)
        path *= 0.9 * size / np.sin(min(half, 1.5))
    elif shape == "wave":
        path = np.stack((rng.uniform(0.2, 0.4) * np.sin(t * np.pi), size * t), 1)
    else:
        wing = size * rng.uniform(0.6, 1.2)
        path = np.array([(0, -size), (0, size), (wing, size)])
        path = np.concatenate(([(wing, -size)], path)) if shape == "bay" else path
    if rng.random() < 0.5:
        path = path[::-1] * (1, -1)
    bar, top = max(0.045, np.ptp(path, axis=0).max() / 42), rng.choice((_stone, _timber))(rng)
    frame = rng.choice((metal, paint, _stone))(rng)
    split = rng.choice((-0.05, 0.1, 0.5))  # between two planks, or the edge of the only one
    for near, far in ((-0.5, split), (split + 0.1, 0.5))[: 1 + (split < 0.5)]:
        out.add(_ribbon(path, near * depth, far * depth, height - bar, height), top)
    wide = rng.choice((0.15, 0.3, 0.8)) * depth / 2
    out.add(_ribbon(path, -wide, wide, height - bar * 1.8, height - 0.01), frame)
    raised, over, low = rng.random() < 0.6, rng.uniform(0.3, 0.6), rng.choice((0, 0.4, 0.6))
    rear = bar * 0.6 - depth / 2
    where = np.linspace(0.04, 0.96, int(rng.integers(4, 7))) * (len(path) - 1)
    for i, share in zip(where.astype(int), where % 1, strict=True):
        step = path[i + 1] - path[i]
        solid = block((depth * 0.9, height - 0.02, bar * 1.2), (0, height / 2 - 0.01, 0))
        if raised:
            solid += block((bar * 0.8, over, bar), (rear, height + over / 2 - bar, 0))
        x, z = path[i] + share * step
        solid = solid.rotate((0, np.degrees(np.arctan2(*step)), 0))
        out.add(solid.translate((x, 0, z)), frame)
    if raised:
        rail = height + over * low - 0.02, height + over
        out.add(_ribbon(path, -depth / 2, bar - depth / 2, *rail), top)


def _ribbon(path, near, far, low, high):
    """A wall along a path between two distances to its front, mitred at its corners."""
    along = np.diff(path, axis=0)
    normal = np.stack((along[:, 1], -along[:, 0]), 1) / np.linalg.norm(along, axis=1)[:, None]
    normal = np.concatenate((normal[:1], normal[:-1] + normal[1:], normal[-1:]))
    normal[1:-1] *= 2 / np.square(normal[1:-1]).sum(axis=1)[:, None]
    outline = np.concatenate((path + near * normal, (path + far * normal)[::-1]))
    return extrude(outline, "y", low, high)


def _moulded(out, rng):
    """A folded shell, or a carved block: one outline from the side."""
    length, x, h = rng.uniform(0.9, 2.2), rng.uniform(0.24, 0.36), rng.uniform(0.36, 0.5)
    t, over = max(0.06, length / 30) * rng.uniform(1, 1.6), h + rng.uniform(0.3, 0.55)
    paths = {
        "z": [(x, 0), (-x * 0.8, 0), (x * 0.7, h), (-x, h), (-x * 1.3, over)],
        "chair": [(-x * 0.9, 0), (x, 0), (x * 0.8, h), (-x * 0.7, h * 0.9), (-x * 1.2, over)],
    }
    kind = rng.choice((*paths, "carved", "carved", "carved"))
    if kind != "carved":
        rods = [rod((*p, -length / 2), (*p, length / 2), t / 2) for p in paths[kind]]
        shell = union((a + b).hull() for a, b in zip(rods, rods[1:], strict=False))
        out.add(shell, rng.choice((_stone, paint, _timber))(rng))
        return
    rise = rng.choice((h * 1.05, over))
    outline = [(x, 0), (x * 0.95, h), (-x * 0.3, h * 0.92), (-x * 0.5, rise), (-x, rise)]
    solid = extrude([*outline, (-x * 1.1, 0)], "z", -length / 2, length / 2)
    if rng.random() < 0.7:
        solid -= block((3, h * 1.1, length * rng.uniform(0.4, 0.76)), (0, h * 0.12, 0))
    if rng.random() < 0.35:  # the back, or a step, behind one end only
        end = rng.choice((-1, 1)) * length * rng.uniform(0.6, 0.8)
        solid -= block((3, 2, length), (0, h * 0.9 + 1, end))
    out.add(solid, _stone(rng))


def _picnic(out, rng):
    """A table with a seat along one or both of its sides, in one piece."""
    length, height, seat = rng.uniform(1.1, 2.2), rng.uniform(0.68, 0.82), rng.uniform(0.38, 0.5)
    half, reach = rng.uniform(0.3, 0.45), rng.uniform(0.62, 0.85)
    bar, top, frame = max(0.045, length / 40), _timber(rng), rng.choice((metal, wood))(rng)
    wide, splay = rng.uniform(0.11, 0.16), reach * rng.uniform(0.6, 1.05)
    _seat(out, rng, "slats", (-half, half), (-length / 2, length / 2), height, bar, top)
    sides = (-1, 1) if rng.random() < 0.8 else (-1,)
    start = rng.choice((-0.5, -0.5, -0.2)) * length  # a wheelchair has room beside a short seat
    low, high = (reach - wide, seat - bar, start), (reach + wide, seat, length / 2)
    for side in sides:
        out.add(box((side * low[0], *low[1:]), (side * high[0], *high[1:])), top)
    last = reach if len(sides) == 2 else half * 0.8
    for z in (max(-0.3 * length, start + 0.1), length * 0.3):
        out.add(box((-reach - 0.05, seat - bar * 1.9, z), (last, seat - 0.01, z + bar)), frame)
        low = (-half * 0.95, height - 2 * bar, z)
        out.add(box(low, (half * 0.95, height - 0.01, z + bar)), frame)
        for side in (-1, 1):
            head = (side * half * 0.6, height - 0.02, z + bar / 2)
            out.add(beam((side * splay, 0, z + bar / 2), head, bar * 1.2, bar * 1.2), frame)
