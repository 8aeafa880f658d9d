# SPDX-License-Identifier: MIT
"""Watercraft: sailing, motor and open boats, tugs, freighters, liners, warships, submarines.

Models with a hull 1 long, bow at x = 0.5, waterline at y = 0; a family yields its parts with
materials.
"""

from __future__ import annotations

import numpy as np

from ..materials import Checks, Plain, Stripes, metal, paint, shade, wood
from ..solids import (
    Assembly,
    beam,
    block,
    both_sides,
    box,
    ellipsoid,
    hull,
    lathe,
    loft,
    rod,
    union,
)

GLASS, DARK, WHITE = Plain((0.1, 0.16, 0.24)), Plain((0.1, 0.1, 0.11)), Plain((0.92, 0.92, 0.9))


def watercraft(rng: np.random.Generator) -> Assembly:
    """One boat or ship, with all of its hull."""
    families = (_yacht, _freighter, _tug, _motor_boat, _open_boat) * 2
    families += (_tall_ship, _liner, _warship, _submarine)
    out = Assembly()
    for solid, material in families[rng.integers(len(families))](rng):
        out.add(solid, material)
    return out


def _yacht(rng):
    """One to three hulls under fore-and-aft sails, swung out to one side."""
    hulls, deck = rng.choice((1, 1, 2, 3)), rng.uniform(0.06, 0.12)
    width = rng.uniform(0.2, 0.32) if hulls == 1 else 0.12
    body = _hull(width, deck, rng.uniform(0.05, 0.1), 0.35, rng.uniform(0.3, 0.8))
    apart = rng.uniform(0.2, 0.32) if hulls > 1 else 0.0
    skin, bottom, sail = paint(rng) if rng.random() < 0.5 else WHITE, paint(rng), _sailcloth(rng)
    sides = ((-apart, 1), (apart, 1)) if hulls == 2 else ((-apart, 0.7), (0, 1), (apart, 0.7))
    for z, long in sides if hulls > 1 else ((0, 1),):
        yield from _afloat(body.scale((long, 1, 1)).translate((0, 0, z)), skin, bottom)
    if hulls == 1:
        yield _decked(body), wood(rng, 1, 0)
        fin = [(-0.12, -0.02), (0.12, -0.02), (0.06, -0.26), (-0.1, -0.26)]
        yield hull((x, y, z) for x, y in fin for z in (-0.015, 0.015)), bottom
        yield block((0.06, 0.2, 0.025), (-0.44, -0.06, 0)), bottom
    else:
        yield block((rng.uniform(0.2, 0.5), 0.03, 2 * apart), (-0.05, deck, 0)), WHITE
        yield block((0.05, 0.03, 2 * apart), (0.16, deck, 0)), skin
    if rng.random() < 0.7 or hulls == 2:
        size = (rng.uniform(0.2, 0.4), 0.12, max(apart, width * 0.3) * rng.uniform(1, 1.5))
        yield from _house(size, (-0.03, deck + 0.03), 0.5)
    tall, masts = rng.uniform(0.8, 1.4), rng.choice((1, 1, 2))
    side, furled = rng.choice((-1, 0, 1)) * rng.uniform(8, 40), rng.random() < 0.12
    for k in range(masts):
        x, high = 0.1 + 0.08 * masts - 0.42 * k, tall * (1 - 0.3 * k)
        yield rod((x, -0.02, 0), (x, high, 0), 0.016), metal(rng)
        low, long = deck + 0.1, rng.uniform(0.35, 0.5) / masts + 0.05
        peak = rng.choice((0.03, 0.5, 0.8)) * long  # bermuda, gaff or junk
        head = high - 0.02 - 0.15 * (peak > 0.1)
        outline = [(0, low), (-long, low), (-peak, head + 0.1 * (peak > 0.1)), (0.01, head)]
        if furled:
            outline = [(0, low), (-long, low), (-long, low + 0.05), (0, low + 0.09)]
        main = hull((p, y, z) for p, y in outline for z in (-0.015, 0.015))
        yield main.rotate((0, side, 0)).translate((x, 0, 0)), sail
    if not furled:
        clew = (-0.12 - 0.1 * rng.random(), deck + 0.08, -np.sign(side) * 0.12)
        foot = (0.47 - x if masts == 1 else 0.2, deck + 0.01, 0)
        jib = hull(
            np.add(p, (0, 0, z)) for p in (foot, clew, (0, tall * 0.8, 0)) for z in (0, 0.025)
        )
        yield jib.translate((0.1 + 0.08 * masts, 0, 0)), sail
        yield rod((0.3, deck - 0.02, 0), (0.49, deck + 0.02, 0), 0.014), DARK


