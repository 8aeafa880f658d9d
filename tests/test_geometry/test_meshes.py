# SPDX-License-Identifier: MIT
import numpy as np
import pytest
import trimesh

from voxrecon.errors import FileError
from voxrecon.geometry.meshes import voxel_mesh, write_mesh


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
