# SPDX-License-Identifier: MIT
import json
import os
from pathlib import Path

import pytest
from photo_sets import make_pascal3d, make_solid, picture, write_annotation, write_splits

from voxrecon.datasets import Pascal3DDataset, read_taxonomy
from voxrecon.datasets.pascal3d import read_targets
from voxrecon.datasets.taxonomy import list_samples
from voxrecon.errors import FileError
from voxrecon.geometry.binvox import write_binvox
from voxrecon.geometry.mat_files import read_annotation

PIPELINE = [
    {"type": "LoadViews"},
    {"type": "LoadVoxels"},
    {"type": "CropBoxes", "size": 16},
    {"type": "PackVoxelInputs"},
]
TARGETS = {
    "a": {"box": [5.5, 4, 30.5, 28], "cad": 2},
    "b": {"box": [30, 20, 60, 50], "cad": 1},
    "c": {"box": [5.5, 4, 30.5, 28], "cad": None},
    "d": {"box": [2, 2, 8, 8], "cad": 2},
}


@pytest.fixture
def root(tmp_path):
    make_pascal3d(tmp_path)
    for number, solid in ((1, ~make_solid()), (2, make_solid())):
        write_binvox(tmp_path / "CAD" / "chair" / f"{number:02d}.binvox", solid)
    (tmp_path / "pascal3d.json").write_text(json.dumps({"chair": TARGETS}))
    write_splits(tmp_path, chair={"train": ["a", "b", "c"], "test": ["d"]})
    return tmp_path


def build(root, split="train", **kwargs):
    return Pascal3DDataset(root, split=split, pipeline=PIPELINE, **kwargs)


def test_a_photo_with_the_grid_of_its_model(root):
    dataset = build(root)
    assert dataset.missing == [("chair", "c")]  # an image without a model
    assert dataset.metainfo["missing"] == ["chair/c: no object with a model in pascal3d.json"]
    items = [dataset[i] for i in range(2)]
    assert [i["data_samples"].id for i in items] == ["a", "b"]
    assert (items[0]["inputs"]["voxels"].numpy() == make_solid()).all()
    assert (items[1]["inputs"]["voxels"].numpy() == ~make_solid()).all()
    crop = items[1]["inputs"]["images"][0]  # beyond the border: the corner goes on
    corner = crop[-1, -1, :3].numpy().astype(int)
    assert abs(corner - picture(1)[-1, -1, ::-1]).max() < 12  # JPEG
    assert (crop[-6:, -6:] == crop[-1, -1]).all()
    tested = build(root, "test", test_mode=True)
    assert tested[0]["data_samples"].views == [0]
    assert len(build(root, "val", test_mode=True)) == 1  # the test split stands in


def test_what_is_missing_is_named(root):
    (root / "CAD" / "chair" / "01.binvox").unlink()
    (root / "Images" / "chair_imagenet" / "a.JPEG").unlink()
    write_splits(root, chair={"train": ["a", "b", "x"], "test": ["d"]})
    dataset = build(root, "test")
    assert len(dataset) == 1 and dataset.missing == []
    with pytest.raises(FileError, match="3 of 3 samples .* are missing"):
        build(root)
    lazy = build(root, lazy_init=True)
    with pytest.raises(FileError):
        lazy.full_init()
    assert lazy.metainfo["missing"] == [
        f"chair/a: no {root}/Images/chair_imagenet/a.JPEG",
        f"chair/b: no {root}/CAD/chair/01.binvox",
        "chair/x: no such photo in pascal3d.json",
    ]
    with pytest.raises(FileError, match="none: no such data folder; download PASCAL3D"):
        build(root / "none")


BAD = {
    "list": ([], "list, expected an object"),
    "class": ({"chair": 3}, "'chair': 3, expected an object"),
    "entry": ({"chair": {"a": None}}, "chair/a: None, expected an object"),
    "cad": ({"chair": {"a": {"box": [0, 0, 1, 1], "cad": "../x"}}}, "cad '../x', expected null"),
    "zero": ({"chair": {"a": {"box": [0, 0, 1, 1], "cad": 0}}}, "cad 0, expected null or 1 to 99"),
    "bool": ({"chair": {"a": {"box": [0, 0, 1, 1], "cad": True}}}, "cad True, expected null"),
    "box": ({"chair": {"a": {"cad": 1}}}, "chair/a: box None, expected four numbers"),
}


@pytest.mark.parametrize("case", BAD)
def test_malformed_targets(case, tmp_path):
    content, message = BAD[case]
    path = tmp_path / "pascal3d.json"
    path.write_text(json.dumps(content))
    with pytest.raises(FileError) as caught:
        read_targets(str(path))
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)


def test_annotations(tmp_path):
    path = tmp_path / "a.mat"
    write_annotation(path, ((1, 2, 3.5, 4), 7))
    assert read_annotation(str(path)) == [([1, 2, 3.5, 4], 7)]  # one object is no array
    write_annotation(path, ((1, 2, 3, 4), None), ((5, 6, 7, 8), 1))
    assert read_annotation(str(path)) == [([1, 2, 3, 4], None), ([5, 6, 7, 8], 1)]
    write_annotation(path, ((1, 2, 3), 1))
    with pytest.raises(FileError, match="a.mat: object 0: no box, expected x0, y0, x1, y1"):
        read_annotation(str(path))
    write_annotation(path, ((1, 2, 3, 1e9), 1))
    with pytest.raises(FileError, match="a.mat: object 0: no box"):
        read_annotation(str(path))
    with pytest.raises(FileError, match="b.mat: cannot be read: No such file"):
        read_annotation(str(tmp_path / "b.mat"))


@pytest.mark.skipif("VOXRECON_TEST_DATA" not in os.environ, reason="needs VOXRECON_TEST_DATA")
def test_published_list():
    path = Path(os.environ["VOXRECON_TEST_DATA"], "taxonomies", "Pascal3D.json")
    classes = read_taxonomy(path)
    assert len(classes) == 12
    counts = [len(list_samples(classes, split, "")) for split in ("train", "test")]
    assert counts == [11_045, 10_812]
