# SPDX-License-Identifier: MIT
"""From photos to reconstructions, by a tiny network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from model_folders import make_model_folder, make_photo
from PIL import Image

from voxrecon.apis import VoxelInferencer
from voxrecon.errors import CheckpointError, ConfigError, FileError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_model_folder(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def inferencer(folder) -> VoxelInferencer:
    return VoxelInferencer(folder, device="cpu")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return [make_photo(tmp_path_factory.mktemp("photos") / f"{i}.png", i) for i in range(4)]


def test_it_is_the_network_on_the_crops(inferencer, photos):
    result = inferencer(photos, coarse=True, scores=True)
    crops = np.stack([view.picture for view in result.views])
    assert crops.shape == (4, 128, 128, 4)
    model = inferencer.model
    with torch.no_grad():
        images = model.data_preprocessor.prepare(torch.from_numpy(crops)[None])
        state = model.encode(images)
        expected = model.fuse(state)["volume"][0].numpy()
    assert np.array_equal(result.volume, expected)
    assert np.array_equal(result.coarse, state["coarse"][0].numpy())
    assert np.allclose(result.scores.sum(0), 1, atol=1e-6)
    assert np.allclose((result.coarse * result.scores).sum(0), result.volume, atol=1e-5)
    assert [view.source for view in result.views] == ["alpha"] * 4
    assert [view.name for view in result.views] == list(map(str, photos))


def test_only_what_is_asked_for_is_kept(inferencer, photos):
    result = inferencer(photos)
    assert result.coarse is None and result.scores is None and result.threshold == 0.3


def test_a_single_view_has_all_the_share(inferencer, photos):
    result = inferencer(photos[0], scores=True, coarse=True)
    assert (result.scores == 1).all() and np.array_equal(result.coarse[0], result.volume)


@pytest.mark.parametrize(
    "config", ["projects/attsets/configs/attsets.py", "projects/r2n2/configs/r2n2.py"]
)
def test_networks_without_scores(tmp_path, photos, config):
    inferencer = VoxelInferencer(make_model_folder(tmp_path / "model", config), device="cpu")
    for views in (1, 3):
        result = inferencer(photos[:views], scores=True, coarse=True)
        assert result.scores is None and result.coarse.shape[1:] == (32, 32, 32)


def test_path_picture_and_array_give_the_same(inferencer, photos):
    by_path = inferencer(photos[1])
    with Image.open(photos[1]) as image:
        for source in (str(photos[1]), image.copy(), np.asarray(image)):
            assert np.array_equal(inferencer(source).volume, by_path.volume)


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_many_objects_are_as_one_after_the_other(inferencer, photos, batch_size):
    groups = [photos[:2], photos[2:3], photos[1:3], photos]
    many = inferencer(groups, batch_size=batch_size, scores=True)
    assert len(many) == 4 and [len(result.views) for result in many] == [2, 1, 2, 4]
    for group, result in zip(groups, many, strict=True):
        assert np.allclose(result.volume, inferencer(group).volume, atol=1e-6)
        assert result.scores.shape == (len(group), 32, 32, 32)


def test_folders(inferencer, photos, tmp_path):
    for i in range(2):
        make_photo(tmp_path / "many/chair" / f"{i}.png", i)
    make_photo(tmp_path / "many/table/0.png", 3)
    chair, table = inferencer(tmp_path / "many", progress=False)
    assert (chair.name, table.name) == ("chair", "table")
    assert np.allclose(chair.volume, inferencer(photos[:2]).volume, atol=1e-6)
    assert np.array_equal(table.volume, inferencer(tmp_path / "many/table").volume)


def test_order_of_the_photos_does_not_matter(inferencer, photos):
    forth, back = inferencer(photos), inferencer(photos[::-1])
    assert np.allclose(forth.volume, back.volume, atol=1e-5)


def test_views_pass_in_chunks(inferencer, photos):
    many = inferencer(photos[:1] * 50)
    assert inferencer.model.chunk == 24
    assert np.allclose(many.volume, inferencer(photos[0]).volume, atol=1e-5)
    inferencer([photos] * 5)
    assert inferencer.model.chunk == 4  # of each of the five objects


def test_masks_and_boxes(inferencer, photos, tmp_path):
    opaque = make_photo(tmp_path / "0.png", 0, alpha=False)
    alpha = np.asarray(Image.open(photos[0]))[..., 3]
    Image.fromarray(alpha).save(tmp_path / "mask.png")
    (tmp_path / "masks").mkdir()
    Image.fromarray(alpha).save(tmp_path / "masks/0.png")
    expected = inferencer(photos[0]).volume
    for masks in (alpha, alpha > 0, [tmp_path / "mask.png"], tmp_path / "masks"):
        result = inferencer(opaque, masks=masks)
        assert result.views[0].source == "mask"
        assert np.array_equal(result.volume, expected)
    both = inferencer([opaque, photos[1]], masks=[alpha, None])
    assert [view.source for view in both.views] == ["mask", "alpha"]
    assert np.array_equal(both.volume, inferencer(photos[:2]).volume)
    boxed = inferencer(opaque, boxes=[(15, 10, 80, 60)])
    assert boxed.views[0].source == "GrabCut"


def test_boxes_are_in_pixels_of_the_file(inferencer, tmp_path):
    pixels = np.zeros((600, 3000, 4), np.uint8)  # worked with at a third of its size
    pixels[100:500, 300:900] = (200, 40, 40, 255)
    pixels[100:500, 2000:2500] = (40, 40, 200, 255)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    left = inferencer(tmp_path / "wide.png", boxes=[(250, 50, 950, 550)])
    assert left.views[0].picture[64, 64].tolist() == [200, 40, 40, 255]
    right = inferencer(tmp_path / "wide.png", boxes=[(1900, 50, 2600, 550)])
    assert right.views[0].picture[64, 64].tolist() == [40, 40, 200, 255]
    Image.fromarray(pixels[:599]).save(tmp_path / "odd.png")  # its height is rounded
    whole = inferencer(tmp_path / "odd.png", boxes=[(0, 0, 3000, 599)])
    assert np.array_equal(whole.volume, inferencer(tmp_path / "odd.png").volume)
    with pytest.raises(ConfigError, match="within 3000 x 599 pixels"):
        inferencer(tmp_path / "odd.png", boxes=[(0, 0, 3000, 600)])


def test_refusals(inferencer, photos, tmp_path):
    for options, error, message in (
        ({"threshold": 0}, ConfigError, "threshold 0, expected above 0"),
        ({"threshold": "0.3"}, ConfigError, "threshold '0.3', expected above 0"),
        ({"batch_size": 0}, ConfigError, "batch_size 0, expected at least 1"),
        ({"batch_size": "8"}, ConfigError, "batch_size '8', expected at least 1"),
        ({"masks": [None]}, ConfigError, r"masks for \[1\] photos, expected \[4\]"),
        ({"boxes": [(0, 0, 9, 900)] * 4}, ConfigError, "within 90 x 70 pixels"),
        ({"boxes": [(0, 0, 9)] * 4}, ConfigError, r"box \(0, 0, 9\), expected left, top"),
        ({"boxes": ["wide"] * 4}, ConfigError, "box 'wide', expected left, top"),
        ({"boxes": [(0, 0, float("nan"), 9)] * 4}, ConfigError, "within 90 x 70 pixels"),
        ({"boxes": [(0, 0, 9, 9)]}, ConfigError, r"boxes for \[1\] photos, expected \[4\]"),
        ({"background": "none"}, ConfigError, "background 'none', expected of auto"),
        ({"framing": "rendering"}, ConfigError, "90 x 70 pixels, expected at least 128"),
    ):
        with pytest.raises(error, match=message):
            inferencer(photos, **options)
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(FileError, match="text.png: not a picture"):
        inferencer([photos[0], tmp_path / "text.png"])
    with pytest.raises(FileError, match="no folder of masks, expected some such as object_1"):
        inferencer([photos], masks=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("pix2voxpp_g",), ConfigError, "pix2voxpp_g: no such model; did you mean pix2voxpp_"),
        (("pix2voxpp_a",), ConfigError, "pix2voxpp_a: no weights are shipped"),
        (("no/such/folder",), ConfigError, "no/such/folder: no such model folder"),
        (("voxrecon::configs/pix2voxpp_f.py",), ConfigError, "pix2voxpp_f.py: expected weights"),
        (("pix2voxpp_f", "nothing.pth"), CheckpointError, "nothing.pth: no such checkpoint"),
    ],
)
def test_models_that_are_not_there(arguments, error, message):
    with pytest.raises(error, match=message):
        VoxelInferencer(*arguments)


def test_other_devices_and_backends(folder):
    with pytest.raises(ConfigError, match="device 'abacus'"):
        VoxelInferencer(folder, device="abacus")
    with pytest.raises(ConfigError, match="backend 'fortran': expected one of torch"):
        VoxelInferencer(folder, backend="fortran")
    with pytest.raises(CheckpointError, match="model.onnx: no such file; make it by voxrecon exp"):
        VoxelInferencer(folder, backend="onnx")
    with pytest.raises(ConfigError, match="a model folder has its weights, expected no others"):
        VoxelInferencer(folder, "best.pth")


def test_hub(folder, photos, monkeypatch, tmp_path):
    asked = {}

    def download(repo, **options):
        asked.update(options, repo=repo)
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    expected = VoxelInferencer(folder, device="cpu")(photos).volume
    for source in ("user/tiny", folder):
        asked.clear()
        loaded = VoxelInferencer.from_pretrained(source, revision="v1", device="cpu")
        assert np.array_equal(loaded(photos).volume, expected)
        assert asked.get("repo") == ("user/tiny" if source == "user/tiny" else None)
        assert asked.get("revision") == ("v1" if asked else None)
    pushed = []
    monkeypatch.setattr(
        "voxrecon.apis.inferencer.push_folder", lambda *args: pushed.append(args) or "address"
    )
    assert loaded.push_to_hub("user/copy", private=True) == "address"
    assert pushed == [(folder, "user/copy", True, None)]
    loaded.folder = None
    with pytest.raises(CheckpointError, match="user/copy: only a model folder is uploaded"):
        loaded.push_to_hub("user/copy")
