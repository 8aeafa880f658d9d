# SPDX-License-Identifier: MIT
"""Long guns: hunting and military rifles, bullpups, shotguns, muskets, machine guns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..materials import Plain, Speckle, metal, paint, plastic, wood
from ..solids import Assembly, beam, block, both_sides, box, extrude, pipe, rod, rounded_loft, union

_SIZES = {  # ranges of the barrel's length, and of the receiver's length and height
    "sporter": ((0.4, 0.7), (0.16, 0.28), (0.045, 0.06)),
    "assault": ((0.22, 0.5), (0.2, 0.34), (0.06, 0.11)),
    "bullpup": ((0.1, 0.36), (0.12, 0.2), (0.07, 0.11)),
    "shotgun": ((0.3, 0.75), (0.1, 0.2), (0.05, 0.075)),
    "lever": ((0.3, 0.65), (0.14, 0.22), (0.05, 0.08)),
    "revolver": ((0.2, 0.6), (0.14, 0.2), (0.07, 0.11)),
    "submachine": ((0.08, 0.28), (0.2, 0.36), (0.055, 0.1)),
    "machine": ((0.3, 0.6), (0.22, 0.4), (0.07, 0.13)),
    "musket": ((0.5, 0.95), (0.12, 0.2), (0.04, 0.055)),
}
_PARTS = {  # stock | fore-end | feed | sight | support; what is repeated is likelier
    "sporter": "classic monte thumbhole | slim slim half | none box | "
    "scope scope iron | none sling bipod",
    "assault": "fixed tube skeleton wire aside | guard jacket | curved curved box drum | "
    "iron handle dot scope | none sling grip launcher bipod",
    "bullpup": "butt | guard none | rear | handle scope dot iron | none grip bipod",
    "shotgun": "classic straight fixed | half pump | none | none iron | none sling",
    "lever": "straight classic | half slim | lever | none iron scope | none sling",
    "revolver": "classic straight skeleton | none half | cylinder | none iron scope | none sling",
    "submachine": "none wire aside fixed tube skeleton | none guard jacket | "
    "box curved drum side grip grip | none iron dot | none none grip",
    "machine": "fixed classic tube spade skeleton | jacket guard none | "
    "side side pan belt drum curved | iron handle scope none | bipod bipod tripod",
    "musket": "straight classic | full full half | lock | none iron | none sling bayonet",
}


class _Frame(NamedTuple):
    """The receiver's box. The trigger is near x = 0, the axis of the bore at y = 0."""

    back: float
    front: float
    low: float
    high: float
    half: float  # of the width
    middle: float  # of the height


