# SPDX-License-Identifier: MIT
"""Displays: monitors and televisions, flat, curved or with a tube, and what carries them."""

from __future__ import annotations

import numpy as np

from ..materials import Plain, Stripes, metal, paint, plastic, wood
from ..solids import (
    Assembly,
    beam,
    block,
    both_sides,
    box,
    ellipsoid,
    extrude,
    hull,
    lathe,
    pipe,
    rod,
    rounded_box,
)


def display(rng: np.random.Generator) -> Assembly:
    """One screen or several in cases, with a stand, an arm, a bracket or legs. In metres."""
    out = Assembly()
    families, weights = zip(*_FAMILIES, strict=True)
    family = families[rng.choice(len(families), p=np.array(weights) / sum(weights))]
    case = rng.choice((plastic, plastic, plastic, plastic, metal, paint))(rng)
    family(out, rng, case)
    return out


def _monitor(out, rng, case):
    """A flat or curved panel on a stand, turned and tilted as the user likes it."""
    shape = rng.choice(("wide", "wide", "square", "portrait", "curved"))
    tall = rng.uniform(0.28, 0.4)
    aspect = {"wide": rng.uniform(1.5, 1.9), "square": rng.uniform(1.05, 1.35)}.get(
        shape, rng.uniform(0.5, 0.75) if shape == "portrait" else rng.uniform(1.9, 2.8)
    )
    tall *= 1.4 if shape == "portrait" else 1
    wide = tall * aspect
    lift = rng.uniform(0.04, 0.25)
    middle = lift + tall / 2
    thick = max(wide, tall) * rng.uniform(0.03, 0.08)
    bend = rng.uniform(0.5, 1.1) if shape == "curved" else 0.0
    kind = rng.choice(("plate", "plate", "fork", "bracket", "slanted", "drum"))
    swivels = kind in ("plate", "drum", "slanted") and rng.random() < 0.6
    yaw = rng.uniform(-40, 40) if swivels else 0.0
    stand = case if rng.random() < 0.5 else metal(rng)
    t, reach = 0.028, rng.uniform(0.08, 0.18)
    base = max(wide * rng.uniform(0.3, 0.6), 0.14)
    parts = _panel(rng, wide, tall, thick, case, bend)
    hub = box((-thick - 0.6 * t, -0.045, -0.045), (-0.5 * thick, 0.045, 0.045))
    _put(out, [*parts, (hub, stand)], (0, middle, 0), rng.uniform(-2, 18), yaw)

    back = -thick - 0.6 * t
    if kind == "bracket":
        rear, top = (back - reach, t), (back + 0.4 * t, middle)
        path = [(reach, 0), (rear[0] - t, 0), (top[0] - t, middle), top, rear, (reach, t)]
        out.add(extrude(path, "z", -base * 0.35, base * 0.35), stand)
        return
    foot = (back - (reach if kind == "slanted" else 0), t / 2, 0)
    half = base * rng.uniform(0.06, 0.22)
    side = [
        (foot[0] - t / 2, 0),
        (foot[0] + t / 2, 0),
        (back + t / 2, middle),
        (back - t / 2, middle),
    ]
    neck = extrude(side, "z", -half, half)
    out.add(neck.rotate((0, yaw, 0)), stand)
    if kind == "fork":
        for side in (-1, 1):
            out.add(beam(foot, (reach * 0.9, t / 2, side * base * 0.7), t, t), stand)
    elif kind == "drum":
        r = base / 2
        profile = [(0, 0), (r, 0), (r, t * 0.6), (t, t * 1.6), (0, t * 1.6)]
        out.add(lathe(profile), stand)
    else:
        low, high = foot[0] - 1.5 * t, foot[0] + reach * 2
        out.add(box((low, 0, -base / 2), (high, t * 0.8, base / 2)), stand)
    if rng.random() < 0.4:
        _keyboard(out, rng, reach + rng.uniform(0.08, 0.15), plastic(rng))


