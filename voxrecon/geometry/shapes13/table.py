# SPDX-License-Identifier: MIT
"""Tables and desks: legs, trestles, crossed frames, panels, pedestals, drawers; C- and L-shaped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..materials import Grain, Plain, Speckle, metal, paint, plastic, shade, wood
from ..solids import Assembly, beam, block, both_sides, box, extrude, lathe, rod
from ..surface import Material

SIDES = (-1, 1)
KNOB = Plain((0.75, 0.68, 0.45))
SIZES = {  # least and most of depth, length, height
    "dining": ((0.65, 1.30), (0.90, 2.50), (0.68, 0.82)),
    "coffee": ((0.45, 1.00), (0.60, 1.50), (0.24, 0.52)),
    "side": ((0.30, 0.65), (0.30, 0.65), (0.42, 0.80)),
    "console": ((0.25, 0.48), (0.60, 1.80), (0.68, 1.00)),
    "bar": ((0.50, 0.80), (0.50, 1.40), (0.92, 1.20)),
    "desk": ((0.50, 0.90), (0.90, 1.90), (0.66, 0.84)),
}
STANDS = {  # a stand under an end as strokes: from and to (across, up), each -1 to 1 and 0 to 1
    "legs": [((-1, 0), (-1, 1)), ((1, 0), (1, 1))],
    "splayed": [((-1, 0), (-0.7, 1)), ((1, 0), (0.7, 1))],
    "A": [((-1, 0), (-0.1, 1)), ((1, 0), (0.1, 1)), ((-0.6, 0.4), (0.6, 0.4))],
    "T": [((0, 0), (0, 1)), ((-1, 0), (1, 0)), ((-0.8, 1), (0.8, 1))],
    "X": [((-1, 0), (1, 1)), ((1, 0), (-1, 1)), ((-1, 1), (1, 1))],
    "V": [((-0.2, 0), (-1, 1)), ((0.2, 0), (1, 1)), ((-0.8, 0), (0.8, 0))],
    "H": [((-0.5, 0), (-0.5, 1)), ((0.5, 0), (0.5, 1)), ((-1, 0), (1, 0)), ((-0.9, 1), (0.9, 1))],
    "O": [((-1, 0), (-1, 1)), ((1, 0), (1, 1)), ((-1, 0), (1, 0)), ((-1, 1), (1, 1))],
    "U": [((-0.5, 0), (-1, 1)), ((0.5, 0), (1, 1)), ((-0.5, 0), (0.5, 0)), ((-1, 1), (1, 1))],
}
JOINTS = {"A": 0.4, "X": 0.5, "V": 0.0, "H": 0.0}  # height of the bar between two stands, or any
ROUND = ("oval", "round", "boat", "angles", "free")
REACH = {"rectangle": 0.97, "boat": 0.84, "L": 0.97}  # of the base's corners; others 0.68


class _Space(NamedTuple):
    """What a base may fill: half extents, height up to inside the top; and what it is made of."""

    x: float
    z: float
    under: float
    bar: float
    frame: Material
    second: Material


def table(rng: np.random.Generator) -> Assembly:
    """A top and something that carries it. In metres."""
    kind = str(rng.choice((*SIZES, "desk")))
    depth, length, height = (rng.uniform(*r) for r in SIZES[kind])
    shape, base = "rectangle", rng.choice((_stands, _stands, _stands, _panels, _pedestal))
    if kind == "desk":
        base = rng.choice((_drawers, _drawers, _corner, _stands))
        if base is _corner:
            shape, depth = "L", depth * rng.uniform(1.3, 2)
    elif rng.random() < 0.55:
        shapes = ("half", "half", "oval") if kind == "console" else ROUND
        shape = str(rng.choice(shapes))
    elif kind == "side" and rng.random() < 0.6:
        base = _bracket
    if shape in ("round", "angles"):
        depth = length = (depth + min(length, 1.5)) / 2
    longest = max(depth, length, height)
    thick, bar = longest * rng.uniform(0.022, 0.06), longest * rng.uniform(0.026, 0.05)
    frame = _frame(rng)
    face = frame if rng.random() < 0.35 else _face(rng)
    if isinstance(face, Grain):  # along the top, but along the legs below
        face = Grain(face.colour, face.other, 2, face.width)
    share = REACH.get(shape, 0.68) * rng.uniform(0.85, 1) / 2
    space = _Space(depth * share, length * share, height - 0.6 * thick, bar, frame, _frame(rng))
    outline = _outline(rng, shape, depth / 2, length / 2)
    detail = str(rng.choice(("plain", "framed", "rim", "double"))) if shape != "L" else "plain"
    pieces = [*_top(rng, detail, outline, height, thick, frame, face), *base(rng, space)]
    if shape == "L":
        side = rng.choice(SIDES)
        pieces = [(solid.scale((1, 1, side)), material) for solid, material in pieces]
    elif kind == "desk" and rng.random() < 0.4:
        pieces += _hutch(rng, depth, length, height, bar, face)
    elif shape == "rectangle" and base is _stands and rng.random() < 0.25:
        drop = min(rng.uniform(0.3, 0.75) * height, 0.6 * length)
        for side in SIDES if rng.random() < 0.5 else (rng.choice(SIDES),):
            size, z = (0.98 * depth, drop, thick), side * (length / 2 + 0.3 * thick)
            pieces.append((block(size, (0, height - 0.4 * thick - drop / 2, z)), face))
    out = Assembly()
    for solid, material in pieces:
        out.add(solid, material)
    return out


def _frame(rng):
    """What a base is made of."""
    kind = rng.integers(4)
    return wood(rng, axis=1) if kind < 2 else metal(rng) if kind == 2 else paint(rng)


def _face(rng):
    """What a top is made of: wood, paint, stone or glass."""
    kind = rng.integers(5)
    if kind == 0:
        grey = (float(rng.uniform(0.3, 0.85)),) * 3
        return Speckle(grey, shade(grey, 0.75), rng.uniform(0.01, 0.04))
    if kind == 1:
        return Plain((0.55, rng.uniform(0.68, 0.8), rng.uniform(0.7, 0.85)))
    return (wood, paint, plastic)[kind - 2](rng)


def _outline(rng, shape, x, z):
    """A top seen from above, (x, z)."""
    if shape == "rectangle":
        return np.array([(x, z), (-x, z), (-x, -z), (x, -z)])
    if shape == "L":
        return np.array([(-x, z), (x, z), (x, z / 3), (0, z / 3), (0, -z), (-x, -z)])
    if shape == "boat":
        s = np.linspace(-1, 1, 11)
        bow = 1 - rng.uniform(0.12, 0.35) * s**2
        return np.concatenate((np.stack((x * bow, z * s), 1), np.stack((-x * bow, -z * s), 1)))
    count = rng.choice((6, 8)) if shape == "angles" else 36
    a = (np.arange(count) + 0.5) * 2 * np.pi / count
    round_off = rng.uniform(0.3, 1) if shape == "oval" else 1  # 0: a rectangle, 1: an ellipse
    unit = np.stack((np.cos(a), np.sin(a)), 1)
    points = np.sign(unit) * np.abs(unit) ** round_off * (x, z)
    if shape == "half":
        points[:, 0] = np.maximum(points[:, 0], -0.7 * x)
    elif shape == "free":
        b, c = rng.uniform(0, 2 * np.pi, 2)
        points *= (0.88 + 0.10 * np.sin(2 * a + b) + 0.07 * np.sin(3 * a + c))[:, None]
    return points


def _top(rng, detail, outline, height, thick, frame, face):
    """A plain, framed, rimmed or doubled plate."""
    rise = thick * rng.uniform(0.2, 0.6) if detail == "rim" else 0
    if detail in ("plain", "double"):
        yield extrude(outline, "y", height - thick, height), face
    else:
        ring = extrude(outline, "y", height - thick, height + rise)
        yield ring - extrude(outline * 0.87, "y", height - 2 * thick, height + 2), frame
        yield extrude(outline * 0.89, "y", height - 0.9 * thick, height - 0.15 * thick), face
    if detail == "double":
        yield extrude(outline * 0.93, "y", height - 2 * thick, height - thick / 2), frame


def _stands(rng, s):
    """A stand under each end, or in front and behind, and what joins the two."""
    name = str(rng.choice(("legs", "legs", "legs", "splayed", *STANDS)))
    b = s.bar * rng.uniform(1, 1.4)
    x, z = s.x - b / 2, s.z - b / 2
    ahead = name in "XVA" and s.x > 0.4 * s.z and rng.random() < 0.4
    x, z = (z, x) if ahead else (x, z)
    place, taper, kind = z * rng.uniform(0.7, 1), rng.uniform(0.7, 1), rng.integers(3)
    top = place * rng.choice((1, 1, rng.uniform(0.6, 0.9)))
    base = []
    for (p, y0), (q, y1) in STANDS[name]:
        end = b / 2 if y0 == y1 else 0  # a level bar lies on the floor, a leg ends there
        foot = (p * x, end + y0 * (s.under - 2 * end), place + y0 * (top - place))
        head = (q * x, end + y1 * (s.under - 2 * end), place + y1 * (top - place))
        if kind < 2 or y0 == y1:
            base.append(both_sides(beam(foot, head, b, b)))
        else:
            base.append(both_sides(rod(foot, head, 0.65 * b * taper, 0.65 * b)))
    join = rng.choice(("none", "bar", "bar", "shelf", "apron"))
    level = JOINTS.get(name, rng.uniform(0.12, 0.6))
    y, narrowed = b / 2 + level * (s.under - b), 1 - 0.3 * level * (name == "splayed")
    at = place + (top - place) * level
    if join == "shelf" and name in ("legs", "splayed", "O"):
        base.append(block((2 * narrowed * x + b / 2, b, 2 * at + b / 2), (0, y, 0)))
    elif join == "apron" and name in ("legs", "splayed"):
        inner = 0.7 * x if name == "splayed" else x
        tall = min(0.2 * s.under, 0.11)
        base.append(block((2 * inner, tall, 2 * top), (0, s.under - tall / 2, 0)))
    elif name in ("legs", "splayed") and join != "none":
        base.append(both_sides(block((2 * narrowed * x, b, b), (0, y, at))))
        base.append(block((b, b, 2 * at), (0, y, 0)))
    elif name not in "OU" and join != "none":
        base.append(block((b, b, 2 * at + b), (0, y, 0)))
    for solid in base:
        yield solid.rotate((0, 90 * ahead, 0)), s.frame


def _panels(rng, s):
    """Boards under the ends, upright or leaning, and a shelf, a back or a drawer."""
    t, x, lean = s.bar * rng.uniform(0.9, 1.8), s.x, rng.choice((0, 0, -0.3, 0.3)) * s.z
    foot, head = s.z - t / 2 - max(-lean, 0), s.z - t / 2 - max(lean, 0)
    y, inner = s.under * rng.uniform(0.12, 0.6), min(foot, head)
    board = [(foot - t / 2, 0), (head - t / 2, s.under), (head + t / 2, s.under), (foot + t / 2, 0)]
    yield both_sides(extrude(board, "x", -x, x)), s.frame
    extra = rng.choice(("shelf", "back", "partition", "case", "none"))
    if extra in ("shelf", "partition"):
        at = foot + (head - foot) * y / s.under
        yield block((1.95 * x, t, 2 * at + t / 2), (0, y, 0)), s.second
        if extra == "partition":
            z = inner * rng.uniform(-0.7, 0.7)
            yield box((-0.9 * x, y, z - t / 2), (0.9 * x, s.under, z + t / 2)), s.frame
    elif extra == "back":
        yield box((-0.9 * x, y, -inner), (-0.9 * x + t, s.under, inner)), s.second
    elif extra == "case":
        yield box((-0.97 * x, 0.6 * s.under, -inner), (0.97 * x, s.under, inner)), s.frame
        yield block((0.2 * x, 0.3 * s.under, 1.8 * inner), (0.9 * x, 0.8 * s.under, 0)), s.second


def _pedestal(rng, s):
    """A column on a disc, a block or feet; under a long top two of them."""
    h, b, wide = s.under, s.bar, rng.uniform(0.6, 1) * min(s.x, s.z)
    narrow = b * rng.uniform(0.6, 1.2)
    shape, foot = str(rng.choice(tuple("PVTHDF"))), rng.choice(("disc", "feet", "block"))
    r, y = {
        "P": ((narrow, narrow), (0.02, 1)),  # post
        "V": (np.array((1.0, 2.2, 1.2, 1.4, 2.4)) * narrow, (0.05, 0.25, 0.55, 0.9, 1)),  # vase
        "T": ((wide, 0.4 * wide, narrow, narrow, 2 * narrow), (0.02, 0.07, 0.3, 0.8, 1)),  # trumpet
        "H": ((wide, narrow + b, narrow + b, 0.9 * wide), (0, 0.4, 0.6, 1)),  # hourglass
        "D": (np.array((0.9, 1, 1, 0.9)) * wide, (0, 0.1, 0.9, 1)),  # drum
        "F": ((0.5 * wide, 0.9 * wide), (0, 1)),  # funnel
    }[shape]
    parts = [(lathe([(0, y[0] * h), *zip(r, np.multiply(y, h), strict=True), (0, h)]), s.frame)]
    if foot == "feet" and shape in "PV":
        count, turn, rise = rng.choice((3, 4, 5)), rng.uniform(0, 2), rng.uniform(0.05, 0.4)
        for a in turn + np.arange(count) * 2 * np.pi / count:
            end = (wide * np.cos(a), b / 2, wide * np.sin(a))
            parts.append((beam((0, b / 2 + rise * h, 0), end, b, b), s.frame))
    elif foot == "block" and shape in "PVF":
        parts.append((block((1.8 * wide, 2 * b, 1.6 * wide), (0, b, 0)), s.second))
    elif shape in "PVT":
        disc = [(0, 0), (wide, 0), (wide, 0.8 * b), (0.2 * wide, 1.5 * b), (0, 1.5 * b)]
        parts.append((lathe(disc), s.second))
    twin = s.z > 1.7 * s.x
    for solid, material in parts:
        for z in (-0.5 * s.z, 0.5 * s.z) if twin else (0,):
            yield solid.translate((0, 0, z)), material
    if twin:
        yield block((b, 1.5 * b, s.z), (0, h * rng.uniform(0.15, 0.5), 0)), s.frame


def _bracket(rng, s):
    """A foot and an upright at one side or behind: the top reaches over a sofa's seat."""
    w, posts = 1.3 * s.bar, rng.random() < 0.5
    part = box((-s.x, 0, -s.z), (s.x, s.under, s.z))
    part -= box((-2 * s.x, w, -2 * s.z), (2 * s.x, s.under - w, s.z - w))
    if posts:  # bars instead of boards
        part -= box((w - s.x, -1, -2 * s.z), (s.x - w, s.under - w, s.z - w))
        part -= box((w - s.x, w, -s.z), (s.x - w, s.under - w, 2 * s.z))
    turn = rng.choice((0, 180, -90)) if s.z < 1.2 * s.x < 1.44 * s.z else rng.choice((0, 180))
    yield part.rotate((0, turn, 0)), s.frame


