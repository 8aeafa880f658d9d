# SPDX-License-Identifier: MIT
"""The composed colour matrix against the published transforms, step by step."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from voxrecon.errors import ConfigError
from voxrecon.models import VoxelDataPreprocessor

GREY = np.array([0.114, 0.587, 0.299])  # B, G, R
VALUES = np.array([0.2175, 0.0188, 0.0045])
VECTORS = np.array(
    [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
)


def sequential(rgba, background, factors, order, noise, permutation, flip, size):
    """One view through the steps in their published order, in numpy: RGBA uint8 (h, w, 4) to (3, H,
    W).
    """
    bgra = rgba[..., [2, 1, 0, 3]].astype(np.float32) / 255
    bgra = cv2.resize(bgra, (size, size)).astype(np.float64)
    x = np.where(bgra[..., 3:] == 0, background, bgra[..., :3])
    for step in order:
        if step == 0:
            x = x * factors[0]
        elif step == 1:
            x = x * factors[1] + (1 - factors[1]) * (x @ GREY).mean()
        else:
            x = x * factors[2] + (1 - factors[2]) * (x @ GREY)[..., None]
    x = x + (VECTORS * noise * VALUES).sum(1)
    x = (x - 0.5) / 0.5
    if flip:
        x = x[:, ::-1]
    return x[..., permutation].transpose(2, 0, 1)


def batch(seed, batch_size=3, views=2, side=32):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (batch_size, views, side, side, 4), dtype=np.uint8)
    images[:, :, :12, :, 3] = 0  # a region that is background
    augment = {
        "background": rng.integers(225, 256, (batch_size, 3)).astype(np.float32) / 255,
        "factors": (1 + rng.uniform(-0.4, 0.4, (batch_size, 3))).astype(np.float32),
        "order": np.stack([rng.permutation(3) for _ in range(batch_size)]),
        "noise": rng.normal(0, 0.1, (batch_size, 3)).astype(np.float32),
        "permutation": np.stack([rng.permutation(3) for _ in range(batch_size)]),
        "flip": rng.random((batch_size, views)) < 0.5,
    }
    return images, augment


@pytest.mark.parametrize("seed", range(5))
def test_one_matrix_equals_the_published_sequence(seed):
    images, augment = batch(seed)
    prepare = VoxelDataPreprocessor(size=56)
    ours = prepare.prepare(
        torch.from_numpy(images), {k: torch.from_numpy(np.asarray(v)) for k, v in augment.items()}
    )
    assert ours.shape == (3, 2, 3, 56, 56)
    for b in range(3):
        for v in range(2):
            reference = sequential(
                images[b, v],
                *(
                    augment[k][b]
                    for k in ("background", "factors", "order", "noise", "permutation")
                ),
                augment["flip"][b, v],
                56,
            )
            assert np.abs(ours[b, v].numpy() - reference).max() < 5e-5


def test_without_augmentation_background_is_240_and_values_are_normalised():
    images = torch.zeros(1, 1, 4, 4, 4, dtype=torch.uint8)
    images[..., :3] = 51
    images[0, 0, :, :2, 3] = 255  # left half: object of value 0.2
    out = VoxelDataPreprocessor(size=4).prepare(images)
    assert torch.allclose(out[..., :2], torch.tensor(0.2 / 0.5 - 1), atol=1e-6)
    assert torch.allclose(out[..., 2:], torch.tensor(240 / 255 / 0.5 - 1), atol=1e-6)


def test_a_pixel_of_any_alpha_keeps_its_colour():
    images = torch.full((1, 1, 2, 2, 4), 100, dtype=torch.uint8)
    images[..., 3] = 1
    out = VoxelDataPreprocessor(size=2).prepare(images)
    assert torch.allclose(out, torch.tensor(100 / 255 / 0.5 - 1), atol=1e-6)


def test_channel_order():
    images = torch.zeros(1, 1, 1, 1, 4, dtype=torch.uint8)
    images[..., 0], images[..., 3] = 255, 255  # red
    bgr = VoxelDataPreprocessor(size=1).prepare(images)
    rgb = VoxelDataPreprocessor(size=1, channel_order="rgb").prepare(images)
    assert bgr.flatten().tolist() == [-1, -1, 1]
    assert rgb.flatten().tolist() == [1, -1, -1]
    with pytest.raises(ConfigError, match="gbr.*bgr or rgb"):
        VoxelDataPreprocessor(channel_order="gbr")


def test_autocast_does_not_touch_the_images():
    images, _ = batch(0)
    data = {"inputs": {"images": torch.from_numpy(images)}}
    prepare = VoxelDataPreprocessor(size=56)
    plain = prepare(data)["inputs"]
    with torch.autocast("cpu", torch.bfloat16):
        cast = prepare(data)["inputs"]
    assert cast.dtype == torch.float32
    assert torch.equal(plain, cast)
