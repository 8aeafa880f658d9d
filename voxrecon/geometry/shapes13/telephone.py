# SPDX-License-Identifier: MIT
"""Telephones: bar, flip and sliding mobiles, cordless, desk, candlestick and wall telephones."""

from __future__ import annotations

import numpy as np

from ..materials import Plain, metal, paint, plastic, wood
from ..solids import Assembly, both_sides, box, extrude, hull, lathe, pipe, rod, union

_GLASS = ((0.08, 0.10, 0.14), (0.55, 0.66, 0.42), (0.25, 0.45, 0.75), (0.62, 0.75, 0.85))
_DARK, _LIGHT = Plain((0.09, 0.09, 0.10)), Plain((0.86, 0.86, 0.83))


def telephone(rng: np.random.Generator) -> Assembly:
    """A telephone, its keys and screen to the front. Its size is about one unit."""
    out = Assembly()
    families = (_bar, _bar, _bar, _flip, _flip, _slider, _desk, _desk, _desk, _desk)
    families += (_candlestick, _wall)
    body = (paint if rng.random() < 0.4 else plastic)(rng)
    keys = _LIGHT if np.mean(body.colour) < 0.5 else _DARK
    families[rng.integers(len(families))](out, rng, body, keys)
    return out


def _place(out, parts, tilt=0.0, at=(0, 0, 0)):
    """Parts drawn upright with their front at x = 0: leant back, then moved."""
    for solid, material in parts:
        out.add(solid.rotate((0, 0, tilt)).translate(at), material)


def _keys(rng, low, high, z):
    """Rows of three keys between two heights, out to z on both sides."""
    y, dy = np.linspace(low, high, int(rng.integers(3, 6)), endpoint=False, retstep=True)
    corners = [(v, (i - 1.5) * z / 1.5) for v in y for i in range(3)]
    key = box((-0.02, 0.14 * dy, 0.08 * z), (0.018, 0.86 * dy, 0.58 * z))
    return union(key.translate((0, *corner)) for corner in corners)


def _dial(radius, plate, holes):
    """A rotary dial about the origin, facing +x."""
    parts = [(rod((-0.06, 0, 0), (0.035, 0, 0), radius), plate)]
    for t in np.radians(np.arange(10) * 30 - 60):
        y, z = 0.74 * radius * np.cos(t), 0.74 * radius * np.sin(t)
        parts.append((rod((0, y, z), (0.042, y, z), 0.15 * radius), holes))
    return [*parts, (rod((0, 0, 0), (0.05, 0, 0), 0.42 * radius), holes)]


def _handset(rng, long):
    """A receiver along y about the origin, its two ends' faces at x = 0, its grip behind."""
    r, end = long * rng.uniform(0.09, 0.14), long * 0.38
    if rng.random() < 0.5:
        path = [((0.08 * t**4 - 0.18) * long, t * end, 0) for t in np.linspace(-1, 1, 7)]
        cups = [rod((0, y, 0), (-0.15 * long, y, 0), r, 0.6 * r) for y in (-end, end)]
        return union((pipe(path, r * rng.uniform(0.45, 0.7)), *cups))
    lower = [(-0.2, -0.3), (-0.14, -0.5), (0, -0.5), (0, -0.32), (-0.09, -0.28)]
    outline = np.array(lower + [(x, -y) for x, y in lower[::-1]]) * long
    return extrude(outline, "z", -r * 0.9, r * 0.9)


def _face(rng, d, w, h, body, keys, kind):
    """An upright slab from y = 0 to h behind x = 0, and ``kind``, keys, screen or both, on it."""
    a, power = np.linspace(0, 2 * np.pi, 32, endpoint=False), 2 / rng.uniform(2.5, 12)
    y, z = (np.sign(t) * np.abs(t) ** power for t in (np.sin(a), np.cos(a)))
    z = z * (1 + rng.uniform(-0.15, 0.15) * y - rng.choice((0, 0.2)) * (1 - y**2))  # a waist
    outline = np.stack((z * w / 2, (y + 1) * h / 2), 1)
    parts = [(extrude(outline, "x", -d, 0), body)]
    split, z = {"keys": 0.95, "screen": 0.06}.get(kind, rng.uniform(0.42, 0.65)) * h, w * 0.36
    if kind != "screen":
        parts.append((_keys(rng, 0.07 * h, split - 0.06 * h, z), keys))
    if kind != "keys":
        glass = Plain(_GLASS[rng.integers(len(_GLASS))])
        parts.append((box((-0.02, split, -z), (0.012, 0.88 * h, z)), glass))
        parts.append((box((-0.02, 0.92 * h, -z * 0.4), (0.012, 0.95 * h, z * 0.4)), _DARK))
    return parts


