# SPDX-License-Identifier: MIT
"""Aeroplanes: transports, flying boats, light ones, gliders, fighters, twin booms, flying wings.

Models with a fuselage about 1 long, nose at x = 0.5; a family yields its parts with materials. A
wing is (leading edge x, height y, rise, sweep, span); rise and sweep are tangents.
"""

from __future__ import annotations

import numpy as np

from ..materials import Plain, Speckle, Stripes, metal, paint
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

GLASS, DARK = Plain((0.10, 0.16, 0.24)), Plain((0.09, 0.09, 0.10))


def aeroplane(rng: np.random.Generator) -> Assembly:
    """One aeroplane, parked on its gear or as in flight."""
    families = (_transport, _light) * 3 + (_fighter, _fighter, _twin_boom, _flying_wing)
    out = Assembly()
    for solid, material in families[rng.integers(len(families))](rng):
        out.add(solid, material)
    return out


def _transport(rng):
    """Airliners, freighters, bombers, business jets and flying boats: one to four engines."""
    engines = rng.choice(("pods", "pods", "props", "rear", "boat"))
    skin, accent = _livery(rng, 0.25)
    tall = rng.uniform(0.045, 0.095)
    wide, lift, nose = tall * rng.uniform(0.85, 1.2), tall * rng.uniform(0, 0.7), 0.17
    body = _tube(wide, tall, nose, rng.uniform(0.25, 0.45), lift)
    yield from _two_tone(body, tall * rng.uniform(-0.6, 0.1), skin, accent)
    yield _glazing(body, (0.40, tall * 0.35, -1), (0.465, 1, 1)), GLASS
    row = _glazing(body, (-0.28, tall * 0.2, -1), (0.33, tall * 0.2 + 0.022, 1))
    yield row, Stripes(GLASS.colour, (0.8, 0.8, 0.8), 0, rng.uniform(0.012, 0.02))

    over = engines == "boat" or (engines != "rear" and rng.random() < 0.4)
    y, rise = (tall * 0.8, rng.uniform(-0.1, 0.03)) if over else (-tall * 0.6, rng.uniform(0, 0.14))
    jets, count = engines in ("pods", "rear"), 2 if rng.random() < 0.4 else 1
    span, chord = rng.uniform(0.65, 1.5), rng.uniform(0.15, 0.26)
    sweep = rng.uniform(0.25, 0.8) if jets else rng.uniform(0, 0.2)
    x = chord / 2 + sweep * span * 0.12 - (0.08 if engines == "rear" else 0)
    wing, tip = (x, y, rise, sweep, span), chord * rng.uniform(0.25, 0.6)
    yield _wing(wing, chord, tip), skin
    if rng.random() < 0.3:
        end = _on(wing, 1) + (-0.5 * tip, rng.uniform(0.06, 0.11), 0.01)
        yield both_sides(_panel(_on(wing, 1), end, tip, 0.4 * tip)), accent
    if engines == "pods" and rng.random() < 0.4:
        y = tall + 0.07
        if rng.random() < 0.5:
            yield ellipsoid((0.24, tall * 0.75, 0), (0.2, tall * 0.6, wide * 0.8)), skin
        else:
            yield ellipsoid((-0.12, y, 0), (0.15, 0.022, 0.15)), accent
            yield both_sides(beam((-0.12, 0, 0.015), (-0.12, y, 0.05), 0.03, 0.06)), skin
    r = rng.uniform(0.028, 0.046)
    if engines == "rear":
        yield block((0.1, 0.03, 2 * wide + r), (-0.22, tall * 0.4, 0)), skin
        yield from _jet((-0.14, tall * 0.4, wide * 0.9 + r), r, accent)
    for share in () if engines == "rear" else np.linspace(0.3, 0.6, count):
        place = _on(wing, share)
        if jets:
            yield both_sides(block((0.1, 0.04, 0.025), place + (-0.03, -0.01, 0))), skin
            yield from _jet(place + (0.05, -r - 0.012, 0), r, accent)
        else:
            front = place + (0.06, 0, 0)
            yield both_sides(rod(place - (0.16, 0, 0), front, 0.4 * r, 0.9 * r)), accent
            for solid, material in _propeller(rng, front, 2.2 * r):
                yield both_sides(solid), material
    kinds = ("T",) if engines == "rear" else ("low", "low", "T", "H", "cross")
    yield from _tail(rng, rng.choice(kinds), lift, skin, accent)
    floor = -tall - rng.uniform(0.05, 0.1)
    if engines == "boat":
        keel = [(0.49, 0, 0), (0.3, floor, 0), (-0.1, floor - 0.01, 0), (-0.1, 0, 0), (0.3, 0, 0)]
        chine = [(x, -0.6 * tall, s * wide) for x in (0.32, -0.1) for s in (-1, 1)]
        yield hull(keel + chine), accent
        place = _on(wing, 0.75) - (0.05, 0, 0)
        yield both_sides(rod(place, place - (0, 0.1, 0), 0.014)), DARK
        yield both_sides(ellipsoid(place - (0, 0.12, 0), (0.1, 0.03, 0.03))), accent
    elif rng.random() < 0.5:
        yield from _gear((-0.06, 0.36), floor, rng.uniform(0.05, 0.12), rng.uniform(0.022, 0.034))
        if rng.random() < 0.6:  # the door on the left is a stair
            start = (0.29, -0.1 * tall, -wide * 0.8)
            yield beam(start, (0.29, floor, -wide - tall - 0.07), 0.06, 0.025), accent


