# SPDX-License-Identifier: MIT
"""Loudspeakers: cabinets, sets, balls, horns, amplifiers, stage monitors, open baffles."""

from __future__ import annotations

import numpy as np

from ..materials import Plain, metal, paint, plastic, shade, wood
from ..solids import Assembly, both_sides, box, ellipsoid, extrude, hull, lathe, loft, rod

_CONES = ((0.16, 0.16, 0.17), (0.30, 0.30, 0.32), (0.85, 0.72, 0.22), (0.80, 0.80, 0.78))
_SHELLS = ("box", "box", "tapered", "lute", "arch", "wedge", "sloped", "tube")


def speaker(rng: np.random.Generator) -> Assembly:
    """A loudspeaker or a set of them, drivers to the front. Its size is about one unit."""
    out = Assembly()
    families = (_cabinet,) * 7 + (_set, _set, _ball, _ball, _horn, _horn, _amplifier)
    build = families[rng.integers(len(families))]
    look = Plain(_CONES[rng.integers(4)]), rng.choice((metal, plastic))(rng)
    build(out, rng, rng.choice((wood, wood, paint, plastic))(rng), look)
    return out


def _drivers(out, body, material, spots, look, tilt=0.0, at=(0, 0, 0)):
    """A body with drivers let into its front at ``spots`` (x, y, z, radius), then tilted, moved."""
    dish = lathe([(0, -0.35), (0.25, -0.35), (0.8, 0.02), (0.8, -0.6), (0, -0.6)])
    cap = lathe([(0, -0.08), (0.2, -0.14), (0.32, -0.3), (0.32, -0.5), (0, -0.5)])
    rim = lathe([(0.76, -0.1), (0.79, 0.06), (0.88, 0.1), (1.06, 0.05), (1.06, -0.1)])
    parts = []
    for x, y, z, r in spots:
        body -= rod((x - 0.5 * r, y, z), (x + r, y, z), r * 0.98)
        for solid, part in (
            (dish, look[0]),
            (cap, Plain(shade(look[0].colour, 0.6))),
            (rim, look[1]),
        ):
            parts.append((solid.scale((r, r, r)).rotate((0, 0, -90)).translate((x, y, z)), part))
    for solid, part in ((body, material), *parts):
        out.add(solid.rotate((0, 0, tilt)).translate(at), part)


def _spots(rng, front, width, height):
    """Places of a tweeter and woofers along the longer side of a front that begins at y = 0."""
    along, across = max(width, height), min(width, height)
    radii = [across * rng.uniform(0.28, 0.4)] * int(rng.integers(1, 5))
    radii.insert(int(rng.integers(2)), radii[0] * rng.uniform(0.35, 0.6))
    aside = across * 0.2 * (rng.random() < 0.25)  # how far the tweeter is out of the middle
    spots, place = [], along * rng.uniform(0.91, 0.97)
    for r in radii:
        place -= 1.1 * r
        if place - r < 0.03 * along:
            break
        off = aside if r == min(radii) else 0.0
        y, z = (place, off) if height >= width else (height / 2 + off, place - along / 2)
        spots.append((front, y, z, r))
        place -= 1.1 * r
    return spots


def _shell(kind, d, w, h, s):
    """A cabinet on y = 0 whose front is at x = d / 2; ``s`` below 1 is how much it narrows."""
    x, z, a = d / 2, w / 2, np.linspace(np.pi / 2, -np.pi / 2, 11)
    if kind == "tapered":
        top = [(u, h, v) for u in (x, -x * s) for v in (z * s, -z * s)]
        return hull([(u, 0, v) for u in (x, -x) for v in (z, -z)] + top)
    if kind == "tube":  # cut flat in front
        tube = lathe([(0, 0), (1, 0), (1, 0.9 * h), (s, h), (0, h)]).scale((0.6 * d, 1, 0.6 * w))
        return tube - box((0.5 * d, -1, -w), (d, 9, w))
    if kind == "arch":
        rise = 0.6 * min(z, 0.4 * h)
        top = [(z * np.sin(t), h + rise * np.cos(t)) for t in a]
        return extrude([(-z, 0), (z, 0), *top], "x", -x, x)
    if kind == "sloped":
        return extrude([(-x, 0), (x, 0), (x, h), (x - d * s * 0.7, h)], "z", -z, z)
    lute = [(x - d * (0.3 + 0.7 * np.cos(t)), z * np.sin(t)) for t in a]
    z_back = z * s if kind == "wedge" else z
    back = lute if kind == "lute" else [(-x, z_back), (-x, -z_back)]
    return extrude([(x, -z), (x, z), *back], "y", 0, h)