def _drawers(rng, s):
    """A desk: a chest of drawers on one side or both, else a panel or legs; perhaps a back."""
    wide, off = s.z * rng.uniform(0.4, 0.75), rng.choice((0, 0, 0.12, 0.35)) * s.under
    t, legs, only = s.bar, rng.random() < 0.5, rng.choice((-1, 0, 1))  # 0: on both sides
    for side in SIDES:
        inner, outer = side * (s.z - wide), side * s.z
        if only in (0, side):
            yield from _chest(rng, s, off, inner, outer)
        elif not legs:
            yield box((-s.x, 0, outer - side * t), (s.x, s.under, outer)), s.frame
        if off or (legs and only == -side):
            for x in SIDES:
                yield _post(x * s.x, outer, t, s.under, side), s.frame
                if only != -side:
                    yield _post(x * s.x, inner, t, s.under, -side), s.frame
    if rng.random() < 0.6:
        low = s.under * rng.uniform(0.05, 0.6)
        size = (0.8 * t, s.under - low, 2 * s.z - t)
        yield block(size, (-0.93 * s.x, (s.under + low) / 2, 0)), s.second


def _post(x, z, t, height, side):
    """An upright leg, its outer corner at (x, z)."""
    return box((x, 0, z), (x - np.sign(x) * t, height, z - side * t))