def _light(rng):
    """One engine or none: one to three wings, or a canard; wheels, or floats."""
    kind = rng.choice(("high", "low", "parasol", "two", "two", "three", "canard", "glider"))
    skin, accent = _livery(rng, 0.15)
    glider, canard = kind == "glider", kind == "canard"
    tall = rng.uniform(0.05, 0.065) if glider else rng.uniform(0.075, 0.11)
    wide, lift = tall * rng.uniform(0.65, 0.9), rng.uniform(0, 0.04)
    body = _tube(wide, tall, rng.uniform(0.1, 0.2), rng.uniform(0.5, 0.65), lift, 0.4)
    parts = [*_two_tone(body, rng.uniform(-0.03, 0.02), skin, accent)]
    span, chord = rng.uniform(0.9, 1.5) + 0.6 * glider, rng.uniform(0.17, 0.27) - 0.08 * glider
    stack = {"high": 0.95, "parasol": rng.uniform(1.7, 2.2), "two": rng.uniform(1.6, 2.2)}
    stack |= {"three": 2.3, "glider": 0.6}
    above, top = kind in ("parasol", "two", "three"), tall * stack.get(kind, -0.6)
    levels = {"two": (-tall * 0.65, top), "three": (-tall * 0.7, 0.8 * tall, top)}
    levels = levels.get(kind, (top,))
    rise, lean = rng.uniform(0.01, 0.1), rng.uniform(0, 0.05)
    sweep = rng.uniform(0.3, 0.6) if canard else rng.uniform(0, 0.12)
    wings = [(0.2 - 0.18 * canard + lean * k, y, rise, sweep, span) for k, y in enumerate(levels)]
    tip = chord * rng.uniform(0.5, 1)
    for wing in wings:
        parts += [(_wing(wing, chord, tip), accent if above else skin)]
    if canard:
        end = _on(wings[0], 1) + (-0.08, rng.uniform(0.12, 0.2), 0)
        parts += [(both_sides(_panel(_on(wings[0], 1), end, tip, tip / 2)), accent)]
        parts += [(_wing((0.46, 0, 0, 0, rng.uniform(0.35, 0.6)), 0.09, 0.08), accent)]
        parts += [(rod((-0.3, lift, 0), (-0.52, lift, 0), tall * 0.6, tall * 0.4), skin)]
    else:
        kinds = ("low", "cross") if above else ("low", "low", "cross", "T", "V")
        parts += _tail(rng, rng.choice(kinds), lift, skin, accent)
    if not glider:
        hub = (-0.51, lift, 0) if canard else (0.49, 0, 0)
        parts += _propeller(rng, hub, rng.uniform(0.12, 0.18), -1 if canard else 1)
    if above or kind == "high":
        foot = wings[0] if len(wings) > 1 else (0.2, -tall * 0.7, 0, 0, 0)
        for share, back in ((rng.uniform(0.55, 0.8), b) for b in (0.03, chord * 0.6)):
            a, b = _on(foot, share) - (back, 0, 0), _on(wings[-1], share) - (back, 0, 0)
            cabane = rod((0.2 - back, 0, wide * 0.5), (0.2 - back, top, 0.05), 0.014)
            parts += [(both_sides(rod(a, b, 0.014) + cabane), DARK)]
    if kind == "high":
        parts += [(_glazing(body, (-0.08, tall * 0.1, -1), (0.27, tall * 0.75, 1)), GLASS)]
    else:
        x, long = rng.uniform(0.02, 0.1) - 0.1 * above + 0.2 * glider, rng.uniform(0.07, 0.15)
        parts += [(ellipsoid((x, tall * 0.75, 0), (long, tall * 0.6, wide * 0.65)), GLASS)]

    floor, track = -tall - rng.uniform(0.07, 0.13), rng.uniform(0.11, 0.17)
    stand = rng.choice(("nose", "tail", "tail", "floats"))
    if stand == "floats" and not glider and not canard:
        pontoon = _tube(0.04, 0.04, 0.35, 0.5, 0.02, 0.3, 0.9)
        pontoon = pontoon.scale((rng.uniform(0.65, 0.85), 1, 1)).translate((0.1, floor, track))
        parts += [(both_sides(pontoon), skin)]
        legs = (rod((x, -0.02, 0.02), (x, floor, track), 0.014) for x in (0.25, 0.0))
        parts += [(both_sides(union(legs)), DARK)]
    elif stand == "tail" and not glider and not canard:  # it sits back on its tail wheel
        parts += _gear((0.25, -0.42), floor, track, 0.04, lift - 0.05 - floor)
        pitch = rng.uniform(6, 12)
        parts = [(solid.rotate((0, 0, pitch)), material) for solid, material in parts]
    elif not glider:
        parts += _gear((0.0, 0.36), floor, track, rng.uniform(0.03, 0.045))
    return parts


