# SPDX-License-Identifier: MIT
import numpy as np
import pytest
from scipy.ndimage import label

from voxrecon.geometry import voxelize
from voxrecon.geometry.materials import Plain
from voxrecon.geometry.solids import Assembly, block, box, ellipsoid, rod

GREY = Plain((0.5, 0.5, 0.5))


def surface(*solids):
    out = Assembly()
    for solid in solids:
        out.add(solid, GREY)
    return out.surface()


def test_a_box_fills_just_its_cells():
    grid = voxelize(surface(box((0, 0, 0), (8, 4, 2))), 8)
    expected = np.zeros((8, 8, 8), bool)
    expected[:, 2:6, 3:5] = True
    np.testing.assert_array_equal(grid, expected)


def test_axes_are_those_of_the_grid():
    # a tall mast at the front right corner of a plate: high x, high z
    plate, mast = box((0, 0, 0), (8, 1, 8)), box((7, 0, 7), (8, 8, 8))
    grid = voxelize(surface(plate, mast), 8)
    expected = np.zeros((8, 8, 8), bool)
    expected[:, 0, :] = True
    expected[7, :, 7] = True
    np.testing.assert_array_equal(grid, expected)


def test_neither_unit_nor_place_matters():
    solid = rod((0, 0, 0), (1, 3, 2), 0.4)
    one = voxelize(surface(solid))
    other = voxelize(surface(solid.scale((100, 100, 100)).translate((-7, 50, 1000))))
    assert (one ^ other).sum() <= 2  # a cell may be grazed in one and missed in the other


def test_closed_hollows_are_filled_and_open_ones_are_not():
    shell = block((10, 10, 10), (0, 0, 0)) - block((6, 6, 6), (0, 0, 0))
    assert voxelize(surface(shell), 10).all()
    pot = shell - box((-3, 0, -3), (3, 6, 3))
    grid = voxelize(surface(pot), 10)
    assert not grid[2:8, 2:, 2:8].any()
    assert grid.sum() == 1000 - 6 * 8 * 6


def test_overlapping_solids_are_one():
    a, b = box((0, 0, 0), (4, 4, 4)), box((2, 2, 2), (8, 8, 8))
    together = voxelize(surface(a, b), 8)
    np.testing.assert_array_equal(together, voxelize(surface(a + b), 8))
    assert together.sum() == 4**3 + 6**3 - 2**3


@pytest.mark.parametrize("resolution", [16, 32, 64])
def test_a_ball_against_its_formula(resolution):
    """All cells that the ball touches, but those at whose corner a grazed tip has no sample."""
    ball = ellipsoid((0, 0, 0), 1.0)
    radius = resolution / 2
    grid = voxelize(surface(ball), resolution)
    cells = np.abs(np.stack(np.mgrid[(slice(resolution),) * 3]) + 0.5 - radius)
    near = np.linalg.norm(np.maximum(cells - 0.5, 0), axis=0)  # of each cell's nearest corner
    center = np.linalg.norm(cells, axis=0)
    assert not grid[near > radius].any()
    # the ball is a polyhedron: 24 segments lie within 1 - cos(pi / 24) of it
    assert grid[center < radius * np.cos(np.pi / 24) ** 2 - 0.3].all()


@pytest.mark.parametrize("turn", [(0, 0, 0), (20, 30, 40), (45, 0, 45), (10, 80, 5)])
@pytest.mark.parametrize("resolution", [16, 32, 64])
def test_thin_walls_do_not_leak(turn, resolution):
    """A hollow box is filled, so no step between cells leads through its walls."""
    size = np.array((1.0, 0.8, 0.6))
    walls = (block(size, (0, 0, 0)) - block(size - 0.01, (0, 0, 0))).rotate(turn)
    solid = block(size, (0, 0, 0)).rotate(turn)
    grid = voxelize(surface(walls), resolution)
    np.testing.assert_array_equal(grid, voxelize(surface(solid), resolution) | grid)
    assert grid[(resolution // 2,) * 3]


def test_the_walls_of_an_open_box_have_no_holes():
    """A turned box without its lid: the outside reaches the inside through the top only."""
    walls = block((1, 1, 1), (0, 0, 0)) - block((0.98, 1.2, 0.98), (0, 0.11, 0))
    grid = voxelize(surface(walls.rotate((0, 30, 0))), 48)
    height = np.flatnonzero(grid.any(axis=(0, 2))).max()
    middle, corner = (slice(24, 25),) * 2, (slice(0, 1),) * 2
    regions = label(~grid[:, : height + 1])[0]  # what is above the rim cut away
    assert (regions[middle[0], height, middle[1]] != regions[corner[0], height, corner[1]]).all()
    assert not grid[24, height - 2, 24]