def _television(out, rng, case):
    """A large panel on two feet, a bar, a central stand or a cupboard."""
    wide = rng.uniform(0.8, 1.4)
    tall = wide / rng.uniform(1.45, 2.1)
    thick, t = wide * rng.uniform(0.03, 0.1), wide * 0.024
    deep = wide * rng.uniform(0.08, 0.22)
    kind = rng.choice(("feet", "feet", "bow", "shelf", "cupboard"))
    lift = wide * (rng.uniform(0.2, 0.45) if kind == "cupboard" else rng.uniform(0.04, 0.14))
    parts = _panel(rng, wide, tall, thick, case)
    back = rng.uniform(0.3, 0.6) * tall
    parts.append(
        (block((thick * 1.2, back, wide * 0.7), (-thick, (1.05 * back - tall) / 2, 0)), case)
    )
    _put(out, parts, (0, lift + tall / 2, 0), 0, 0)
    inside = -thick / 2
    if kind == "feet":
        z = wide * rng.uniform(0.15, 0.45)
        for x in (-deep, deep):
            out.add(both_sides(beam((x, t / 2, z), (inside, lift + t, z * 0.96), t, t)), case)
    elif kind == "bow":
        z = wide * rng.uniform(0.2, 0.4)
        out.add(pipe([(deep, t / 2, -z), (inside, t / 2, 0), (deep, t / 2, z)], t * 0.6), case)
        out.add(rod((inside, 0, 0), (inside, lift + t, 0), t), case)
    elif kind == "shelf":
        out.add(box((-deep, 0, -wide * 0.25), (deep, t, wide * 0.25)), case)
        out.add(box((inside - t, 0, -wide * 0.1), (inside + t, lift + t, wide * 0.1)), case)
        if rng.random() < 0.5:
            side = rng.uniform(-0.2, 0.2) * wide
            low = (deep * 0.4, 0, side - wide * 0.3)
            bar = rounded_box(low, (deep * 0.4 + 3 * t, 3 * t, side + wide * 0.3), t)
            out.add(bar, plastic(rng))
    else:
        half, deep, board = wide * rng.uniform(0.4, 0.6), deep + 0.05 * wide, wood(rng, wide)
        low, feet = t * rng.uniform(1.5, 4), rng.uniform(-0.5, 0.5) * half
        top, z = lift - t * 1.3, np.sort((feet, float(rng.choice((-1, 1))) * (half - t)))
        body = box((-deep, low, -half), (deep, top, half))
        out.add(body - box((-deep + t, low + t, z[0]), (deep + t, top - t, z[1])), board)
        for x in (-deep + 2 * t, deep - 2 * t):
            leg = rod((x, 0, half - 2 * t), (x, low + t / 2, half - 2 * t), t * 0.7)
            out.add(both_sides(leg), metal(rng))
        out.add(box((-deep / 2, top - t / 2, -half / 2), (deep / 2, lift + t / 2, half / 2)), case)


def _tube(out, rng, case):
    """A monitor or television whose tube needs a deep tapered back."""
    wide = rng.uniform(0.35, 0.5)
    tall, front = wide * rng.uniform(0.75, 1.05), wide * rng.uniform(0.12, 0.4)
    deep = wide * rng.uniform(0.5, 1.1) + front
    lift = rng.choice((0.01, rng.uniform(0.04, 0.11)))
    shrink, sink = rng.uniform(0.35, 0.75), rng.uniform(-0.08, 0.0) * tall
    parts = _panel(rng, wide, tall, front, case, bulge=True)
    near = _rectangle(-front * 0.9, wide * 0.94, tall * 0.94, 0)
    far = _rectangle(-deep, wide * shrink, tall * shrink, sink)
    parts.append((hull([*near, *far]), case))
    for k in range(int(rng.integers(0, 4))):
        share = 0.2 + 0.15 * k
        groove = -front - (deep - front) * share
        size = (0.94 + (shrink - 0.94) * share) * wide * 1.01
        rib = block((0.012, 0.012 + tall * 0.5, size), (groove, sink * share, 0))
        parts.append((rib, Plain((0.1, 0.1, 0.1))))
    tilt = rng.uniform(0, 12) if lift > 0.03 else 0
    yaw = rng.uniform(-30, 30) if rng.random() < 0.4 else 0
    _put(out, parts, (deep / 2, lift + tall / 2, 0), tilt, yaw)
    if lift > 0.03:
        r = wide * rng.uniform(0.25, 0.4)
        profile = [(0, 0), (r, 0), (r, 0.02), (r * 0.6, lift), (r * 0.5, lift + 0.1)]
        out.add(lathe([*profile, (0, lift + 0.1)]), case)
    else:
        out.add(box((deep * 0.3, 0, -wide * 0.4), (deep * 0.45, lift + 0.03, wide * 0.4)), case)
        z = wide * 0.15
        out.add(box((-deep * 0.4, 0, -z), (-deep * 0.2, lift + tall * 0.4, z)), case)
    if rng.random() < 0.35:
        _keyboard(out, rng, deep / 2 + rng.uniform(0.08, 0.14), case)


