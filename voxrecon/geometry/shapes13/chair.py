# SPDX-License-Identifier: MIT
"""Chairs: four legs, column, cantilever, rocker or sled; with arms or not; various backs."""

from __future__ import annotations

import numpy as np

from ..materials import fabric, metal, paint, plastic, wood
from ..solids import (
    Assembly,
    beam,
    block,
    both_sides,
    box,
    ellipsoid,
    extrude,
    lathe,
    pipe,
    rod,
    rounded_box,
    union,
)


def chair(rng: np.random.Generator) -> Assembly:
    """A seat, a back, something to stand on, and perhaps arms. In metres."""
    out = Assembly()
    depth, width = rng.uniform(0.40, 0.58), rng.uniform(0.40, 0.62)  # of the seat
    height, thick = rng.uniform(0.38, 0.55), rng.uniform(0.04, 0.12)  # its top, its thickness
    top = height + rng.uniform(0.35, 0.75)
    frame = rng.choice((wood, metal, paint))(rng)
    cover = fabric(rng) if rng.random() < 0.6 else frame

    base = rng.choice(("legs", "legs", "column", "cantilever", "rocker", "sled", "box"))
    seat = rng.choice(("board", "cushion", "round"))
    back = rng.choice(("solid", "slats", "rungs", "round", "shell", "frame"))
    arms = rng.choice(("none", "none", "both", "both", "right", "left"), p=(0.2,) * 4 + (0.1,) * 2)
    _seat(out, seat, depth, width, height, thick, cover)
    inset = 0.11 if seat == "round" else 0.03  # what is below stays under a round seat
    _base(out, rng, base, depth / 2 - inset, width / 2 - inset, height - thick / 2, frame)
    _back(out, rng, back, 0.9 * depth, width, height, top, frame, cover)
    if arms != "none":
        # a round seat is as wide as its arms in the middle only
        reach = depth / 2 * rng.uniform(0, 0.1 if seat == "round" else 0.9)
        arm = _arm(rng, reach, depth, width, height, thick)
        sides = {"both": both_sides(arm), "right": arm, "left": arm.mirror((0, 0, 1))}
        out.add(sides[arms], frame)
    return out


def _seat(out, kind, depth, width, top, thick, cover):
    """What one sits on, its upper side at ``top``."""
    low, high = (-depth / 2, top - thick, -width / 2), (depth / 2, top, width / 2)
    if kind == "board":
        out.add(box(low, high), cover)
    elif kind == "cushion":
        out.add(rounded_box(low, high, 0.04), cover)
    else:
        edge = thick / 4
        outline = [(0, 0), (0.95, 0), (1, edge), (1, thick - edge), (0.95, thick), (0, thick)]
        disc = lathe(outline, (0, top - thick, 0))
        out.add(disc.scale((depth / 2, 1, width / 2)), cover)


def _arm(rng, reach, depth, width, seat, thick):
    """The right arm: a rest from the back to a post at the side of the seat, ``reach`` in front of
    its middle."""
    y, z = seat + rng.uniform(0.16, 0.27), width / 2 + 0.005
    rest = block((depth / 2 + reach, 0.05, 0.06), ((reach - depth / 2) / 2, y, z))
    bottom = seat - thick * 0.8
    return union((rest, block((0.05, y - bottom, 0.05), (reach - 0.03, (y + bottom) / 2, z))))


