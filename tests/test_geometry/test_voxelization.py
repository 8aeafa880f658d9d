# SPDX-License-Identifier: MIT
import numpy as np
import pytest

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


def test_a_thin_slanted_sheet_has_no_holes():
    sheet = block((0.02, 1, 1), (0, 0, 0)).rotate((20, 30, 40))
    grid = voxelize(surface(sheet))
    # seen along any axis, the sheet hides the same cells as a thick one would
    thick = voxelize(surface(sheet, ellipsoid((0, 0, 0), 0.01)))
    np.testing.assert_array_equal(grid, thick)
    from scipy.ndimage import label

    outside, count = label(~np.pad(grid, 1))
    assert count == 1 and (outside[0] == 1).all()
    assert label(grid, np.ones((3, 3, 3)))[1] == 1
