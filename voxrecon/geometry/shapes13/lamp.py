# SPDX-License-Identifier: MIT
"""Lamps: on tables, floors and desks, hanging, on walls and posts, with many kinds of shade."""

from __future__ import annotations

import numpy as np

from ..materials import Plain, fabric, metal, paint, plastic, wood
from ..solids import (
    Assembly,
    beam,
    block,
    ellipsoid,
    hull,
    lathe,
    pipe,
    rod,
    rounded_box,
    union,
)

THIN = 0.022  # the thickness of rods and shades, as a part of the lamp's height
GLOW = Plain((1.0, 0.95, 0.72))


def lamp(rng: np.random.Generator) -> Assembly:
    """A source of light, a shade or several, and what carries them. In metres."""
    out = Assembly()
    families, weights = zip(*_FAMILIES, strict=True)
    family = families[rng.choice(len(families), p=np.array(weights) / sum(weights))]
    frame = rng.choice((metal, metal, wood, paint, plastic))(rng)
    family(out, rng, frame, _cover(rng))
    return out


def _cover(rng):
    """What a shade is made of: mostly something pale."""
    if rng.random() < 0.45:
        return Plain((rng.uniform(0.88, 1), rng.uniform(0.82, 0.9), rng.uniform(0.55, 0.85)))
    return fabric(rng, 0.6) if rng.random() < 0.5 else rng.choice((paint, metal))(rng)


def _table(out, rng, frame, cover):
    """A body of any kind, and a shade over it."""
    height, radius = rng.uniform(0.22, 0.5), rng.uniform(0.05, 0.13)
    t = THIN * 1.5 * height
    body = rng.choice(("turned", "turned", "stack", "block", "hoop", "rod", "tripod"))
    if body == "turned":
        y = np.linspace(0.03, 0.97, 10)
        r = radius * np.clip(0.55 + 0.5 * np.sin(rng.uniform(2, 13) * y + rng.uniform(0, 6)), 0, 1)
        r = np.maximum(r * np.interp(y, (0, 0.7, 1), (1, 1, 0.3)), 0.8 * t)
        rings = [*zip(r, y * height, strict=True)]
        solid = lathe([(0, 0), (radius * 0.8, 0), *rings, (t / 2, height), (0, height)])
    elif body == "stack":
        count = int(rng.integers(2, 5))
        size, flat = height / (count + 0.3), rng.uniform(0.7, 1.3)
        solid = union(
            ellipsoid((0, size * (k + 0.5), 0), (size * flat / 2, size * 0.53, size * flat / 2))
            for k in range(count)
        )
    elif body == "block":
        size = (radius * rng.uniform(0.6, 2), height * rng.uniform(0.6, 0.9))
        solid = block((*size, radius * rng.uniform(0.8, 2.6)), (0, size[1] / 2, 0))
    elif body == "hoop":
        turn, half = np.linspace(0, 2 * np.pi, 13), height * 0.42
        wide = half * rng.uniform(0.5, 1.1)
        ring = [(0, half * (1 - np.cos(a)) + t, wide * np.sin(a)) for a in turn]
        solid = pipe(ring, t * rng.uniform(0.7, 1.2))
    elif body == "tripod":
        solid = _legs(rng, 3, height * 0.97, height * rng.uniform(0.3, 0.6), t * 0.6)
    else:
        solid = rod((0, 0, 0), (0, height, 0), t * rng.uniform(0.5, 1.2))
    out.add(solid, rng.choice((paint, wood, plastic, metal))(rng) if rng.random() < 0.5 else frame)
    if body in ("rod", "hoop") or (body != "tripod" and rng.random() < 0.4):
        _plate(out, rng, radius * rng.uniform(1.05, 1.6), t, frame)
    reach = min(radius * rng.uniform(1.1, 2.8), height * rng.uniform(0.45, 0.7))
    tall = min(reach * rng.uniform(0.7, 1.9), height * rng.uniform(0.5, 1))
    top = height + tall * rng.uniform(0.75, 1.05)
    low = height * (0.84 if body == "hoop" else 0.55)
    out.add(rod((0, low, 0), (0, top - t / 2, 0), t / 2), frame)
    _upright(out, rng, (0, top, 0), reach, tall, t, cover)


