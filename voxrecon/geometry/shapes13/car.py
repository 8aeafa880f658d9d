# SPDX-License-Identifier: MIT
"""Cars: with closed cabins of many outlines, open, pickups, old-timers, buggies and racers."""

from __future__ import annotations

import numpy as np

from ..materials import Plain, fabric, metal, paint
from ..solids import (
    Assembly,
    beam,
    block,
    both_sides,
    box,
    ellipsoid,
    extrude,
    hull,
    pipe,
    rod,
    rounded_loft,
    union,
)

_OUTLINES = {  # ranges of length, width, height, shares of bonnet and boot, slope of the rear
    "saloon": ((3.9, 5.3), (1.5, 2.0), (1.3, 1.55), (0.24, 0.33), (0.13, 0.22), (0.4, 0.7)),
    "hatchback": ((3.1, 4.2), (1.4, 1.9), (1.35, 1.65), (0.18, 0.28), (0.0, 0.03), (0.1, 0.5)),
    "micro": ((2.2, 2.9), (1.3, 1.65), (1.4, 1.8), (0.05, 0.2), (0.0, 0.03), (0.0, 0.3)),
    "estate": ((4.2, 5.2), (1.5, 1.9), (1.4, 1.65), (0.22, 0.3), (0.0, 0.02), (0.1, 0.4)),
    "coupe": ((3.8, 4.8), (1.6, 2.1), (1.0, 1.3), (0.26, 0.45), (0.02, 0.15), (0.7, 1.3)),
    "limousine": ((5.8, 7.8), (1.6, 2.0), (1.4, 1.6), (0.18, 0.24), (0.1, 0.16), (0.3, 0.5)),
    "van": ((3.9, 5.8), (1.5, 2.1), (1.9, 2.7), (0.05, 0.2), (0.0, 0.01), (0.0, 0.08)),
    "bus": ((4.2, 6.2), (1.6, 2.2), (1.9, 2.8), (0.02, 0.14), (0.0, 0.01), (0.0, 0.1)),
    "pickup": ((4.2, 6.0), (1.5, 2.1), (1.5, 2.0), (0.2, 0.3), (0.3, 0.5), (0.05, 0.3)),
    "jeep": ((3.1, 4.8), (1.5, 2.0), (1.7, 2.15), (0.22, 0.34), (0.0, 0.02), (0.0, 0.2)),
    "roadster": ((3.2, 4.7), (1.4, 1.9), (1.1, 1.35), (0.3, 0.46), (0.15, 0.26), (0.3, 0.6)),
}
_BOXY = ("van", "bus", "jeep", "pickup")
_BLACK, _GLASS = Plain((0.08, 0.08, 0.09)), Plain((0.2, 0.26, 0.32))
_LAMP, _TAIL = Plain((0.95, 0.93, 0.8)), Plain((0.75, 0.05, 0.05))


def car(rng: np.random.Generator) -> Assembly:
    """A body on four wheels, its bonnet to +x. In metres."""
    out = Assembly()
    builds = (_production, _beetle, _vintage, _formula, _buggy)
    builds[rng.choice(5, p=(0.5, 0.07, 0.13, 0.15, 0.15))](out, rng)
    return out


def _slab(x, y, half):
    """A box across the car, between two places along it and two heights."""
    return box((x[0], y[0], -half), (x[1], y[1], half))


def _pair(x, y, z):
    """A box and its mirror image, between two places along each axis."""
    return both_sides(box(*zip(x, y, z, strict=True)))


def _arch(x, low, high, half, top, radius=0.05):
    """A bent tube over the car at two places along it, one of its foot and one of its top."""
    a, b = (x[0], low, half), (x[1], high, top)
    return pipe([a, b, (*b[:2], -top), (*a[:2], -half)], radius)


