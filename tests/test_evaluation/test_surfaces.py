# SPDX-License-Identifier: MIT
import numpy as np
import pytest
import trimesh

from voxrecon.errors import ConfigError
from voxrecon.evaluation.surfaces import (
    SIDES,
    check_options,
    distances,
    random_stream,
    sample_surface,
    surface,
    surface_points,
)

LEVELS = (0, 0.5)


def grid_of(*cells, size=8):
    grid = np.zeros((size,) * 3, bool)
    grid[tuple(np.transpose(cells))] = True
    return grid


def random_grid(share):
    return np.random.Generator(np.random.PCG64(5)).random((8, 8, 8)) < share


def area(mesh):
    a, b, c = (mesh[0][mesh[1][:, i]] for i in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def test_a_single_cell_is_an_octahedron_around_its_middle():
    for level, radius in ((0, 1), (0.5, 0.5)):
        vertices, faces = surface(grid_of((3, 1, 5)), level)
        middle = np.array([3.5, 1.5, 5.5])
        corners = np.concatenate((np.eye(3), -np.eye(3))) * radius + middle
        assert sorted(map(tuple, vertices)) == sorted(map(tuple, corners))
        assert len(faces) == 8
        assert area((vertices, faces)) == pytest.approx(4 * 3**0.5 * radius**2, rel=1e-12)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("size", [(2, 3, 5), (8, 8, 8), (1, 4, 8)])
def test_a_box(level, size):
    """Its six sides, moved out to the level, with bevelled edges and corners; up to the border."""
    grid = np.zeros((8, 8, 8), bool)
    grid[: size[0], : size[1], : size[2]] = True
    mesh = surface(grid, level)
    out = 1 - level  # from the middle of an outer cell
    assert mesh[0].min(0).tolist() == [0.5 - out] * 3
    assert mesh[0].max(0).tolist() == [n - 0.5 + out for n in size]
    x, y, z = (n - 1 for n in size)
    sides, edges = 2 * (x * y + y * z + z * x), 4 * (x + y + z) * out * 2**0.5
    corners = 4 * 3**0.5 * out**2
    assert area(mesh) == pytest.approx(sides + edges + corners, rel=1e-12)


# vertices, triangles and areas by PyMCubes 0.1.6; at 0.5 a polygon that is not flat has another
# area with its other diagonal, at most 0.015 a cube
CLASSIC = {
    "cells with one edge in common": (grid_of((3, 3, 3), (4, 4, 3)), 12, 20, 13.856406, 5.196152),
    "cells with a corner in common": (grid_of((3, 3, 3), (4, 4, 4)), 12, 16, 13.856406, 3.464102),
    "holes": (~grid_of((3, 3, 3), (4, 4, 3)), 396, 780, 419.722142, 358.593122),
    "few": (random_grid(0.1), 302, 516, 354.449902, 146.4994),
    "half": (random_grid(0.5), 886, 1836, 665.303442, 627.678223),
}


@pytest.mark.parametrize("name", CLASSIC)
def test_as_the_common_recipe_has_it(name):
    grid, n_vertices, n_faces, area_0, area_mid = CLASSIC[name]
    for level, expected, tolerance in ((0, area_0, 1e-6), (0.5, area_mid, 1e-3 * area_mid)):
        vertices, faces = surface(grid, level)
        assert (len(vertices), len(faces)) == (n_vertices, n_faces)
        assert area((vertices, faces)) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_closed_and_on_the_right_cells(share):
    grid = random_grid(share)
    vertices, faces = surface(grid, 0.5)
    assert trimesh.Trimesh(vertices, faces, process=False).is_watertight
    padded = np.pad(grid, 1)

    def at(points):
        return padded[tuple((points + 0.5).astype(int).T)]

    assert (at(np.floor(vertices - 0.5) + 0.5) != at(np.ceil(vertices - 0.5) + 0.5)).all()
    inflated = surface(grid, 0)[0]
    assert not at(inflated).any()  # middles of empty cells
    assert (np.abs(inflated - vertices).sum(1) == 0.5).all()


def test_no_cell():
    assert surface(np.zeros((8, 8, 8), bool), 0) is None
    assert surface_points(None, 10, 0, "a/b", "truth") is None


def test_points_are_uniform_by_area():
    # three triangles in the planes z = 1, 2, 3 of areas 1, 3 and 4, between such without area
    vertices, faces = [], []
    for base, z in ((0, 9), (2, 1), (0, 9), (6, 2), (8, 3), (0, 9)):
        faces.append(range(len(vertices), len(vertices) + 3))
        vertices += [(0, 0, z), (base, 0, z), (0, 1, z)]
    points = sample_surface(
        np.array(vertices, float), np.array(faces), 8000, random_stream(0, "a", "b")
    )
    assert points.shape == (8000, 3)
    for z, base, expected in ((1, 2, 1000), (2, 6, 3000), (3, 8, 4000)):
        x, y, _ = points[points[:, 2] == z].T
        # four standard deviations of a binomial number
        assert abs(len(x) - expected) < 4 * (expected * (1 - expected / 8000)) ** 0.5
        assert (x >= 0).all() and (y >= 0).all() and (x / base + y <= 1 + 1e-12).all()
        # along an axis the density falls linearly: the mean of u is 1/3, its variance 1/18, and a
        # quarter of the points lies above 1/2
        for u in (x / base, y):
            assert abs(u.mean() - 1 / 3) < 4 / (18 * len(u)) ** 0.5
            assert abs((u > 0.5).mean() - 1 / 4) < 4 * (3 / 16 / len(u)) ** 0.5


def test_a_face_without_area_has_no_point_even_at_0():
    class Zeros:
        def random(self, size):
            return np.zeros(size)

    vertices = np.array([(5, 5, 5), (0, 0, 0), (1, 0, 0), (0, 1, 0)], float)
    points = sample_surface(vertices, np.array([(0, 0, 0), (1, 2, 3)]), 2, Zeros())
    assert points.tolist() == [[0, 0, 0]] * 2


def test_points_lie_on_the_octahedron():
    mesh = surface(grid_of((3, 1, 5)), 0)
    points = surface_points(mesh, 1000, 0, "a/b", "truth").data - [3.5, 1.5, 5.5]
    assert np.abs(np.abs(points).sum(1) - 1).max() < 1e-12
    octants = np.unique(points > 0, axis=0, return_counts=True)[1]
    assert len(octants) == 8 and abs(octants - 125).max() < 4 * (1000 * 7 / 64) ** 0.5


def test_streams():
    first = random_stream(0, "03001627/1a", "truth").random(3)
    assert np.abs(first - [0.62699411, 0.74634879, 0.40941658]).max() < 1e-8
    draws = {
        tuple(random_stream(seed, key, side).random(2))
        for seed in (0, 1, 10)
        for key in ("0/a", "0/b", "a")
        for side in SIDES
    }
    assert len(draws) == 27
    # no correlation: 1 / sqrt(n) is its standard deviation
    sides = np.array([random_stream(0, "a/b", side).random(10000) for side in SIDES])
    assert np.abs(np.corrcoef(sides) - np.eye(3)).max() < 0.04


def test_distances_to_the_nearest():
    rng = np.random.default_rng(0)
    meshes = [surface(random_grid(share), 0.5) for share in (0.1, 0.3)]
    a, b = (surface_points(m, n, 0, "k", "truth") for m, n in zip(meshes, (70, 90), strict=True))
    slow = np.linalg.norm(a.data[:, None] - b.data[None], axis=2)  # (70, 90)
    assert np.abs(distances(a, b) - slow.min(1)).max() < 1e-12
    assert np.abs(distances(b, a) - slow.min(0)).max() < 1e-12
    within = float(rng.choice(slow.min(1)))
    near = distances(a, b, within + 1e-9)
    assert ((near < np.inf) == (slow.min(1) < within + 1e-9)).all() and np.isinf(near).any()


def test_options():
    check_options(0.3, 8192)
    for threshold in (-0.1, 1.5, float("nan"), None, "0.3"):
        with pytest.raises(ConfigError, match=r"^threshold .*: expected a number in \[0, 1\]$"):
            check_options(threshold, 1)
    for points in (0, -1, 2.5, "8"):
        with pytest.raises(ConfigError, match="^points .*: expected a whole number from 1$"):
            check_options(0.3, points)