def _retro(out, rng, case):
    """An old television: a cabinet with the screen beside its knobs, antennas and legs."""
    wide, tall = rng.uniform(0.45, 0.75), rng.uniform(0.36, 0.52)
    deep, t = rng.uniform(0.28, 0.5), 0.02
    body = wood(rng, wide, 2) if rng.random() < 0.6 else case
    foot = rng.choice(("legs", "stand", "none"))
    lift = rng.uniform(0.15, 0.5) if foot != "none" else 0.03
    taper, side = rng.uniform(0.6, 1), float(rng.choice((-1, 0, 1)))
    if rng.random() < 0.4:
        low, high = (-deep, -tall / 2, -wide / 2), (0, tall / 2, wide / 2)
        shell = rounded_box(low, high, rng.uniform(0.03, 0.12))
    else:
        near, far = _rectangle(0, wide, tall, 0), _rectangle(-deep, wide * taper, tall * taper, 0)
        shell = hull([*near, *far])
    share = 0.94 if side == 0 else rng.uniform(0.66, 0.76)
    panel = (1 - share) * wide / 2  # half of the width that the knobs have
    parts = [(shell, body)]
    screen = _panel(rng, wide * share * 0.92, tall * 0.86, 0.06, case, bulge=True)
    parts += [(solid.translate((0.012, 0, panel * side)), m) for solid, m in screen]
    if side:
        z = -side * (wide / 2 - panel) * 0.96
        for y in np.array((0.3, 0.08))[: int(rng.integers(1, 3))] * tall:
            r = min(panel * rng.uniform(0.44, 0.68), 0.1 * tall)
            end = (rng.uniform(0.02, 0.04), y, z)
            parts.append((rod((-0.02, y, z), end, r, r * 0.8), metal(rng)))
        grille = Stripes((0.15, 0.12, 0.1), (0.7, 0.6, 0.45), 1, tall * 0.03)
        size = (0.026, 0.3 * tall, 1.6 * panel)
        parts.append((block(size, (-0.007, -0.25 * tall, z)), grille))
    _put(out, parts, (deep / 2, lift + tall / 2, 0), 0, 0)
    x, z = deep * 0.36 * taper, wide * 0.4 * taper
    under = lift + tall * (1 - taper) / 2 + 0.1
    if foot == "legs":
        splay, r = rng.uniform(0, 0.08), rng.uniform(0.012, 0.02)
        for s in (-1, 1):
            head = (s * x * 0.9, under, z * 0.9)
            leg = rod((s * (x + splay), 0, z + splay), head, r, r * 1.3)
            out.add(both_sides(leg), metal(rng))
    elif foot == "stand":
        out.add(rod((0, 0, 0), (0, under, 0), t * rng.uniform(1, 2)), metal(rng))
        out.add(lathe([(0, 0), (deep * 0.5, 0), (deep * 0.5, t), (0, 2.5 * t)]), case)
    else:
        out.add(both_sides(box((-x, 0, z - 0.04), (x, under, z))), Plain((0.1, 0.1, 0.1)))
    if rng.random() < 0.65:
        top = lift + tall
        out.add(ellipsoid((0, top - 0.01, 0), (0.06, 0.04, 0.06)), Plain((0.1, 0.1, 0.1)))
        for s in (-1, 1):
            if s < 0 and rng.random() < 0.25:
                continue
            long, lean = rng.uniform(0.25, 0.5), np.radians(rng.uniform(15, 60))
            tip = (rng.uniform(-0.1, 0.05), top + long * np.cos(lean), s * long * np.sin(lean))
            out.add(rod((0, top, 0), tip, 0.011), metal(rng))