def _bar(out, rng, body, keys):
    """A mobile, brick to smartphone, or a handset that leans in a base, alone or beside it."""
    kind = rng.choice(("brick", "brick", "bar", "bar", "smart"))
    low = {"brick": (0.2, 0.28), "bar": (0.1, 0.32), "smart": (0.06, 0.42)}[kind]
    high = {"brick": (0.45, 0.45), "bar": (0.22, 0.55), "smart": (0.09, 0.75)}[kind]
    (d, w), side = rng.uniform(low, high), rng.choice((-1, 1))
    parts = _face(rng, d, w, 1.0, body, keys, "screen" if kind == "smart" else "both")
    if kind != "smart" and rng.random() < 0.6:
        r, z = rng.uniform(0.03, 0.06), side * w * 0.3
        tip = (-d / 2, 1 + rng.uniform(0.1, 0.8), z)
        parts.append((rod((-d / 2, 0.9, z), tip, r, r * rng.uniform(0.6, 1)), _DARK))
    if kind != "smart" and rng.random() < 0.5:
        reach, y = rng.uniform((0.06, 0.4), (0.2, 0.8))
        parts.append((box((-d - reach, 0.05, -w * 0.42), (0.01 - d, y, w * 0.42)), _DARK))
    based = kind != "brick" and rng.random() < 0.75
    _place(out, parts, rng.uniform(8, 35) if based else 0.0)
    if based:
        x, y, wide = rng.uniform((0.12, 0.1, 0.65), (0.45, 0.25, 2.4))
        base = [(x, -0.08), (x, 0), (0.03, 0.08), (-d, y), (-d - 0.2, y), (-d - 0.25, -0.08)]
        solid = extrude(base, "z", -w * 0.65, w * wide).scale((1, 1, side))
        out.add(solid, rng.choice((body, _DARK)))


def _flip(out, rng, body, keys):
    """Two halves open at a hinge, standing, leaning or with the keys lying flat."""
    d, w, h = rng.uniform((0.08, 0.42, 0.75), (0.2, 0.75, 1.0))
    lower, upper = rng.choice((0, 70, rng.uniform(10, 60))), rng.uniform(-25, 25)
    upper = lower - rng.uniform(10, 50) if lower < 60 else upper
    _place(out, _face(rng, d, w, h, body, keys, "keys"), lower)
    c, s = np.cos(np.radians(lower)), np.sin(np.radians(lower))
    hinge = np.array((-h * s, h * c, 0))
    lid = _face(rng, d * 0.8, w, h * rng.uniform(0.75, 1), body, keys, "screen")
    _place(out, lid, upper, hinge)
    ends = [hinge + (-d * 0.3 * c, -d * 0.3 * s, z) for z in (-w * 0.46, w * 0.46)]
    out.add(rod(*ends, d * 0.55), keys)


def _slider(out, rng, body, keys):
    """A screen that has slid up off the keys, or sideways off half of them."""
    d, w, h = rng.uniform((0.08, 0.42, 0.8), (0.2, 0.7, 1.0))
    shift = (0.7 * d - 0.01, rng.uniform(0.3, 0.6) * h, 0)
    if rng.random() < 0.4:
        shift = (0.7 * d - 0.01, 0, w * rng.uniform(0.4, 0.75) * rng.choice((-1, 1)))
    top = _face(rng, d * 0.7, w, h, body if rng.random() < 0.5 else _DARK, keys, "screen")
    parts = [(solid.translate(shift), material) for solid, material in top]
    parts += _face(rng, d, w, h, body, keys, "keys")
    _place(out, parts, rng.choice((0, rng.uniform(10, 60))))


def _desk(out, rng, body, keys):
    """A rotary or push-button telephone; the handset on top, at the side, or off and beside it."""
    w, d, low, high = rng.uniform((0.6, 0.5, 0.06, 0.2), (1.1, 1.0, 0.2, 0.6))
    rest = rng.choice(("top", "top", "side", "off"))
    ledge, s = d * (rng.uniform(0.3, 0.45) if rest == "top" else 0.1), rng.uniform(0.6, 1)
    x = ledge - d / 2
    corners = [(d / 2, 0, w / 2), (d / 2, low, w / 2), (-d / 2, 0, w / 2)]
    corners += [(x, high, w / 2 * s), (-d / 2, high, w / 2 * s)]
    out.add(hull([(a, b, c * f) for a, b, c in corners for f in (-1, 1)]), body)
    slope = np.arctan2(high - low, d / 2 - x)
    tilt, long = 90 - np.degrees(slope), float(np.hypot(high - low, d / 2 - x))
    side = rng.choice((1, 1, -1))  # to the user's left, as a rule
    room = w * s * (0.62 if rest == "side" else 0.9)
    at = np.array((ledge / 2, (low + high) / 2, -side * w * s * 0.17 * (rest == "side")))
    if rng.random() < 0.5:
        parts = _dial(0.46 * min(long, room), rng.choice((metal, plastic))(rng), _DARK)
    else:
        parts = _face(rng, 0.05, room, long, body, keys, rng.choice(("keys", "both")))[1:]
        parts = [(solid.translate((0, -long / 2, 0)), material) for solid, material in parts]
    _place(out, parts, tilt, at)
    span = max(0.7, long if rest == "side" else w * rng.uniform(0.8, 1.15))
    handset, grip = _handset(rng, span), body if rng.random() < 0.7 else _DARK
    if rest == "top":
        middle, y, z = x - ledge / 2, high + rng.uniform(0, 0.12), rng.uniform(0.12, 0.26)
        saddle = box((-0.06, high - 0.02, z - 0.05), (0.06, y + 0.16 * span, z + 0.05))
        out.add(both_sides(saddle.translate((middle, 0, 0))), keys)
        out.add(handset.rotate((90, 0, -90)).translate((middle, y, 0)), grip)
    elif rest == "side":
        place = at * (1, 1, 0) + (0, 0, side * w * s * 0.34)
        out.add(handset.rotate((0, 180, tilt)).translate(place), grip)
    else:
        z = side * (w / 2 + rng.uniform(0.2, 0.45))
        out.add(handset.rotate((0, rng.uniform(-40, 40), -90)).translate((0, 0, z)), grip)
        t = np.linspace(0, 1, 9)
        wave, rise = 0.06 * np.sin(3 * np.pi * t), 0.03 + (0.15 * span - 0.03) * t**4
        out.add(pipe(np.stack((wave, rise, z + (side * w * 0.4 - z) * (1 - t)), 1), 0.025), _DARK)


