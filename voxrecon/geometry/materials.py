# SPDX-License-Identifier: MIT
"""Colours of procedural objects: solid textures, functions of the place on the object."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Plain:
    """One colour."""

    colour: RGB

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.float32(self.colour), (len(points), 3))


@dataclass(frozen=True)
class Stripes:
    """Bands of two colours across an axis (0, 1, 2 for x, y, z), ``width`` each."""

    colour: RGB
    other: RGB
    axis: int
    width: float

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return _mix(self, _cells(points, self.width)[:, self.axis] % 2)


@dataclass(frozen=True)
class Checks:
    """A chequered pattern of cubes of side ``width``."""

    colour: RGB
    other: RGB
    width: float

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return _mix(self, _cells(points, self.width).sum(axis=1) % 2)


@dataclass(frozen=True)
class Grain:
    """Wood: uneven bands that run along an axis. ``width`` is that of a band."""

    colour: RGB
    other: RGB
    axis: int
    width: float

    def __call__(self, points: np.ndarray) -> np.ndarray:
        p = points / self.width
        along, a, b = (p[:, (self.axis + k) % 3] for k in range(3))
        rings = np.hypot(a + 0.3 * np.sin(0.31 * along), b + 3.1)
        return _mix(self, 0.5 + 0.5 * np.sin(2.5 * rings + np.sin(0.45 * along) + np.sin(1.7 * a)))


@dataclass(frozen=True)
class Speckle:
    """Cloth, stone: cells of side ``width`` in random mixtures of two colours."""

    colour: RGB
    other: RGB
    width: float

    def __call__(self, points: np.ndarray) -> np.ndarray:
        i, j, k = _cells(points, self.width).T
        mixed = (i * 73856093 ^ j * 19349663 ^ k * 83492791) * 2654435761
        return _mix(self, (mixed >> 16 & 255) / 255)


def _cells(points: np.ndarray, width: float) -> np.ndarray:
    """The cell of side ``width`` that each point is in, (N, 3) int.

    Faces lie at round numbers; the shift keeps the boundaries of cells off them.
    """
    return np.floor(points / width + 0.01).astype(np.int64)


def _mix(material, share: np.ndarray) -> np.ndarray:
    a, b = np.float32(material.colour), np.float32(material.other)
    return a + (b - a) * share[:, None].astype(np.float32)


def shade(colour: RGB, factor: float) -> RGB:
    """A colour made darker (below 1) or lighter."""
    return tuple(min(c * factor, 1.0) for c in colour)


def paint(rng: np.random.Generator) -> Plain:
    """Any saturated colour, or now and then white, grey or black."""
    if rng.random() < 0.25:
        return Plain((float(rng.choice((0.12, 0.45, 0.9))),) * 3)
    return Plain(_hsv(rng.uniform(0, 1), rng.uniform(0.5, 0.95), rng.uniform(0.45, 0.95)))


def wood(rng: np.random.Generator, size: float = 1.0, axis: int | None = None) -> Grain:
    """Wood for an object of about this size; the grain runs along ``axis``."""
    colour = _hsv(rng.uniform(0.05, 0.10), rng.uniform(0.4, 0.75), rng.uniform(0.35, 0.85))
    axis = int(rng.integers(3)) if axis is None else axis
    return Grain(
        colour, shade(colour, rng.uniform(0.6, 0.85)), axis, size * rng.uniform(0.02, 0.05)
    )


def metal(rng: np.random.Generator) -> Plain:
    """Steel, brass or black iron."""
    tint = _hsv(rng.choice((0.1, 0.6)), rng.uniform(0, 0.15), rng.uniform(0.25, 0.85))
    return Plain(_hsv(0.12, 0.6, 0.75) if rng.random() < 0.15 else tint)


def plastic(rng: np.random.Generator) -> Plain:
    """Mostly black, grey or white, or a muted colour."""
    if rng.random() < 0.6:
        return Plain((float(rng.uniform(0.1, 0.25) if rng.random() < 0.6 else 0.85),) * 3)
    return Plain(_hsv(rng.uniform(0, 1), rng.uniform(0.2, 0.7), rng.uniform(0.3, 0.8)))


def fabric(rng: np.random.Generator, size: float = 1.0):
    """Plain, woven, striped or chequered cloth for an object of about this size."""
    colour = _hsv(rng.uniform(0, 1), rng.uniform(0.15, 0.8), rng.uniform(0.3, 0.9))
    other = shade(colour, rng.uniform(0.6, 1.5))
    kind = rng.integers(5)
    if kind == 0:
        return Stripes(colour, other, int(rng.choice((0, 2))), size * rng.uniform(0.03, 0.07))
    if kind == 1:
        return Checks(colour, other, size * rng.uniform(0.05, 0.1))
    if kind == 2:
        return Speckle(colour, shade(colour, 0.8), size * 0.015)
    return Plain(colour)


def _hsv(hue: float, saturation: float, value: float) -> RGB:
    return colorsys.hsv_to_rgb(float(hue) % 1, float(saturation), float(value))