def _laptop(out, rng, case):
    """A hinged screen over a flat keyboard."""
    wide, deep = rng.uniform(0.3, 0.4), rng.uniform(0.2, 0.28)
    t = rng.uniform(0.012, 0.04)
    tall = deep * rng.uniform(0.85, 1.1)
    out.add(box((-deep / 2, 0, -wide / 2), (deep / 2, t, wide / 2)), case)
    keys = Stripes((0.1, 0.1, 0.1), (0.25, 0.25, 0.25), 0, deep * 0.06)
    out.add(box((-deep * 0.38, t / 2, -wide * 0.44), (deep * 0.1, t + 0.003, wide * 0.44)), keys)
    pad = box((deep * 0.18, t / 2, -wide * 0.13), (deep * 0.43, t + 0.003, wide * 0.13))
    out.add(pad, metal(rng))
    lean = rng.uniform(0, 50)
    parts = _panel(rng, wide, tall, 0.011, case)
    parts = [(s.translate((0.005, tall / 2, 0)), m) for s, m in parts]
    _put(out, parts, (-deep / 2 + 0.006, t * 0.6, 0), lean, 0)


def _arms(out, rng, case):
    """Two or three screens, unlike each other, on a pole with arms that is clamped to a desk."""
    count, t = int(rng.choice((2, 2, 3))), 0.03
    behind, height = -rng.uniform(0.14, 0.3), rng.uniform(0.35, 0.5)
    stack = count == 2 and rng.random() < 0.3
    sizes = [(rng.uniform(0.36, 0.56), rng.uniform(0.26, 0.34)) for _ in range(count)]
    sizes = [(b, a) if rng.random() < 0.3 else (a, b) for a, b in sizes]
    total = sum(s[0] for s in sizes) + 0.03 * (count - 1)
    z, y = -total / 2, height
    ends = []
    for wide, _ in sizes:
        if stack:
            ends.append((0, y, 0))
            y += sum(s[1] for s in sizes) / 2 + 0.03
        else:
            ends.append((0, height + rng.uniform(-0.06, 0.06), z + wide / 2))
            z += wide + 0.03
    inwards = rng.uniform(0, 28)
    for (wide, tall), end in zip(sizes, ends, strict=True):
        swing = 0 if stack else inwards * end[2] / total * 2
        place = np.add(end, (abs(np.sin(np.radians(swing))) * wide / 2, 0, 0))
        _put(out, _panel(rng, wide, tall, 0.025, case), place, rng.uniform(-3, 8), swing)
        elbow = (behind * 0.6, (place[1] + height) / 2, place[2] * rng.uniform(0.3, 0.7))
        near = place - (0.025, 0, 0)
        out.add(pipe([(behind, elbow[1], 0), elbow, near], t * 0.5), metal(rng))
    pole = metal(rng)
    out.add(rod((behind, 0, 0), (behind, max(e[1] for e in ends) + 0.05, 0), t * 0.7), pole)
    base = rng.uniform(0.06, 0.16)
    out.add(box((behind - base, 0, -base), (behind + base * 1.4, t, base)), pole)


def _bracket(out, rng, case):
    """A panel on the wall: on an arm that folds to one side, or on the ceiling's pole."""
    wide = rng.uniform(0.6, 1.1)
    tall = wide / rng.uniform(1.3, 1.9)
    thick, t = wide * rng.uniform(0.03, 0.09), wide * 0.035
    yaw = rng.uniform(-42, 42)
    _put(out, _panel(rng, wide, tall, thick, case), (0, 0, 0), rng.uniform(-15, 0), yaw)
    arm, plate = metal(rng), wide * rng.uniform(0.1, 0.2)
    out.add(block((thick, plate, plate), (-thick * 0.8, 0, 0)).rotate((0, yaw, 0)), arm)
    if rng.random() < 0.4:
        top = tall * rng.uniform(0.7, 1.3)
        out.add(
            pipe(
                [(-1.2 * thick - t * 0.3, 0, 0), (-2.5 * thick, 0, 0), (-2.5 * thick, top, 0)],
                t * 0.7,
            ),
            arm,
        )
        out.add(lathe([(0, 0), (plate, 0), (plate, t), (0, t)], (-2.5 * thick, top, 0)), arm)
        return
    # as far from the wall as the turned panel's edge, and folded to where it leaves room
    reach = wide * (0.5 * abs(np.sin(np.radians(yaw))) + rng.uniform(0.1, 0.35))
    side = wide * rng.uniform(0, 0.5) * np.sign(yaw)
    shift = side * rng.uniform(0.0, 0.8)
    for y in (-plate * 0.4, plate * 0.4):
        path = [(-thick * 0.8, y, 0), (-thick - reach / 2, y, side), (-thick - reach, y, shift)]
        for one, other in zip(path, path[1:], strict=False):
            out.add(beam(one, other, t, t), arm)
    out.add(rod((path[1][0], -plate * 0.6, side), (path[1][0], plate * 0.6, side), t), arm)
    out.add(block((t, 3 * plate, 1.2 * plate), (path[2][0] - t * 0.3, 0, shift)), arm)


