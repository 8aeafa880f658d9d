# SPDX-License-Identifier: MIT
"""Sofas: with arms, a chaise or a corner, curved, on open frames, daybeds, chaises longues."""

from __future__ import annotations

import numpy as np

from ..materials import Plain, fabric, metal, shade, wood
from ..solids import Assembly, beam, block, box, extrude, rod, rounded_box, union


def sofa(rng: np.random.Generator) -> Assembly:
    """An upholstered seat for two or more, or to lie on. In metres."""
    out = Assembly()
    family = rng.choice((_upholstered, _framed, _curved, _couch), p=(0.4, 0.22, 0.29, 0.09))
    family(out, rng)
    return out


def _cover(rng):
    """Cloth, or leather."""
    tones = ((0.36, 0.18, 0.1), (0.62, 0.36, 0.18), (0.13, 0.12, 0.12), (0.85, 0.81, 0.74))
    leather = Plain(shade(tones[rng.integers(4)], rng.uniform(0.8, 1.15)))
    return fabric(rng) if rng.random() < 0.7 else leather


def _feet(out, rng, corners, height):
    """Pegs under the corners (x, z) of a body ``height`` above the floor."""
    wide, material = rng.uniform(0.035, 0.06), rng.choice((wood, metal))(rng)
    for x, z in corners:
        out.add(rod((x, 0, z), (x, height + 0.03, z), wide * 0.8, wide), material)


def _pads(out, across, along, low, high, count, material):
    """Loose cushions side by side between two x and two z."""
    edges = np.linspace(*along, count + 1)
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        corners = (across[0], low, a + 0.008), (across[1], high, b - 0.008)
        out.add(rounded_box(*corners, 0.25 * (high - low)), material)


def _pillows(out, rng, x, y, length):
    """Scatter cushions that lean against the back."""
    for z in rng.uniform(-0.4, 0.4, int(rng.integers(0, 4))) * length:
        size = rng.uniform(0.17, 0.24)
        pillow = rounded_box((-0.06, -size, -size), (0.06, size, size), 0.06)
        pillow = pillow.rotate((0, rng.uniform(-25, 25), 20))
        out.add(pillow.translate((x, y + size * 0.9, z)), fabric(rng))


def _upholstered(out, rng):
    """A body with arms and a back, and perhaps a chaise or a second wing."""
    length, depth, seat = rng.uniform(1.05, 2.9), rng.uniform(0.65, 1.05), rng.uniform(0.3, 0.5)
    over, foot = rng.uniform(0.2, 0.75), rng.uniform(0.06, 0.26) * (rng.random() < 0.8)
    wide, thick = rng.uniform(0.08, 0.26), rng.uniform(0.11, 0.25)  # of the arms, of the back
    cover, rear, front, end = _cover(rng), -depth / 2, depth / 2, length / 2
    arms, odd = rng.choice(("box", "box", "roll", "none")), rng.integers(12)
    sides = () if arms == "none" else ((-1, 1), (-1,), (1,))[odd if odd < 3 else 0]
    along = [s * (end - wide if s in sides else end) for s in (-1, 1)]
    under = max(foot + 0.05, seat - 0.13)
    corners = [(x, z) for x in (rear + 0.09, front - 0.09) for z in (0.09 - end, end - 0.09)]
    out.add(box((rear, foot, -end), (front - 0.01, under, end)), cover)
    rise = seat + (over if rng.random() < 0.25 else rng.uniform(0.06, min(over, 0.3)))
    for side in sides:
        x, z = front + 0.02, side * (end - wide / 2)
        body = block((depth, rise - foot, wide), (0.003, (rise + foot) / 2, z))
        roll = rod((rear, rise, z), (x, rise, z), wide * 0.66 + 0.02)
        out.add(body + roll if arms == "roll" else body, cover)
    _back(out, rng, rear, thick, (-end, end), along, foot, seat, over, cover)
    pad = cover if rng.random() < 0.7 else _cover(rng)
    count = max(1, round((along[1] - along[0]) / rng.uniform(0.5, 1.1)))
    _pads(out, (rear + thick - 0.02, front + 0.015), along, under - 0.02, seat, count, pad)
    for side in ((), (), (-1,), (1,), (-1, 1))[rng.choice(5, p=(0.18, 0.18, 0.2, 0.2, 0.24))]:
        far = front + rng.uniform(0.3, 0.35 + 0.5 * length)
        low, high = sorted((side * end, side * (end - rng.uniform(0.26, 0.42) * length)))
        out.add(box((front - 0.1, foot + 0.004, low), (far, under + 0.004, high)), cover)
        _pads(out, (front - 0.06, far), (low, high), under - 0.01, seat + 0.006, 1, pad)
        corners += [(far - 0.09, low + 0.09), (far - 0.09, high - 0.09)]
        if far > front + 0.6:  # long enough to sit on sideways: a wing with its own back
            span = sorted((side * (end + 0.006), side * (end - thick)))
            out.add(box((rear, foot, span[0]), (far, seat + over * 0.7, span[1])), cover)
    if foot:
        _feet(out, rng, corners, foot)
    _pillows(out, rng, rear + thick + 0.1, seat, along[1] - along[0])


