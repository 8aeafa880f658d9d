# SPDX-License-Identifier: MIT
"""`voxrecon infer`, with a tiny network."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from commands import call, refusal
from model_folders import make_model_folder, make_photo
from PIL import Image

from voxrecon.apis import VoxelInferencer
from voxrecon.choices import FORMATS
from voxrecon.cli.infer import main, parse_args
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
    assert out.splitlines()[-1] == (
        f"next: voxrecon infer photo1.png photo2.png --model {model} -o chair.gif"
    )
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


def test_the_next_command_is_of_the_same_volume(photos, model, capsys):
    Path("my masks").mkdir()
    make_photo(Path("my masks/photo2.png"), 2)
    options = (
        "--device", "cpu", "--threshold", 0.25, "--masks", "my masks", "--boxes", "10,5,85,65",
        "0,0,90,70", "--background", "grabcut", "--framing", "whole", "--elevation", -10,
    )  # fmt: skip
    call(main, *photos, "-o", "a.npz", "--model", model, *options)
    line = capsys.readouterr().out.splitlines()[-1]
    given, proposed = (
        vars(parse_args([str(word) for word in words]))
        for words in (
            [*photos, "-o", "a.gif", "--model", model, *options],
            shlex.split(line.removeprefix("next: voxrecon infer ")),
        )
    )
    assert proposed == given
    call(main, *photos, "-o", "a.gif", "--model", model)
    assert "next:" not in capsys.readouterr().out


def test_help_does_not_wait_for_the_network():
    code = (
        "import sys\nfrom voxrecon.cli.infer import build_parser\nbuild_parser().format_help()\n"
        "print({'torch', 'cv2', 'trimesh'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def make_objects(folder: Path) -> Path:
    """Two objects that can be reconstructed, and three that cannot."""
    make_photo(folder / "broken/1.png", 1)
    (folder / "broken/2.png").write_text("text")
    for i in range(2):
        make_photo(folder / "chair" / f"{i}.png", i)
    (folder / "empty").mkdir()
    (folder / "plain").mkdir()
    Image.new("RGB", (90, 70), (128, 128, 128)).save(folder / "plain/1.png")
    make_photo(folder / "table/0.png", 3)
    return folder


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_objects_that_fail_do_not_stop_the_others(model, tmp_path, capsys, batch_size):
    objects, out = make_objects(tmp_path / "objects"), tmp_path / "out"
    given = (objects, "-o", out, "--formats", "npz", "--batch-size", batch_size)
    with pytest.raises(SystemExit, match="2"):
        call(main, *given, "--model", model)
    printed = capsys.readouterr()
    patterns = (
        "empty: no photos, expected .*",
        "broken/2.png: not a picture.*",
        "plain/1.png: no object found by GrabCut, .*",
    )
    *failures, summary = printed.err.splitlines()
    for line, pattern in zip(failures, patterns, strict=True):
        assert re.fullmatch(f"{re.escape(str(objects))}/{pattern}", line)
    assert summary == f"error: 3 of 5 objects failed, the others are written: {out}"
    assert printed.out.splitlines()[-2:] == [
        f"2 files of 2 objects: {out}",
        f"next: voxrecon infer {objects}/chair --model {model} -o {out}/chair.gif",
    ]
    assert sorted(path.name for path in out.iterdir()) == ["chair.npz", "table.npz"]
    inferencer = VoxelInferencer(model, device="cpu")
    for name in ("chair", "table"):
        expected = inferencer(objects / name).volume
        assert np.allclose(np.load(out / f"{name}.npz")["volume"], expected, atol=1e-6)


def test_an_empty_volume_is_one_failure(model, tmp_path, capsys):
    for name, seed in (("chair", 1), ("table", 3)):
        make_photo(tmp_path / "objects" / name / "0.png", seed)
    inferencer = VoxelInferencer(model, device="cpu")
    highest = {
        result.name: float(result.volume.max()) for result in inferencer(tmp_path / "objects")
    }
    low, high = sorted(highest, key=highest.get)
    threshold = (highest[low] + highest[high]) / 2
    assert highest[low] < threshold < highest[high]
    given = (tmp_path / "objects", "-o", tmp_path / "out", "--model", model)
    with pytest.raises(SystemExit, match="2"):
        call(main, *given, "--threshold", threshold, "--formats", "npz", "glb")
    failure, summary = capsys.readouterr().err.splitlines()
    assert failure.startswith(f"{low}: nothing is occupied at threshold {threshold:g}, the high")
    assert summary.startswith("error: 1 of 2 objects failed, ")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"{high}.glb", f"{high}.npz"]


def test_objects_are_written_as_they_come(model, tmp_path, capsys, monkeypatch):
    for name in "abc":
        make_photo(tmp_path / "objects" / name / "0.png", 1)
    (tmp_path / "objects/_empty").mkdir()
    cut = VoxelInferencer.cut

    def interrupted(source, *args):
        if source.parent.name == "b":
            raise KeyboardInterrupt
        return cut(source, *args)

    monkeypatch.setattr(VoxelInferencer, "cut", staticmethod(interrupted))
    given = (tmp_path / "objects", "-o", tmp_path / "out", "--model", model, "--batch-size", 1)
    with pytest.raises(SystemExit, match="130"):
        call(main, *given)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.glb"]
    assert "_empty: no photos" in capsys.readouterr().err


def test_output_that_cannot_be_written_stops_all(model, tmp_path, capfd):
    for name in "ab":
        make_photo(tmp_path / "objects" / name / "0.png", 1)
        (tmp_path / "out" / f"{name}.glb").mkdir(parents=True)
    message = refusal(capfd, main, tmp_path / "objects", "-o", tmp_path / "out", "--model", model)
    assert message.startswith(f"{tmp_path}/out/a.glb: cannot be written")


def test_folders_of_one_name(model, tmp_path, capsys):
    for place, seed in (("old", 1), ("new", 2)):
        make_photo(tmp_path / place / "chair/0.png", seed)
    out = tmp_path / "out.v2"  # a folder, whatever its name looks like
    given = (tmp_path / "old/chair", tmp_path / "new/chair", "-o", out, "--formats", "npz")
    call(main, *given, "--model", model, "--batch-size", 1)
    inferencer = VoxelInferencer(model, device="cpu")
    for name, place in (("chair", "old"), ("chair_2", "new")):
        expected = inferencer(tmp_path / place / "chair").volume
        assert np.array_equal(np.load(out / f"{name}.npz")["volume"], expected)
    assert f"2 files of 2 objects: {out}" in capsys.readouterr().out


def test_masks_of_many_objects(model, tmp_path, capsys):
    for i, name in enumerate(("chair", "lamp", "table")):
        make_photo(tmp_path / "objects" / name / "0.png", i)
    make_photo(tmp_path / "masks/chair/0.png", 4)
    make_photo(tmp_path / "masks/table/other.png", 4)
    given = [main, tmp_path / "objects", "-o", tmp_path / "out", "--model", model]
    given += ["--formats", "npz", "--batch-size", 2, "--masks"]
    with pytest.raises(SystemExit, match="2"):
        call(*given, tmp_path / "masks")
    printed = capsys.readouterr()
    assert "chair: 1 photos, background: 1 by mask\n" in printed.out
    assert "lamp: 1 photos, background: 1 by alpha\n" in printed.out
    assert printed.err.startswith(f"{tmp_path}/masks/table: no mask of any photo, expected ")
    with pytest.raises(SystemExit, match="2"):
        call(*given, tmp_path / "objects/chair")
    expected = f"error: {tmp_path}/objects/chair: no folder of masks, expected some such as chair\n"
    assert capsys.readouterr().err == expected


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
        (["-o", "photo1.png/a.glb"], "photo1.png: a file, expected a folder"),
        (["-o", "new/deep/a.glb", "--threshold", "1"], "object: nothing is occupied at threshold"),
        (["-o", "a.glb", "--batch-size", "0"], "--batch-size 0: expected 1 to 4096"),
        (["-o", "a.glb", "--masks", "nowhere"], "nowhere: no such mask, and no such folder"),
    ],
)
def test_refusals_leave_nothing_behind(photos, model, tmp_path, capfd, options, message):
    assert message in refusal(capfd, main, *photos, "--model", model, *options)
    assert sorted(path.name for path in tmp_path.iterdir()) == photos


def test_photos_come_before_the_output(photos, model, capfd):
    message = refusal(capfd, main, "--model", model, "-o", "a.glb", *photos)
    assert message == (
        "no photos, and --out a.glb photo1.png photo2.png: expected the photos first, then -o FILE"
    )


def test_a_folder_that_may_not_be_written(photos, model, capfd, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(tmp_path))  # root may all
    message = refusal(capfd, main, *photos, "--model", model, "-o", "new/a.glb")
    assert message == f"{tmp_path}: cannot be written: Permission denied"


def test_an_empty_word_is_not_this_folder(photos, model, capfd):
    assert "not a file, expected a photo" in refusal(
        capfd, main, "", "-o", "a.glb", "--model", model
    )
    assert "no such mask" in refusal(
        capfd, main, *photos, "-o", "a.glb", "--model", model, "--masks", ""
    )
    assert ": no such model" in refusal(capfd, main, *photos, "-o", "a.glb", "--model", "")
    assert "device ''" in refusal(
        capfd, main, *photos, "-o", "a.glb", "--model", model, "--device", ""
    )


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


def test_nothing_is_overwritten_and_nothing_half_written(photos, model, tmp_path, capfd):
    (tmp_path / "folder.png").mkdir()
    for options, message in (
        (["-o", "photo1.png"], "photo1.png: is one of the photos, expected another file"),
        (["-o", "a.glb", "--show-inputs", "photo2.png"], "photo2.png: is one of the photos"),
        (["-o", "a.png", "--show-inputs", "a.png"], "a.png: named twice, expected a file"),
        (["-o", "a.glb", "--show-scores", "folder.png"], "folder.png: a folder, expected a file"),
        (["-o", "a.npz", "a.glb", "--threshold", "1"], "nothing is occupied at threshold 1"),
    ):
        assert message in refusal(capfd, main, *photos, "--model", model, *options)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", *photos]


def test_names_do_not_move_the_cursor_and_lose_no_result(photos, model, tmp_path):
    name = "e\x1b[31mred\n.png"
    (tmp_path / "photo1.png").rename(tmp_path / name)
    (tmp_path / "photo2.png").rename(tmp_path / "stühl.png")
    words = ["infer", name, "stühl.png", "-o", "a.glb", "--model", str(model)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1] / "helpers")])
    code = "import shrink; from voxrecon.cli.main import main; import sys; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.glb").is_file()
    assert b"e?[31mred?.png: background by alpha\nst?hl.png: background by GrabCut" in done.stdout
    assert b"\x1b" not in done.stdout