def rifle(rng: np.random.Generator) -> Assembly:
    """A receiver with a barrel, and a stock, fore-end, feed, sight and support. In metres."""
    out = Assembly()
    layout = str(rng.choice((*_SIZES, "assault", "bullpup", "submachine", "machine")))
    parts = (str(rng.choice(choices.split())) for choices in _PARTS[layout].split("|"))
    stock, fore, feed, sight, support = parts
    barrel, length, height = (rng.uniform(*span) for span in _SIZES[layout])
    back, low, half = -length * rng.uniform(0.4, 0.6), -0.62 * height, rng.uniform(0.018, 0.032)
    f = _Frame(back, back + length, low, low + height, half, low + height / 2)
    dark = Plain((rng.uniform(0.12, 0.4),) * 3)
    steel = dark if rng.random() < 0.7 else metal(rng)
    old = layout in ("sporter", "shotgun", "lever", "revolver", "musket")
    trim = _furniture(rng, 0.75 if old else 0.3)

    if rng.random() < 0.3 and layout != "bullpup":
        tube = _bar(f.back, f.front, f.middle, 0.5 * height)
        out.add(tube + box((f.back, f.low, -half), (f.front, f.middle, half)), steel)
    else:
        a, b, bevel = f.back, f.front, height * rng.uniform(0.05, 0.35)
        side = [(a, f.low), (b, f.low), (b, f.high - bevel), (b - bevel, f.high)]
        out.add(_flat([*side, (a + bevel, f.high), (a, f.high - bevel)], half), steel)
    _barrel(out, rng, layout, f, barrel, steel)
    reach = _fore_end(out, rng, fore, f, barrel, trim, steel)
    _stock(out, rng, stock, f, trim, steel)
    if stock not in ("classic", "straight", "monte", "thumbhole", "spade"):
        tilt, foot = rng.uniform(0.0, 0.05), f.low - rng.uniform(0.09, 0.14)
        side = [(-0.02, f.low + 0.01), (-0.07, f.low + 0.01), (-0.08 - tilt, foot)]
        out.add(_flat([*side, (-0.03 - tilt, foot)], 0.017), trim if tilt < 0.03 else dark)
    deep, y = rng.uniform(0.04, 0.055), f.low + 0.005
    bow = _flat([(-0.04, y), (-0.03, y - deep), (0.03, y - deep), (0.045, y)], 0.011)
    rest = y - deep + 0.015
    out.add(bow - _flat([(-0.024, y), (-0.016, rest), (0.02, rest), (0.03, y)], 1), steel)
    out.add(beam((0, y, 0), (0.008, y - deep * 0.7, 0), 0.014, 0.012), steel)
    _feed(out, rng, feed, f, dark if rng.random() < 0.7 else metal(rng), trim)
    _sight(out, rng, sight, f, f.front + barrel, dark)
    _support(out, rng, support, f, reach, f.front + barrel, dark)
    if layout in ("sporter", "assault", "machine") and rng.random() < 0.7:
        knob = (f.back + 0.04, f.middle - 0.03, half + rng.uniform(0.03, 0.06))
        out.add(pipe([(f.back + 0.05, f.middle, 0), knob], 0.011), steel)
    return out


def _furniture(rng, wooden):
    """What stock and fore-end are made of; ``wooden`` is the probability of wood."""
    if rng.random() < wooden:
        return wood(rng, 0.6, 0)
    if rng.random() < 0.35:  # camouflage
        base = ((0.36, 0.38, 0.2), (0.5, 0.42, 0.28), (0.3, 0.32, 0.3))[int(rng.integers(3))]
        return Speckle(base, tuple(0.45 * c for c in base), 0.03)
    return rng.choice((plastic, plastic, paint))(rng)


def _bar(start, end, y, radius, end_radius=None):
    """A cylinder or a cone along the gun."""
    return rod((start, y, 0), (end, y, 0), radius, end_radius)


def _flat(outline, half):
    """A plate over an outline of (x, y)."""
    return extrude(outline, "z", -half, half)


def _rounded(rows):
    """The skin through sections, given as rows of x, half width, low and high."""
    return rounded_loft(sorted(rows), 0.6, 12)


def _fore_end(out, rng, kind, f, barrel, trim, steel):
    """What the left hand holds; returns how far forward it reaches."""
    span = {"slim": (0.35, 0.6), "full": (0.8, 0.95), "none": (0.1, 0.2)}.get(kind, (0.4, 0.75))
    start, reach = f.front - 0.01, f.front + barrel * rng.uniform(*span)
    deep, half = rng.uniform(0.035, 0.06), rng.uniform(0.9, 1.15) * f.half
    if kind in ("slim", "full"):  # one piece of wood with the bed of the receiver
        bed = [(f.back, f.half + 0.005, f.low - 0.01, f.middle), (f.front, half, -deep, 0.002)]
        out.add(_rounded([*bed, (reach, half * 0.7, -deep * 0.55, 0.004)]), trim)
    elif kind == "half":
        rows = [(start, half, -deep, 0.0), (reach, half * 0.75, -deep * 0.7, 0)]
        out.add(_rounded(rows), trim)
    elif kind == "guard":
        side = [(start, -deep), (reach, -deep * rng.uniform(0.6, 1)), (reach, 0.015)]
        out.add(_flat([*side, (start, 0.028)], half), trim)
    elif kind == "pump":
        x = f.front + barrel * rng.uniform(0.1, 0.3)
        out.add(_bar(start, f.front + barrel * rng.uniform(0.7, 0.95), -0.034, 0.015), steel)
        out.add(_rounded([(x, half, -0.068, -0.005), (x + 0.15, half, -0.06, -0.005)]), trim)
    elif kind == "jacket":
        places = np.arange(start + 0.03, reach, 0.05)
        cuts = [rod((x, 0, -0.1), (x, 0, 0.1), 0.012) for x in places]
        cuts += [cut.rotate((90, 0, 0)) for cut in cuts]
        out.add(_bar(start, reach, 0, deep * 0.7) - union(cuts), steel)
    return reach