def _tall_ship(rng):
    """Galleons, brigs, junks and dragon boats under square sails."""
    skin, sail = wood(rng, 1, 0), _sailcloth(rng)
    width, deck = rng.uniform(0.17, 0.28), rng.uniform(0.06, 0.14)
    body = _hull(width, deck, 0.1, 0.6, rng.uniform(0.4, 0.8), rng.uniform(0.03, 0.12))
    yield from _afloat(body, skin, rng.choice((skin, paint(rng))))
    yield _decked(body), wood(rng, 1, 0)
    masts = rng.integers(1, 4)
    if masts > 1:
        long, high = rng.uniform(0.12, 0.25), rng.uniform(0.1, 0.2)
        castle = [(-0.5, 0), (-0.5 + long, 0), (-0.5 + long, high * 0.7), (-0.53, high)]
        castle = hull((x, deck + y, z * width) for x, y in castle for z in (-0.4, 0.4))
        yield castle, skin
        yield block((0.02, 0.05, width * 0.6), (-0.52, deck + high * 0.5, 0)), GLASS
    yield rod((0.4, deck, 0), (rng.uniform(0.55, 0.75), deck + 0.17, 0), 0.018), skin
    brace, tall = rng.uniform(-35, 35), rng.uniform(0.6, 1.0)
    for k, x in enumerate(np.linspace(0.3, -0.3, masts) if masts > 1 else (0.02,)):
        high = tall * (0.85 if k != 1 and masts > 1 else 1)
        yield rod((x, -0.02, 0), (x, deck + high, 0), 0.018, 0.014), skin
        levels = np.linspace(0.22, 0.95, rng.integers(1, 3) + (masts > 1)) * high + deck
        for a, b in zip(levels, levels[1:], strict=False):
            half = rng.uniform(0.8, 1.2) * width * (1.3 - 0.4 * (a - deck) / high)
            plan = [(0, half), (0.06, half / 2), (0.06, -half / 2), (0, -half)]
            plan += [(p + 0.026, z) for p, z in plan]
            cloth = hull((p, y, z) for p, z in plan for y in (a, b - 0.025))
            yield cloth.rotate((0, brace, 0)).translate((x, 0, 0)), sail
            yard = block((0.03, 0.03, 2.1 * half), (0.01, b - 0.02, 0))
            yield yard.rotate((0, brace, 0)).translate((x, 0, 0)), skin


