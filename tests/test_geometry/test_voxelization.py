# SPDX-License-Identifier: MIT
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import label

from voxrecon.geometry import Surface, read_binvox, read_mesh, voxelize
from voxrecon.geometry.materials import Plain
from voxrecon.geometry.meshes import outer_faces
from voxrecon.geometry.solids import Assembly, block, box, ellipsoid, rod

DATA = os.environ.get("VOXRECON_TEST_DATA")
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


def faces_of(cells, left_out=()):
    """The outer faces of cells (X, Y, Z) bool but for some (axis, end, x, y, z), as a surface."""
    vertices, faces = [], []
    for axis, end, where, corners in outer_faces(cells):
        for cell in where:
            if (axis, end, *cell) not in left_out:
                first = len(vertices)
                vertices += list(cell + corners)
                faces += [(first, first + 1, first + 2), (first, first + 2, first + 3)]
    faces = np.array(faces)
    return Surface(np.array(vertices, float), faces, np.zeros(len(faces), int), (GREY,))


def solid(*boxes, n=8):
    cells = np.zeros((n, n, n), bool)
    for low, high in boxes:
        cells[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return cells


# a plate with a tower at its high x, low z corner: asymmetric, and 8 cells long
TOWER = solid(((0, 0, 0), (8, 2, 6)), ((5, 2, 0), (8, 6, 3)))
CENTERED = np.roll(TOWER, (0, 1, 1), (0, 1, 2))  # where its bounding box is put


@pytest.mark.parametrize("fill", ["enclosed", "hidden", "standing"])
def test_a_closed_surface_is_filled_by_all(fill):
    np.testing.assert_array_equal(voxelize(faces_of(TOWER), 8, fill), CENTERED)


def thick(fill, *missing, n=12):
    """A box of 12 x 8 x 10 cells, hollow, without some of its faces."""
    cells = solid(((0, 0, 0), (12, 8, 10)), n=n)
    return voxelize(faces_of(cells, set(missing)), n, fill)


def middle(grid):
    """What is inside the walls, (10, 6, 8)."""
    return grid[1:11, 3:9, 2:10]


def test_a_box_with_a_missing_cell_face():
    hole = (0, 1, 11, 4, 3)  # at high x
    assert middle(thick("enclosed")).all() and middle(thick("hidden")).all()
    leaked = middle(thick("enclosed", hole))
    assert not leaked.any()  # the outside reaches all of the inside
    hidden = middle(thick("hidden", hole))
    expected = np.ones_like(hidden)
    expected[:, 3, 2] = False  # the row behind the hole (cells 4 and 3, without the walls)
    np.testing.assert_array_equal(hidden, expected)


def test_a_box_without_a_side():
    side = [(0, 1, 11, y, z) for y in range(8) for z in range(10)]
    for fill in ("enclosed", "hidden", "standing"):
        assert not middle(thick(fill, *side)).any()


def test_a_box_without_an_underside():
    below = [(1, 0, x, 0, z) for x in range(12) for z in range(10)]
    assert not middle(thick("enclosed", *below)).any()
    assert not middle(thick("hidden", *below)).any()
    standing = thick("standing", *below)
    assert standing[:, 2:10, 1:11].all() and standing.sum() == 12 * 8 * 10


def test_a_table_stands_on_its_legs():
    """Between the legs of a table is nothing, as the sides see it; a closed skirt hides it."""
    top, legs = (
        ((0, 6, 0), (8, 8, 6)),
        [((x, 0, z), (x + 1, 6, z + 1)) for x in (0, 7) for z in (0, 5)],
    )
    table = solid(top, *legs)
    placed = np.roll(table, 1, 2)
    for fill in ("enclosed", "hidden", "standing"):
        np.testing.assert_array_equal(voxelize(faces_of(table), 8, fill), placed)
    skirt = solid(top, ((0, 0, 0), (8, 6, 6)))
    skirt[1:7, :6, 1:5] = False  # walls all around, open below
    placed = np.roll(skirt, 1, 2)
    for fill in ("enclosed", "hidden"):
        np.testing.assert_array_equal(voxelize(faces_of(skirt), 8, fill), placed)
    assert voxelize(faces_of(skirt), 8, "standing")[:, :, 1:7].all()


def test_another_fill_is_refused():
    with pytest.raises(
        ValueError, match="fill 'solid', expected one of enclosed, hidden, standing"
    ):
        voxelize(faces_of(TOWER), 8, "solid")


@pytest.mark.skipif(DATA is None, reason="VOXRECON_TEST_DATA is not set")
@pytest.mark.parametrize(
    ("chair", "least"),
    [
        ("1a6f615e8b1b5ae4dbbc9440457e303e", 0.82),  # measured: 0.8267, 0.8758, 0.9718
        ("1a74a83fa6d24b3cacd67ce2c72c02e", 0.87),
        ("1a8bbf2994788e2743e99e0cae970928", 0.97),
    ],
)
def test_real_chairs(chair, least):
    """The published grid and the mesh of the same object."""
    mesh = Path(DATA, "meshes", "shapenet_chairs", chair, "models", "model_normalized.obj")
    ours = voxelize(read_mesh(mesh, front="-z"), fill="hidden")
    real = read_binvox(
        Path(DATA, "r2n2_chairs", "ShapeNetVox32", "03001627", chair, "model.binvox")
    ).grid
    assert (ours & real).sum() / (ours | real).sum() >= least


def test_faces_that_cover_the_object_dozens_of_times_are_refused():
    vertices = np.array(((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)), float)
    faces = np.tile(((0, 1, 2), (0, 1, 3)), (5000, 1))
    pile = Surface(vertices, faces, np.zeros(len(faces), int), (GREY,))
    with pytest.raises(ValueError, match="10000 faces that cover the object dozens of times"):
        voxelize(pile, 32)
    few = Surface(vertices, faces[:100], np.zeros(100, int), (GREY,))
    once = Surface(vertices, faces[:2], np.zeros(2, int), (GREY,))
    np.testing.assert_array_equal(voxelize(few, 32), voxelize(once, 32))
