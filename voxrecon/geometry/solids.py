# SPDX-License-Identifier: MIT
"""Building blocks of procedural objects: watertight solids by manifold3d, and their materials.

Axes are those of :mod:`voxrecon.geometry.grid`: the object faces +x, y is up, +z is its own right.
Solids may overlap; what they enclose together is the object. They are
``manifold3d.Manifold`` objects, so ``a + b``, ``a - b``, ``a ^ b`` (intersection), ``.translate``,
``.rotate`` (degrees about x, y, z) and ``.hull()`` work on what these functions return.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from manifold3d import CrossSection, FillRule, Manifold, Mesh, OpType

from .surface import Material, Surface

Point = Sequence[float]

SEGMENTS = 24  # of a full circle


def box(low: Point, high: Point) -> Manifold:
    """The box between two opposite corners."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    return Manifold.cube(np.abs(high - low)).translate(np.minimum(low, high))


def block(size: Point, center: Point) -> Manifold:
    """The box of this size about a point."""
    return Manifold.cube(np.asarray(size, float), True).translate(center)


def rounded_box(low: Point, high: Point, radius: float) -> Manifold:
    """A box with rounded edges; the radius is cut to half of the shortest side."""
    low, high = np.minimum(low, high).astype(float), np.maximum(low, high).astype(float)
    radius = min(radius, 0.499 * (high - low).min())
    ball = Manifold.sphere(radius, 12)
    corners = np.stack(np.meshgrid(*zip(low + radius, high - radius, strict=True)), -1)
    return Manifold.batch_hull([ball.translate(c) for c in corners.reshape(-1, 3)])


