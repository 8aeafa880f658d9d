# SPDX-License-Identifier: MIT
"""Single slots against numbers that can be checked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from voxrecon.errors import ConfigError
from voxrecon.models import (
    BCELoss,
    ContextAwareFusion,
    DiceLoss,
    FocalLoss,
    MeanFusion,
    MultiScaleContextAwareFusion,
    Pix2VoxDecoder,
    UNet3DRefiner,
)


def cube(*values: float) -> torch.Tensor:
    """(1, V, 1, 1, 1): one voxel seen by as many views."""
    return torch.tensor(values).view(1, -1, 1, 1, 1)


def test_mean_fusion():
    fusion = MeanFusion()
    assert fusion.score(torch.zeros(1, 3, 9, 2, 2, 2)) is None
    assert fusion.fuse(cube(0.1, 0.2, 0.9), None).item() == pytest.approx(0.4)


@pytest.mark.parametrize("fusion", [ContextAwareFusion, MultiScaleContextAwareFusion])
def test_softmax_over_views(fusion):
    fusion = fusion()
    # softmax of (0, log 3) is (1/4, 3/4)
    assert fusion.fuse(cube(0.4, 0.8), cube(0, math.log(3))).item() == pytest.approx(0.7)
    assert fusion.fuse(cube(0.4), cube(123.0)).item() == pytest.approx(0.4)
    assert torch.equal(fusion.fuse(cube(0.4), None), fusion.fuse(cube(0.4), cube(0.0)))


@pytest.mark.parametrize(
    ("fusion", "parameters"), [(ContextAwareFusion, 8_571), (MultiScaleContextAwareFusion, 17_877)]
)
def test_scores_are_per_view(fusion, parameters):
    torch.manual_seed(0)
    fusion = fusion().eval()
    assert sum(p.numel() for p in fusion.parameters()) == parameters
    context = torch.rand(2, 3, 9, 4, 4, 4)
    with torch.no_grad():
        scores = fusion.score(context)
        assert scores.shape == (2, 3, 4, 4, 4)
        assert torch.allclose(scores[:, 1:2], fusion.score(context[:, 1:2]), atol=1e-6)


def test_decoder_reads_its_seed_in_c_order_whatever_the_memory_format():
    torch.manual_seed(0)
    decoder = Pix2VoxDecoder(seed=(4, 2, 2, 2), channels=(3, 2)).eval()
    maps = torch.rand(2, 3, 8, 2, 2)  # (B, V, c, h, w)
    last = maps.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (2, 3))
    with torch.no_grad():
        (coarse, context), aux = decoder(maps)
        assert coarse.shape == (2, 3, 8, 8, 8) and context.shape == (2, 3, 3, 8, 8, 8)
        assert aux == {} and decoder.grid_size == 8
        assert torch.equal(context[:, :, -1], coarse)
        (again, _), _ = decoder(last)
        assert torch.allclose(coarse, again, atol=1e-6)
        # the same numbers given as the seed itself
        (seeded, _), _ = decoder(maps.reshape(2, 3, 4, 2, 2, 2))
        assert torch.equal(coarse, seeded)
        # a view does not see another
        (alone, _), _ = decoder(maps[1:, 2:])
        assert torch.allclose(alone[0, 0], coarse[1, 2], atol=1e-6)
    with pytest.raises(ConfigError, match=r"33 values.*seed=\(4, 2, 2, 2\) \(32 values\)"):
        decoder(torch.zeros(1, 1, 33))


def test_refiner_answers_the_mean_of_input_and_prediction():
    refiner = UNet3DRefiner(grid_size=16, channels=(2, 4), hidden=8).eval()
    torch.nn.init.zeros_(refiner.head.weight)  # sigmoid(0) = 1/2
    volume = torch.rand(2, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        out, aux = refiner(volume)
    assert torch.allclose(out, 0.5 * volume + 0.25) and aux == {}
    with pytest.raises(ConfigError, match="grid_size=16"):
        refiner(torch.zeros(1, 8, 8, 8))
    with pytest.raises(ConfigError, match="grid_size=12 cannot be halved 3 times"):
        UNet3DRefiner(grid_size=12, channels=(1, 1, 1))


def test_published_refiner():
    with torch.device("meta"):
        assert sum(p.numel() for p in UNet3DRefiner().parameters()) == 34_880_352


VOLUME = torch.tensor([0.5, 0.25, 0.9, 0.0]).view(1, 1, 2, 2)
TRUTH = torch.tensor([1.0, 0.0, 1.0, 0.0]).view(1, 1, 2, 2)


def test_binary_cross_entropy():
    expected = -(math.log(0.5) + math.log(0.75) + math.log(0.9) + 0) / 4
    assert BCELoss(weight=10)(VOLUME, TRUTH).item() == pytest.approx(10 * expected, rel=1e-6)


def test_dice():
    expected = 1 - (0.5 + 0.9 + 1) / (0.25 + 0.0625 + 0.81 + 2 + 1)
    assert DiceLoss()(VOLUME, TRUTH).item() == pytest.approx(expected, rel=1e-6)
    assert DiceLoss()(TRUTH, TRUTH).item() == pytest.approx(1 - 3 / 5)  # the published form, no 2


def test_focal():
    right = (0.5, 0.75, 0.9, 1.0)
    expected = -sum(0.5 * (1 - p) ** 2 * math.log(p) for p in right) / 4
    assert FocalLoss(weight=1)(VOLUME, TRUTH).item() == pytest.approx(expected, rel=1e-5)
    half = FocalLoss(weight=2, gamma=0, alpha=0.5)(VOLUME, TRUTH)
    assert half.item() == pytest.approx(BCELoss(weight=1)(VOLUME, TRUTH).item(), rel=1e-5)


def test_the_decoder_draws_its_head_as_told():
    """None leaves what the reconstructor drew: torch's fan-in of 1, a deviation of sqrt(2)."""
    torch.manual_seed(0)
    stds = {}
    for head_std in (None, 0.3):
        decoder = Pix2VoxDecoder(seed=(1, 2, 2, 2), channels=(4096,), head_std=head_std)
        torch.nn.init.kaiming_normal_(decoder.head.weight)
        decoder.init_weights()
        stds[head_std] = decoder.head.weight.std().item()
    assert stds[None] == pytest.approx(2**0.5, rel=0.05)
    assert stds[0.3] == pytest.approx(0.3, rel=0.05)
