# SPDX-License-Identifier: MIT
import numpy as np
import pytest
import torch

from voxrecon.datasets import CropViews, DrawAugmentation, PackVoxelInputs
from voxrecon.errors import ConfigError, SampleError
from voxrecon.structures import VoxelDataSample


def numbered(height, width):
    image = np.zeros((height, width, 4), np.uint8)
    image[..., 0] = np.arange(height)[:, None]
    image[..., 1] = np.arange(width)
    return image


@pytest.mark.parametrize(
    ("height", "width", "top", "left"), [(137, 137, 4, 4), (128, 128, 0, 0), (131, 138, 1, 5)]
)
def test_crop_is_the_centre(height, width, top, left):
    crops = CropViews(128)({"images": [numbered(height, width)] * 2, "img_paths": ["a", "b"]})[
        "images"
    ]
    assert crops.shape == (2, 128, 128, 4) and crops.dtype == np.uint8
    assert crops[1, 0, 0].tolist() == [top, left, 0, 0]
    assert crops[1, -1, -1].tolist() == [top + 127, left + 127, 0, 0]


def test_random_crop_draws_a_corner_for_each_view():
    def crop(seed, views=2, height=9, width=8):
        images = [numbered(height, width)] * views
        rng = np.random.default_rng(seed)
        crops = CropViews(6, random=True)(
            {"images": images, "img_paths": ["a"] * views, "rng": rng}
        )["images"]
        assert (crops[:, -1, -1, :2] == crops[:, 0, 0, :2] + 5).all()
        return crops[:, 0, 0, :2].tolist()

    rng = np.random.default_rng(3)
    assert crop(3) == [[rng.integers(4), rng.integers(3)] for _ in range(2)]
    corners = [crop(seed) for seed in range(300)]
    # each view by itself, both ends of the margins included
    assert {tuple(first) for first, _ in corners} == {(i, j) for i in range(4) for j in range(3)}
    assert 0 < sum(first == second for first, second in corners) < 60
    assert crop(0, height=6, width=6) == [[0, 0], [0, 0]]


def test_views_of_several_sizes_and_too_small_ones():
    images = [numbered(8, 9), numbered(5, 4)]
    crops = CropViews(4)({"images": images, "img_paths": ["a", "b"]})["images"]
    assert crops[:, 0, 0, :2].tolist() == [[2, 2], [0, 0]]
    with pytest.raises(SampleError, match="b: 4 x 5 pixels, expected at least 5 a side"):
        CropViews(5)({"images": images, "img_paths": ["a", "b"]})
    with pytest.raises(ConfigError, match="CropViews size 0"):
        CropViews(0)


def draw(seed=0, views=3, **kwargs):
    results = {"images": [None] * views, "rng": np.random.default_rng(seed)}
    return DrawAugmentation(**kwargs)(results)["augment"]


def test_parameters_types_and_ranges():
    drawn = [draw(seed) for seed in range(500)]
    all_of = {key: np.stack([d[key] for d in drawn]) for key in drawn[0]}
    assert {key: (value.shape[1:], value.dtype.name) for key, value in all_of.items()} == {
        "background": ((3,), "float32"),
        "factors": ((3,), "float32"),
        "order": ((3,), "int64"),
        "noise": ((3,), "float32"),
        "flip": ((3,), "bool"),
        "permutation": ((3,), "int64"),
    }
    levels = all_of["background"] * 255
    assert np.allclose(levels, levels.round(), atol=1e-4)
    assert set(levels.round().astype(int).ravel()) == set(range(225, 256))  # both ends included
    assert 0.6 <= all_of["factors"].min() < 0.62 and 1.38 < all_of["factors"].max() <= 1.4
    assert abs(all_of["noise"].std() - 0.1) < 0.01 and abs(all_of["noise"].mean()) < 0.01
    assert abs(all_of["flip"].mean() - 0.5) < 0.05
    # each view by itself: all 8 outcomes of three views appear
    assert len(np.unique(all_of["flip"], axis=0)) == 8
    for key in ("order", "permutation"):
        assert len(np.unique(all_of[key], axis=0)) == 6
        assert (np.sort(all_of[key]) == np.arange(3)).all()


def test_order_of_drawing():
    augment, rng = draw(7, views=2), np.random.default_rng(7)
    assert np.allclose(augment["background"] * 255, rng.integers(225, 256, 3))
    assert np.allclose(augment["factors"], 1 + rng.uniform(-0.4, 0.4, 3))
    assert (augment["order"] == rng.permutation(3)).all()
    assert np.allclose(augment["noise"], rng.normal(0, 0.1, 3))
    assert (augment["flip"] == (rng.random(2) < 0.5)).all()
    assert (augment["permutation"] == rng.permutation(3)).all()


def test_switched_off():
    augment = draw(
        background=(240, 240), brightness=0, contrast=0, saturation=0, noise_std=0, flip=0,
        permute=False,
    )  # fmt: skip
    assert np.allclose(augment["background"], 240 / 255)
    assert (augment["factors"] == 1).all() and (augment["noise"] == 0).all()
    assert not augment["flip"].any() and augment["permutation"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "bad", [{"background": (255, 225)}, {"background": (0, 256)}, {"flip": 2}, {"noise_std": -1}]
)
def test_bad_augmentation(bad):
    with pytest.raises(ConfigError, match=f"{next(iter(bad))}.*expected"):
        DrawAugmentation(**bad)


META = {"taxonomy": "03001627", "id": "a", "name": "chair", "views": [3, 1], "broken": ["x: bad"]}


def test_packing():
    images = np.arange(2 * 3 * 3 * 4, dtype=np.uint8).reshape(2, 3, 3, 4)
    voxels = np.eye(8, dtype=np.uint8).reshape(4, 4, 4)
    packed = PackVoxelInputs()(
        {**META, "images": images, "voxels": voxels, "augment": draw(views=2)}
    )
    inputs, sample = packed["inputs"], packed["data_samples"]
    assert inputs["images"].dtype == inputs["voxels"].dtype == torch.uint8
    assert torch.equal(inputs["images"], torch.tensor(images))
    assert torch.equal(inputs["voxels"], torch.tensor(voxels))
    assert all(isinstance(value, torch.Tensor) for value in inputs["augment"].values())
    assert isinstance(sample, VoxelDataSample)
    assert {key: sample.get(key) for key in sample.metainfo_keys()} == META


def test_packing_without_crop_voxels_and_augmentation():
    images = [numbered(4, 5), numbered(4, 5)]
    inputs = PackVoxelInputs()({**META, "images": images, "img_paths": ["a", "b"]})["inputs"]
    assert set(inputs) == {"images"} and inputs["images"].shape == (2, 4, 5, 4)
    with pytest.raises(SampleError, match="a: views of sizes"):
        PackVoxelInputs()({**META, "images": [numbered(4, 5), numbered(4, 4)], "img_paths": ["a"]})