def _barrel(out, rng, layout, f, length, steel):
    """One barrel or two, and what is at the muzzle."""
    r, start, muzzle = rng.uniform(0.012, 0.018), f.front - 0.02, f.front + length
    end = rng.choice(("plain", "plain", "suppressor", "brake", "cone"))
    if layout == "shotgun" and rng.random() < 0.65:
        y, z = ((-1.9 * r, 0), (0, 0.95 * r))[int(rng.integers(2))]
        out.add(both_sides(rod((start, 0, z), (muzzle, 0, z), r)), steel)
        out.add(_bar(start, muzzle + 0.002, y, r), steel)
        return
    out.add(_bar(start, muzzle, 0, r * rng.uniform(1, 1.4), r), steel)
    if layout in ("lever", "musket"):  # a magazine or ramrod below
        out.add(_bar(start, f.front + length * rng.uniform(0.6, 0.97), -1.75 * r, 0.012), steel)
    if layout == "musket" and rng.random() < 0.3:  # a blunderbuss
        out.add(_bar(muzzle - 0.12, muzzle + 0.03, 0, r, r * rng.uniform(1.8, 3)), steel)
    elif end == "plain" or layout in ("lever", "revolver", "shotgun", "musket"):
        out.add(_bar(muzzle - 0.012, muzzle + 0.004, 0, r * 1.3), steel)
    elif end == "suppressor":
        tip = muzzle + rng.uniform(0.12, 0.24)
        out.add(_bar(muzzle - 0.03, tip, 0, r * rng.uniform(1.5, 2.2)), steel)
    elif end == "brake":
        out.add(block((0.08, 0.04, 0.07), (muzzle + 0.02, 0, 0)), steel)
    else:
        out.add(_bar(muzzle - 0.02, muzzle + 0.05, 0, r * 1.2, r * 1.7), steel)