def _fighter(rng):
    """Jets with delta, swept or trapezoid wings, canards or tailplanes, one or two fins."""
    skin, accent = _livery(rng, 0.8)
    plan = rng.choice(("delta", "swept", "trapezoid"))
    tall, wide = rng.uniform(0.05, 0.075), rng.uniform(0.05, 0.1)
    intake = rng.choice(("side", "side", "nose"))
    if intake == "nose":
        body, wide = _tube(tall, tall, 0.5, 0.4, 0, 0.75, 0.35), tall
        yield rod((0.45, 0, 0), (0.504, 0, 0), 0.6 * tall, 0.45 * tall), DARK
    else:
        body = _tube(wide, tall, rng.uniform(0.35, 0.5), 0.2, 0, 0.75, 0.85)
        duct = [(x, y, z) for x in (0.12, -0.3) for y in (-x - 0.5, x + 0.4) for z in (0, 1)]
        duct = hull(np.array(duct) * (1, 1.5 * tall, wide + 0.04))
        yield both_sides(duct), skin
        yield both_sides(block((0.02, tall, 0.035), (0.114, -0.03 * tall, wide + 0.018))), DARK
    yield from _two_tone(body, -0.01, skin, accent)
    canopy = (rng.uniform(0.08, 0.13), 0.045, 0.035)
    yield ellipsoid((rng.uniform(0.08, 0.2), tall * 0.75, 0), canopy), GLASS

    span, delta = rng.uniform(0.5, 0.9), plan == "delta"
    chord = rng.uniform(0.4, 0.62) if delta else rng.uniform(0.2, 0.36)
    sweep = 2 * (chord - 0.06) / span if delta else rng.uniform(0.2, 0.5) + 0.5 * (plan == "swept")
    tip = 0.06 if delta else chord * rng.uniform(0.25, 0.5)
    level, rise = rng.uniform(-0.5, 0.5) * tall, rng.uniform(-0.08, 0.06)
    wing = (chord - 0.4 if delta else chord / 2 + 0.06 * sweep, level, rise, sweep, span)
    yield _wing(wing, chord, tip), skin
    if not delta:
        yield _wing((-0.32, 0, -0.05, 0.6, span * rng.uniform(0.5, 0.7)), 0.17, 0.08), skin
    elif rng.random() < 0.6:
        yield _wing((0.3, tall * 0.3, 0, 0.7, rng.uniform(0.3, 0.42)), 0.12, 0.04), skin
    if rng.random() < 0.5:
        yield from _tail(rng, "fin", 0, skin, accent)
    else:
        head = (-0.36, rng.uniform(0.15, 0.24), wide + rng.uniform(0, 0.09))
        yield both_sides(_panel((-0.24, 0, wide * 0.75), head, rng.uniform(0.17, 0.24), 0.1)), skin
    for z in (-0.5 * wide, 0.5 * wide) if wide > 0.075 else (0,):
        yield rod((-0.4, 0, z), (-0.54, 0, z), 0.75 * tall, 0.55 * tall), DARK
    load = rng.choice(("none", "tips", "under", "right"))
    if load != "none":
        place = _on(wing, 1) if load == "tips" else _on(wing, rng.uniform(0.4, 0.7)) - (0, 0.035, 0)
        r = 0.015 if load == "tips" else rng.uniform(0.018, 0.028)
        store = rod(place - (0.18, 0, 0), place, r) + rod(place, place + (0.1, 0, 0), r, 0.004)
        store += block((0.06, 0.06, 0.022), place + (-0.1, 0.015, 0))
        yield store if load == "right" else both_sides(store), accent
    if rng.random() < 0.4:
        yield from _gear((-0.12, 0.28), -tall - rng.uniform(0.06, 0.1), 0.1, 0.028)


