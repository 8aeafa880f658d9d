# SPDX-License-Identifier: MIT
import numpy as np
import pytest
import trimesh

from voxrecon.errors import FileError
from voxrecon.geometry import read_mesh, voxelize
from voxrecon.geometry.meshes import smooth_mesh, voxel_mesh, write_mesh


def test_one_cell_is_a_cube_at_its_place():
    grid = np.zeros((4, 4, 4), bool)
    grid[3, 0, 1] = True
    mesh = voxel_mesh(grid)
    assert mesh.bounds.tolist() == [[0.25, -0.5, -0.25], [0.5, -0.25, 0]]
    assert (len(mesh.vertices), len(mesh.faces)) == (8, 12)
    assert mesh.is_watertight and mesh.volume == pytest.approx(0.25**3)  # outward, so positive


def test_only_outer_faces_are_there():
    mesh = voxel_mesh(np.ones((3, 3, 3)))
    assert len(mesh.faces) == 6 * 9 * 2
    assert mesh.area == pytest.approx(6) and mesh.volume == pytest.approx(1)


def test_the_volume_is_that_of_the_cells():
    grid = np.random.default_rng(0).random((8, 8, 8)) < 0.3
    assert voxel_mesh(grid).volume == pytest.approx(grid.sum() / 512)


@pytest.mark.parametrize("grid", [np.zeros((4, 4, 4)), np.ones((4, 4, 2)), np.ones((4, 4))])
def test_what_makes_no_mesh_is_refused(grid):
    with pytest.raises(ValueError, match="expected a cube with some"):
        voxel_mesh(grid)


@pytest.mark.parametrize("kind", ["glb", "obj", "ply", "stl"])
def test_files_read_back(tmp_path, kind):
    mesh = voxel_mesh(np.ones((2, 2, 2)))
    write_mesh(tmp_path / f"a.{kind}", mesh)
    again = trimesh.load_mesh(tmp_path / f"a.{kind}")
    assert again.volume == pytest.approx(1) and np.allclose(again.bounds, mesh.bounds)


def test_other_kinds_of_files_are_refused(tmp_path):
    with pytest.raises(FileError, match="a.xyz: expected a file of type glb, obj, ply, stl"):
        write_mesh(tmp_path / "a.xyz", voxel_mesh(np.ones((2, 2, 2))))


def test_an_unwritable_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="file/a.glb: cannot be written: Not a directory"):
        write_mesh(tmp_path / "file" / "a.glb", voxel_mesh(np.ones((2, 2, 2))))


def middles(n):
    """Of the cells, (n, n, n, 3), in the cube from -0.5 to 0.5."""
    return (np.stack(np.mgrid[:n, :n, :n], axis=-1) + 0.5) / n - 0.5


def blob(n=12):
    """An asymmetric solid in one piece and without hollows, that touches all sides of its grid."""
    solid = np.zeros((n, n, n), bool)
    solid[:, : n // 4, : n // 2] = True
    solid[: n // 3] = True
    solid[n // 2 : n // 2 + 2, : n - 2, : n // 4] = True
    return solid


def test_marching_cubes_goes_half_way_between_full_and_empty_cells():
    grid = np.zeros((4, 4, 4), bool)
    grid[3, 0, 1] = True
    mesh = smooth_mesh(grid)
    # an octahedron, whose corners are the middles of the cell's faces, at the border too
    assert mesh.bounds.tolist() == [[0.25, -0.5, -0.25], [0.5, -0.25, 0]]
    assert mesh.is_watertight and mesh.volume == pytest.approx(0.25**3 / 6)  # outward


@pytest.mark.parametrize("level", [0.3, 0.5, 0.7])
def test_marching_cubes_of_a_ball_of_probabilities(level):
    """A probability that falls with the distance by 2 a unit: the level is met at a known one."""
    n = 32
    distance = np.linalg.norm(middles(n) - (0.1, 0, -0.05), axis=-1)
    mesh = smooth_mesh(np.clip(1 - 2 * distance, 0, 1), level)
    radius = np.linalg.norm(mesh.vertices - (0.1, 0, -0.05), axis=1)
    expected = (1 - level) / 2
    # linear between two middles, while the distance is not: by at most h^2 / 8r
    np.testing.assert_allclose(radius, expected, atol=1 / n**2 / 8 / (expected - 1 / n))
    assert mesh.is_watertight and mesh.volume > 0
    assert np.abs(mesh.vertices).max() <= 0.5


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8])
def test_marching_cubes_is_closed_and_within_the_cube(level):
    noise = np.random.default_rng(0).random((8, 8, 8))
    mesh = smooth_mesh(noise, level)
    assert mesh.is_watertight and np.abs(mesh.vertices).max() <= 0.5
    full = smooth_mesh(np.ones((4, 4, 4)), level)
    assert full.is_watertight and full.bounds.tolist() == [[-0.5] * 3, [0.5] * 3]


def test_marching_cubes_separates_middles_of_full_and_empty_cells():
    grid = blob()
    mesh = smooth_mesh(grid)
    inside = mesh.contains(middles(12).reshape(-1, 3)).reshape(grid.shape)
    np.testing.assert_array_equal(inside, grid)


@pytest.mark.parametrize("grid", [np.zeros((4, 4, 4)), np.ones((4, 4, 2)), np.full((4, 4, 4), 0.5)])
def test_grids_without_a_surface_are_refused(grid):
    with pytest.raises(ValueError, match="cells above 0.5, expected a cube with some"):
        smooth_mesh(grid)


@pytest.mark.parametrize("kind", ["glb", "obj", "ply", "stl"])
def test_grid_to_mesh_to_file_to_grid(tmp_path, kind):
    grid = blob()
    write_mesh(tmp_path / f"a.{kind}", voxel_mesh(grid))
    surface = read_mesh(tmp_path / f"a.{kind}")  # up +y and front +x, as the grid
    np.testing.assert_array_equal(voxelize(surface, 12), grid)
    np.testing.assert_array_equal(voxelize(surface, 12, fill="hidden"), grid)


@pytest.mark.parametrize("kind", ["glb", "obj", "ply", "stl"])
def test_marching_cubes_to_file_to_grid(tmp_path, kind):
    """Chamfered edges may graze empty cells, whose corner they cut off; no cell is lost."""
    grid = blob()
    write_mesh(tmp_path / f"a.{kind}", smooth_mesh(grid))
    again = voxelize(read_mesh(tmp_path / f"a.{kind}"), 12)
    assert again[grid].all() and (again & ~grid).sum() < 0.1 * grid.sum()
    box = np.zeros((6, 6, 6), bool)
    box[:, 1:5, 2:4] = True  # no inner corner: nothing is grazed
    write_mesh(tmp_path / f"b.{kind}", smooth_mesh(box))
    np.testing.assert_array_equal(voxelize(read_mesh(tmp_path / f"b.{kind}"), 6), box)