def _stock(out, rng, kind, f, trim, steel):
    """What is held to the shoulder, from the back of the receiver on."""
    a, end, m, h = f.back, f.back - rng.uniform(0.2, 0.36), f.middle, f.half
    drop, deep = rng.uniform(0.0, 0.11), rng.uniform(0.09, 0.16)
    top, sole = m - drop, m - drop - deep
    if kind in ("classic", "straight", "monte", "thumbhole"):
        bump = {"straight": 0.0, "thumbhole": 0.08}.get(kind, 0.04)
        comb = m - 0.6 * drop + (0.03 if kind in ("monte", "thumbhole") else 0)
        wrist, under = m - 0.2 * drop, f.low - 0.012
        rows = [(a + 0.05, h * 0.95, under, m), (a - 0.03, h * 0.8, under, wrist)]
        rows += [(a - 0.06, h * 0.85, under - bump, wrist - 0.01)]
        rows += [(a - 0.105, h * 0.8, min(under, wrist - 0.05) - 0.2 * drop, wrist - 0.012)]
        rows += [(a - 0.14, h * 0.9, (under + sole) / 2, comb), (end, h, sole, top)]
        body = _rounded(rows)
        if kind == "thumbhole":
            x, y = end + 0.05, (top + sole) / 2
            body -= _flat([(a - 0.115, y + 0.05), (x, y + 0.03), (x, y - 0.03), (a - 0.12, y)], 1)
        out.add(body, trim)
        out.add(block((0.025, deep * 0.96, 1.7 * h), (end, top - deep / 2, 0)), steel)
    elif kind == "fixed":
        side = [(a + 0.02, f.low), (a + 0.02, m + 0.02), (end, top), (end, sole)]
        out.add(_flat([*side, (a - 0.06, f.low - 0.01)], h * 0.85), trim)
    elif kind == "butt":  # of a bullpup: the works are in it
        end, sole, half = end - 0.03, f.low - rng.uniform(0.04, 0.12), h * rng.uniform(1.05, 1.3)
        heel = f.high + rng.uniform(-0.05, 0.03)
        side = [(0.02, f.low - 0.005), (0.02, f.high + 0.004), (a, f.high + 0.004), (end, heel)]
        side += [(end, sole), (end + 0.08, sole), (a - 0.04, f.low - 0.01)]
        out.add(_flat(side, half), trim)
        out.add(box((end - 0.02, sole - 0.004, -0.02), (end + 0.01, heel - 0.02, 0.02)), steel)
    elif kind == "tube":
        out.add(_bar(a + 0.02, end + 0.02, m, 0.017), steel)
        x = end + rng.uniform(0.1, 0.16)
        side = [(x, m + 0.024), (end, m + 0.024), (end, m - deep), (end + 0.03, m - deep)]
        out.add(_flat([*side, (x, m - 0.03)], h * 0.8), trim)
    elif kind == "skeleton":
        for y, far in ((m, top - 0.015), (f.low + 0.015, sole + 0.02)):
            out.add(beam((a + 0.02, y, 0), (end, far, 0), 0.024, 0.024), steel)
        out.add(box((end - 0.022, sole, -0.02), (end + 0.005, top, 0.02)), trim)
    elif kind == "wire":
        path = [(a + 0.02, m, h), (end, m, h), (end, m - deep, h), (end, m - deep, 0)]
        out.add(both_sides(pipe(path, 0.011)), steel)
    elif kind == "aside":  # folded to the right
        z, x = h + 0.022, a + rng.uniform(0.18, 0.28)
        out.add(pipe([(a + 0.02, m, 0), (a - 0.01, m, z), (x, m - 0.02, z)], 0.013), steel)
        out.add(box((x - 0.02, m - deep, z - 0.012), (x + 0.01, m + 0.015, z + 0.016)), trim)
    elif kind == "spade":
        out.add(box((a - 0.04, m - 0.013, -0.07), (a + 0.01, m + 0.013, 0.07)), steel)
        handle = rod((a - 0.04, m - 0.06, 0.06), (a - 0.04, m + 0.06, 0.06), 0.016)
        out.add(both_sides(handle), trim)


def _stick(x, top, length, width, bend, half):
    """A magazine that hangs from a place and bends forward."""
    s = np.linspace(0, 1, 6)[:, None]
    edge = np.hstack((x + bend * s * s, top - length * s))
    front = edge + np.hstack((width + 0 * s, s * width * 0.3 * np.sign(bend)))
    return _flat([*edge, *front[::-1]], half)