def _twin_boom(rng):
    """A short body between two booms that carry the tail; jet, pusher or two tractors."""
    skin, accent = _livery(rng, 0.5)
    tall, apart = rng.uniform(0.05, 0.09), rng.uniform(0.14, 0.24)
    body = _tube(tall * rng.uniform(0.8, 1.1), tall, 0.3, 0.5, 0.01, 0.45, 0.5)
    yield body.scale((rng.uniform(0.5, 0.75), 1, 1)).translate((0.16, 0, 0)), skin
    yield ellipsoid((0.26, tall * 0.7, 0), (0.13, tall * 0.6, tall * 0.6)), GLASS
    wing, chord = (0.2, 0, rng.uniform(0, 0.1), 0.1, rng.uniform(0.9, 1.5)), rng.uniform(0.17, 0.27)
    yield _wing(wing, chord, chord * rng.uniform(0.4, 0.9)), skin
    tractors = rng.random() < 0.6
    nose = 0.35 if tractors else 0.12
    boom = rod((-0.48, 0.02, apart), (0.05, 0, apart), 0.018, 0.035)
    yield both_sides(boom + rod((0.04, 0, apart), (nose, 0, apart), 0.035)), accent
    for solid, material in _propeller(rng, (nose, 0, apart), 0.11) if tractors else ():
        yield both_sides(solid), material
    if not tractors:
        yield from _propeller(rng, (-0.17, 0, 0), 0.1, -1)
        yield rod((-0.18, 0, 0), (0, 0, 0), 0.03), DARK
    yield block((0.11, 0.028, 2 * apart), (-0.43, 0.03, 0)), skin
    fin = _panel((-0.34, -0.05, apart), (-0.4, rng.uniform(0.1, 0.2), apart), 0.14, 0.08)
    yield both_sides(fin), accent
    yield from _gear((0.05, 0.36), -tall - rng.uniform(0.06, 0.1), apart, 0.032)