def _freighter(rng):
    """Container ships, bulk carriers with cranes, gas and oil tankers."""
    load = rng.choice(("containers", "containers", "cranes", "domes", "oil"))
    width, deck = rng.uniform(0.13, 0.22), rng.uniform(0.03, 0.09)
    body = _hull(width, deck, rng.uniform(0.04, 0.08), 0.9, 0.85, 0.02)
    yield from _afloat(body, paint(rng), Plain((0.5, 0.13, 0.1)))
    yield _decked(body), paint(rng)
    bridge, high = rng.choice((-0.36, -0.36, -0.2, 0.32)), rng.uniform(0.12, 0.24)
    yield from _house((0.09, high, width * 0.9), (bridge, deck), 0.85)
    yield block((0.05, 0.03, width * 1.08), (bridge + 0.01, deck + high, 0)), WHITE
    yield from _funnel(rng, bridge - 0.07, deck, high + 0.03, 0.025)
    bays = [x for x in np.arange(-0.42, 0.4, 0.105) if abs(x - bridge + 0.03) > 0.11]
    colours, top = [paint(rng) for _ in range(4)], rng.uniform(0.6, 1)
    for k, x in enumerate(bays):
        if load == "containers":
            for z in np.array((-1, 0, 1)) * width * 0.29:
                tiers = int(rng.integers(0, 5) * top)
                solid = block((0.095, 0.035 * tiers, width * 0.27), (x, deck + 0.0175 * tiers, z))
                if tiers:
                    yield solid, colours[rng.integers(4)]
        elif load == "cranes" and k % 2:
            reach, high = rng.uniform((-0.12, 0.15), (0.12, 0.24))
            tip = (x + reach, deck + high, width * rng.normal())
            yield rod((x, deck - 0.02, 0), (x, deck + 0.15, 0), 0.017), colours[0]
            yield beam((x, deck + 0.13, 0), tip, 0.022, 0.022), colours[0]
        elif load == "domes" and k % 2:
            yield ellipsoid((x, deck + 0.02, 0), width * rng.uniform(0.44, 0.48)), colours[1]
        elif load != "domes":
            yield block((0.08, 0.05, width * 0.6), (x, deck + 0.01, 0)), colours[2]


def _liner(rng):
    """Liners, ferries and paddle steamers: tiers of decks, funnels, boats along the sides."""
    width, deck = rng.uniform(0.13, 0.26), rng.uniform(0.05, 0.09)
    body = _hull(width, deck, rng.uniform(0.03, 0.07), 0.8, rng.uniform(0.5, 0.9), 0.02)
    yield from _afloat(body, rng.choice((WHITE, DARK, paint(rng))), paint(rng))
    yield _decked(body), wood(rng, 1, 0)
    stern, bow, high = rng.uniform(-0.47, -0.35), rng.uniform(0.2, 0.38), rng.uniform(0.04, 0.06)
    tiers, back = rng.integers(1, 5), rng.uniform(0, 0.06)
    for k in range(tiers):
        a, b = stern + back * k, bow - rng.uniform(0.03, 0.1) * k
        size = (b - a, high + 0.004 * k, width * (0.86 - 0.05 * k))
        yield from _house(size, ((a + b) / 2, deck + high * k - 0.004), 0.98)
    top = deck + tiers * high
    yield from _house((0.07, 0.06, width * 0.7), (b - 0.08, top - 0.02), 0.9)
    for x in np.linspace(b - 0.2, a + 0.12, rng.integers(1, 5)):
        yield from _funnel(rng, x, top - 0.02, rng.uniform(0.09, 0.17), width * 0.17)
    yield rod((bow + 0.04, 0, 0), (bow + 0.02, top + rng.uniform(0.02, 0.2), 0), 0.012), WHITE
    if rng.random() < 0.4:
        r = rng.uniform(0.1, 0.15)
        yield both_sides(rod((-0.02, r / 2, 0), (-0.02, r / 2, width / 2 + 0.05), r)), paint(rng)
    else:
        for x in np.arange(stern + 0.08, bow - 0.05, 0.11):
            davit = ellipsoid((x, deck + high, width * 0.45), (0.04, 0.02, 0.025))
            yield both_sides(davit), Plain((0.9, 0.4, 0.1))