def _wheels(out, rng, axles, radius, z, width):
    """Pairs of wheels; ``z`` is where their outer faces are."""
    hub, spokes, rim = metal(rng), int(rng.choice((0, 0, 4, 5, 6))), radius * rng.uniform(0.5, 0.72)
    for x in axles:
        tyre = rod((x, radius, z - width), (x, radius, z), radius)
        if spokes:
            tyre -= rod((x, radius, z - 0.04), (x, radius, z + 1), rim)
            for t in np.arange(spokes) * 2 * np.pi / spokes:
                end = (x + rim * np.cos(t), radius + rim * np.sin(t), z - 0.02)
                out.add(both_sides(beam((x, radius, z - 0.02), end, 0.07, 0.07)), hub)
        else:
            out.add(both_sides(rod((x, radius, z - 0.05), (x, radius, z + 0.02), rim)), hub)
        out.add(both_sides(tyre), _BLACK)


def _glaze(out, cabin, sill, roof, heights, half, posts, cover, glass=True, rear=True):
    """A cabin with windows cut into its sides between posts, and into its ends.

    ``sill`` and ``roof`` are where it begins and ends along x at the two heights.
    """
    (a, b), (c, d), (low, high), middle = sill, roof, heights, sum(roof) / 2
    side = extrude([(a + 0.16, low), (b - 0.2, low), (d - 0.1, high), (c + 0.1, high)], "z", -3, 3)
    low_z, high_z = 0.84 * half[0], 0.84 * half[1]
    pane = [(-low_z, low), (low_z, low), (high_z, high), (-high_z, high)]
    cuts = [side - union(_slab((x, x + 0.1), (0, 9), 3) for x in posts)]
    cuts += [extrude(pane, "x", -9 if rear else middle, 9)]
    inner = 0.975 if glass else 0.9
    inside = cabin.translate((-middle, -low, 0)).scale((inner, inner, inner - 0.01))
    inside = inside.translate((middle, low, 0))
    out.add(cabin - union(cuts) - inside, cover)
    if glass:
        out.add(inside, _GLASS)