def _floor(out, rng, frame, cover):
    """A pole from a foot to a shade or an upturned bowl, perhaps with a tray or a reading arm."""
    height, t = rng.uniform(1.2, 1.9), THIN * 1.55
    lean = rng.uniform(0, 0.25) if rng.random() < 0.25 else 0.0
    foot = rng.choice(("plate", "plate", "tripod", "legs"))
    if foot == "plate":
        _plate(out, rng, rng.uniform(0.13, 0.24), t, frame)
        out.add(rod((-lean / 2, 0, 0), (lean / 2, height - t / 2, 0), t * 0.55), frame)
    else:
        top = height * (rng.uniform(0.72, 0.85) if foot == "tripod" else rng.uniform(0.15, 0.4))
        lean = 0.0
        count = int(rng.integers(3, 5))
        out.add(_legs(rng, count, top, rng.uniform(0.2, 0.45), t * rng.uniform(0.55, 0.8)), frame)
        out.add(rod((0, top - 2 * t, 0), (0, height - t / 2, 0), t * 0.6), frame)
    radius = rng.uniform(0.14, 0.32)
    if rng.random() < 0.25:
        kind = rng.choice(("dome", "bell", "cone"))
        place = (lean / 2, height - t, 0)
        _head(out, rng, place, kind, radius, radius * rng.uniform(0.4, 0.9), t, cover, tilt=180)
    else:
        tall = radius * rng.uniform(0.7, 2.2)
        _upright(out, rng, (lean / 2, height, 0), radius, tall, t, cover)
    if rng.random() < 0.3 and foot == "plate":
        y, side = height * rng.uniform(0.35, 0.7), rng.choice((-1, 1))
        if rng.random() < 0.5:
            wide = rng.uniform(0.15, 0.25)
            disc = lathe([(0, 0), (wide, 0), (wide, t), (0, t)], (0, y, side * wide * 0.6))
            out.add(disc, wood(rng))
        else:
            end = (0.12, y + 0.12, side * rng.uniform(0.2, 0.35))
            out.add(pipe([(0, y, 0), (0.06, y + 0.1, end[2] / 2), end], t / 2), frame)
            _head(out, rng, end, "cone", 0.1, 0.16, t, cover, rng.uniform(0, 50), 0)


def _arc(out, rng, frame, cover):
    """A heavy foot, and a bow from which a shade hangs far to one side."""
    height, reach = rng.uniform(1.4, 2.0), rng.uniform(0.6, 1.4)
    t, yaw = THIN * 1.8, _yaw(rng)
    share = np.linspace(0, 1, 9) * rng.uniform(1.7, 2.6)
    x = reach * (1 - np.cos(share)) / (1 - np.cos(share[-1]))
    path = np.column_stack((x, 0.03 + height * np.sin(share), 0 * x))
    path = np.concatenate((path, path[-1:] - (0, rng.uniform(0.05, 0.2), 0)))
    path = path @ _turn(yaw)
    out.add(pipe(path, t * rng.uniform(0.5, 0.75)), frame)
    _plate(out, rng, rng.uniform(0.15, 0.28), rng.uniform(0.04, 0.12), paint(rng))
    radius = rng.uniform(0.14, 0.3)
    kind = rng.choice(("dome", "globe", "drum", "cone", "bell", "facets"))
    height = radius * rng.uniform(0.6, 1.3)
    _head(out, rng, path[-1] + (0, t / 2, 0), kind, radius, height, t, cover)