def _warship(rng):
    """Destroyers and battleships with turrets that are trained, or carriers with an island."""
    grey = Plain((rng.uniform(0.42, 0.65),) * 3)
    width, deck = rng.uniform(0.11, 0.18), rng.uniform(0.04, 0.07)
    body = _hull(width, deck, rng.uniform(0.03, 0.06), 0.7, 0.7, 0.03, 0.14)
    yield from _afloat(body, grey, Plain((0.4, 0.12, 0.1)))
    yield _decked(body), Plain(shade(grey.colour, 0.6))
    if rng.random() < 0.35:
        x, half = rng.uniform(-0.15, 0.1), width * rng.uniform(0.7, 0.95)
        plan = [(0.5, 0.3), (0.5, -0.5), (0.1, -1.3), (-0.3, -1.3), (-0.5, -0.7), (-0.5, 1)]
        flight_deck = hull(
            (p, deck + y, z * half) for p, z in [*plan, (0.2, 1)] for y in (0, 0.035)
        )
        yield flight_deck, Plain((rng.uniform(0.2, 0.35),) * 3)
        yield block((0.9, 0.01, 0.02), (0, deck + 0.035, -0.2 * half)), WHITE
        size = (rng.uniform(0.1, 0.2), rng.uniform(0.08, 0.14), 0.05)
        yield block(size, (x, deck + 0.03 + size[1] / 2, half * 0.8)), grey
        yield rod((x, deck, half * 0.8), (x, deck + size[1] + 0.14, half * 0.8), 0.013), DARK
        return
    top, fore = rng.uniform(0.06, 0.1), rng.uniform(0.02, 0.14)
    yield box((-0.3, 0, -width * 0.35), (0.22, deck + 0.04, width * 0.35)), grey
    yield from _house((0.12, top + 0.04, width * 0.6), (fore, deck + 0.03), 0.7, grey)
    tall = deck + top + rng.uniform(0.12, 0.25)
    yield rod((fore - 0.04, deck, 0), (fore - 0.05, tall, 0), 0.014), grey
    yield block((0.02, 0.02, 0.12), (fore - 0.05, deck + top + 0.1, 0)), grey
    for k in range(rng.integers(1, 3)):
        yield from _funnel(rng, -0.1 - 0.13 * k, deck, rng.uniform(0.1, 0.16), 0.03, grey)
    for x, y in rng.permutation(((0.35, 0.015), (0.25, 0.04), (-0.38, 0)))[: rng.integers(1, 4)]:
        turn = rng.uniform(-60, 60) + (180 if x < 0 else 0)
        turret = lathe([(0, -0.05), (0.03, -0.05), (0.036, 0), (0.026, 0.03), (0, 0.03)])
        turret += both_sides(rod((0, 0.015, 0.014), (0.11, 0.03, 0.014), 0.011))
        yield (
            turret.rotate((0, turn, 0)).translate((x, deck + y, 0)),
            Plain(shade(grey.colour, 0.7)),
        )


def _tug(rng):
    """Tugs, trawlers and lifeboats: short and beamy, a wheelhouse, a mast, gear on one side."""
    width, deck = rng.uniform(0.28, 0.42), rng.uniform(0.08, 0.15)
    draft, transom, sheer = rng.uniform((0.07, 0.6, 0.05), (0.14, 0.9, 0.16))
    body = _hull(width, deck, draft, 0.75, transom, sheer)
    skin, accent = paint(rng), paint(rng)
    yield from _afloat(body, skin, DARK if rng.random() < 0.5 else accent)
    yield _decked(body), wood(rng, 1, 0)
    x, high = rng.choice((-0.24, 0.03, 0.16)), rng.uniform(0.15, 0.24)
    size = np.array((rng.uniform(0.22, 0.36), high, width * rng.uniform(0.45, 0.65)))
    yield from _house(size, (x, deck - 0.01), 0.95)
    yield block(size * (1.1, 0, 1.1) + (0, 0.025, 0), (x, deck + high, 0)), accent
    top = deck + high
    if rng.random() < 0.6:
        yield from _house(size * (0.55, 0.7, 0.75), (x + 0.03, top - 0.01), 0.85)
        top += high * 0.7
    yield rod((x, deck, 0), (x, top + rng.uniform(0.1, 0.35), 0), 0.016), DARK
    gear, side = rng.choice(("funnel", "gallows", "derrick", "derrick")), rng.choice((-1, 1))
    aft = -0.36 if x > -0.1 else 0.12
    if gear == "funnel":
        yield from _funnel(rng, x - size[0] * 0.35, deck, high + rng.uniform(0.1, 0.18), 0.05)
    elif gear == "gallows":
        post = block((0.03, 0.35, 0.03), (aft, deck + 0.15, width * 0.32))
        yield both_sides(post) + block((0.035, 0.035, width * 0.7), (aft, deck + 0.32, 0)), accent
    else:
        head = (aft - 0.05, deck + rng.uniform(0.25, 0.45), side * rng.uniform(0.1, 0.35))
        yield beam((aft, deck - 0.02, side * width * 0.2), head, 0.03, 0.03), accent
        yield block((0.1, 0.1, 0.12), (aft + 0.08, deck + 0.03, -side * width * 0.15)), accent
    if rng.random() < 0.6:
        fender = ellipsoid((0, deck * 0.75, width / 2 - 0.01), (0.045, 0.045, 0.03))
        fenders = union(fender.translate((p, 0, 0)) for p in np.arange(-0.3, 0.2, 0.14))
        yield both_sides(fenders), DARK