def _production(out, rng):
    """One of the outlines above: lower body, cabin or cockpit, wheels, extras."""
    kind = str(rng.choice((*_OUTLINES, "pickup", "jeep", "roadster")))
    length, width, height, bonnet, boot, slope = (rng.uniform(*span) for span in _OUTLINES[kind])
    front, rear, half, cover = length / 2, -length / 2, width / 2, paint(rng)
    tall = kind in ("pickup", "jeep") or rng.random() < 0.15
    r = rng.uniform(0.36, 0.6) if tall else rng.uniform(0.27, 0.36)
    r = min(r, 0.15 * length)
    low = r * (rng.uniform(0.8, 1.4) if tall else rng.uniform(0.45, 0.8))
    height += max(0.0, low - 0.35)
    belt = low + (height - low) * rng.uniform(0.46, 0.6)
    a, b = max(rear + boot * length, rear + 0.06), front - bonnet * length  # of the cabin
    sunk = 0.35 if kind in ("coupe", "micro", "roadster") else 0.2
    nose = belt - rng.uniform(0, sunk) * (belt - low)
    tail = belt - rng.uniform(-0.05, 0.2) * (belt - low)
    tip = half * rng.uniform(0.75, 0.97)
    rows = [(rear, tip, low + 0.1, tail - 0.03), (rear + 0.12, half * 0.97, low, tail)]
    rows += [(max(a, rear + 0.2), half, low, belt), (b, half, low, belt)]
    rows += [(front - 0.25, (half + tip) / 2, low, nose + 0.04)]
    rows += [(front, tip, low + 0.1, nose - 0.06)]
    body = rounded_loft(rows, rng.uniform(0.15, 0.3) if kind in _BOXY else rng.uniform(0.2, 0.5))
    axles = (max(rear + length * rng.uniform(0.15, 0.24), rear + r + 0.1),)
    axles += (min(front - length * rng.uniform(0.13, 0.22), front - r - 0.1),)
    gap = r * rng.uniform(1.1, 1.3)
    body -= union(both_sides(rod((x, r, half - 0.35), (x, r, half + 1), gap)) for x in axles)
    _wheels(out, rng, axles, r, half + rng.uniform(-0.04, 0.06), rng.uniform(0.2, 0.32))
    out.add(_slab((rear + 0.3, front - 0.3), (low * 0.8, low + 0.15), half - 0.36), _BLACK)
    if kind == "pickup":
        floor = max(low + 0.2, min(r + gap + 0.05, belt - 0.12))  # above the wheels
        body -= _slab((rear + 0.2, a - 0.08), (floor, 9), half - 0.13)
        _load(out, rng, (rear, a), belt, height, half)

    if kind == "roadster" or (kind in ("jeep", "coupe", "saloon") and rng.random() < 0.25):
        a, floor = max(a, rear + 0.25), low + 0.2
        wall = half - (0.36 if a < axles[0] + gap else 0.16)  # between the wheels or before them
        side = rng.choice((-1, 1))
        far = 0.08 * side if rng.random() < 0.25 else -wall * side  # one side may be covered
        body -= box((a, floor, far), (b - 0.25, 9, wall * side))
        _cockpit(out, rng, (a, b - 0.25), low + 0.15, belt, height, half - 0.1, cover)
    else:
        body = _cabin(out, rng, kind, body, (a, b), slope, (low, belt, height), half, cover)
    out.add(body, cover)

    trim, y = (metal(rng) if rng.random() < 0.5 else _BLACK), low + rng.uniform(0.16, 0.28)
    for x, way, top, lamp in ((rear, -1, tail, _TAIL), (front, 1, nose, _LAMP)):
        at = (x - 0.09 * way, top - rng.uniform(0.17, 0.24), 0.66 * tip)
        shape = rod((x - 0.2 * way, *at[1:]), (x + 0.02 * way, *at[1:]), 0.1)
        out.add(both_sides(shape if trim is _BLACK else block((0.2, 0.12, 0.24), at)), lamp)
        bumper = (x - 0.2 * way, x + rng.uniform(0.02, 0.12) * way)
        out.add(_slab(bumper, (low + 0.05, y), tip), trim)
    out.add(block((0.1, 0.18, 0.75 * tip), (front - 0.03, nose - 0.22, 0)), _BLACK)

    hinge, reach, side = b - 0.15, min(1.1, 0.5 * (b - a) + 0.2), rng.choice((-1, 1))
    if rng.random() < 0.2:  # an open door
        t, y, z = rng.uniform(0.7, 1.2), (low + belt) / 2, half - 0.06
        end = (hinge - reach * np.cos(t), y, side * (z + reach * np.sin(t)))
        out.add(beam((hinge, y, side * z), end, 0.1, belt - low - 0.05), cover)
        frame = (hinge - reach, low + 0.08, 0), (hinge, belt - 0.1, side * (half + 0.012))
        out.add(box(*frame), _BLACK)
    else:
        out.add(both_sides(block((0.13, 0.14, 0.22), (b - 0.3, belt + 0.09, half + 0.05))), cover)
    if kind == "jeep" or (tall and rng.random() < 0.4):  # a spare wheel
        y, z = rng.uniform(low + 0.3, belt), rng.choice((-0.3, 0, 0.3)) * half
        out.add(rod((rear - 0.2, y, z), (rear + 0.1, y, z), r * 0.95), _BLACK)
        out.add(rod((rear - 0.215, y, z), (rear, y, z), r * 0.5), cover)
    elif kind in ("coupe", "saloon", "hatchback") and rng.random() < 0.35:  # a spoiler
        y, z = tail + rng.uniform(0.12, 0.35), 0.5 * half
        out.add(block((0.3, 0.07, 1.9 * half), (rear + 0.12, y, 0)), cover)
        out.add(_pair((rear + 0.06, rear + 0.18), (tail - 0.15, y), (z, z + 0.09)), _BLACK)
    elif kind in ("saloon", "roadster", "limousine") and rng.random() < 0.4:  # tail fins
        fin = [(a, belt - 0.1), (rear - 0.15, belt + rng.uniform(0.1, 0.3))]
        fin = extrude([*fin, (rear + 0.05, low + 0.3)], "z", 0.82 * half, 0.93 * half)
        out.add(both_sides(fin), cover)


def _load(out, rng, ends, belt, height, half):
    """A hoop over the bed of a pickup, or something on it."""
    (a, b), kind = ends, rng.choice(("none", "hoop", "crate", "hood"))
    if kind == "hoop":
        out.add(_arch((b - 0.2, b - 0.25), belt - 0.2, height, half - 0.1, half * 0.75), _BLACK)
    elif kind == "crate":
        x, z = rng.uniform(a + 0.6, b - 0.5), rng.uniform(-0.4, 0.4) * half
        out.add(block((0.8, 0.9, 0.8), (x, belt, z)), fabric(rng, 4))
    elif kind == "hood":
        top = height + rng.uniform(-0.1, 0.4)
        out.add(_slab((a + 0.04, b - 0.15), (belt - 0.1, top), 0.9 * half), fabric(rng, 4))


