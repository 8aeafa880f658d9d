# SPDX-License-Identifier: MIT
"""`voxrecon infer`, with a tiny network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from commands import call, refusal
from model_folders import make_model_folder, make_photo

from voxrecon.apis import VoxelInferencer
from voxrecon.cli.infer import FORMATS, main
from voxrecon.geometry.binvox import read_binvox


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model_folder(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Two photos in the folder in which the command runs."""
    monkeypatch.chdir(tmp_path)
    make_photo(tmp_path / "photo1.png", 1)
    make_photo(tmp_path / "photo2.png", 2, alpha=False)
    return ["photo1.png", "photo2.png"]


def test_photos_to_a_mesh(photos, model, tmp_path, capsys):
    call(main, *photos, "-o", "chair.glb", "--model", model)
    mesh = trimesh.load("chair.glb", force="mesh")
    expected = VoxelInferencer(model, device="cpu")(photos).mesh()
    assert np.allclose(mesh.bounds, expected.bounds, atol=1e-5)
    assert np.abs(mesh.bounds).max() <= 0.5 and len(mesh.faces) == len(expected.faces)
    out = capsys.readouterr().out
    assert "photo1.png: background by alpha\nphoto2.png: background by GrabCut\n" in out
    assert "of 32^3 voxels occupied at threshold 0.3" in out
    assert out.splitlines()[-1].endswith("infer photo1.png photo2.png -o chair.gif")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chair.glb", *photos]


def test_every_output(photos, model, tmp_path):
    names = [f"out/a.{kind}" for kind in FORMATS]
    call(
        main, *photos, "-o", *names, "--model", model, "--mesh", "boxes", "--azimuth", 90,
        "--elevation", 0, "--show-scores", "scores.png", "--show-inputs", "inputs.png",
    )  # fmt: skip
    result = VoxelInferencer(model, device="cpu")(photos, scores=True)
    assert np.array_equal(read_binvox("out/a.binvox").grid, result.occupied)
    assert np.array_equal(np.load("out/a.npz")["volume"], result.volume)
    assert np.array_equal(cv2.imread("out/a.png")[..., ::-1], result.picture(90, 0))
    assert np.array_equal(cv2.imread("scores.png")[..., ::-1], result.scores_picture())
    assert cv2.imread("inputs.png").shape[0] >= 128
    volume = trimesh.load("out/a.stl", force="mesh").volume
    assert volume == pytest.approx(result.occupied.mean(), rel=1e-4)
    assert sorted(f"out/{path.name}" for path in (tmp_path / "out").iterdir()) == sorted(names)


def test_many_objects(model, tmp_path, capsys):
    for name, count in (("chair", 2), ("table", 1)):
        for i in range(count):
            make_photo(tmp_path / "objects" / name / f"{i}.png", i)
    out = tmp_path / "out"
    call(main, tmp_path / "objects", "-o", out, "--formats", "glb", "binvox", "--model", model)
    names = sorted(path.name for path in out.iterdir())
    assert names == ["chair.binvox", "chair.glb", "table.binvox", "table.glb"]
    printed = capsys.readouterr().out
    assert "chair: 2 photos, background: 2 by alpha" in printed
    assert f"4 files of 2 objects: {out}" in printed


def test_boxes_and_masks(photos, model, capsys):
    call(main, *photos, "-o", "a.npz", "--model", model, "--boxes", "10,5,85,65", "10,5,85,65")
    assert "photo2.png: background by GrabCut" in capsys.readouterr().out
    make_photo(Path("masks/photo2.png"), 2)
    call(main, *photos, "-o", "a.npz", "--model", model, "--masks", "masks")
    assert "photo2.png: background by mask" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "a.exe"], "a.exe: expected a file of type .glb, .obj"),
        (["-o", "a.glb", "--threshold", "2"], "threshold 2.0, expected above 0 and at most 1"),
        (["-o", "a.glb", "--threshold", "1"], "object: nothing is occupied at threshold 1, the hi"),
        (["-o", "a.glb", "--boxes", "1,2,3"], "--boxes 1,2,3: expected left,top,right,bottom"),
        (["-o", "a.glb", "--boxes", "1,2,3,4"], "boxes for [1] photos, expected [2]"),
        (["-o", "a.glb", "--formats", "glb"], "--formats: of many objects; of one the suffix"),
        (["-o", "a.glb", "--show-scores", "a.jpg"], "a.jpg: expected a file of type .png"),
        (["-o", "photo1.png/a.glb"], "photo1.png: cannot be written: Not a directory"),
        (["-o", "a.glb", "--batch-size", "0"], "--batch-size 0: expected 1 to 4096"),
        (["-o", "a.glb", "--masks", "nowhere"], "nowhere: no such folder of masks"),
    ],
)
def test_refusals_leave_nothing_behind(photos, model, tmp_path, capfd, options, message):
    assert message in refusal(capfd, main, *photos, "--model", model, *options)
    assert sorted(path.name for path in tmp_path.iterdir()) == photos


def test_bad_photos(photos, model, capfd, tmp_path):
    (tmp_path / "text.jpg").write_text("text")
    given = [main, photos[0], "text.jpg", "-o", "a.glb", "--model", model]
    assert "text.jpg: not a picture" in refusal(capfd, *given)
    given[2] = "nothing.jpg"
    assert "nothing.jpg: no such photo" in refusal(capfd, *given)
    (tmp_path / "empty").mkdir()
    assert "empty: no photos" in refusal(capfd, main, "empty", "-o", "a.glb", "--model", model)
    make_photo(tmp_path / "many/a/1.png", 1)
    given = [main, "many", "--model", model, "-o"]
    assert "many objects, expected a folder" in refusal(capfd, *given, "a.glb")
    assert "--show-scores: of one object" in refusal(capfd, *given, "out", "--show-scores", "s.png")