def _motor_boat(rng):
    """Speedboats, cabin cruisers, pontoons: planing hulls with glass, a bridge, outboards."""
    width, deck = rng.uniform(0.26, 0.42), rng.uniform(0.07, 0.15)
    body = _hull(width, deck, rng.uniform(0.05, 0.09), 0.3, 0.95, rng.uniform(0, 0.04), 0.14)
    skin, accent = rng.choice((WHITE, paint(rng), wood(rng, 1, 0))), paint(rng)
    kind = rng.choice(("runabout", "cabin", "bridge", "canopy"))
    well = (rng.uniform(-0.47, -0.4), rng.uniform(-0.15, 0.02))
    body -= box((well[0], 0.02, -width * 0.37), (well[1], 1, width * 0.37))
    yield from _afloat(body, skin, accent)
    for x in np.arange(well[0] + 0.1, well[1], 0.18):
        yield block((0.09, 0.05, width * 0.6), (x, 0.04, 0)), accent
        yield block((0.025, 0.13, width * 0.62), (x - 0.04, 0.09, 0)), accent
    high = rng.uniform(0.12, 0.22)
    if kind in ("cabin", "bridge"):
        size = (rng.uniform(0.3, 0.45), high, width * 0.72)
        yield from _house(size, (well[1] + 0.12, deck - 0.02), 0.6)
    else:
        glass = [(-0.08, 0.11), (-0.06, 0.11), (0.06, -0.02), (0.1, -0.02)]
        glass = hull((x, y, z * width) for x, y in glass for z in (-0.36, 0.36))
        yield glass.translate((well[1] + 0.08, deck, 0)), GLASS
    if kind == "bridge":
        yield from _house((0.18, 0.1, width * 0.5), (well[1] + 0.05, deck + high - 0.03), 0.7)
    if kind in ("canopy", "bridge"):
        top = deck + high + rng.uniform(0.1, 0.2)
        a, b = well[0] + 0.05, well[1] + 0.08
        yield box((a, top, -width * 0.42), (b, top + 0.025, width * 0.42)), accent
        post = rod((a + 0.02, 0, width * 0.4), (a + 0.02, top + 0.01, width * 0.4), 0.013)
        yield both_sides(post + post.translate((b - a - 0.04, 0, 0))), metal(rng)
    count = rng.integers(0, 4)
    for k in range(count):
        z = (k - (count - 1) / 2) * 0.085
        yield block((0.1, 0.11, 0.06), (-0.54, deck + 0.03, z)), DARK
        yield block((0.06, 0.25, 0.028), (-0.53, deck - 0.12, z)), DARK