def _base(out, rng, kind, x, z, under, frame):
    """What carries the seat at its corners (+-x, +-z), from the floor to ``under``."""
    r = rng.uniform(0.018, 0.035)
    if kind in ("legs", "rocker"):
        splay = rng.uniform(0, 0.08)
        lift = 0.06 if kind == "rocker" else 0.0
        square = rng.random() < 0.5
        for sx in (-1, 1):
            foot, head = (sx * (x + splay), lift, z + splay / 2), (sx * x, under, z)
            leg = beam(foot, head, 2 * r, 2 * r) if square else rod(foot, head, r * 0.8, r)
            out.add(both_sides(leg), frame)
        if kind == "rocker":
            path = [
                (1.1 * np.sin(t), 1.13 - 1.1 * np.cos(t), z + splay / 2)
                for t in np.linspace(-0.42, 0.42, 9)
            ]
            out.add(both_sides(pipe(path, 0.03)), frame)
        elif rng.random() < 0.5:
            share = rng.uniform(0.3, 0.6)
            y, across = under * share, z + splay / 2 * (1 - share)
            stretcher = block((2 * x + splay, 0.03, 0.03), (0, y, across))
            out.add(both_sides(stretcher), frame)
            out.add(block((0.03, 0.025, 2 * across), (0, y, 0)), frame)
    elif kind == "column":
        out.add(rod((0, 0.05, 0), (0, under, 0), 0.035), metal(rng))
        if rng.random() < 0.4:
            out.add(lathe([(0, 0), (0.26, 0), (0.26, 0.03), (0, 0.07)]), frame)
        else:
            for t in np.arange(5) * 2 * np.pi / 5 + rng.uniform(0, 1):
                end = (0.28 * np.cos(t), 0.05, 0.28 * np.sin(t))
                out.add(rod((0, 0.09, 0), end, 0.03, 0.02), frame)
                out.add(ellipsoid((end[0], 0.03, end[2]), 0.03), plastic(rng))
    elif kind == "cantilever":
        path = [(-x, 0.02, z), (x, 0.02, z), (x, under, z), (-x, under, z)]
        out.add(both_sides(pipe(path, r)), frame)
        out.add(rod((-x, 0.02, -z), (-x, 0.02, z), r), frame)
    elif kind == "sled":
        for sx in (-1, 1):
            out.add(both_sides(rod((sx * x, 0.02, z), (sx * x * 0.8, under, z), r)), frame)
        out.add(both_sides(rod((-x, 0.025, z), (x, 0.025, z), r * 1.1)), frame)
    else:
        inset = rng.uniform(0, 0.05)
        out.add(block((2 * (x - inset), under, 2 * (z - inset)), (0, under / 2, 0)), frame)


def _back(out, rng, kind, depth, width, seat, top, frame, cover):
    """From the seat's rear edge up, leaning back."""
    lean, thick = rng.uniform(0.0, 0.14), rng.uniform(0.03, 0.08)
    foot, z = -depth / 2 + thick / 2, width / 2 - thick / 2

    def at(share, side=0.0):  # a place along the back
        return foot - lean * share, seat - 0.035 + (top - seat + 0.035) * share, side

    if kind == "solid":
        gap = rng.uniform(0, 0.25)
        out.add(beam(at(gap), at(1), width, thick), cover)
        out.add(both_sides(beam(at(0, 0.7 * z), at(gap + 0.1, 0.7 * z), 0.04, 0.03)), frame)
    elif kind == "round":
        disc = ellipsoid((0, 0, 0), (thick / 2 + 0.01, (top - seat) / 2 + 0.05, width / 2))
        turned = disc.rotate((0, 0, np.degrees(np.arctan2(lean, top - seat))))
        out.add(turned.translate(at(0.5)), cover)
    elif kind == "shell":
        bend = np.linspace(-1.2, 1.2, 9)
        x = -depth / 2 + width * 0.55 * (1 - np.cos(bend))
        side = width / 2 * np.sin(bend) / np.sin(1.2)
        outer = [*zip(x, side, strict=True)]
        inner = [*zip(x + thick, 0.9 * side, strict=True)]
        out.add(extrude(outer + inner[::-1], "y", seat - 0.035, top), cover)
    else:
        out.add(both_sides(beam(at(0, z), at(1, z), thick, thick)), frame)
        out.add(beam(at(0.9), at(0.99), width, thick), frame)
        if kind == "slats":
            for side in np.linspace(-z, z, int(rng.integers(3, 7)) + 2)[1:-1]:
                out.add(beam(at(0, side), at(0.95, side), 0.03, thick * 0.6), frame)
        elif kind == "rungs":
            for share in np.linspace(0.2, 0.75, int(rng.integers(2, 4))):
                out.add(beam(at(share), at(share + 0.1), width - thick, thick * 0.7), frame)
        else:
            out.add(beam(at(0.15), at(0.92), width - 2 * thick, thick * 0.5), cover)