def _cabin(out, rng, kind, body, sill, slope, heights, half, cover):
    """The upper part of a closed car; returns the body, hollowed where its windows are open."""
    (a, b), (low, belt, high) = sill, heights
    c, rake = a + slope * (high - belt), rng.uniform(0.1, 0.5) if kind in _BOXY else 0.9
    roof = (c, max(b - rake * rng.uniform(0.6, 1.4) * (high - belt), c + 0.5))
    base = 0.97 * half
    top = base * (rng.uniform(0.88, 0.97) if kind in ("van", "bus") else rng.uniform(0.7, 0.92))
    levels = ((belt - 0.06, sill, base), (high - 0.06, roof, top))
    levels += ((high, (c + 0.15, roof[1] - 0.15), 0.8 * top),)
    shape = hull((x, y, s * z) for y, ends, z in levels for x in ends for s in (-1, 1))
    posts = np.arange(roof[1] - rng.uniform(0.4, 0.9), c, -rng.uniform(0.7, 1.2))
    posts = [*posts] or [(a + b) / 2]
    if kind == "van" and rng.random() < 0.6:  # no windows but the driver's
        posts += [*np.arange(posts[0], a - 1, -0.1)]
    glass = kind == "van" or rng.random() < 0.5
    if not glass:
        body -= _slab((a + 0.25, b - 0.3), (low + 0.2, 9), half - 0.36)
        for x in np.arange(b - 1.2, a + 0.5, -0.9):
            _seats(out, rng, x, low + 0.15, belt, half - 0.3)
    panes, colour = (belt + 0.03, high - 0.16), paint(rng) if rng.random() < 0.25 else cover
    _glaze(out, shape, sill, roof, panes, (base, top), posts, colour, glass, kind != "van")
    _on_roof(out, rng, roof, high, top)
    return body


def _on_roof(out, rng, roof, y, half):
    """A load, a roof box, a sign or lamps, but mostly nothing."""
    kind = rng.choice(("none", "none", "none", "load", "box", "sign", "lamps"))
    (a, b), middle = roof, sum(roof) / 2
    if kind == "load" and b - a > 0.6:
        rail = 0.7 * half
        out.add(_pair((a + 0.1, b - 0.1), (y - 0.06, y + 0.08), (rail, rail + 0.09)), metal(rng))
        z = np.sort(rng.uniform(-0.8, 0.8, 2)) * half + (-0.2, 0.2)
        top = y + rng.uniform(0.15, 0.4)
        out.add(box((a + 0.2, y - 0.03, z[0]), (b - 0.2, top, z[1])), fabric(rng, 4))
    elif kind == "box" and b - a > 0.6:
        rows = [(a - 0.1, 0.2, y - 0.01, y + 0.2), (middle, 0.35, y - 0.03, y + 0.32)]
        shape = rounded_loft([*rows, (b + 0.2, 0.15, y - 0.01, y + 0.15)], 0.4)
        out.add(shape.translate((0, 0, rng.choice((-0.35, 0.35)) * half)), _BLACK)
    elif kind == "sign":
        out.add(block((0.2, 0.3, 0.6), (middle, y + 0.08, 0)), Plain((0.95, 0.8, 0.1)))
    elif kind == "lamps":
        bar = block((0.22, 0.2, 0.7 * half), (middle, y + 0.05, 0.4 * half))
        out.add(both_sides(bar), Plain((0.1, 0.2, 0.85)))


def _seats(out, rng, x, floor, belt, half):
    """A row of two seats, from the floor to above the belt."""
    seat = fabric(rng, 4)
    for z in (-0.5 * half, 0.5 * half):
        out.add(block((0.5, 0.3, 0.7 * half), (x, floor + 0.15, z)), seat)
        out.add(beam((x - 0.2, floor, z), (x - 0.35, belt + 0.15, z), 0.65 * half, 0.14), seat)


