# SPDX-License-Identifier: MIT
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from photo_sets import PHOTOS, entry, make_pix3d, make_solid, picture, write_splits

from voxrecon.datasets import Pix3DDataset, SampleKey, read_taxonomy
from voxrecon.datasets.pix3d import Photo, read_photos
from voxrecon.datasets.taxonomy import list_samples
from voxrecon.errors import ConfigError, FileError, SampleError
from voxrecon.geometry.binvox import write_binvox

PIPELINE = [
    {"type": "LoadViews"},
    {"type": "LoadVoxels"},
    {"type": "CropBoxes", "size": 21},
    {"type": "PackVoxelInputs"},
]
TRAIN = [*PIPELINE[:2], {"type": "CropBoxes", "size": 21, "jitter": True}, PIPELINE[3]]


@pytest.fixture
def root(tmp_path):
    make_pix3d(tmp_path)
    for model in ("chair/IKEA_A", "chair/IKEA_B", "table/IKEA_T"):
        write_binvox(tmp_path / "model" / model / "model.binvox", make_solid())
    chairs = [photo["img"][10:14] for photo in PHOTOS if photo["category"] == "chair"]
    write_splits(
        tmp_path,
        chair={"train": chairs[2:5], "test": chairs},
        table={"train": [], "test": ["0001"]},
    )
    return tmp_path


def for_test(root, **kwargs):
    return Pix3DDataset(root, split="test", pipeline=PIPELINE, test_mode=True, **kwargs)


def key(sample):
    return sample.taxonomy, sample.id


def test_a_photo_is_a_sample(root):
    dataset = for_test(root)
    samples = [dataset[i]["data_samples"] for i in range(7)]
    # the same stem in two categories is two photos
    assert [key(s) for s in samples] == [("chair", f"000{i}") for i in range(1, 7)] + [
        ("table", "0001")
    ]
    assert (samples[6].name, samples[6].views, samples[6].broken) == ("table", [0], [])
    inputs = dataset[0]["inputs"]
    assert (inputs["voxels"].numpy() == make_solid()).all()
    expected = picture(0)[5:26, 10:31, ::-1]  # the box (10, 5, 30, 25), ends included
    assert (inputs["images"][0, ..., :3].numpy() == expected).all()
    grey = dataset[1]["inputs"]["images"]
    assert (grey[..., 0] == grey[..., 1]).all() and (grey[..., 3] == 255).all()
    assert for_test(root, classes=["table"])[0]["data_samples"].id == "0001"


def test_photos_of_a_model_are_views_of_one_object(root):
    dataset = for_test(root, group="model", n_views=1)
    samples = [dataset[i]["data_samples"] for i in range(len(dataset))]
    assert [key(s) for s in samples] == [
        ("chair", "IKEA_A"),
        ("chair", "IKEA_B"),
        ("table", "IKEA_T"),
    ]
    views = for_test(root, group="model", n_views=5, classes=["chair"], skip_bad=True)
    assert len(views) == 1 and views.missing == [("chair", "IKEA_B")]
    together = views[0]["inputs"]["images"]
    alone = for_test(root, classes=["chair"])
    for i in range(5):  # each by its own box
        assert torch.equal(together[i], alone[i]["inputs"]["images"][0])
    assert views[0]["data_samples"].views == [0, 1, 2, 3, 4]


def test_random_views_follow_from_the_key(root):
    dataset = Pix3DDataset(root, split="train", pipeline=TRAIN, group="model")
    asked = SampleKey(0, 3, 2, 1)
    first, again = dataset[asked], dataset[asked]
    assert torch.equal(first["inputs"]["images"], again["inputs"]["images"])
    rng = np.random.default_rng((1, 3, 0))
    assert first["data_samples"].views == rng.permutation(3)[:2].tolist()
    other = dataset[asked._replace(epoch=4)]["inputs"]["images"]
    assert not torch.equal(first["inputs"]["images"], other)


def test_the_test_split_stands_in_for_validation(root):
    dataset = Pix3DDataset(root, split="val", pipeline=PIPELINE, test_mode=True)
    assert len(dataset) == 7
    write_splits(root, chair={"val": ["0001"], "test": ["0002"]})
    assert len(Pix3DDataset(root, split="val", pipeline=PIPELINE, test_mode=True)) == 1
    with pytest.raises(
        ConfigError, match=r"no samples in split 'train', .*: val \(1\), test \(1\)"
    ):
        Pix3DDataset(root, split="train", pipeline=PIPELINE)


def test_what_is_missing_is_named(root):
    (root / "img" / "chair" / "0002.jpg").unlink()
    (root / "model" / "table" / "IKEA_T" / "model.binvox").unlink()
    photos = [*PHOTOS[:5], {**PHOTOS[5], "model": ""}, PHOTOS[6]]
    (root / "pix3d.json").write_text(json.dumps(photos))
    write_splits(root, chair={"test": ["0001", "0002", "0006", "0099"]}, table={"test": ["0001"]})
    dataset = for_test(root, skip_bad=True)
    assert len(dataset) == 1
    lines = dataset.metainfo["missing"]
    assert lines == [
        f"chair/0002: no {root}/img/chair/0002.jpg",
        "chair/0006: has no model in pix3d.json",
        "chair/0099: no such photo in pix3d.json",
        f"table/0001: no {root}/model/table/IKEA_T/model.binvox: run voxrecon data pix3d {root}",
    ]
    with pytest.raises(SampleError, match="4 of 5 samples of split 'test' .* are missing"):
        for_test(root)