def _open_boat(rng):
    """Dinghies, canoes, gondolas: hollow, with thwarts, oars, an outrigger, a motor, a mast."""
    width, deck = rng.uniform(0.13, 0.42), rng.uniform(0.05, 0.1)
    narrow = width < 0.22
    transom = 0.1 if narrow else rng.uniform(0.4, 0.8)
    body = _hull(width, deck, 0.07, 0.6, transom, rng.uniform(0.01, 0.14))
    skin, inside = (wood, paint)[rng.integers(2)](rng), wood(rng, 1, 2)
    inner = body.scale((0.93, 1, 1 - 0.045 / width)).translate((0, 0.035, 0))
    yield body - inner, skin
    rows = np.linspace(-0.3, 0.22, rng.integers(2, 5))
    seats = union(block((0.07, 0.025, width * 0.93), (x, deck - 0.035, 0)) for x in rows)
    yield seats ^ body, inside
    oars, side = rng.choice(("both", "both", "one", "none")), rng.choice((-1, 1))
    for x in rows[1:] if oars != "none" else ():
        reach, dip, back = rng.uniform((0.2, -0.1, -0.2), (0.35, 0.12, 0.1))
        grip, end = (x, deck + 0.03, 0.05), (x + back, dip, reach + width / 2)
        pivot = np.array((x + 0.2 * back, deck + 0.005, width / 2 - 0.01))
        oar = rod(grip, pivot, 0.014) + rod(pivot, end, 0.014)
        oar += beam(end, np.add(end, 0.3 * (np.array(end) - pivot)), 0.06, 0.022)
        yield both_sides(oar) if oars == "both" else oar.scale((1, 1, side)), inside
    if narrow and rng.random() < 0.5:
        z = side * rng.uniform(0.25, 0.4)
        yield ellipsoid((0, -0.01, z), (rng.uniform(0.25, 0.4), 0.025, 0.03)), skin
        for x in (-0.15, 0.15):
            yield rod((x, deck - 0.01, -side * width * 0.4), (x, 0, z), 0.014), inside
    elif not narrow and rng.random() < 0.4:
        yield block((0.09, 0.12, 0.07), (-0.54, deck + 0.07, 0)), DARK
        yield block((0.05, 0.25, 0.028), (-0.52, deck - 0.1, 0)), DARK
    if rng.random() < 0.3:
        yield rod((0.12, -0.04, 0), (0.12, rng.uniform(0.6, 0.9), 0), 0.014), inside
        cloth = [(0.11, 0.55), (0.11, 0.14), (-0.3, 0.16), (-0.25 * rng.random(), 0.7)]
        cloth = hull((x, y, z) for x, y in cloth for z in (-0.011, 0.011))
        cloth = cloth.translate((-0.12, 0, 0)).rotate((0, side * 25, 0))
        yield cloth.translate((0.12, 0, 0)), _sailcloth(rng)


def _submarine(rng):
    """A long round body with a tower, planes, rudders and a screw."""
    skin, wide = rng.choice((DARK, Plain((0.35, 0.38, 0.4)), paint(rng))), rng.uniform(0.045, 0.085)
    t = np.array((0, 0.1, 0.3, 0.5, 0.8, 0.94, 1))
    r = np.array((0.2, 0.45, 0.9, 1, 1, 0.75, 0.12)) * wide
    body = lathe([(0, -0.5), *zip(r, t - 0.5, strict=True), (0, 0.5)]).rotate((0, 0, -90))
    yield from _afloat(body, skin, skin if rng.random() < 0.5 else Plain((0.45, 0.13, 0.1)))
    x, high = rng.uniform(-0.05, 0.2), wide + rng.uniform(0.07, 0.13)
    tower = [(-0.1, 0), (0.08, 0), (0.05, high), (-0.08 - 0.04 * rng.random(), high)]
    yield hull((x + p, y, z) for p, y in tower for z in (-0.024, 0.024)), skin
    yield rod((x, 0, 0), (x, high + rng.uniform(0.04, 0.12), 0), 0.012), metal(rng)
    if rng.random() < 0.5:
        yield block((0.07, 0.024, 0.2), (x, high * 0.75, 0)), skin
    else:
        yield block((0.06, 0.024, wide * 3), (0.36, 0.01, 0)), skin
    half = rng.uniform(0.09, 0.15)
    yield block((0.07, 0.024, 2 * half), (-0.42, 0, 0)), skin
    yield block((0.07, 2 * half, 0.024), (-0.42, 0, 0)), skin
    yield rod((-0.5, 0, 0), (-0.53, 0, 0), half * 0.55), metal(rng)
    if rng.random() < 0.4:
        yield box((-0.35, 0, -wide * 0.5), (0.4, wide + 0.02, wide * 0.5)), skin
        yield rod((x + 0.18, wide, 0), (x + 0.18, wide + 0.05, 0), 0.015), DARK
        yield rod((x + 0.15, wide + 0.05, 0), (x + 0.28, wide + 0.06, 0), 0.012), DARK