def _steering(out, x, y, z):
    """A steering wheel on its column."""
    out.add(rod((x + 0.3, y - 0.2, z), (x, y + 0.02, z), 0.05), _BLACK)
    out.add(rod((x + 0.03, y, z), (x - 0.03, y + 0.03, z), 0.19), _BLACK)


def _cockpit(out, rng, ends, floor, belt, height, half, cover):
    """Seats, wheel and windscreen of an open car; perhaps a hoop, a folded or raised roof."""
    (a, b), lean, top = ends, rng.uniform(0.05, 0.4), max(height - 0.05, belt + 0.3)
    _seats(out, rng, (a + b) / 2 - 0.1, floor, belt, half)
    _steering(out, b - 0.2, belt, rng.choice((-0.5, 0.5)) * half)
    screen = [(-0.92 * half, belt - 0.1), (0.92 * half, belt - 0.1)]
    screen += [(0.8 * half, top), (-0.8 * half, top)]
    pane = [(0.84 * z, max(y - 0.08, belt + 0.02)) for z, y in screen]
    slant = np.array([(1, -lean, 0, b + 0.2 + lean * belt), (0, 1, 0, 0), (0, 0, 1, 0)])
    frame = extrude(screen, "x", -0.045, 0.045) - extrude(pane, "x", -1, 1)
    out.add(frame.transform(slant), cover)
    out.add(extrude(screen, "x", -0.03, 0.03).transform(slant), _GLASS)
    kind = rng.choice(("none", "hoop", "folded", "canvas"))
    if kind == "hoop":
        out.add(_arch((a + 0.06, a), belt - 0.3, top, 0.85 * half, 0.7 * half), _BLACK)
    elif kind == "folded":
        out.add(_slab((a - 0.2, a + 0.12), (belt - 0.1, belt + 0.17), 0.85 * half), fabric(rng, 4))
    elif kind == "canvas":
        side = [(a - 0.1, belt - 0.06), (a + 0.05, belt - 0.06), (a + 0.2, top - 0.04)]
        end = b + 0.2 - lean * (top - belt)
        side += [(end, top - 0.04), (end, top + 0.05), (a + 0.1, top + 0.05)]
        out.add(extrude(side, "z", -0.86 * half, 0.86 * half), fabric(rng, 4))


def _beetle(out, rng):
    """A round-backed car with bulging mudguards."""
    length, half, height = rng.uniform(3.2, 4.4), rng.uniform(0.6, 0.8), rng.uniform(1.3, 1.75)
    cover, r, front, z = paint(rng), rng.uniform(0.3, 0.4), length / 2, half + 0.1
    belt, x = height * rng.uniform(0.52, 0.6), 0.2 * length
    rows = [(-front, half * 0.5, 0.35, 0.55), (-front + 0.25, half * 0.8, 0.28, belt * 0.85)]
    rows += [(-x, half, 0.25, belt), (x, half, 0.25, belt)]
    rows += [(front - 0.3, half * 0.75, 0.28, belt * 0.9), (front, half * 0.4, 0.35, belt * 0.6)]
    out.add(rounded_loft(rows, 0.5), cover)
    a, d, t = -front + 0.2, front - length * rng.uniform(0.26, 0.34), np.linspace(0, np.pi / 2, 5)
    foot = 0.7 * belt
    xs = [*(a + (0.55 * length - 0.5) * (1 - np.cos(t))), d - 0.35, d - 0.2, d]
    ys = [*(foot + (height - foot) * np.sin(t)), height - 0.05, height - 0.16, belt - 0.05]
    zs = np.interp(ys, (belt, height), (0.95 * half, 0.75 * half))
    shape = hull((x, y, s * z) for x, y, z in zip(xs, ys, zs, strict=True) for s in (-1, 1))
    roof, panes = (a + 0.75, d - 0.25), (belt + 0.04, height - 0.17)
    _glaze(out, shape, (a + 0.35, d), roof, panes, (0.9 * half, 0.75 * half), [d - 1.15], cover)
    axles, bulge = (-0.29 * length, 0.3 * length), r * rng.uniform(1.4, 1.8)
    for x in axles:
        guard = ellipsoid((x, r, z - 0.12), (bulge, 0.9 * bulge, 0.28))
        guard -= rod((x, r * 0.9, z - 0.2), (x, r * 0.9, z + 1), r * 1.08)
        out.add(both_sides(guard - _slab((x - 2, x + 2), (-1, r * 0.7), 2)), cover)
    out.add(_pair(axles, (0.24, 0.33), (half - 0.2, z)), _BLACK)
    _wheels(out, rng, axles, r, z + 0.02, 0.22)
    lamp = (axles[1] + bulge * 0.7, r * 1.75, z - 0.13)
    out.add(both_sides(rod(lamp, (lamp[0] + 0.22, *lamp[1:]), 0.13)), _LAMP)
    for x in (-front, front):
        out.add(block((0.12, 0.12, 2.1 * half), (x, 0.4, 0)), metal(rng))
    _on_roof(out, rng, roof, height, 0.7 * half)