def _back(out, rng, rear, thick, ends, along, foot, seat, over, cover):
    """The back: a wall, loose cushions on a low wall, arched or rolled."""
    kind, top = rng.choice(("wall", "cushions", "cushions", "camel", "roll")), seat + over
    (low, high), front, lean = ends, rear + thick, rng.uniform(0, 0.2)
    if rng.random() < 0.1:  # leaves one end open
        low, high = ((low * 0.2, high), (low, high * 0.2))[rng.integers(2)]
        along = max(low, along[0]), min(high, along[1])
    if kind == "cushions":
        out.add(box((rear - 0.01, foot, low), (front - thick / 2, top - 0.12, high)), cover)
        count = max(1, round((along[1] - along[0]) / rng.uniform(0.5, 1.0)))
        _pads(out, (rear + thick * 0.3, front + 0.06), along, seat - 0.05, top, count, cover)
    elif kind == "camel":
        t = np.linspace(0, 1, 13)
        humps = np.abs(np.sin(np.pi * t * rng.integers(1, 4))) * 0.4 + 0.6
        crest = [*zip(high + (low - high) * t, seat + over * humps, strict=True)]
        out.add(extrude([(low, foot), (high, foot), *crest], "x", rear - 0.01, front), cover)
    else:
        outline = [(rear, foot), (front, foot), (front, seat), (front - lean, top)]
        out.add(extrude([*outline, (rear - lean, top)], "z", low, high), cover)
        if kind == "roll":
            x = (rear + front) / 2 - lean
            out.add(rod((x, top, low - 0.01), (x, top, high + 0.01), thick * 0.6), cover)


def _framed(out, rng):
    """Cushions on an open frame of wood or metal; a futon where it is low."""
    length, depth, seat = rng.uniform(1.05, 2.4), rng.uniform(0.6, 0.95), rng.uniform(0.25, 0.5)
    over, bar, pad = rng.uniform(0.28, 0.6), max(0.045, length / 40), rng.uniform(0.07, 0.13)
    frame, cover = rng.choice((wood, wood, metal))(rng), _cover(rng)
    x, z, under, lean = depth / 2, length / 2, seat - pad, rng.uniform(0.08, 0.3)
    out.add(box((-x, under - bar, -z), (x, under, z)), frame)
    count, along = int(rng.integers(1, 4)), (bar - z, z - bar)
    _pads(out, (0.06 - x, x + 0.01), along, under - 0.01, seat, count, cover)
    foot, head = (bar / 2 - x, under - 0.01), (bar / 2 - x - lean, seat + over)
    for side in np.linspace(-0.96, 0.96, int(rng.integers(4, 9))) * z:
        out.add(beam((*foot, side), (*head, side), bar, bar), frame)
    out.add(beam((*head, -z), (*head, z), bar * 1.2, bar * 1.2), frame)
    tall = rounded_box((0, 0, along[0]), (pad, over * rng.uniform(0.5, 1.1), along[1]), pad / 4)
    gaps = [block((3, 3, 0.02), (0, 1, w)) for w in np.linspace(*along, count + 1)[:-1]]
    tall = (tall - union(gaps)).rotate((0, 0, np.degrees(np.arctan2(lean, over))))
    if rng.random() < 0.75:
        out.add(tall.translate((0.03 - x, seat - 0.02, 0)), cover)
    rise, bare = seat + rng.uniform(0.1, 0.3), rng.integers(8)
    for index, side in enumerate((bar / 2 - z, z - bar / 2)):
        top = under if index == bare else rise
        for place in (-0.88 * x, 0.88 * x):
            out.add(beam((place * 1.06, 0, side), (place, top, side), bar, bar), frame)
        if index != bare:
            out.add(block((depth, bar, bar * 1.8), (0, rise, side)), frame)