def _flying_wing(rng):
    """Hardly a body: a thick swept wing, with jets or pushers, or fins at the tips."""
    skin, accent = _livery(rng, 0.6)
    span, chord, sweep = rng.uniform(1, 1.9), rng.uniform(0.35, 0.6), rng.uniform(0.4, 0.75)
    wing = (0.3, 0, rng.uniform(0, 0.06), sweep, span)
    tall, tip = rng.uniform(0.05, 0.09), rng.uniform(0.12, 0.2)
    yield _wing(wing, chord, tip), skin
    yield ellipsoid((0.06, 0.01, 0), (chord * 0.65, tall, rng.uniform(0.09, 0.2))), skin
    yield ellipsoid((0.17, tall * 0.75, 0), (0.1, tall * 0.55, 0.05)), GLASS
    place = _on(wing, rng.uniform(0.2, 0.3)) - (0.12, 0, 0)
    if rng.random() < 0.5:
        yield both_sides(ellipsoid(place + (0, 0.02, 0), (0.16, 0.045, 0.05))), skin
        yield both_sides(block((0.02, 0.035, 0.07), place + (0.13, 0.03, 0))), DARK
    else:
        back = place - (chord * 0.6, 0, 0)
        yield both_sides(rod(back, place, 0.025, 0.04)), accent
        for solid, material in _propeller(rng, back, 0.11, -1):
            yield both_sides(solid), material
    if rng.random() < 0.5:
        end = _on(wing, 1) + (-0.08, rng.uniform(0.1, 0.22), 0)
        yield both_sides(_panel(_on(wing, 1), end, tip, tip / 2, 0.04)), accent


def _livery(rng, military):
    """The materials of the skin and of what stands out from it."""
    if rng.random() < military:
        tones = (((0.45, 0.5, 0.3), (0.27, 0.22, 0.14)), ((0.66, 0.69, 0.73), (0.36, 0.4, 0.47)))
        tones += (((0.75, 0.66, 0.46), (0.45, 0.33, 0.2)),)
        light, dark = tones[rng.integers(3)]
        skin = Speckle(light, dark, 0.09) if rng.random() < 0.5 else Plain(light)
        return skin, Plain(dark) if rng.random() < 0.6 else metal(rng)
    white = Plain((rng.uniform(0.78, 0.95),) * 3)
    return (white, metal(rng), paint(rng))[rng.choice(3, p=(0.6, 0.15, 0.25))], paint(rng)


def _two_tone(body, level, upper, lower):
    """A body of one colour above a level and of another below."""
    yield body.trim_by_plane((0, 1, 0), level), upper
    yield body.trim_by_plane((0, -1, 0), -level), lower


def _glazing(body, low, high):
    """The part of a body's skin between two corners, proud of it by a little."""
    return body.scale((1.01, 1.05, 1.06)) ^ box(low, high)


def _tube(wide, tall, nose, tail, lift, end=0.15, blunt=0.5):
    """A fuselage of these half-widths; ``nose`` and ``tail`` are the lengths of its tapers."""
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    ring = np.stack((0 * angle, tall * np.sin(angle), wide * np.cos(angle)), axis=1)
    rings = [
        ring * (1 - (1 - s) ** 2) ** blunt + (0.5 - nose * s, -0.25 * tall * (1 - s) ** 2, 0)
        for s in (0.01, 0.08, 0.25, 0.5, 1)
    ]
    for s in np.linspace(0, 1, 5):
        rings.append(ring * (1 + (end - 1) * s**1.5) + (tail * (1 - s) - 0.5, lift * s**1.5, 0))
    return loft(rings)