def _hull(width, deck, draft, full, transom, sheer=0.03, rake=0.08):
    """A hull; ``full`` is its breadth at the bilge and ``transom`` at the stern, 1 as amidships."""
    rings = []
    for s in (0, 0.12, 0.3, 0.55, 0.75, 0.9, 1):
        half = width / 2 * (1 - 0.96 * max(0, (s - 0.45) / 0.55) ** 2.2)
        half *= 1 - (1 - transom) * max(0, 1 - s / 0.4) ** 2
        top, low = deck + sheer * (2 * s - 0.9) ** 2, -draft * (1 - 0.5 * (s == 1) - 0.4 * (s == 0))
        ring = [(half, top), (half * (0.5 + 0.5 * full) ** 0.5, 0)]
        ring += [(half * full, 0.75 * low), (0, low)]
        ring += [(-z, y) for z, y in ring[2::-1]]
        rings.append([(s - 0.5 - rake * s**4 * (top - y) / (top - low), y, z) for z, y in ring])
    return loft(rings)


def _afloat(body, skin, bottom):
    """A hull of one colour above the waterline and another below."""
    yield body.trim_by_plane((0, 1, 0), 0), skin
    yield body.trim_by_plane((0, -1, 0), 0), bottom


def _decked(body):
    """Planks on the deck of a hull, inside of its edge."""
    return body.scale((0.95, 1, 0.86)).translate((-0.01, 0.006, 0)).trim_by_plane((0, 1, 0), 0)


def _house(size, place, taper, material=WHITE):
    """A deckhouse at (x, y of its floor), with windows; ``taper`` is that of its front."""
    long, high, wide = size
    x, y = place
    outline = [(-0.5, 0), (0.5, 0), (taper - 0.5, 1), (-0.48, 1)]
    solid = hull((x + p * long, y + q * high, z * wide) for p, q in outline for z in (-0.5, 0.5))
    yield solid, material
    band = box((-1, y + high * 0.5, -1), (1, y + high * 0.8, 1))
    grown = solid.translate((-x, 0, 0)).scale((1 + 0.012 / long, 1, 1 + 0.012 / wide))
    yield grown.translate((x, 0, 0)) ^ band, Stripes(GLASS.colour, (0.8, 0.8, 0.8), 0, 0.024)


def _funnel(rng, x, floor, high, r, material=None):
    """A funnel with a dark top, leaning back."""
    lean = -rng.uniform(0, 0.3) * high
    foot, mid = (x, floor - 0.02, 0), (x + 0.75 * lean, floor + 0.75 * high, 0)
    yield rod(foot, mid, r * 1.1, r), material or paint(rng)
    yield rod(mid, (x + lean, floor + high, 0), r * 1.06, r), DARK


def _sailcloth(rng):
    """White, striped or chequered cloth."""
    kind, colour = rng.integers(5), paint(rng).colour
    if kind < 3:
        return (WHITE, Plain((0.85, 0.78, 0.62)), Plain(colour))[kind]
    white = WHITE.colour
    return Stripes(colour, white, 1, 0.12) if kind == 3 else Checks(colour, white, 0.2)