def _vintage(out, rng):
    """A motor car of the nineteen-twenties: upright, with mudguards and running boards."""
    length, half, height = rng.uniform(3.0, 4.7), rng.uniform(0.48, 0.66), rng.uniform(1.6, 2.2)
    cover, dark, front = paint(rng), Plain((0.1,) * 3), length / 2
    r, low, belt = rng.uniform(0.34, 0.5), rng.uniform(0.4, 0.55), rng.uniform(1.05, 1.2)
    b, nose = front - rng.uniform(0.28, 0.42) * length - 0.2, rng.uniform(0.5, 0.75) * half
    rear, axles, z = rng.uniform(0.15, 0.5) - front, (-front + r + 0.1, front - r), half + 0.17
    rows = [(b - 0.05, half, low, belt), (front - 0.2, nose, low, belt - 0.06)]
    out.add(rounded_loft(rows, 0.35), cover)
    out.add(_slab((front - 0.22, front - 0.1), (low - 0.02, belt), 0.85 * nose), metal(rng))
    _wheels(out, rng, axles, r, z, rng.uniform(0.12, 0.18))
    t = np.linspace(rng.uniform(-0.1, 0.3), np.pi - rng.uniform(-0.1, 0.2), 8)
    inner, outer = (k * r * np.stack((np.cos(t), np.sin(t)), 1) + (0, r) for k in (1.15, 1.38))
    guard = both_sides(extrude([*inner, *outer[::-1]], "z", half * 0.55, z + 0.03))
    for x in axles:
        out.add(guard.translate((x, 0, 0)), dark)
        out.add(rod((x, r, 0.05 - z), (x, r, z - 0.05), 0.06), dark)
        out.add(_pair((x - 0.1, x + 0.1), (r, low + 0.1), (0.3, 0.42)), dark)
    board = (axles[0] + r, axles[1] - r)
    out.add(_pair(board, (low - 0.1, low - 0.01), (half - 0.3, z + 0.03)), dark)
    x, y = front - 0.15, belt - 0.2
    out.add(both_sides(rod((x, y, nose + 0.12), (x + 0.2, y, nose + 0.12), 0.14)), _LAMP)
    out.add(rod((x, y, -nose), (x, y, nose), 0.05), dark)
    tub = _slab((rear, b), (low, belt), half)
    if rng.random() < 0.5:
        levels = ((belt - 0.02, (rear, b), half), (height - 0.05, (rear + 0.05, b - 0.08), half))
        levels += ((height + 0.03, (rear + 0.15, b - 0.1), 0.7 * half),)
        points = [(x, y, s * z * 0.98) for y, xs, z in levels for x in xs for s in (-1, 1)]
        posts, panes = (
            np.arange(b - rng.uniform(0.6, 0.9), rear, -0.7),
            (belt + 0.05, height - 0.13),
        )
        colour, glass = (dark if rng.random() < 0.5 else cover), rng.random() < 0.5
        if not glass:
            tub -= _slab((rear + 0.13, b - 0.15), (low + 0.2, 9), half - 0.1)
            _seats(out, rng, (rear + b) / 2, low + 0.15, belt, half - 0.05)
        roof = (rear + 0.05, b)
        _glaze(out, hull(points), (rear, b), roof, panes, (half, half), posts, colour, glass)
    else:
        tub -= _slab((rear + 0.13, b - 0.15), (low + 0.2, 9), half - 0.1)
        _cockpit(out, rng, (rear + 0.1, b - 0.15), low + 0.15, belt, height, half - 0.03, dark)
    out.add(tub, cover)
    side, x, y = rng.choice((-1, 0, 1)), axles[1] - 1.75 * r, low + 0.8 * r
    near, far = (0.7 * half * side, (half + 0.15) * side) if side else (rear + 0.05, rear - 0.17)
    ends = ((x, y, near), (x, y, far)) if side else ((near, y, 0), (far, y, 0))
    out.add(rod(*ends, r * 0.9), _BLACK)  # the spare wheel, on a side or at the back