def _feed(out, rng, kind, f, steel, trim):
    """Where the cartridges are, and what moves them; or the lock of a musket."""
    width, half, m = rng.uniform(0.04, 0.075), rng.uniform(0.7, 0.9) * f.half, f.middle
    x, y = max(0.045, f.front - width - rng.uniform(0.0, 0.04)), f.low + 0.02
    side, hammer = rng.choice((-1, 1)), (f.back - 0.03, f.high + 0.03, 0)
    sticks = {  # place, top, length and bend
        "box": (x, y, rng.uniform(0.06, 0.22), 0.01),
        "curved": (x, y, rng.uniform(0.14, 0.25), rng.uniform(0.04, 0.12)),
        "rear": (-0.14 - width, y, rng.uniform(0.15, 0.22), rng.uniform(0.01, 0.06)),
        "grip": (-0.075, f.low - 0.08, rng.uniform(0.06, 0.14), -0.03),
    }
    if kind in sticks:
        place, top, length, bend = sticks[kind]
        thick = 0.014 if kind == "grip" else half
        out.add(_stick(place, top, length, min(width, 0.055) + 0.01, bend, thick), steel)
    elif kind == "drum":
        r = rng.uniform(0.05, 0.085)
        at = (x + width / 2, f.low - r * 0.85)
        out.add(rod((*at, -half * 1.4), (*at, half * 1.4), r), steel)
        out.add(box((x, at[1], -half), (x + width, y, half)), steel)
    elif kind == "side" and rng.random() < 0.5:
        r = rng.uniform(0.05, 0.09)
        z = side * (f.half + 0.8 * r)
        out.add(rod((x - 0.02, m, z), (x + 0.06, m, z), r), steel)
        out.add(box((x, m - 0.02, 0), (x + 0.04, m + 0.02, z)), steel)
    elif kind == "side":
        far = side * (f.half + rng.uniform(0.14, 0.2))
        out.add(box((x, m - 0.015, 0), (x + width * 0.8, m + 0.015, far)), steel)
    elif kind == "pan":
        r, high = rng.uniform(0.08, 0.14), f.high + rng.uniform(0.03, 0.05)
        at = max(m, f.front - r * 0.6)
        out.add(rod((at, f.high - 0.005, 0), (at, high, 0), r, r * 0.85), steel)
    elif kind == "belt":
        z, off = f.half * rng.uniform(1.2, 2.0), side * 0.03
        low = f.low - rng.uniform(0.08, 0.13)
        out.add(box((0.05, low, off - z), (f.front, f.low + 0.01, off + z)), trim)
    elif kind == "cylinder":
        r, start, end = 0.55 * (f.high - f.low), 0.2 * f.front, 0.9 * f.front
        flute = _bar(start + 0.02, end + 0.01, 1.1 * r, 0.22 * r)
        flutes = union(flute.rotate((t, 0, 0)) for t in range(0, 360, 60))
        out.add((_bar(start, end, 0, r) - flutes).translate((0, m, 0)), steel)
    elif kind == "lever":
        long, deep = rng.uniform(0.07, 0.13), rng.uniform(0.045, 0.08)
        ring = rod((0, 0, -0.012), (0, 0, 0.012), 1).scale((long, deep, 1))
        hole = rod((0, 0, -1), (0, 0, 1), 1).scale((long - 0.02, deep - 0.02, 1))
        out.add((ring - hole).translate((-0.03 - long, f.low - deep * 0.8, 0)), steel)
    elif kind == "lock":
        low, high, z = f.low + 0.01, f.high - 0.01, f.half + 0.012
        out.add(box((f.back + 0.02, low, 0), (f.front - 0.02, high, z)), steel)
        hammer = (f.back + 0.02, f.high + 0.045, f.half + 0.004)
    if kind in ("cylinder", "lever", "lock"):
        out.add(beam((f.back + 0.03, f.high - 0.025, hammer[2]), hammer, 0.022, 0.022), steel)