def _candlestick(out, rng, body, keys):
    """A stem with a mouthpiece on a foot; the receiver hangs from a hook at one side."""
    h, foot, r = rng.uniform((0.7, 0.22, 0.04), (1.3, 0.4, 0.08))
    brass, side, step = metal(rng), rng.choice((-1, 1)), rng.uniform(0.06, 0.2)
    out.add(lathe([(0, 0), (foot, 0), (foot, 0.05), (r, step + 0.06), (0, step + 0.06)]), body)
    out.add(rod((0, 0, 0), (0, h, 0), r), rng.choice((body, brass)))
    tilt, horn = rng.uniform(0, 25), rng.uniform(0.12, 0.22)
    mouth = lathe([(0, 0), (0.05, 0), (horn, 0.2), (horn, 0.23), (horn - 0.03, 0.23), (0, 0.06)])
    parts = [(mouth.rotate((0, 0, -90)).translate((0.05, 0, 0)), body)]
    _place(out, [*parts, (rod((-0.12, 0, 0), (0.07, 0, 0), 0.12), brass)], tilt, (0, h, 0))
    if step > 0.13:
        _place(out, _dial(foot * 0.45, keys, brass), 60, (foot * 0.5, step * 0.5 + 0.04, 0))
    y, z, cup = h * rng.uniform(0.65, 0.85), side * rng.uniform(0.2, 0.32), rng.uniform(0.09, 0.13)
    out.add(pipe([(0, y, 0), (0, y, z), (0, y + 0.05, z * 1.2)], 0.028), brass)
    bell = [(0, 0), (cup, 0), (cup, 0.06), (0.05, 0.14), (0.05, 0.3), (0.07, 0.36), (0, 0.36)]
    out.add(lathe(bell, (0, y - 0.26, z)), body)


def _wall(out, rng, *_):
    """A wooden box with bells, mouthpiece and shelf, the receiver at one side, a crank opposite."""
    d, w, h, shelf = rng.uniform((0.1, 0.4, 0.8, 0.05), (0.35, 0.75, 1.3, 0.4))
    body, brass, y = wood(rng, 1.0, 1), metal(rng), h * rng.uniform(0.4, 0.6)
    out.add(box((-d, 0.1 * h, -w / 2), (0, h, w / 2)), body)
    out.add(box((-d - 0.06, 0, -w * 0.6), (0.02 - d, h * rng.uniform(1.03, 1.2), w * 0.6)), body)
    ledge = [(-0.02, 0.15 * h), (shelf, 0.15 * h), (shelf, 0.2 * h), (-0.02, 0.36 * h)]
    out.add(extrude(ledge, "z", -w * 0.55, w * 0.55), body)
    out.add(both_sides(rod((-0.01, h * 0.86, 0.14), (0.06, h * 0.86, 0.14), 0.12, 0.08)), brass)
    reach = rng.uniform(0.12, 0.35)
    out.add(rod((-0.02, y, 0), (reach, y - 0.05, 0), 0.05), brass)
    out.add(rod((reach - 0.04, y - 0.04, 0), (reach + 0.15, y - 0.07, 0), 0.05, 0.14), _DARK)
    side, at = rng.choice((1, 1, -1)), -d / 2
    z = side * (w / 2 + 0.14)
    out.add(rod((at, h * 0.8, 0), (at, h * 0.8, z), 0.03), brass)
    out.add(rod((at, h * 0.82, z), (at, h * 0.5, z), 0.06, 0.11), _DARK)
    arm = [(at, y, 0), (at, y, -z), (at, y - 0.2, -z), (at, y - 0.2, -z - 0.12 * side)]
    out.add(pipe(arm, 0.028), brass)
