# SPDX-License-Identifier: MIT
"""Shapes13: procedural solids of the 13 classes of the ShapeNet benchmark, one class a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..solids import Assembly
from ..surface import Surface
from .chair import chair


@dataclass(frozen=True)
class ShapeClass:
    """A class of the benchmark and the function that draws an object of it."""

    taxonomy: str
    name: str
    build: Callable[[np.random.Generator], Assembly]


CLASSES = (ShapeClass("03001627", "chair", chair),)


def make_shape(shape_class: ShapeClass, seed: int, number: int) -> Surface:
    """An object of a class, in the axes of :mod:`voxrecon.geometry.grid`; nothing but these three
    has an influence on it."""
    return shape_class.build(
        np.random.default_rng((seed, int(shape_class.taxonomy), number))
    ).surface()


def view_generator(shape_class: ShapeClass, seed: int, number: int) -> np.random.Generator:
    """The source of an object's views, independent of how its shape was drawn."""
    return np.random.default_rng((seed, int(shape_class.taxonomy), number, 1))