def _panel(root, tip, chord, tip_chord, thick=0.026):
    """A wing or fin between two points of its leading edge."""
    root, tip = np.asarray(root, float), np.asarray(tip, float)
    across = np.cross((1, 0, 0), tip - root)
    across *= thick / 2 / np.linalg.norm(across)
    aerofoil = ((0, 0), (0.08, 0.6), (0.35, 1), (0.75, 0.75), (1, 0.35))
    return hull(
        point - (along * length, 0, 0) + side * height * across
        for point, length in ((root, chord), (tip, tip_chord))
        for along, height in aerofoil
        for side in (-1, 1)
    )


def _wing(wing, chord, tip_chord):
    """Both halves of a wing; long ones are thicker."""
    thick = max(0.026, wing[4] / 48)
    return both_sides(_panel(_on(wing, 0), _on(wing, 1), chord, tip_chord, thick))


def _on(wing, share):
    """The place on the leading edge of the right half at a share of its length."""
    x, y, rise, sweep, span = wing
    z = share * span / 2 if span else 0.0
    return np.array((x - sweep * z, y + rise * z, z))


def _tail(rng, kind, level, skin, accent):
    """Fins and tailplane: low, T, cross, H (fins at the ends), V, or only a fin."""
    high, half = rng.uniform(0.13, 0.27), rng.uniform(0.13, 0.24)
    chord, lean = rng.uniform(0.14, 0.22), rng.uniform(0.04, 0.14)
    x = chord - 0.5 + 0.3 * lean
    at = {"T": 1, "cross": 0.5}.get(kind, 0)
    if kind == "V":
        tip = (x - lean, level + high, half)
        yield both_sides(_panel((x, level, 0), tip, chord, chord / 2)), accent
        return
    if kind == "H":
        root = np.array((x - 0.04, level, half))
        foot, head = root - (0, high * 0.3, 0), root + (-0.03, high * 0.6, 0)
        fin = _panel(foot, head, chord * 0.8, chord * 0.5)
        yield both_sides(fin), accent
    else:
        yield _panel((x, level, 0), (x - lean, level + high, 0), chord, chord * 0.55), accent
    if kind != "fin":
        root = (x - lean * at + 0.01 - 0.03 * (at == 0), level + high * at * 0.97, 0)
        tip = np.add(root, (-0.04, 0.01, half))
        yield both_sides(_panel(root, tip, chord * 0.7, chord * 0.5)), skin


def _jet(front, r, material):
    """A pair of open nacelles."""
    outline = [(0.7, 0), (0.85, 0.2), (1, 2.2), (0.9, 3), (0.7, 3), (0.6, 2.2), (0, 2.2), (0, 0)]
    nacelle = lathe(np.array(outline) * r).rotate((0, 0, -90)).translate((-2.2 * r, 0, 0))
    yield both_sides(nacelle.translate(front)), material
    cone = rod((-0.2 * r, 0, 0), (0.4 * r, 0, 0), 0.62 * r, 0.1 * r)
    cone += cone.translate((-2.3 * r, 0, 0))
    yield both_sides(cone.translate(front)), DARK


def _propeller(rng, hub, radius, ahead=1):
    """Spinner and blades, at a random angle."""
    yield rod(hub, np.add(hub, (0.06 * ahead, 0, 0)), 0.03, 0.008), DARK
    blade, count = block((0.022, radius, 0.035), (0.02 * ahead, radius / 2, 0)), rng.integers(2, 5)
    turns = rng.uniform(0, 360) + np.arange(count) * 360 / count
    yield union(blade.rotate((turn, 0, 0)) for turn in turns).translate(hub), DARK


def _gear(places, floor, track, wheel, lift=0.0):
    """Two main wheels and one in front, or behind and higher by ``lift``; (x, x) of both."""
    for x, z, y in ((places[0], track, floor), (places[1], 0, floor + lift)):
        r = wheel if y == floor else 0.025
        tyre = rod((x, y + r, z - 0.015), (x, y + r, z + 0.015), r)
        leg = rod((x, 0, z / 3), (x, y + r, z), 0.013)
        yield both_sides(tyre) if z else tyre, DARK
        yield both_sides(leg) if z else leg, Plain((0.6, 0.6, 0.62))