def _desk(out, rng, frame, cover):
    """A head on an arm of two jointed beams, on a gooseneck, or on a bracket across the desk."""
    t, yaw = THIN * 0.7, _yaw(rng)
    _plate(out, rng, rng.uniform(0.08, 0.13), rng.uniform(0.02, 0.04), frame)
    kind = rng.choice(("arm", "arm", "goose", "banker"))
    if kind == "banker":
        height, half = rng.uniform(0.28, 0.42), rng.uniform(0.12, 0.2)
        thick, deep = rng.uniform(0.05, 0.08), rng.uniform(0.0, 0.06)
        head = (-deep, height - thick * 0.4, 0)
        out.add(rod((-deep, 0, 0), head, t * rng.uniform(0.5, 0.9)), metal(rng))
        bend = np.linspace(-0.1, np.pi + 0.1, 12)
        arch = [(thick * 1.3 * np.cos(a), thick * np.sin(a)) for a in bend]
        outer = [(x, y, z) for x, y in arch for z in (-half, half)]
        inner = hull((0.8 * x, 0.75 * y - 0.012, 0.96 * z) for x, y, z in outer)
        shell = (hull(outer) - inner).rotate((0, 0, rng.uniform(-20, 5)))
        out.add(shell.translate((0, height - thick * 0.55, 0)), cover)
        out.add(block((2.3 * thick, t, t), (0, height - thick * 0.4, 0)), frame)
        return
    if kind == "arm":
        low, high = rng.uniform(0.2, 0.42), rng.uniform(0.2, 0.42)
        a, b = np.radians((rng.uniform(60, 130), rng.uniform(-35, 45)))
        elbow = np.array((low * np.cos(a), 0.03 + low * np.sin(a), 0))
        path = np.array([(0, 0.02, 0), elbow, elbow + high * np.array((np.cos(b), np.sin(b), 0))])
    else:
        reach, height = rng.uniform(0.12, 0.3), rng.uniform(0.28, 0.5)
        s = np.linspace(0, 1, 8)
        path = np.column_stack((reach * s**2, height * np.sin(2.0 * s) + 0.02, 0 * s))
    path = path @ _turn(yaw)
    if kind == "arm" and rng.random() < 0.7:
        for one, other in zip(path, path[1:], strict=False):
            gap = np.array((0, 0, t)) @ _turn(yaw)
            for side in (-gap, gap):
                out.add(beam(one + side, other + side, t, t * 1.3), frame)
        for place in path:
            out.add(rod(place - 1.7 * gap, place + 1.7 * gap, t * 1.2), plastic(rng))
    else:
        out.add(pipe(path, t * 0.7), frame)
    radius, end = rng.uniform(0.05, 0.12), path[-1] + (0, t * 0.6, 0)
    if kind == "arm" and rng.random() < 0.3:
        long = rng.uniform(0.2, 0.4)
        bar = rounded_box((-0.05 * long, -0.015, -0.04), (long, 0.015, 0.04), 0.01)
        out.add(bar.rotate((0, yaw, 0)).translate(end - (0, t * 0.6, 0)), frame)
    else:
        kind = rng.choice(("cone", "dome", "bell", "drum"))
        tilt = rng.uniform(0, 60)
        _head(out, rng, end, kind, radius, radius * rng.uniform(1, 2), 0.012, cover, tilt, yaw)


def _pendant(out, rng, frame, cover):
    """One shade or several, each on a cord from the ceiling."""
    drop, count = rng.uniform(0.25, 1.3), int(rng.choice((1, 1, 1, 1, 2, 3, 4)))
    kind = rng.choice(("dome", "globe", "drum", "cone", "bell", "facets", "paper", "tulip"))
    radius = rng.uniform(0.1, 0.36) if count == 1 else rng.uniform(0.07, 0.16)
    height = radius * (2 if kind in ("paper", "globe") else 1.4) * rng.uniform(0.6, 1.2)
    t = THIN * max(drop + height, 0.5)
    width = radius * rng.uniform(1.7, 2.9) * (count - 1)
    places = np.linspace(-width / 2, width / 2, count)
    if count == 1:
        _canopy(out, rng, t, frame)
    else:
        out.add(block((0.1, 1.5 * t, width + 4 * t), (0, -0.7 * t, 0)), frame)
    drops = np.full(count, drop)
    if rng.random() < 0.6:
        drops = drops * rng.uniform(0.45, 1, count)
    for z, y in zip(places, drops, strict=True):
        out.add(rod((0, -t, z), (0, -y - t, z), t * 0.5), frame)
        out.add(rod((0, -y - t * 0.5, z), (0, -y + 3 * t, z), t * 1.2, t * 0.7), frame)
        _head(out, rng, (0, -y, z), kind, radius, height, t, cover)