def _curved(out, rng):
    """A bow around its sitters, or with them around its back; that may be shorter."""
    seat, over, depth = rng.uniform(0.34, 0.48), rng.uniform(0.2, 0.55), rng.uniform(0.5, 0.8)
    near, foot, half = rng.uniform(0.5, 1.2), rng.uniform(0.05, 0.2), rng.uniform(0.5, 2.1)
    cover, pad, far, thick = _cover(rng), _cover(rng), near + depth, rng.uniform(0.12, 0.25)
    towards, open_end = rng.choice((-1, -1, 1)), rng.integers(8)
    low, high = -half * (0.3 if open_end == 0 else 1), half * (0.3 if open_end == 1 else 1)
    out.add(_arc(towards, near + 0.01, far - 0.01, (-half, half), foot, seat - 0.12), cover)
    edges = np.linspace(-half, half, int(rng.integers(2, 5)))
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        span = a + 0.01, b - 0.01
        out.add(_arc(towards, near - 0.01, far - 0.02, span, seat - 0.13, seat), pad)
    back = (far - thick, far) if towards < 0 else (near - 0.02, near + thick)
    out.add(_arc(towards, *back, (low, high), foot + 0.01, seat + over), cover)
    spots = [(r, a) for a in (-half * 0.9, 0, half * 0.9) for r in (near + 0.09, far - 0.09)]
    _feet(out, rng, [(towards * r * np.cos(a), r * np.sin(a)) for r, a in spots], foot + 0.02)


def _arc(towards, near, far, span, low, high):
    """A part of a ring about the vertical axis, on the side of -x or +x."""
    t = np.linspace(*span, 11)
    ring = np.stack((towards * np.cos(t), np.sin(t)), 1)
    return extrude(np.concatenate((near * ring, far * ring[::-1])), "y", low, high)


def _couch(out, rng):
    """For lying: a daybed with its wall behind, or a chaise longue whose head rises at one end."""
    length, depth, over = rng.uniform(1.2, 2.1), rng.uniform(0.55, 0.95), rng.uniform(0.2, 0.55)
    foot, seat, x, z = rng.uniform(0.1, 0.26), rng.uniform(0.36, 0.5), depth / 2, length / 2
    cover, side, kind = _cover(rng), rng.choice((-1, 1)), rng.choice(("bed", "longue", "longue"))
    frame = cover if rng.random() < 0.3 else wood(rng)
    out.add(box((-x, foot, -z), (x, max(seat - 0.1, foot + 0.06), z)), frame)
    _feet(out, rng, [(a * (x - 0.08), b * (z - 0.08)) for a in (-1, 1) for b in (-1, 1)], foot)
    top = (0.01 - x, seat - 0.13, 0.01 - z), (x + 0.01, seat, z - 0.01)
    out.add(rounded_box(*top, 0.05), cover)
    if kind == "bed":
        out.add(box((-x - 0.05, foot + 0.01, -z), (0.03 - x, seat + over * 0.9, z)), frame)
        cloth, y = fabric(rng), seat + 0.08
        for w in (z - 0.13, 0.13 - z)[int(rng.random() < 0.3) :]:
            out.add(rod((0.02 - x, y, w), (x - 0.03, y, w), 0.12), cloth)
        _pillows(out, rng, 0.13 - x, seat, length)
        return
    t = np.linspace(0, 1, 9)
    rise = seat - 0.04 + over * t**1.6
    crest = [*zip(side * (z - 0.5 + 0.6 * t), rise, strict=True)]
    below = [*zip(side * (z - 0.3 + 0.42 * t), rise - 0.12, strict=True)]
    out.add(extrude(crest + below[::-1], "x", 0.005 - x, x - 0.005), cover)
    y, w = seat + over - 0.08, side * (z + 0.11)
    out.add(rod((-x, y, w), (x, y, w), rng.uniform(0.08, 0.12)), cover)
    low, end = seat - 0.11, rng.uniform(-0.9, 0.1)  # the half back falls from the head to there
    outline = [(0.98, low), (0.98, seat + over), (0.4, seat + over * 0.8), (end, seat + 0.07)]
    outline = [(side * z * share, y) for share, y in (*outline, (end, low))]
    out.add(extrude(outline, "x", -x - 0.01, 0.1 - x), cover)