def _base(out, rng, kind, d, w, lift, material):
    """What carries a cabinet whose underside is at y = ``lift``."""
    top, reach = lift + 0.02, rng.uniform(0.15, 0.25) + 0.2 * lift
    if kind == "plinth":
        out.add(box((-d * 0.55, 0, -w * 0.6), (d * 0.58, top, w * 0.6)), material)
    elif kind == "legs":
        for x in (-d * 0.35, d * 0.35):
            leg = rod((1.4 * x, 0, w * 0.5), (x, top, w * 0.34), 0.02, 0.04)
            out.add(both_sides(leg), material)
    elif kind == "stand":
        out.add(box((-reach, 0, -reach), (reach, 0.04, reach)), material)
        out.add(rod((0, 0.02, 0), (0, top, 0), rng.uniform(0.03, 0.08)), material)
    elif kind == "tripod":
        out.add(rod((0, 0.2 * lift, 0), (0, top, 0), 0.03), material)
        for t in np.arange(3) * 2 * np.pi / 3:
            foot = (1.4 * reach * np.cos(t), 0.02, 1.4 * reach * np.sin(t))
            out.add(rod(foot, (0, 0.5 * lift, 0), 0.024), material)


def _cabinet(out, rng, material, look):
    """A bookshelf box, tower, centre or stage box on a base, a stage monitor or an open baffle."""
    base = rng.choice(("none", "plinth", "legs", "stand", "tripod", "tilted", "open"))
    (w, narrow), tall = rng.uniform((0.24, 0.5), (0.5, 0.85)), base in ("none", "plinth", "open")
    d, h = w * rng.uniform(0.55, 1.6), w * rng.uniform(0.55, 4.2 if tall else 2.0)
    lift = {"legs": 0.4, "stand": 0.7, "tripod": 0.8}.get(base, 0.05) * rng.uniform(0.4, 1.5)
    kind, tilt = rng.choice(_SHELLS), 0.0
    if base == "tilted":
        kind, w, tilt = "box", w * rng.uniform(1, 2.5), rng.uniform(30, 55)
    if base == "open":  # only a board, held by wings
        kind, d, w = rng.choice(("box", "arch", "tapered")), 0.08, w * rng.uniform(1, 1.8)
        outline = [(0, 0), (-w * 0.6, 0), (-w * rng.uniform(0.1, 0.5), h * narrow), (0, h * narrow)]
        wing = extrude(outline, "z", 0.32 * w, 0.32 * w + 0.05)
        out.add(both_sides(wing.translate((0, lift, 0))), look[1])
    body = _shell(kind, d, w, h, narrow)
    spots = _spots(rng, d / 2, w * (narrow if kind == "tapered" else 1), h)
    if tilt:  # what would be under the floor
        body -= box((-9, -9, -9), (9, 0, 9)).rotate((0, 0, -tilt))
    _drivers(out, body, material, spots, look, tilt, (0, lift, 0))
    _base(out, rng, base, d, w, lift, metal(rng) if rng.random() < 0.6 else material)


def _set(out, rng, material, look):
    """A subwoofer with two satellites on it or beside it, or with a soundbar at one side."""
    (w, d, h), place = rng.uniform((0.3, 0.35, 0.3), (0.6, 0.7, 0.8)), rng.integers(4)
    body, spot = _shell(rng.choice(_SHELLS), d, w, h, 0.75), (d / 2, h * 0.45, 0, 0.38 * min(w, h))
    _drivers(out, body, material, [spot], look)
    w2, d2, h2 = rng.uniform((0.14, 0.14, 0.2), (0.26, 0.26, 0.7))
    if place == 0:
        w2, h2 = rng.uniform((0.7, 0.12), (1.4, 0.2))
    kind = rng.choice(_SHELLS) if place else "box"
    body, spots = _shell(kind, d2, w2, h2, 0.75), _spots(rng, d2 / 2, w2 * 0.8, h2 * 0.95)
    x, z = rng.uniform(-0.2, 0.4) * (d - d2), (w + w2) / 2 - 0.015
    on, beside = np.array(((0, h - 0.01, -0.35 * w), (x, 0, z * rng.choice((-1, 1)))))
    other = (1, 1, -1)
    for at in ([beside], [beside, beside * other], [on, on * other], [on, beside])[place]:
        _drivers(out, body, material, spots, look, at=at)