def _chandelier(out, rng, frame, cover):
    """Many lights on arms about a stem, on a ring, or pointing everywhere."""
    drop, reach, t = rng.uniform(0.2, 0.7), rng.uniform(0.25, 0.5), THIN * 0.9
    _canopy(out, rng, t, frame)
    count = int(rng.integers(3, 8))
    turns = np.arange(count) * 2 * np.pi / count + rng.uniform(0, 1)
    kind = rng.choice(("arms", "arms", "ring", "sputnik"))
    if kind == "sputnik":
        out.add(rod((0, -t / 2, 0), (0, -drop - reach, 0), t * 0.5), frame)
        out.add(ellipsoid((0, -drop - reach, 0), reach * 0.2), frame)
        y = 1 - (2 * np.arange(11) + 1) / 11
        turn, level, jitter = 2.4 * np.arange(11), np.sqrt(1 - y**2), rng.uniform(0.8, 1, 11)
        ends = reach * (np.column_stack((level * np.cos(turn), y, level * np.sin(turn))).T * jitter)
        size = reach * rng.uniform(0.07, 0.14)
        for end in ends.T + (0, -drop - reach, 0):
            out.add(rod((0, -drop - reach, 0), end, t * 0.5), frame)
            out.add(rounded_box(end - size, end + size, size), cover)
        return
    dip, lift = rng.uniform(0.05, 0.25), rng.uniform(0.0, 0.2)
    hub = drop + dip + lift
    ends = [(reach * np.cos(a), lift - hub, reach * np.sin(a)) for a in turns]
    if kind == "ring":
        wide, y = reach + t, -hub + lift
        ring = [(wide - 2 * t, y - t), (wide, y - t), (wide, y + t), (wide - 2 * t, y + t)]
        out.add(lathe(ring), frame)
        out.add(rod((0, -t / 2, 0), (0, -0.3 * drop - t, 0), t * 0.7), frame)
        out.add(union(rod((0, -0.3 * drop, 0), end, t * 0.5) for end in ends), frame)
    else:
        r = rng.uniform(0.02, 0.07, 4) + t / 2
        profile = [(0, 0), (t / 2, 0), (t / 2, lift - drop)]
        profile += [*zip(r, lift - drop - dip * np.linspace(0.2, 1, 4), strict=True)]
        out.add(lathe([*profile, (0, -hub - 0.12 * reach)]), frame)
        for end in np.array(ends):
            along = end * (1, 0, 1)
            path = [(0, -hub, 0), along * 0.5 - (0, hub + dip * 0.5, 0), along - (0, hub, 0), end]
            out.add(pipe(path if lift > 0.03 else path[:3], t * 0.5), frame)
    small, lights = reach * rng.uniform(0.13, 0.26), rng.choice(("candle", "up", "down"))
    for x, y, z in ends:
        if lights == "candle":
            out.add(rod((x, y, z), (x, y + small * 1.6, z), t * 0.7), Plain((0.95, 0.93, 0.85)))
            out.add(rod((x, y - t, z), (x, y + t, z), t, small * 0.5), frame)
            tip = (x, y + small * 1.9, z)
            out.add(ellipsoid(tip, (t * 0.8, small * 0.5, t * 0.8)), GLOW)
        else:
            place = (x, y + t * (0.5 if lights == "down" else -0.5), z)
            tilt = 180 if lights == "up" else 0
            shape = "cone" if count > 5 else "tulip"
            _head(out, rng, place, shape, small, small * 1.5, t, cover, tilt)


