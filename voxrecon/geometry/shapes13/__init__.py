# SPDX-License-Identifier: MIT
"""Shapes13: procedural solids of the 13 classes of the ShapeNet benchmark, one class a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..solids import Assembly
from ..surface import Surface
from .aeroplane import aeroplane
from .bench import bench
from .cabinet import cabinet
from .car import car
from .chair import chair
from .display import display
from .lamp import lamp
from .rifle import rifle
from .sofa import sofa
from .speaker import speaker
from .table import table
from .telephone import telephone
from .watercraft import watercraft


@dataclass(frozen=True)
class ShapeClass:
    """A class of the benchmark and the function that draws an object of it."""

    taxonomy: str
    name: str
    build: Callable[[np.random.Generator], Assembly]


CLASSES = (
    ShapeClass("02691156", "aeroplane", aeroplane),
    ShapeClass("02828884", "bench", bench),
    ShapeClass("02933112", "cabinet", cabinet),
    ShapeClass("02958343", "car", car),
    ShapeClass("03001627", "chair", chair),
    ShapeClass("03211117", "display", display),
    ShapeClass("03636649", "lamp", lamp),
    ShapeClass("03691459", "speaker", speaker),
    ShapeClass("04090263", "rifle", rifle),
    ShapeClass("04256520", "sofa", sofa),
    ShapeClass("04379243", "table", table),
    ShapeClass("04401088", "telephone", telephone),
    ShapeClass("04530566", "watercraft", watercraft),
)


def make_shape(shape_class: ShapeClass, seed: int, number: int) -> Surface:
    """An object of a class, in the axes of :mod:`voxrecon.geometry.grid`; nothing but these three
    has an influence on it."""
    return shape_class.build(
        np.random.default_rng((seed, int(shape_class.taxonomy), number))
    ).surface()


def view_generator(shape_class: ShapeClass, seed: int, number: int) -> np.random.Generator:
    """The source of an object's views, independent of how its shape was drawn."""
    return np.random.default_rng((seed, int(shape_class.taxonomy), number, 1))