def _ball(out, rng, material, look):
    """A ball or an egg, cut flat for the driver, perhaps with a tail, on what carries cabinets."""
    base = rng.choice(("plinth", "legs", "stand", "tripod"))
    lift = rng.uniform(0.3, 1.3) if base in ("stand", "tripod") else rng.uniform(0.1, 0.25)
    rx, ry, rz, cut = rng.uniform((0.25, 0.32, 0.3, 0.6), (0.5, 0.65, 0.42, 0.85))
    body = ellipsoid((0, 0, 0), (rx, ry, rz)) - box((rx * cut, -1, -1), (2, 1, 1))
    if rng.random() < 0.4:
        body += rod((-rx / 2, 0, 0), (-rx * rng.uniform(1.4, 2.4), 0, 0), rz * 0.6, 0.05)
    spots = [(rx * cut, 0, 0, 0.85 * min(rz, ry) * np.sqrt(1 - cut**2))]
    _drivers(out, body, material, spots, look, rng.uniform(0, 30), (0, lift + ry, 0))
    _base(out, rng, base, rx, rz, lift + 0.2 * ry, metal(rng))


def _horn(out, rng, material, look):
    """A bent horn on a box, as of a gramophone, or on a foot, perhaps turned aside."""
    bend, foot = rng.uniform(0.9, 1.9), rng.random() < 0.4
    mouth, wide, long = rng.uniform((0.26, 1, 0.8), (0.42, 1.3, 1.5))
    t, a = np.linspace(0, 1, 12)[:, None], np.linspace(0, 2 * np.pi, 24, endpoint=False)
    angle = bend * (1 - t)  # of the path, to the horizontal
    x, y = (np.cumsum(f(angle), 0) * long / 12 for f in (np.cos, np.sin))
    petals = 1 + rng.choice((0, 0.05)) * t * np.cos(8 * a)

    def skin(inset, push):
        r = (0.06 + (mouth - 0.06) * t**2.5) * petals - inset
        u, ahead = r * np.sin(a), x - x[0] + push * np.maximum(t - 0.9, 0)
        rings = (ahead - u * np.sin(angle), y - y[0] + u * np.cos(angle), r * np.cos(a) * wide**t)
        return loft(np.stack(rings, 2))

    w, h = rng.uniform((0.2, 0.2), (0.36, 1.1))
    bell = (skin(0, 0) - skin(0.028, 0.1)).rotate((0, rng.choice((0, rng.uniform(-50, 50))), 0))
    if foot:
        stem = lathe([(0, 0), (w, 0), (w * 0.9, 0.06), (0.06, 0.12), (0.05, h), (0, h)])
        out.add(stem.translate((-w * 0.4, 0, 0)), material)
    else:
        spots = _spots(rng, w, 2 * w, h * 0.95)
        body = _shell(rng.choice(("box", "lute", "wedge")), 2 * w, 2 * w, h, 0.7)
        _drivers(out, body, material, spots, look)
        out.add(box((-w * 1.15, -0.05, -w * 1.15), (w * 1.15, 0.02, w * 1.15)), material)
    out.add(bell.translate((-w * 0.4, h - 0.03, 0)), rng.choice((metal, paint))(rng))


def _amplifier(out, rng, material, look):
    """A guitar amplifier: a head with knobs on one or two cabinets."""
    w, d, y = rng.uniform(0.6, 1.0), rng.uniform(0.25, 0.5), 0.0
    for _ in range(int(rng.integers(1, 3))):
        h = w * rng.uniform(0.55, 1.0)
        body = _shell(rng.choice(("box", "sloped")), d, w, h, rng.uniform(0.2, 0.5))
        body -= box((d / 2 - 0.05, 0.06, -w / 2 + 0.05), (d, h - 0.06, w / 2 - 0.05))
        n, front = int(rng.integers(1, 3)), d / 2 - 0.045  # drivers side by side
        r = min(0.42 * (w - 0.1) / n, 0.42 * (h - 0.12), 0.9 * d)
        aside = rng.choice((-1, 0, 1)) * (0.45 * w - 1.1 * r) if n == 1 else 1.1 * r
        spots = [(front, h / 2, z, r) for z in (aside, -aside)[:n]]
        _drivers(out, body, material, spots, look, at=(0, y, 0))
        y += h - 0.005
    h, x, z = rng.uniform(0.14, 0.28), d * rng.uniform(0.3, 0.48), w * rng.uniform(0.3, 0.5)
    out.add(box((-x, y - 0.01, -z), (x, y + h, z)), material)
    out.add(box((0, y + 0.03, -z * 0.93), (x + 0.015, y + h - 0.04, z * 0.93)), look[0])
    for k in np.linspace(-0.8, 0.8, int(rng.integers(4, 8))) * z:
        out.add(rod((x, y + h / 2, k), (x + 0.06, y + h / 2, k), 0.028), look[1])