def rod(start: Point, end: Point, radius: float, end_radius: float | None = None) -> Manifold:
    """A cylinder, or a truncated cone, between two points; an end radius of 0 makes a tip."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    length = float(np.linalg.norm(end - start))
    end_radius = radius if end_radius is None else end_radius
    solid = Manifold.cylinder(length, radius, end_radius, SEGMENTS)
    return solid.transform(np.column_stack((_frame((end - start) / length), start)))


def beam(start: Point, end: Point, width: float, height: float) -> Manifold:
    """A bar of rectangular section between two points.

    ``width`` is its horizontal extent across the bar; of an exactly upright one, that along x.
    """
    start, end = np.asarray(start, float), np.asarray(end, float)
    length = float(np.linalg.norm(end - start))
    solid = Manifold.cube((width, height, length), True).translate((0, 0, length / 2))
    return solid.transform(np.column_stack((_frame((end - start) / length), start)))


def pipe(points: Iterable[Point], radius: float) -> Manifold:
    """A bent rod through points, with round joints and ends."""
    ball = Manifold.sphere(radius, 12)
    balls = [ball.translate(np.asarray(p, float)) for p in points]
    return union(Manifold.batch_hull([a, b]) for a, b in zip(balls, balls[1:], strict=False))


def ellipsoid(center: Point, radii: Point | float) -> Manifold:
    """A ball stretched along the axes."""
    return Manifold.sphere(1.0, SEGMENTS).scale(np.broadcast_to(radii, 3)).translate(center)


def lathe(profile: Iterable[tuple[float, float]], center: Point = (0, 0, 0)) -> Manifold:
    """The solid swept by a closed outline of (radius, height) about the vertical through a point.

    Where the outline does not begin and end on the axis it is closed by a straight line.
    """
    outline = CrossSection([np.asarray(list(profile), float)], FillRule.EvenOdd)
    return outline.revolve(SEGMENTS).rotate((-90, 0, 0)).translate(center)


def extrude(outline: Iterable[tuple[float, float]], axis: str, low: float, high: float) -> Manifold:
    """A prism over a closed outline, between two places on the axis it is drawn along.

    The outline's coordinates are (z, y) for ``axis`` "x" (drawn from the front), (x, z) for "y"
    (from above) and (x, y) for "z" (from the side); it may be concave.
    """
    section = CrossSection([np.asarray(list(outline), float)], FillRule.EvenOdd)
    solid = section.extrude(high - low).translate((0, 0, low))
    return solid.transform(np.column_stack((_DRAWN_ALONG[axis], np.zeros(3))))


def loft(sections: Sequence[np.ndarray]) -> Manifold:
    """The skin through closed sections (P, 3) of equally many points, capped by flat ends.

    For hulls, fuselages and bodies. Sections must be star-shaped about their mean, and follow each
    other along the body; either sense of rotation will do.
    """
    rings = np.asarray(sections, float)  # (S, P, 3)
    count, points = rings.shape[:2]
    ring, i = np.mgrid[: count - 1, :points].reshape(2, -1)
    a, b = ring * points + i, ring * points + (i + 1) % points
    faces = [np.stack((a, b, b + points), 1), np.stack((a, b + points, a + points), 1)]
    i = np.arange(points)
    first, last = np.full(points, count * points), np.full(points, count * points + 1)
    faces += [np.stack(((i + 1) % points, i, first), 1)]
    end = (count - 1) * points
    faces += [np.stack((end + i, end + (i + 1) % points, last), 1)]
    vertices = np.concatenate((rings.reshape(-1, 3), rings[[0, -1]].mean(axis=1)))
    faces = np.concatenate(faces)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    if np.einsum("fd,fd->", a, np.cross(b, c)) < 0:  # six times the volume
        faces = faces[:, ::-1]
    solid = Manifold(Mesh(vertices.astype(np.float32), np.ascontiguousarray(faces, np.uint32)))
    if solid.is_empty():
        raise ValueError(f"sections make no solid: {solid.status()}")
    return solid


def rounded_loft(
    rows: Iterable[tuple[float, float, float, float]], power: float, points: int = 16
) -> Manifold:
    """The skin along x through superellipses, given as rows of x, half width, low and high.

    ``power`` 1 makes ellipses, 0 boxes; ``points`` are those of a section.
    """
    t = (np.arange(points) + 0.5) * np.pi / (points / 2)
    c, s = (np.sign(v) * np.abs(v) ** power for v in (np.cos(t), np.sin(t)))
    x, half, low, high = (np.array(rows)[:, k, None] for k in range(4))
    return loft(np.stack((x + 0 * c, (low + high + (high - low) * s) / 2, half * c), -1))


def hull(points: Iterable[Point]) -> Manifold:
    """The convex hull of points."""
    return Manifold.hull_points(np.asarray(list(points), float))


def union(solids: Iterable[Manifold]) -> Manifold:
    """Solids as one, without inner walls."""
    solids = list(solids)
    return solids[0] if len(solids) == 1 else Manifold.batch_boolean(solids, OpType.Add)


def both_sides(solid: Manifold) -> Manifold:
    """A solid and its mirror image on the other side (at -z)."""
    return union((solid, solid.mirror((0, 0, 1))))


class Assembly:
    """The parts of an object, each of one material."""

    def __init__(self):
        self._parts: list[tuple[Manifold, Material]] = []

    def add(self, solid: Manifold, material: Material) -> None:
        """Add a part.

        Raises:
            ValueError: it is empty, such as after a subtraction that leaves nothing.
        """
        if solid.is_empty():
            raise ValueError("an empty solid, expected one with a volume")
        self._parts.append((solid, material))

    def surface(self) -> Surface:
        """All parts as one mesh."""
        vertices, faces, material_of, start = [], [], [], 0
        for index, (solid, _) in enumerate(self._parts):
            mesh = solid.to_mesh64()
            vertices.append(np.asarray(mesh.vert_properties)[:, :3])
            faces.append(np.asarray(mesh.tri_verts, np.int64) + start)
            material_of.append(np.full(len(faces[-1]), index))
            start += len(vertices[-1])
        materials = tuple(material for _, material in self._parts)
        return Surface(*map(np.concatenate, (vertices, faces, material_of)), materials)


def _frame(axis: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) that takes z to a unit vector and keeps x horizontal."""
    side = np.cross((0.0, 1.0, 0.0), axis)
    if np.linalg.norm(side) < 1e-9:
        side = np.array((1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    return np.column_stack((side, np.cross(axis, side), axis))


_DRAWN_ALONG = {  # columns: where the outline's two axes and its height go
    "x": np.array([(0, 0, 1), (0, 1, 0), (1, 0, 0)], float),
    "y": np.array([(1, 0, 0), (0, 0, 1), (0, 1, 0)], float),
    "z": np.eye(3),
}