def _signage(out, rng, case):
    """A screen for a public: on an easel, a rolling stand, a sloping desk, or as a totem."""
    kind = rng.choice(("easel", "cart", "lectern", "totem"))
    wide, tall, t = rng.uniform(0.4, 1.0), rng.uniform(0.45, 0.9), 0.035
    steel = metal(rng) if rng.random() < 0.6 else wood(rng)
    if kind == "easel":
        foot, top, lean = rng.uniform(0.3, 0.6), rng.uniform(1.15, 1.5), rng.uniform(8, 14)
        slope = np.tan(np.radians(lean))
        z = wide * rng.uniform(0.3, 0.5)
        for side in (-z, z):
            out.add(beam((0, 0, side), (-top * slope, top, side * 0.12), t, t), steel)
        out.add(beam((-0.6 * top * slope - 0.45, 0, 0), (-top * slope, top * 0.98, 0), t, t), steel)
        place = (t - (foot + tall / 2) * slope, foot + tall / 2, 0)
        _put(out, _panel(rng, wide, tall, t, case), place, lean, 0)
        out.add(block((2.2 * t, t, wide * 0.8), (t * 0.6 - foot * slope, foot - t * 0.4, 0)), steel)
    elif kind == "cart":
        high, deep = rng.uniform(0.9, 1.4), rng.uniform(0.2, 0.35)
        wide *= 1.2
        panel = _panel(rng, wide, tall * 0.8, 0.05, case)
        _put(out, panel, (0, high, 0), rng.uniform(0, 12), 0)
        z = rng.uniform(0.03, 0.3) * wide
        posts = rod((-0.07, 0.05, z), (-0.07, high + 0.1, z), t * 0.6)
        out.add(both_sides(posts), steel)
        out.add(block((0.08, 0.12, 2 * z + 0.1), (-0.07, high, 0)), steel)
        out.add(both_sides(beam((-deep, 0.07, z), (deep, 0.07, z), t, t)), steel)
        out.add(box((-0.1, 0.055, -z), (-0.04, 0.085, z)), steel)
        for x in (-deep, deep):
            out.add(both_sides(ellipsoid((x, 0.04, z), 0.04)), plastic(rng))
        if rng.random() < 0.7:
            y = high * rng.uniform(0.3, 0.55)
            out.add(box((-deep, y, -wide * 0.3), (deep * 0.8, y + t, wide * 0.3)), plastic(rng))
    elif kind == "lectern":
        high, lean = rng.uniform(0.7, 1.1), rng.uniform(20, 60)
        parts = _panel(rng, wide, tall * 0.7, 0.06, case)
        _put(out, parts, (0, high, 0), lean, 0)
        slope = np.radians(lean)
        foot = (-rng.uniform(0, 0.15), 0, 0)
        head = (-0.06 * np.cos(slope), high - 0.06 * np.sin(slope), 0)
        out.add(beam(foot, head, wide * rng.uniform(0.1, 0.6), 0.07), steel)
        out.add(block((tall * 0.6, t, wide * 0.7), (0, t / 2, 0)), steel)
    else:
        high, wide = rng.uniform(1.2, 1.8), wide * 0.85
        lean = rng.uniform(0, 8)
        thick = rng.uniform(0.06, 0.16)
        parts = _panel(rng, wide, high, thick, case, chin=rng.uniform(0.1, 0.45) * high)
        low = block((0.35 + thick, 0.04, wide * rng.uniform(0.9, 1.2)), (-thick / 2, 0.02, 0))
        _put(out, parts, (0, high / 2 + 0.01, 0), lean, 0)
        out.add(low, steel)