def _sconce(out, rng, frame, cover):
    """A plate on the wall, and shades on one arm or two, perhaps swung aside."""
    tall, t = rng.uniform(0.1, 0.35), THIN * 0.5
    wide = rng.uniform(0.07, 0.12)
    if rng.random() < 0.5:
        out.add(block((2.5 * t, tall, wide), (0, 0, 0)), frame)
    else:
        out.add(ellipsoid((0, 0, 0), (2 * t, tall / 2, wide * 0.6)), frame)
    radius = rng.uniform(0.05, 0.09)
    reach, rise = radius * 1.1 + rng.uniform(0.02, 0.3), rng.uniform(-0.08, 0.15)
    sides = ((-1, 1), (0,), (float(rng.choice((-1, 1))),))[int(rng.choice((0, 1, 2, 2)))]
    spread = rng.uniform(0.4, 1) * reach
    kind = rng.choice(("cone", "bell", "globe", "tulip", "drum", "dome"))
    up = rng.random() < 0.5
    for side in sides:
        end = np.array((reach, rise, side * max(spread, radius * 1.3)))
        out.add(pipe([(0, 0, 0), (reach * 0.7, -0.04, end[2] * 0.4), end], t * 0.8), frame)
        place = end + (0, t * (-0.5 if up else 0.5), 0)
        _head(out, rng, place, kind, radius, radius * 1.6, t, cover, 180 * up)


def _tree(out, rng, frame, cover):
    """A pole with several heads, each on its own arm and turned its own way."""
    height, t = rng.uniform(1.1, 1.8), THIN * 1.6
    _plate(out, rng, rng.uniform(0.14, 0.22), t, frame)
    count, radius = int(rng.integers(2, 6)), rng.uniform(0.08, 0.16)
    lowest = rng.choice((0.45, 0.85))
    out.add(rod((0, 0, 0), (0, height, 0), t * 0.6), frame)
    kind, up = rng.choice(("cone", "bell", "globe", "tulip")), rng.random() < 0.4
    turn = rng.uniform(0, 360)
    for k in range(count):
        yaw = turn + 360 * k / count + rng.uniform(-25, 25)
        reach, y = rng.uniform(0.15, 0.45), height * (lowest + (0.99 - lowest) * k / (count - 1))
        rise = rng.uniform(0.05, 0.35)
        bow = np.array([(0, y, 0), (reach * 0.4, y + rise, 0), (reach, y + rise * 0.8, 0)])
        bow = bow @ _turn(yaw)
        out.add(pipe(bow, t * 0.5), frame)
        tilt = 180 - rng.uniform(0, 40) if up else rng.uniform(0, 60)
        place = bow[-1] - (0, t * (0.4 if up else -0.4), 0)
        _head(out, rng, place, kind, radius, radius * 1.6, t, cover, tilt, yaw)


def _lantern(out, rng, frame, cover):
    """A glazed case with a roof: with a handle, hung from a bracket, or on a post."""
    sides, radius = int(rng.choice((4, 6, 8))), rng.uniform(0.09, 0.16)
    tall, flare = radius * rng.uniform(1.8, 3.6), rng.uniform(0.65, 1.1)
    stand = rng.choice(("handle", "bracket", "post"))
    foot = rng.uniform(0.3, 1.3) if stand == "post" else 0.0
    t = THIN * max(tall + foot + radius, 2.5 * radius)
    low, high = foot + t, foot + t + tall
    base, top, eaves = (_ring(sides, radius * s, y) for s, y in ((flare, 0), (1, 0), (1.25, 0)))
    up = np.array((0, 1, 0))
    out.add(hull([*(base * 1.1 + foot * up), *(base * 1.1 + low * up)]), frame)
    if rng.random() < 0.5:
        out.add(hull([*(base * 0.88 + (low - t / 2) * up), *(top * 0.88 + high * up)]), GLOW)
    else:
        out.add(rod((0, foot, 0), (0, low + tall * 0.5, 0), radius * 0.3), cover)
        out.add(ellipsoid((0, low + tall * 0.55, 0), (t, tall * 0.15, t)), GLOW)
    posts = zip(base, top, strict=True)
    out.add(union(beam(b + foot * up, a + high * up, t, t) for b, a in posts), frame)
    roof = radius * rng.uniform(0.5, 1.3)
    tip = _ring(sides, radius * rng.uniform(0.1, 0.5), high + roof)
    out.add(hull([*(eaves + (high - t / 2) * up), *(eaves + (high + t / 2) * up), *tip]), frame)
    y = high + roof
    if stand == "bracket":
        reach, bottom = radius * rng.uniform(1.45, 1.9), low + tall * rng.uniform(0.1, 0.5)
        ends = (-reach, bottom, 0), (-reach, y + 3 * t, 0), (0, y + 3 * t, 0), (0, y - t, 0)
        out.add(pipe(ends, t * 0.6), frame)
        out.add(block((1.5 * t, tall * 0.6, radius * 0.6), (-reach, bottom + tall * 0.2, 0)), frame)
    elif stand == "handle":
        r, turn = radius * rng.uniform(0.25, 0.6), np.linspace(0, 2 * np.pi, 9)
        ring = [(0, y - t + r * (1 - np.cos(a)), r * np.sin(a)) for a in turn]
        out.add(pipe(ring, t * 0.6), frame)
    else:
        out.add(rod((0, 0, 0), (0, foot + t / 2, 0), t * 1.1, t * 0.7), frame)
        _plate(out, rng, radius * rng.uniform(0.8, 1.3), t * rng.uniform(1, 3), frame)
        out.add(ellipsoid((0, y, 0), t), frame)


