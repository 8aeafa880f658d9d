# SPDX-License-Identifier: MIT
import json
import shutil

import pytest
from commands import call, refusal
from photo_sets import make_things3d

from voxrecon.cli import things3d
from voxrecon.datasets import Things3DDataset

SHAPENET = [
    {"taxonomy_id": "03001627", "taxonomy_name": "chair", "train": ["m-1", "m3"], "test": ["m2"]},
    {"taxonomy_id": "02958343", "taxonomy_name": "car", "train": ["m-1"]},
]


@pytest.fixture
def root(tmp_path):
    (tmp_path / "splits.json").write_text(json.dumps(SHAPENET))
    return make_things3d(tmp_path / "Things3D")


def test_splits_are_those_of_the_models(root, tmp_path, capsys):
    (root / "03001627" / "m9" / "s1").mkdir(parents=True)
    (root / "03001627" / "m2" / "s0").mkdir()  # a room without a view
    call(things3d.main, root, "--splits", tmp_path / "splits.json")
    (chair,) = json.loads((root / "taxonomy.json").read_text())
    assert chair == {
        "taxonomy_id": "03001627",
        "taxonomy_name": "chair",
        "train": ["m-1-s1", "m-1-s2"],
        "val": [],
        "test": ["m2-s1"],
    }
    out = capsys.readouterr().out.splitlines()
    assert out == [
        "chair: train 2, val 0, test 1",
        "left out: 1 models in no split",
        "left out: 1 models without a grid",
        "left out: 1 scenes of less than 1 views",
        f"train on them: voxrecon train configs/pix2voxpp_a_things3d.py --data-root {root}",
    ]
    assert len(Things3DDataset(root, split="train", test_mode=True)) == 2
    call(things3d.main, root, "--splits", tmp_path / "splits.json", "--views", "2")
    assert json.loads((root / "taxonomy.json").read_text())[0]["train"] == ["m-1-s1"]
    assert "taxonomy.json: other splits than before; results" in capsys.readouterr().out


def test_user_errors(root, tmp_path, capfd):
    def refused(*argv):
        return refusal(capfd, things3d.main, root, "--splits", tmp_path / "splits.json", *argv)

    assert refused("--views", "0") == "--views 0: expected at least 1"
    shutil.rmtree(root / "03001627" / "m2")
    assert "no rendering render_00_final.png" in refused("--views", "9")
    (root / "03001627").rename(root / "chairs")
    assert "no folder of a class of" in refused()
    shutil.rmtree(root / "ShapeNetVox32")
    assert refused() == (
        f"{root}/ShapeNetVox32: no such folder; link it there: ln -s SHAPENET/ShapeNetVox32"
    )
    assert not (root / "taxonomy.json").exists()


def test_scenes_that_could_be_no_id(root, tmp_path, capsys):
    for name in ("a:b", "a-b", ".a"):
        shutil.copytree(root / "03001627" / "m2" / "s1", root / "03001627" / "m2" / name)
    call(things3d.main, root, "--splits", tmp_path / "splits.json")
    assert "left out: 3 scenes whose names have dashes or are odd" in capsys.readouterr().out
    assert len(Things3DDataset(root, split="test", test_mode=True)) == 1