def test_grids_beside_the_official_voxels(root):
    """Where Pix2Vox looks: voxel_0.mat has its grid as model_0.binvox."""
    photos = [entry("chair", "0001", model="IKEA_A", voxel="model/chair/IKEA_A/voxel_0.mat")]
    (root / "pix3d.json").write_text(json.dumps(photos))
    write_splits(root, chair={"test": ["0001"]})
    grid = root / "model" / "chair" / "IKEA_A" / "model.binvox"
    grid.rename(grid.with_name("model_0.binvox"))
    assert for_test(root)[0]["inputs"]["voxels"].sum() == make_solid().sum()


def test_other_image_modes(root):
    for mode, image in (
        ("grey", picture(0)[..., 0]),
        ("rgba", np.dstack([picture(0), picture(0)[..., 0]])),
    ):
        (root / "img" / "chair" / "0001.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
        images = for_test(root)[0]["inputs"]["images"]
        assert images.shape == (1, 21, 21, 4), mode
        assert (
            images[0, ..., 3].numpy() == (255 if mode == "grey" else image[5:26, 10:31, 3])
        ).all()


def test_missing_folders_say_how_to_get_them(tmp_path):
    with pytest.raises(FileError, match=r"none: no such data folder; download pix3d.zip") as caught:
        for_test(tmp_path / "none")
    assert "voxrecon data pix3d DIR" in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(FileError, match="img: no such data folder"):
        for_test(tmp_path)
    (tmp_path / "img").mkdir()
    with pytest.raises(FileError, match="pix3d.json: no annotations of Pix3D"):
        for_test(tmp_path)
    with pytest.raises(ConfigError, match="group 'photo', expected None or 'model'"):
        for_test(tmp_path, group="photo")


BAD = {
    "empty": ([], "expected a list of photos"),
    "object": ({"a": 1}, "dict, expected a list of photos"),
    "entry": ([3], "entry 0: 3, expected an object"),
    "no_image": ([{**PHOTOS[0], "img": None}], "entry 0: img: path None, expected a string"),
    "up": ([{**PHOTOS[0], "img": "img/../../etc"}], "img: path 'img/../../etc': id '..', expected"),
    "absolute": ([{**PHOTOS[0], "model": "/etc/x.obj"}], "model: path '/etc/x.obj': id '', exp"),
    "category": ([{**PHOTOS[0], "category": "../x"}], "category: id '../x', expected a plain"),
    "box": ([{**PHOTOS[0], "bbox": [1, 2, 3]}], "box list, expected four numbers"),
    "nan": ([{**PHOTOS[0], "bbox": [1, 2, 3, float("nan")]}], "expected four numbers"),
    "far": ([{**PHOTOS[0], "bbox": [1, 2, 3, 1e9]}], "expected four numbers"),
    "long": ([{**PHOTOS[0], "bbox": [1, 2, 3, 10**400]}], "expected four numbers"),
    "true": ([{**PHOTOS[0], "bbox": [1, 2, 3, True]}], "expected four numbers"),
    "words": ([{**PHOTOS[0], "bbox": ["1", 2, 3, 4]}], "expected four numbers"),
    "flag": ([{**PHOTOS[0], "occluded": "no"}], "occluded is 'no', expected true or false"),
    "twice": ([PHOTOS[0], PHOTOS[0]], "photo 'chair/0001' is there twice"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_malformed_annotations(case, tmp_path):
    content, message = BAD[case]
    path = tmp_path / "pix3d.json"
    path.write_text(json.dumps(content))
    with pytest.raises(FileError) as caught:
        read_photos(str(path))
    text = str(caught.value)
    assert text.startswith(str(path)) and message in text and "\n" not in text


@pytest.mark.skipif("VOXRECON_TEST_DATA" not in os.environ, reason="needs VOXRECON_TEST_DATA")
def test_published_list():
    path = Path(os.environ["VOXRECON_TEST_DATA"], "taxonomies", "Pix3D.json")
    (chair,) = classes = read_taxonomy(path)
    assert (chair.id, chair.name, chair.splits["train"]) == ("chair", "chair", ())
    assert len(list_samples(classes, "test", "")) == 2894


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("model/chair/IKEA_A/model.obj", "IKEA_A"),
        ("model/chair/IKEA_A/model_2.obj", "IKEA_A-model_2"),
        ("model/chair/x/IKEA_A/model.obj", "x-IKEA_A"),
        ("model.obj", "model"),
    ],
)
def test_names_of_models_do_not_meet(model, name):
    photo = Photo("chair", "0001", "img/chair/0001.png", model, None, (0, 0, 1, 1), True)
    assert photo.object_name == name
