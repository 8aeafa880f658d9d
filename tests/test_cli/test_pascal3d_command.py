# SPDX-License-Identifier: MIT
import json

import pytest
from commands import call, refusal
from photo_sets import make_pascal3d, make_solid, write_annotation

from voxrecon.cli import pascal3d
from voxrecon.cli.pascal3d import choose_target
from voxrecon.datasets import Pascal3DDataset
from voxrecon.datasets.pascal3d import Target
from voxrecon.geometry.binvox import read_binvox

ALONE = ("--workers", "1")  # a second process takes longer to start than all else


@pytest.fixture
def root(tmp_path):
    return make_pascal3d(tmp_path / "PASCAL3D")


def test_annotations_grids_and_splits(root, capsys):
    call(pascal3d.main, root, *ALONE)
    large = [5.5, 4.0, 30.5, 28.0]
    assert json.loads((root / "pascal3d.json").read_text()) == {
        "chair": {
            "a": {"box": large, "cad": 2},  # the largest of two
            "b": {"box": [30.0, 20.0, 60.0, 50.0], "cad": 1},
            "c": {"box": large, "cad": None},
            "d": {"box": [2.0, 2.0, 8.0, 8.0], "cad": 2},  # the larger one has no model
        }
    }
    for number in (1, 2):
        path = root / "CAD" / "chair" / f"{number:02d}.binvox"
        assert (read_binvox(path).grid == make_solid()).all()
    out = capsys.readouterr().out
    text = "{}: {} photos, {} of them without annotation or model ({} in the published list)\n"
    assert text.format("train", 3, 1, "11,045") in out
    assert text.format("test", 1, 0, "10,812") in out
    assert f"configs/pix2voxpp_a_pascal3d.py --data-root {root}\n" in out
    train = Pascal3DDataset(root, split="train")
    assert [train[i]["id"] for i in range(2)] == ["a", "b"]
    assert train[0]["boxes"] == [(5.5, 4, 30.5, 28)]


def test_it_goes_on_where_it_was(root, capsys):
    call(pascal3d.main, root, *ALONE)
    written = {p: p.stat().st_mtime_ns for p in root.rglob("*.binvox")}
    made = json.loads((root / "pascal3d.json").read_text())
    made["chair"]["a"]["cad"] = 1
    del made["chair"]["d"]
    (root / "pascal3d.json").write_text(json.dumps(made))
    (root / "taxonomy.json").write_text("[]")
    capsys.readouterr()
    call(pascal3d.main, root, *ALONE)
    again = json.loads((root / "pascal3d.json").read_text())["chair"]
    assert (again["a"]["cad"], again["d"]["cad"]) == (1, 2)
    out = capsys.readouterr().out
    assert "2 grids are there already" in out and "taxonomy.json: there already, kept" in out
    assert written == {p: p.stat().st_mtime_ns for p in root.rglob("*.binvox")}


def test_front(root):
    call(pascal3d.main, root, *ALONE, "--front=+y")
    turned = read_binvox(root / "CAD" / "chair" / "01.binvox").grid
    assert (turned == make_solid()[::-1, :, ::-1]).all()  # half a turn about the upright axis


def test_annotations_that_cannot_be_read(root, capsys):
    folder = root / "Annotations" / "chair_imagenet"
    (folder / "a.mat").write_bytes(b"no MATLAB file")
    write_annotation(folder / "b.mat", ((1, 2), 1))
    (root / "CAD" / "chair" / "02.off").write_text("OFF\n1 1 0\n")
    call(pascal3d.main, root, *ALONE)
    out = capsys.readouterr().out
    assert "warning: 2 of 4 annotations left out: " in out and "a.mat: " in out
    assert "b.mat: object 0: no box" in out
    assert "warning: 1 of 2 models have no grid: " in out
    assert "train: 3 photos, 3 of them without annotation or model" in out


def test_user_errors(root, tmp_path, capfd):
    text = refusal(capfd, pascal3d.main, tmp_path / "none")
    assert text == f"{tmp_path}/none/Annotations: cannot be listed: No such file or directory"
    lists = root / "Image_sets" / "chair_imagenet_val.txt"
    lists.write_text("../x\n")
    assert "id '../x', expected a plain file name" in refusal(capfd, pascal3d.main, root)
    lists.unlink()
    text = refusal(capfd, pascal3d.main, root)
    assert text == (
        f"{lists}: cannot be read: No such file or directory; expected it, or the splits as "
        f"{root}/taxonomy.json"
    )
    for path in (root / "Annotations").iterdir():
        path.rename(path.with_name("chair_pascal"))
    assert "no folders named <class>_imagenet" in refusal(capfd, pascal3d.main, root)


def test_the_target_of_a_photo():
    small, large = [0, 0, 2, 2], [0, 0, 3, 3]
    assert choose_target([(small, 1), (large, 2)]) == Target((0, 0, 3, 3), 2)
    assert choose_target([(small, 1), (large, None)]) == Target((0, 0, 2, 2), 1)
    assert choose_target([(small, None), (large, 100)]) == Target((0, 0, 3, 3), None)
    assert choose_target([([3, 3, 0, 0], 1), (small, 2)]).cad == 2  # no box at all