def _mushroom(out, rng, frame, cover):
    """A cap on a stem, or a ball on a foot."""
    radius = rng.uniform(0.1, 0.22)
    stem, t = radius * rng.uniform(0.7, 2.6), radius * 0.1
    slim = radius * rng.uniform(0.15, 0.45)
    foot = max(slim, radius * rng.uniform(0.35, 0.9))
    y = np.linspace(0, 1, 7)
    r = slim + (foot - slim) * (1 - y) ** 2.5
    out.add(lathe([(0, 0), *zip(r, y * stem, strict=True), (0, stem)]), frame)
    if rng.random() < 0.3:
        out.add(ellipsoid((0, stem + radius * 0.85, 0), radius), cover)
    else:
        tall = radius * rng.uniform(0.5, 1.3)
        place = (0, stem + tall * rng.uniform(0.5, 0.9), 0)
        out.add(rod((0, stem * 0.9, 0), np.subtract(place, (0, t / 2, 0)), slim * 0.7), GLOW)
        _head(out, rng, place, "dome", radius, tall, t, cover)


def _legs(rng, count, height, reach, r):
    """Legs that meet at the top, in a ring."""
    turn = rng.uniform(0, 6)
    ends = [turn + 2 * np.pi * k / count for k in range(count)]
    return union(rod((reach * np.cos(a), 0, reach * np.sin(a)), (0, height, 0), r) for a in ends)


def _plate(out, rng, radius, thick, material):
    """A foot: round, square or domed."""
    kind = rng.choice(("disc", "square", "dome"))
    if kind == "square":
        wide = 2 * radius * rng.uniform(0.7, 1)
        out.add(block((2 * radius * 0.8, thick, wide), (0, thick / 2, 0)), material)
    else:
        tall = thick if kind == "disc" else min(radius * 0.4, thick * 2.5)
        edge = thick if kind == "disc" else thick * 0.5
        profile = [(0, 0), (radius, 0), (radius, edge), (radius * 0.5, tall), (0, tall)]
        out.add(lathe(profile), material)


def _canopy(out, rng, t, material):
    """The plate on the ceiling, its underside at 0."""
    r = rng.uniform(0.04, 0.1)
    out.add(lathe([(0, -t), (r * 0.4, -t), (r, t * 0.4), (r, t), (0, t)]), material)


def _upright(out, rng, top, radius, height, t, cover):
    """A shade over a pole that ends at ``top``: mostly open there."""
    kinds = ("cone", "cone", "drum", "drum", "bell", "facets", "facets", "globe", "paper")
    kind = rng.choice(kinds)
    _head(out, rng, top, kind, radius, height, t, cover, opened=rng.random() < 0.7)