def _formula(out, rng):
    """A single-seater with free wheels: a cigar of the sixties, or with wings and pods."""
    length, half = rng.uniform(3.4, 5.4), rng.uniform(0.72, 1.05)
    cover, other, front = paint(rng), paint(rng), length / 2
    r, wide, x = rng.uniform(0.3, 0.46), rng.uniform(0.25, 0.45), rng.uniform(-0.15, 0.4)
    axles, back = (-front + r + 0.15, front - rng.uniform(0.6, 1.1)), -front + 0.15
    slim, top = rng.uniform(0.3, 0.42), rng.uniform(0.58, 0.8)
    rows = [(back, slim * 0.5, 0.25, 0.5), (-0.25 * length, slim * 0.9, 0.14, top + 0.05)]
    rows += [(x - 0.5, slim, 0.12, top + 0.08), (x + 0.5, slim, 0.12, top)]
    rows += [(axles[1], slim * 0.7, 0.16, top * 0.8), (front - 0.03, slim * 0.35, 0.24, 0.42)]
    body = rounded_loft(rows, rng.uniform(0.3, 0.7))
    out.add(body - _slab((x - 0.35, x + 0.4), (0.35, 2), slim - 0.12), cover)
    out.add(ellipsoid((x - 0.1, top + 0.12, 0), 0.15), other)  # the driver
    out.add(rod((x - 0.1, 0.3, 0), (x - 0.1, top, 0), 0.16), _BLACK)
    _wheels(out, rng, axles[1:], r * rng.uniform(0.8, 1), half, wide * 0.8)
    _wheels(out, rng, axles[:1], r, half, wide)
    for at in axles:
        for dx, y in ((-0.25, 0.24), (0.2, 0.4)):
            out.add(both_sides(rod((at + dx, y, 0), (at, r * 0.9, half - 0.1), 0.045)), _BLACK)
    if rng.random() < 0.7:
        high, span, tip = rng.uniform(0.75, 1.2), rng.uniform(0.6, 0.95) * half, front - 0.3
        rear_wing = ((back - 0.2, high + 0.08, 0), (back + 0.2, high - 0.04, 0))
        out.add(beam(*rear_wing, 2 * span, 0.08), other)
        plate = ((back - 0.25, back + 0.25), (high - 0.3, high + 0.15), (span - 0.04, span + 0.05))
        out.add(_pair(*plate), cover)
        out.add(beam((back, high, 0), (back + 0.35, 0.3, 0), 0.12, 0.12), _BLACK)
        low, span = rng.uniform(0.14, 0.26), rng.uniform(0.75, 1.0) * half
        out.add(beam((tip, low, 0), (front + 0.15, low - 0.05, 0), 2 * span, 0.08), other)
        ends = ((tip, front + 0.2), (low - 0.07, low + 0.2), (span - 0.04, span + 0.05))
        out.add(_pair(*ends), cover)
        out.add(block((0.2, 0.3, 0.2), (front - 0.12, 0.3, 0)), cover)
    if rng.random() < 0.6:
        pod = half * rng.uniform(0.6, 0.85)
        rows = [(axles[0] + r + 0.15, slim, 0.15, 0.4), (x - 0.3, pod, 0.13, 0.55)]
        out.add(rounded_loft([*rows, (x + 0.3, pod * 0.95, 0.15, 0.56)], 0.35), other)
    kind, y = rng.choice(("airbox", "hoop", "halo")), top + rng.uniform(0.28, 0.45)
    if kind == "hoop":
        out.add(_arch((x - 0.4, x - 0.42), top - 0.1, y, 0.18, 0.12), _BLACK)
    else:
        rows = [(back + 0.55, 0.06, 0.4, 0.62), (x - 0.45, 0.17, 0.4, y), (x - 0.34, 0.14, 0.5, y)]
        out.add(rounded_loft(rows, 0.6), cover)
    if kind == "halo":
        tip = (x + 0.5, top + 0.25, 0)
        bow = [(x - 0.4, top + 0.1, 0.22), (x + 0.2, top + 0.28, 0.22), tip]
        out.add(both_sides(pipe(bow, 0.05)) + rod((x + 0.5, top - 0.1, 0), tip, 0.05), _BLACK)


