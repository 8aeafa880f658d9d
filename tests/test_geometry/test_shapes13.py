# SPDX-License-Identifier: MIT
"""Every class of Shapes13, and that pictures and grids show the same object the same way round."""

from functools import cache

import cv2
import numpy as np
import pytest
from scipy.ndimage import label

from voxrecon.geometry import Renderer, View, voxelize
from voxrecon.geometry.shapes13 import CLASSES, make_shape, view_generator

BENCHMARK = {  # the 13 classes of ShapeNet.json
    "02691156": "aeroplane",
    "02828884": "bench",
    "02933112": "cabinet",
    "02958343": "car",
    "03001627": "chair",
    "03211117": "display",
    "03636649": "lamp",
    "03691459": "speaker",
    "04090263": "rifle",
    "04256520": "sofa",
    "04379243": "table",
    "04401088": "telephone",
    "04530566": "watercraft",
}
SIDES = {"front": 0, "right": 90, "back": 180, "left": 270}
each_class = pytest.mark.parametrize("shape_class", CLASSES, ids=lambda c: c.name)


def test_the_classes_are_those_of_the_benchmark():
    assert {c.taxonomy: c.name for c in CLASSES} == BENCHMARK
    assert [c.taxonomy for c in CLASSES] == sorted(BENCHMARK)


@each_class
def test_an_object_depends_on_seed_class_and_number_only(shape_class):
    one = make_shape(shape_class, 3, 5)
    make_shape(CLASSES[0], 0, 1)
    np.random.seed(0)
    again = make_shape(shape_class, 3, 5)
    np.testing.assert_array_equal(one.vertices, again.vertices)
    np.testing.assert_array_equal(one.faces, again.faces)
    points = one.vertices[:50]
    for a, b in zip(one.materials, again.materials, strict=True):
        np.testing.assert_array_equal(a(points), b(points))
    for seed, number in ((4, 5), (3, 6)):
        other = make_shape(shape_class, seed, number)
        assert one.vertices.shape != other.vertices.shape or (one.vertices != other.vertices).any()


def test_views_do_not_repeat_the_draws_of_the_shape():
    views = view_generator(CLASSES[0], 0, 0).uniform(size=4)
    shape = np.random.default_rng((0, int(CLASSES[0].taxonomy), 0)).uniform(size=4)
    assert (views != shape).all()


@each_class
def test_objects_are_solid_coloured_and_in_one_piece(shape_class):
    for number in range(12):
        surface = make_shape(shape_class, 0, number)
        assert len(surface.faces) <= 12_000
        # watertight: every edge of every part has a face on either side
        edges = np.sort(surface.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        _, count = np.unique(edges, axis=0, return_counts=True)
        assert (count % 2 == 0).all()
        for index, material in enumerate(surface.materials):
            corners = surface.vertices[surface.faces[surface.material_of == index]].reshape(-1, 3)
            colours = material(corners)
            assert colours.shape == corners.shape and 0 <= colours.min() <= colours.max() <= 1
        grid = voxelize(surface, 64)
        assert label(grid, np.ones((3, 3, 3)))[1] == 1, f"number {number}"
        touched = [grid.any(axis=tuple({0, 1, 2} - {axis})).sum() for axis in range(3)]
        assert max(touched) == 64  # the longest side fills the grid
        assert 0.002 < grid.mean() < 0.9


@each_class
def test_objects_differ(shape_class):
    """Of 16 objects, no two are nearly alike, and half are far from all others."""
    grids = np.stack([voxelize(make_shape(shape_class, 0, n)).ravel() for n in range(16)])
    both = grids.astype(np.float32) @ grids.astype(np.float32).T
    size = grids.sum(axis=1)
    iou = both / (size[:, None] + size - both)
    np.fill_diagonal(iou, 0)
    assert iou.max() < 0.98
    assert np.median(iou.max(axis=1)) < 0.75


@cache
def asymmetric_objects() -> list[tuple[str, int]]:
    """The first object of each class that differs much from its mirror image, where there is one
    among the first 40."""
    found = []
    for shape_class in CLASSES:
        for number in range(40):
            grid = voxelize(make_shape(shape_class, 0, number))
            mirrored = grid[:, :, ::-1]
            if (grid & mirrored).sum() < 0.7 * (grid | mirrored).sum():
                found.append((shape_class.name, number))
                break
    return found


def test_many_classes_have_asymmetric_objects():
    assert len(asymmetric_objects()) >= 8


@pytest.mark.slow
def test_pictures_and_grids_agree():
    """The voxels cover at least 98 % of each silhouette; those of a mirrored grid do not.

    Seen from the side, the two sides of an object hide each other, so a mirrored object shows in
    one view at least, and half of them show from each side.
    """
    by_name = {c.name: c for c in CLASSES}
    seen = {side: [] for side in SIDES}  # of each object, whether its mirror image shows
    for name, number in asymmetric_objects():
        surface = make_shape(by_name[name], 0, number)
        renderer, grid = Renderer(surface), voxelize(surface)
        scale = surface.longest_side / surface.diagonal
        for side, azimuth in SIDES.items():
            view = View(azimuth, 27, 0.8)
            mask = renderer(view)[..., 3] > 0
            assert mask.sum() > 300
            covered = (mask & silhouette(grid, view, scale)).sum() / mask.sum()
            assert covered >= 0.98, f"{name} {number}, {side}: {covered}"
            mirrored = (mask & silhouette(grid[:, :, ::-1], view, scale)).sum() / mask.sum()
            seen[side].append(mirrored < 0.98)
    shows = np.array(list(seen.values()))  # (4, objects)
    assert shows.any(axis=0).all()
    assert (shows.mean(axis=1) >= 0.5).all(), shows.mean(axis=1)


def silhouette(grid: np.ndarray, view: View, longest_side: float, size: int = 137) -> np.ndarray:
    """(size, size) bool: pixels whose middle is covered by the projection of a voxel.

    By the camera's formula and OpenCV's polygons: nothing of the ray caster is used.
    """
    fine = 4
    cells = np.argwhere(grid)
    corners = cells[:, None] + np.stack(np.mgrid[:2, :2, :2], -1).reshape(8, 3)  # (N, 8, 3)
    points = (corners / len(grid) - 0.5) * longest_side
    pixels = view.project(points) * size * fine - 0.5
    picture = np.zeros((size * fine, size * fine), np.uint8)
    for eight in pixels.astype(np.float32):
        outline = cv2.convexHull(eight)
        cv2.fillConvexPoly(picture, np.rint(outline * 16).astype(np.int32), 1, shift=4)
    return picture[fine // 2 :: fine, fine // 2 :: fine] > 0