def _head(out, rng, place, kind, radius, height, t, cover, tilt=0.0, yaw=0.0, opened=False):
    """A shade and its bulb, hanging from a place; tilted by 90 it faces the direction of yaw."""
    solid = _shade(rng, kind, radius, height, t, opened)
    if kind == "globe":  # of glass, whatever the others are made of
        cover = Plain(tuple(rng.uniform(0.75, 1) * np.array((1.0, 0.96, 0.85))))
    elif kind != "paper":
        bulb = ellipsoid((0, -0.55 * height, 0), min(radius * 0.35, height * 0.3))
        bulb += rod((0, -t / 2, 0), (0, -0.5 * height, 0), t / 2)
        out.add(bulb.rotate((0, 0, tilt)).rotate((0, yaw, 0)).translate(place), GLOW)
    out.add(solid.rotate((0, 0, tilt)).rotate((0, yaw, 0)).translate(place), cover)


def _shade(rng, kind, radius, height, t, opened):
    """A shade that hangs from the origin; ``opened`` where the kind has a flat top."""
    if kind == "globe":
        return ellipsoid((0, -height / 2, 0), (radius, height / 2, radius))
    if kind == "paper":
        y = np.linspace(0, 1, 15)
        belly = 0.35 + 0.6 * np.sin(np.pi * y) ** rng.uniform(0.4, 1)
        r = radius * belly * (0.94 + 0.06 * (np.arange(15) % 2))
        return lathe([(0, 0), *zip(r, -height * y, strict=True), (0, -height)])
    if kind == "facets":
        sides, taper = int(rng.choice((4, 4, 6, 8))), rng.uniform(0.3, 1)
        stretch = (1, 1, rng.uniform(1, 1.5) if sides == 4 else 1)
        outer = [*_ring(sides, taper * radius, 0), *_ring(sides, radius, -height)]
        inner = [*_ring(sides, taper * radius - t, -t), *_ring(sides, radius - t, -height - 1e-3)]
        shell = (hull(outer) - hull(inner)).scale(stretch)
        hole = taper * radius * 0.6
    else:
        s = np.linspace(0, 1, 2 if kind in ("cone", "drum") else 8)
        flat = {"cone": rng.uniform(0.2, 0.65), "drum": rng.uniform(0.8, 1)}.get(kind, 0.25)
        r = {
            "dome": np.sin(s * np.pi / 2),
            "bell": flat + (1 - flat) * s ** rng.uniform(1.5, 3),
            "tulip": flat + (0.95 - flat) * np.sin(2.4 * s) ** 0.7,
        }.get(kind, flat + (1 - flat) * s)
        y = 1 - np.cos(s * np.pi / 2) if kind == "dome" else s
        outer = np.column_stack((radius * r, -height * y))
        inner = outer - t * np.column_stack((0 * s + 1, 1 - s))
        inner[:, 0] = np.maximum(inner[:, 0], 0)
        shell = lathe([(0, 0), *outer, *inner[::-1], (0, -t)])
        hole = flat * radius - t
    if opened and kind != "dome" and hole > 2 * t:
        shell = shell - rod((0, -2 * t, 0), (0, t, 0), hole)
        shell = shell + block((2 * hole + t, t * 0.8, t), (0, -t / 2, 0))
    return shell


def _ring(sides, radius, y):
    """Corners (sides, 3) of a polygon with a side towards the front."""
    turn = (np.arange(sides) + 0.5) * 2 * np.pi / sides
    wide = radius / np.cos(np.pi / sides)
    return np.column_stack((wide * np.cos(turn), np.full(sides, y), wide * np.sin(turn)))


def _yaw(rng):
    """Where an arm points (degrees): to the front, or aside."""
    return float(rng.choice((0, rng.uniform(-100, 100))))


def _turn(yaw):
    """The matrix to multiply points (N, 3) by, for a turn about y as that of ``rotate``."""
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    return np.array(((c, 0, -s), (0, 1, 0), (s, 0, c)))


_FAMILIES = (  # and how often each is drawn
    (_table, 4),
    (_floor, 3),
    (_arc, 1.2),
    (_desk, 2.5),
    (_pendant, 3),
    (_chandelier, 2),
    (_sconce, 1.5),
    (_tree, 1.2),
    (_lantern, 1.3),
    (_mushroom, 1),
)