def _panel(rng, wide, tall, thick, case, bend=0.0, bulge=False, chin=None):
    """A case about the origin, its front at x = 0, and its screen with what is to be seen there:
    a list of solids and materials. ``bend`` is half its arc (radians) if it is curved."""
    size = max(wide, tall)
    step, rim = 0.005 * size, size * rng.uniform(0.015, 0.05)
    rim *= 1.6 if bulge else 1
    chin = rim * rng.choice((1, 1, 2.2)) if chin is None else chin
    low, high, half = -tall / 2 + chin, tall / 2 - rim, wide / 2 - rim
    dark = rng.random() < 0.45
    glass = Plain((0.06, 0.07, 0.09)) if dark else Plain(tuple(rng.uniform(0.15, 0.75, 3)))
    if bend:
        parts = []
        for a, b, lower, upper, z, material in (
            (-thick, 0, -tall / 2, tall / 2, wide / 2, case),
            (-thick / 2, step, low, high, half, glass),
        ):
            turn = np.linspace(-bend, bend, 13) * z / wide * 2
            radius = wide / 2 / np.sin(bend)
            x, z = radius * (1 - np.cos(turn)), radius * np.sin(turn)
            outline = [*zip(x + a, z, strict=True), *zip(x[::-1] + b, z[::-1], strict=True)]
            parts.append((extrude(outline, "y", lower, upper), material))
        return parts
    parts = [(box((-thick, -tall / 2, -wide / 2), (0, tall / 2, wide / 2)), case)]
    screen = box((-thick / 2, low, -half), (step, high, half))
    if bulge:
        middle, r = (low + high) / 2, 1.7 * half
        dome = ellipsoid((0, middle, 0), (0.12 * size, 0.85 * (high - low), r))
        screen = dome ^ box((-thick / 2, low, -half), (size, high, half))
    parts.append((screen, glass))
    content = rng.choice(("windows", "hills", "bars"))
    if dark or bulge:
        return parts
    if content == "hills":
        s = np.linspace(-half, half, 9)
        y = low + (high - low) * (
            0.35 + 0.2 * np.sin(rng.uniform(2, 5) * s / half + rng.uniform(0, 6))
        )
        outline = [(-half, low), *zip(s, y, strict=True), (half, low)]
        parts.append((extrude(outline, "x", 0, 2 * step), Plain((0.2, rng.uniform(0.3, 0.6), 0.2))))
        r, z = (high - low) * 0.1, rng.uniform(-0.7, 0.7) * half
        y = high - 2 * r
        parts.append((rod((0, y, z), (1.5 * step, y, z), r), Plain((1.0, 0.9, 0.5))))
        return parts
    count = int(rng.integers(2, 7))
    for k in range(count):
        if content == "windows":
            z, y = rng.uniform(-0.9, 0.2) * half, low + rng.uniform(0.05, 0.5) * (high - low)
            end = (z + rng.uniform(0.3, 0.7) * half, y + rng.uniform(0.15, 0.45) * (high - low))
        else:
            z, y = half * (2 * (k + 0.15) / count - 1), low + 0.06 * (high - low)
            end = (z + 1.2 * half / count, y + rng.uniform(0.1, 0.8) * (high - low))
        window = box((0, y, z), (step * (1.5 + 0.5 * k / count), end[1], end[0]))
        parts.append((window, paint(rng)))
    return parts


def _keyboard(out, rng, x, material):
    """A keyboard on the desk, on its cable."""
    out.add(box((-0.15, 0, -0.008), (x, 0.012, 0.008)), material)
    out.add(
        hull([*_rectangle(x - 0.07, 0.4, 0.03, 0.015), *_rectangle(x + 0.07, 0.4, 0.016, 0.008)]),
        material,
    )


def _rectangle(x, wide, tall, y):
    """Four corners of an upright rectangle across the x axis."""
    return [(x, y + a * tall / 2, b * wide / 2) for a in (-1, 1) for b in (-1, 1)]


def _put(out, parts, place, tilt, yaw):
    """Add parts, leant back by ``tilt`` and turned to the left by ``yaw`` degrees."""
    for solid, material in parts:
        out.add(solid.rotate((0, 0, tilt)).rotate((0, yaw, 0)).translate(place), material)


_FAMILIES = (  # and how often each is drawn
    (_monitor, 4),
    (_television, 2.5),
    (_tube, 2),
    (_retro, 2),
    (_laptop, 1),
    (_arms, 1.7),
    (_bracket, 1.7),
    (_signage, 2),
)
