# SPDX-License-Identifier: MIT
import hashlib
import json
import multiprocessing
import shutil
import signal
import subprocess
import sys
from concurrent.futures import wait
from pathlib import Path

import cv2
import numpy as np
import pytest
from commands import refusal
from filelock import FileLock

from voxrecon.cli.make_shapes13 import lamp_azimuth, main
from voxrecon.datasets import R2N2Dataset, read_taxonomy
from voxrecon.geometry import View, read_binvox
from voxrecon.geometry.r2n2_layout import split

TWO = ["--classes", "chair", "lamp"]


def make(out, *options):
    main([str(out), *map(str, options)])
    return out


def digest(root: Path) -> dict[str, str]:
    """Every file by its content."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    out = tmp_path_factory.mktemp("shapes") / "data"
    return make(out, "--per-class", 3, "--views", 2, "--workers", 1, *TWO)


def test_the_layout(small):
    names = {path.name for path in small.iterdir() if path.name != ".lock"}
    assert names == {
        "ShapeNetRendering",
        "ShapeNetVox32",
        "taxonomy.json",
        "shapes13.json",
        "contact_sheet.png",
    }
    folder = small / "ShapeNetRendering" / "03001627" / "s0-00002" / "rendering"
    assert {path.name for path in folder.iterdir()} == {
        "00.png",
        "01.png",
        "renderings.txt",
        "rendering_metadata.txt",
    }
    assert (folder / "renderings.txt").read_text() == "00.png\n01.png\n"
    rows = np.loadtxt(folder / "rendering_metadata.txt")
    assert rows.shape == (2, 5)
    assert (rows[:, 1] >= 25).all() and (rows[:, 1] <= 30).all()
    image = cv2.imread(str(folder / "00.png"), cv2.IMREAD_UNCHANGED)
    assert image.shape == (137, 137, 4) and image.dtype == np.uint8
    alpha = image[..., 3]
    assert (alpha == 0).mean() > 0.5 and (alpha == 255).sum() > 300
    assert ((alpha > 0) & (alpha < 255)).sum() > 50  # anti-aliased
    grid = read_binvox(small / "ShapeNetVox32" / "03001627" / "s0-00002" / "model.binvox").grid
    assert grid.shape == (32, 32, 32) and 100 < grid.sum() < 20_000


def test_our_data_set_reads_it(small):
    assert {
        c.name: {k: len(v) for k, v in c.splits.items()}
        for c in read_taxonomy(small / "taxonomy.json")
    } == {"chair": {"train": 2, "val": 0, "test": 1}, "lamp": {"train": 2, "val": 0, "test": 1}}
    assert len(R2N2Dataset(small, split="train", n_views=2, test_mode=True)) == 4


@pytest.mark.parametrize(
    ("n", "sizes"),
    [
        (1, (1, 1, 1)),
        (2, (1, 0, 1)),
        (5, (4, 0, 1)),
        (6, (4, 0, 2)),
        (10, (7, 1, 2)),
        (60, (42, 6, 12)),
    ],
)
def test_splits(n, sizes):
    names = [str(i) for i in range(n)]
    parts = split(names)
    assert tuple(map(len, parts.values())) == sizes
    if n > 1:
        assert sum(parts.values(), []) == names


def test_workers_and_interruptions_leave_no_trace(small, tmp_path):
    two = make(tmp_path / "two", "--per-class", 3, "--views", 2, "--workers", 2, *TWO)
    assert digest(two) == digest(small)
    # a killed run: an object missing, one half written, one without its grid
    renderings, grids = two / "ShapeNetRendering", two / "ShapeNetVox32"
    shutil.rmtree(renderings / "03001627" / "s0-00000")
    half = renderings / "03636649" / "s0-00001"
    half.rename(half.with_name(".s0-00001.abc.part"))
    half.mkdir()
    (grids / "03636649" / "s0-00002" / "model.binvox").unlink()
    # damage from outside: a picture lost, a grid emptied
    (renderings / "03636649" / "s0-00002" / "rendering" / "01.png").unlink()
    (grids / "03636649" / "s0-00000" / "model.binvox").write_bytes(b"")
    (two / "taxonomy.json").unlink()
    make(two, "--per-class", 3, "--views", 2, "--workers", 2, *TWO)
    assert digest(two) == digest(small)


def test_a_killed_worker_is_said_and_the_command_goes_on(small, tmp_path, capfd, monkeypatch):
    calls = []

    def kill_then_wait(*args, **options):
        calls.append(wait(*args, **options))
        for worker in multiprocessing.active_children():
            worker.kill()
        return calls[-1]

    options = [tmp_path / "d", "--per-class", 3, "--views", 2, "--workers", 1, *TWO]
    with monkeypatch.context() as patch:
        patch.setattr("voxrecon.cli.workers.wait", kill_then_wait)
        assert "a worker was killed" in refusal(capfd, main, *options)
    assert calls and not (tmp_path / "d" / "taxonomy.json").exists()
    make(*options)
    assert digest(tmp_path / "d") == digest(small)


@pytest.mark.slow
def test_a_killed_command_takes_its_workers_along_and_goes_on(small, tmp_path):
    options = ["--per-class", "3", "--views", "2", "--workers", "2", *TWO]
    out = tmp_path / "d"
    script = (
        "import os, sys\n"
        "from voxrecon.cli import make_shapes13, workers\n"
        "def kill(*args, **options):\n"
        "    done = wait(*args, **options)\n"
        "    os.kill(os.getpid(), 9)\n"
        "wait, workers.wait = workers.wait, kill\n"
        "if __name__ == '__main__':\n"
        "    make_shapes13.main(sys.argv[1:])\n"
    )
    (tmp_path / "killed.py").write_text(script)
    command = [sys.executable, str(tmp_path / "killed.py"), str(out), *options]
    # its end is that of the last process that holds the pipe: the workers end as well
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert not (out / "taxonomy.json").exists()
    make(out, *options)
    assert digest(out) == digest(small)


def test_more_objects_and_finer_grids_join_the_others(small, tmp_path):
    grown = make(tmp_path / "g", "--per-class", 1, "--views", 2, "--workers", 1, *TWO)
    make(grown, "--per-class", 3, "--views", 2, "--workers", 1, *TWO)
    assert digest(grown) == digest(small)
    make(grown, "--per-class", 3, "--views", 2, "--workers", 1, "--resolution", 64, *TWO)
    fine = read_binvox(grown / "ShapeNetVox64" / "03001627" / "s0-00001" / "model.binvox").grid
    coarse = read_binvox(grown / "ShapeNetVox32" / "03001627" / "s0-00001" / "model.binvox").grid
    # a cell of the coarse grid is set where one of its eight is, but where it is hardly grazed
    pooled = fine.reshape(32, 2, 32, 2, 32, 2).any(axis=(1, 3, 5))
    assert (coarse ^ pooled).sum() < 0.02 * pooled.sum()


def test_two_runs_at_once_are_refused(tmp_path, capfd):
    with FileLock(tmp_path / ".lock"):
        message = refusal(capfd, main, tmp_path, "--per-class", 1)
    assert message == f"{tmp_path}: another run is at work there, expected none"


def test_other_splits_are_said(tmp_path, capsys):
    for count, expected in ((1, False), (1, False), (2, True)):
        make(tmp_path, "--per-class", count, "--views", 1, "--workers", 1, "--classes", "chair")
        assert ("other splits than before" in capsys.readouterr().out) == expected


def test_one_object_is_in_all_splits_with_a_warning(tmp_path, capsys):
    make(tmp_path, "--per-class", 1, "--views", 1, "--workers", 1, *TWO)
    assert "warning: the one object of a class is in train, val and test" in capsys.readouterr().out
    (entry, _) = json.loads((tmp_path / "taxonomy.json").read_text())
    assert entry["train"] == entry["val"] == entry["test"] == ["s0-00000"]


def test_a_turning_lamp_goes_once_around_the_camera():
    azimuth = np.arange(0, 360, 10.0)
    relative = [lamp_azimuth(View(a, 27), "turn") - a for a in azimuth]
    np.testing.assert_allclose(np.diff(relative), 10)
    assert len({lamp_azimuth(View(a, 27), "fixed") for a in azimuth}) == 1


def test_lighting_changes_pictures_and_nothing_else(small, tmp_path):
    turn = make(
        tmp_path, "--per-class", 3, "--views", 2, "--workers", 1, "--lighting", "turn", *TWO
    )
    one, other = digest(small), digest(turn)
    assert one.keys() == other.keys()
    differing = {Path(name).suffix for name in one if one[name] != other[name]}
    assert differing == {".png", ".json"}  # shapes13.json says how they were made
    assert one["taxonomy.json"] == other["taxonomy.json"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--per-class", "0"], "--per-class 0: expected 1 to 100000"),
        (["--per-class", "3", "--views", "0"], "--views 0: expected 1 to 999"),
        (["--per-class", "3", "--seed", "-1"], "--seed -1: expected 0 to 4294967295"),
        (["--per-class", "3", "--resolution", "9999"], "--resolution 9999: expected 4 to 512"),
        (["--per-class", "3", "--classes", "horse"], "--classes horse: no such class, expected"),
        (["--per-class", "3", "--views", "3"], "was made with views '2', not '3'"),
        (["--per-class", "3", "--views", "2", "--seed", "1"], "was made with seed '0', not '1'"),
    ],
)
def test_what_does_not_fit_is_refused(small, capfd, options, message):
    assert message in refusal(capfd, main, small, *options)


def test_packages_of_the_extra_are_named(tmp_path, capfd, monkeypatch):
    needed = ("numpy", "embreexx", "manifold4d")
    monkeypatch.setattr("voxrecon.cli.make_shapes13.NEEDED", needed)
    message = refusal(capfd, main, tmp_path, "--per-class", 1)
    assert message == "embreexx, manifold4d not installed: pip install 'voxrecon[shapes]'"


def test_a_folder_of_another_data_set_is_refused(tmp_path, capfd):
    (tmp_path / "ShapeNetVox32").mkdir()
    message = refusal(capfd, main, tmp_path, "--per-class", 1)
    assert f"{tmp_path}: holds other data (no shapes13.json), expected a new folder" in message


def test_a_damaged_recipe_is_refused(tmp_path, capfd):
    (tmp_path / "shapes13.json").write_text("[1")
    message = refusal(capfd, main, tmp_path, "--per-class", 1)
    assert "shapes13.json: damaged" in message


def test_an_unwritable_folder_is_one_line(tmp_path, capfd):
    (tmp_path / "file").write_text("")
    message = refusal(capfd, main, tmp_path / "file" / "data", "--per-class", 1)
    assert "cannot be" in message and "Not a directory" in message
