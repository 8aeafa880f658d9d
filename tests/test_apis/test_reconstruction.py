# SPDX-License-Identifier: MIT
"""What is made of a reconstructed volume."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import trimesh
from photo_sets import make_solid
from PIL import Image

from voxrecon.apis.reconstruction import Reconstruction
from voxrecon.captures.cutouts import Cutout
from voxrecon.errors import ConfigError, FileError, VoxreconError
from voxrecon.geometry.binvox import read_binvox


@pytest.fixture(scope="module")
def solid() -> np.ndarray:
    """Without symmetry, (32, 32, 32) bool."""
    return make_solid()


@pytest.fixture(scope="module")
def result(solid) -> Reconstruction:
    """Two views of an object that is sure at 0.9, with a shell that is occupied below 0.2."""
    volume = np.where(solid, 0.9, 0.05).astype(np.float32)
    volume[:, 30:] = 0.15
    coarse = np.stack([volume, volume / 2])
    shares = np.stack([np.full_like(volume, 0.7), np.full_like(volume, 0.3)])
    picture = np.full((16, 16, 4), 255, np.uint8)
    views = [Cutout(picture, "alpha", "a.png"), Cutout(picture // 2, "mask", "b.png")]
    return Reconstruction(volume, views, 0.3, "chair", coarse, shares)


def test_threshold(result, solid):
    assert np.array_equal(result.occupied, solid)
    lower = result.at(0.1)
    assert lower.occupied.sum() == solid.sum() + 32 * 2 * 32 and lower.name == "chair"
    assert result.threshold == 0.3
    for wrong in (0, -1, 1.01, float("nan")):
        with pytest.raises(ConfigError, match="threshold .*, expected above 0 and at most 1"):
            result.at(wrong)


def test_a_cell_on_the_threshold_is_occupied(result):
    exact = Reconstruction(np.full((4, 4, 4), 0.3, np.float32), threshold=float(np.float32(0.3)))
    assert exact.occupied.all()
    for kind in ("boxes", "surface"):
        assert np.allclose(exact.mesh(kind).bounds, ((-0.5,) * 3, (0.5,) * 3), atol=1e-3)


def test_mesh_of_boxes_is_the_solid(result, solid):
    mesh = result.mesh("boxes")
    assert mesh.volume == pytest.approx(solid.mean())
    low, high = np.argwhere(solid).min(0) / 32 - 0.5, (np.argwhere(solid).max(0) + 1) / 32 - 0.5
    assert np.allclose(mesh.bounds, (low, high))


@pytest.mark.parametrize("kind", ["surface", "smooth"])
def test_meshes_of_marching_cubes_are_closed_and_about_the_solid(result, solid, kind):
    mesh = result.mesh(kind)
    assert mesh.is_watertight and np.abs(mesh.vertices).max() <= 0.5
    # the surface lies up to half a cell off the faces of the cells
    assert mesh.volume == pytest.approx(solid.mean(), rel=0.1)
    centre = (np.argwhere(solid).mean(0) + 0.5) / 32 - 0.5
    assert np.allclose(mesh.center_mass, centre, atol=0.5 / 32)


def test_smoothing_keeps_the_volume_and_flattens_steps():
    x, y, z = np.indices((32, 32, 32)) - 15.5
    ball = Reconstruction(((x**2 + y**2 + z**2) < 100).astype(np.float32))
    steps, smooth = ball.mesh("surface"), ball.mesh("smooth")
    assert smooth.volume == pytest.approx(steps.volume, rel=0.01)
    angles = [mesh.face_adjacency_angles.mean() for mesh in (smooth, steps)]
    assert angles[0] < 0.7 * angles[1]


@pytest.mark.parametrize("suffix", ["glb", "obj", "ply", "stl"])
@pytest.mark.parametrize("kind", ["boxes", "smooth"])
def test_files_of_meshes(result, tmp_path, suffix, kind):
    path = result.save(tmp_path / f"a.{suffix}", kind)
    mesh = trimesh.load(path, force="mesh")
    assert np.allclose(mesh.bounds, result.mesh(kind).bounds, atol=1e-5)
    assert len(mesh.faces) == len(result.mesh(kind).faces)


def test_files_of_grids(result, solid, tmp_path):
    assert np.array_equal(read_binvox(result.save(tmp_path / "a.binvox")).grid, solid)
    with np.load(result.save(tmp_path / "a.npz"), allow_pickle=False) as file:
        assert set(file) == {"volume", "occupied", "threshold", "coarse", "scores"}
        assert np.array_equal(file["volume"], result.volume) and file["threshold"] == 0.3
        assert np.array_equal(file["occupied"], solid)
        assert np.array_equal(file["coarse"], result.coarse)
    plain = Reconstruction(result.volume)
    with np.load(plain.save(tmp_path / "b.npz"), allow_pickle=False) as file:
        assert set(file) == {"volume", "occupied", "threshold"}


def test_files_of_pictures(result, tmp_path):
    front = result.save(tmp_path / "a.png", azimuth=0, elevation=0)
    picture = cv2.imread(str(front))[..., ::-1]
    assert np.array_equal(picture, result.picture(0, 0)) and picture.shape == (512, 512, 3)
    assert not np.array_equal(picture, result.picture(90, 0))
    with Image.open(result.save(tmp_path / "a.gif")) as gif:
        assert gif.n_frames == 36 and gif.size == (256, 256)


def test_scores_are_drawn(result):
    picture = result.scores_picture()
    assert picture.dtype == np.uint8 and picture.shape[1] > picture.shape[0] > 224
    with pytest.raises(VoxreconError, match="chair: no score maps, expected a network with"):
        Reconstruction(result.volume, result.views, name="chair").scores_picture()


def test_an_empty_volume_names_its_highest_probability(result, tmp_path):
    empty = result.at(0.95)
    for suffix in ("glb", "binvox", "png", "gif"):
        with pytest.raises(
            VoxreconError,
            match="chair: nothing is occupied at threshold 0.95, the highest probability is 0.900",
        ):
            empty.save(tmp_path / f"a.{suffix}")
    assert empty.save(tmp_path / "a.npz").is_file()  # the probabilities are there all the same
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_values_that_are_no_numbers(result, tmp_path):
    broken = Reconstruction(np.full_like(result.volume, np.nan), name="chair")
    with pytest.raises(VoxreconError, match="chair: the network gives values that are no numbers"):
        broken.save(tmp_path / "a.glb")


@pytest.mark.parametrize("name", ["a", "a.exe", "a.glb.zip", ".glb", "a\0.glb"])
def test_other_suffixes(result, tmp_path, name):
    with pytest.raises(FileError, match="expected a file of type .glb, .obj"):
        result.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_other_meshes(result):
    with pytest.raises(ConfigError, match="mesh 'round', expected smooth, surface or boxes"):
        result.mesh("round")


def test_a_file_that_cannot_be_written(result, tmp_path):
    (tmp_path / "file").write_text("x")
    for suffix in ("glb", "npz", "gif"):
        with pytest.raises(FileError, match=f"a.{suffix}: cannot be written: Not a directory"):
            result.save(tmp_path / "file" / f"a.{suffix}")