def _buggy(out, rng):
    """A light car of tubes and a tub, on big free wheels."""
    length, half, cover = rng.uniform(2.4, 4.0), rng.uniform(0.65, 1.05), paint(rng)
    frame, front, steel = rng.choice((paint, metal))(rng), length / 2, metal(rng)
    big, tyre = rng.uniform(0.32, 0.55), rng.uniform(0.2, 0.38)
    radii = (big, big * rng.uniform(0.7, 1.0))
    low, slim = rng.uniform(0.26, 0.5), half * rng.uniform(0.48, 0.7)
    belt, height = low + rng.uniform(0.25, 0.45), low + rng.uniform(0.95, 1.4)
    a, b = -rng.uniform(0.2, 0.3) * length, rng.uniform(0.1, 0.22) * length
    axles = (-front + big, front - radii[1])
    rows = [(a - 0.1, slim * 0.9, low, belt), (b, slim, low, belt)]
    rows += [(front - 0.1, slim * rng.uniform(0.35, 0.8), low + 0.08, belt - 0.08)]
    out.add(rounded_loft(rows, 0.35) - _slab((a, b), (low + 0.12, 9), slim - 0.1), cover)
    for x, r in zip(axles, radii, strict=True):
        _wheels(out, rng, (x,), r, half, tyre)
        out.add(rod((x, r, 0.1 - half), (x, r, half - 0.1), 0.06), _BLACK)
        for dx in (-0.25, 0.25):
            joint = (np.clip(x + dx, a, front - 0.35), low + 0.15, 0.5 * slim)
            out.add(both_sides(rod(joint, (x, r, half - 0.15), 0.045)), frame)
    _seats(out, rng, (a + b) / 2 - 0.15, low + 0.08, belt + 0.15, slim - 0.05)
    _steering(out, b - 0.2, belt + 0.1, rng.choice((-0.45, 0.45)) * slim)
    top, foot, lean = slim * rng.uniform(0.75, 1.0), slim - 0.05, rng.uniform(0.2, 0.5)
    kind = rng.choice(("hoop", "cage", "braced", "roofed"))
    out.add(_arch((a - 0.05, a), belt - 0.1, height, foot, top), frame)
    if kind != "hoop":
        out.add(_arch((b + 0.1, b - lean), belt - 0.1, height, foot, top), frame)
        out.add(both_sides(pipe([(a, height, top), (b - lean, height, top)], 0.05)), frame)
    if kind in ("hoop", "braced"):
        path = [(a, height, top), (-front + 0.1, belt, foot * 0.8), (a, low + 0.1, foot * 0.8)]
        out.add(both_sides(pipe(path, 0.05)), frame)
    elif kind == "roofed":
        sheet = ((a - 0.1, b - lean + 0.1), (height, height + 0.08), top + 0.06)
        out.add(_slab(*sheet), cover)
    if rng.random() < 0.7:  # the engine and its exhausts
        out.add(block((0.5, 0.4, 0.55), (a - 0.25, low + 0.2, 0)), steel)
        exhaust = rod((a - 0.4, low + 0.3, 0.2), (-front - 0.1, low + 0.55, 0.25), 0.06)
        out.add(both_sides(exhaust) if rng.random() < 0.5 else exhaust, steel)
    lamp = (front - 0.35, belt + 0.02, 0.3 * slim)
    out.add(both_sides(rod(lamp, (lamp[0] + 0.25, belt + 0.05, lamp[2]), 0.11)), _LAMP)