def _sight(out, rng, kind, f, muzzle, dark):
    """What one aims with, on top of the receiver."""
    x, top = f.back + (f.front - f.back) * rng.uniform(0.3, 0.7), f.high
    if kind == "scope":
        long, r = rng.uniform(0.2, 0.38), rng.uniform(0.014, 0.019)
        y, bell = top + r + rng.uniform(0.018, 0.045), r * rng.uniform(1.3, 2.0)
        tube = _bar(x - long * 0.3, x + long * 0.25, y, r)
        tube += _bar(x - long / 2, x - long * 0.3, y, bell * 0.85, r)
        out.add(tube + _bar(x + long * 0.25, x + long / 2, y, r, bell), dark)
        reach = 0.25 * min(long, f.front - f.back)
        for at in (x - reach, x + reach):
            out.add(box((at - 0.012, top - 0.03, -r * 1.1), (at + 0.012, y, r * 1.1)), dark)
        out.add(pipe([(x, y, 0), (x, y, 1.9 * r)], 0.011), dark)
    elif kind == "dot":
        out.add(box((x - 0.04, top - 0.03, -0.018), (x + 0.04, top + 0.02, 0.018)), dark)
        ring = box((x - 0.02, top + 0.01, -0.025), (x + 0.03, top + 0.065, 0.025))
        out.add(ring - box((x - 1, top + 0.028, -0.013), (x + 1, top + 0.05, 0.013)), dark)
    elif kind == "handle":
        high, a, b, y = top + rng.uniform(0.04, 0.065), f.back + 0.03, f.front - 0.03, top - 0.03
        arch = _flat([(a, y), (a + 0.01, high), (b - 0.03, high), (b, y)], 0.014)
        hole = [(a + 0.03, top), (a + 0.035, high - 0.022), (b - 0.05, high - 0.022)]
        out.add(arch - _flat([*hole, (b - 0.03, top)], 1), dark)
    elif kind == "iron":
        x = f.back + 0.06
        out.add(box((x - 0.015, top - 0.03, -0.012), (x + 0.015, top + 0.025, 0.012)), dark)
    if kind in ("iron", "handle"):
        post, x = rng.uniform(0.035, 0.07), muzzle - 0.04
        side = [(x - 0.02, 0), (x + 0.02, 0), (x + 0.015, post), (x - 0.005, post)]
        out.add(_flat(side, 0.011), dark)


def _support(out, rng, kind, f, reach, muzzle, dark):
    """What it stands on, or what else is under the barrel."""
    if kind == "grip":
        x = f.front + (reach - f.front) * rng.uniform(0.4, 0.9)
        out.add(rod((x, 0, 0), (x + 0.01, -rng.uniform(0.11, 0.15), 0), 0.02, 0.016), dark)
    elif kind == "launcher":
        out.add(_bar(f.front - 0.01, reach + 0.04, -0.068, 0.027), dark)
        out.add(box((f.front + 0.03, -0.068, -0.014), (reach, 0, 0.014)), dark)
    elif kind == "sling":
        x = np.linspace(f.back - 0.15, reach - 0.02, 7)
        y = f.low - rng.uniform(0.06, 0.22) * np.sin(np.linspace(0, np.pi, 7)) ** 0.7
        y[[0, -1]] = f.middle - 0.06, 0
        out.add(pipe(np.stack((x, y, 0 * x), 1), 0.011), Plain((0.35, 0.22, 0.12)))
    elif kind == "bayonet":
        tip, x = (muzzle + rng.uniform(0.2, 0.35), -0.03), muzzle + 0.03
        blade = [(muzzle - 0.04, -0.008), (x, -0.042), tip, (x, -0.012)]
        out.add(_flat(blade, 0.01), metal(rng))
    elif kind == "bipod":
        x, lean = min(reach + rng.uniform(-0.03, 0.06), muzzle - 0.05), rng.uniform(-0.05, 0.06)
        foot = (x + lean, -rng.uniform(0.16, 0.28), rng.uniform(0.06, 0.13))
        leg = rod((x, -0.008, 0), foot, 0.012) + block((0.04, 0.022, 0.04), foot)
        out.add(both_sides(leg) + _bar(x - 0.02, x + 0.02, 0, 0.024), dark)
    elif kind == "tripod":
        pivot = (0.6 * f.front, f.low - 0.06, 0)
        out.add(rod((pivot[0], f.low + 0.01, 0), pivot, 0.025), dark)
        long, deep, turn = rng.uniform(0.14, 0.24), rng.uniform(0.16, 0.26), np.radians(120)
        for t in (turn / 2, 1.5 * turn, 2.5 * turn):
            tip = (pivot[0] + 1.2 * long * np.cos(t), f.low - deep, long * np.sin(t))
            out.add(rod(pivot, tip, 0.017, 0.013), dark)