def _chest(rng, s, low, z0, z1):
    """Drawers to +x; now and then one stands open."""
    yield box((-s.x, low, z0), (s.x, s.under, z1)), s.frame
    count = rng.integers(1, 5)
    tall, z, wide = (s.under - low) * 0.95 / count, (z0 + z1) / 2, abs(z1 - z0)
    for i in range(count):
        y, x = low + tall * (i + 0.55), s.x + 0.02 + 0.4 * s.x * (rng.random() < 0.1)
        yield block((0.5 * s.x, 0.88 * tall, 0.9 * wide), (x - 0.25 * s.x, y, z)), s.second
        yield block((0.05, 0.5 * s.bar, 0.3 * wide), (x, y, z)), KNOB


def _corner(rng, s):
    """Under an L-shaped top: panels, legs or a chest of drawers."""
    x, z, t = s.x - 0.01, s.z - 0.01, s.bar
    style, inner = rng.choice(("panels", "legs", "drawers")), z / 3 + 0.02
    if style == "legs":
        for px, pz, side in ((-x, z, 1), (x, z, 1), (x, inner, -1), (-x, -z, -1), (-0.03, -z, -1)):
            yield _post(px, pz, t, s.under, side), s.frame
        yield _post(-0.03, inner, t, s.under, -1), s.frame
        return
    yield box((x - t, 0, inner), (x, s.under, z)), s.frame
    yield box((0.01 - x, 0.25 * s.under, 0.01 - z), (t - x, s.under, z - 0.01)), s.second
    yield box((-x, 0, z - t), (-0.5 * x, s.under, z)), s.frame
    wide = t if style == "panels" else z * rng.uniform(0.3, 0.5)
    yield box((-x, 0, -z), (-0.03, s.under, wide - z)), s.frame
    if style == "drawers":
        for k in (0.2, 0.5, 0.8):
            front = (0.1, 0.26 * s.under, 0.9 * wide)
            yield block(front, (-0.06, k * s.under, wide / 2 - z)), s.second


def _hutch(rng, depth, length, height, bar, face):
    """Shelves on a desk, over its whole length or over a part of it."""
    share, tall = rng.choice((1, 1, 0.4)), rng.uniform(0.15, 0.55)
    wide, x, deep = length * share - 0.02, 0.01 - depth / 2, depth * rng.uniform(0.25, 0.4)
    z = rng.choice(SIDES) * (length * (1 - share) / 2) - wide / 2
    body = box((x, height - 0.05, z), (x + deep, height + tall, z + wide))
    step = (wide - bar) / (count := rng.integers(1, 2 + round(3 * share)))
    for low in z + bar + step * np.arange(count):
        body -= box((x + bar, height + 0.01, low), (x + 1, height + tall - bar, low + step - bar))
    yield body, face
