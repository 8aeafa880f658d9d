# SPDX-License-Identifier: MIT
"""The parts of AttSets against slow references and numbers made by hand."""

from __future__ import annotations

import math

import pytest
import torch

from voxrecon.errors import ConfigError
from voxrecon.models import AttSetsDecoder, AttSetsFusion, DenseNeck, ResidualEncoder
from voxrecon.models.decoders.attsets_decoder import SameUpConv3d

SKIPS = ("none", "conv", "conv", "none", "conv", "conv")


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_full_size_on_meta():
    with torch.device("meta"):
        encoder, neck = ResidualEncoder(skips=SKIPS, padded_pool=False), DenseNeck(1024)
        fusion, decoder = AttSetsFusion(), AttSetsDecoder()
        assert parameters(encoder) + parameters(neck) == 6_007_904
        assert parameters(fusion) == 1_049_600
        assert parameters(decoder) == 10_651_521
        maps, _ = encoder(torch.zeros(4, 3, 127, 127))
        assert maps.shape == (4, 256, 2, 2)
        vector, _ = fusion(neck(maps)[0].unflatten(0, (2, 2)))
        assert vector.shape == (2, 1, 1024)
        (coarse, context), _ = decoder(vector)
        assert coarse.shape == (2, 1, 32, 32, 32) and context.shape == (2, 1, 32, 32, 32, 32)
        assert decoder.grid_size == 32


@torch.no_grad()
def test_softmax_over_two_views_by_hand():
    fusion = AttSetsFusion(features=2)
    # entry 0 of the scores is log 3 times entry 1 of the vector, entry 1 is always 5
    fusion.attention.weight.copy_(torch.tensor([[0.0, math.log(3)], [0.0, 0.0]]))
    fusion.attention.bias.copy_(torch.tensor([0.0, 5.0]))
    views = torch.tensor([[[8.0, 0.0], [4.0, 1.0]]])
    out, aux = fusion(views)
    # entry 0: 1/4 of 8 and 3/4 of 4; entry 1: the mean
    assert out.shape == (1, 1, 2) and aux == {}
    assert out.flatten().tolist() == pytest.approx([5.0, 0.5])


@torch.no_grad()
def test_a_set_has_no_order_and_a_single_view_passes_unchanged():
    torch.manual_seed(0)
    fusion = AttSetsFusion(features=6)
    x = torch.randn(2, 4, 6)
    assert torch.allclose(fusion(x)[0], fusion(x[:, [3, 1, 0, 2]])[0], atol=1e-6)
    assert torch.equal(fusion(x[:, 2:3])[0], x[:, 2:3])
    # of equal views any weights give the same
    assert torch.allclose(fusion(x[:, :1].expand(2, 5, 6))[0], x[:, :1], atol=1e-6)
    with pytest.raises(ConfigError, match=r"\(5,\) a view, expected features=6"):
        fusion(x[..., :5])


@torch.no_grad()
def test_a_tap_lands_on_twice_its_cell():
    conv = SameUpConv3d(1, 1)
    conv.weight.copy_(torch.arange(1.0, 28).view(1, 1, 3, 3, 3))
    conv.bias.zero_()
    volume = torch.zeros(1, 1, 2, 2, 2)
    volume[..., 0, 0, 0] = 1
    out = conv(volume)[0, 0]
    assert out.shape == (4, 4, 4)
    assert torch.equal(out[:3, :3, :3], conv.weight[0, 0])
    assert not out[3].any() and not out[:, 3].any() and not out[:, :, 3].any()
    out = conv(volume.flip(2, 3, 4))[0, 0]  # the last cell: its third tap is cut off
    assert torch.equal(out[2:, 2:, 2:], conv.weight[0, 0, :2, :2, :2])
    assert not out[:2].any() and not out[:, :2].any() and not out[:, :, :2].any()


def spread(x: torch.Tensor, conv: torch.nn.ConvTranspose3d, stride: int, first: int):
    """Add what every cell adds at every tap k, at ``stride * cell + k - first``, where that is
    within ``stride`` times the side.
    """
    weight, side = conv.weight, x.shape[-1]
    y = torch.zeros(len(x), weight.shape[1], *[stride * side] * 3)
    for cell in torch.cartesian_prod(*[torch.arange(side)] * 3).tolist():
        i, j, k = cell
        for tap in torch.cartesian_prod(*[torch.arange(weight.shape[-1])] * 3).tolist():
            a, b, c = (stride * n + t - first for n, t in zip(cell, tap, strict=True))
            if min(a, b, c) >= 0 and max(a, b, c) < stride * side:
                y[:, :, a, b, c] += x[:, :, i, j, k] @ weight[:, :, tap[0], tap[1], tap[2]]
    return y + conv.bias[:, None, None, None]


def leaky(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x > 0, x, 0.2 * x)


@torch.no_grad()
def test_decoder_by_its_equations():
    torch.manual_seed(0)
    decoder = AttSetsDecoder(in_features=5, seed=(3, 2, 2, 2), channels=(4,), head=2)
    vectors = torch.randn(2, 1, 5)
    (coarse, context), aux = decoder(vectors)

    dense = decoder.stem[0]
    seed = leaky(vectors[:, 0] @ dense.weight.T + dense.bias)
    seed = seed.view(2, 2, 2, 2, 3).permute(0, 4, 1, 2, 3)  # given with its channels last
    (up, after), skip = decoder.layers[0].main, decoder.layers[0].skip
    x = leaky(spread(leaky(spread(seed, up[0], 2, 0)), after[0], 1, 1)) + spread(seed, skip, 2, 0)
    first, branches = decoder.last
    a = leaky(spread(x, first[0], 1, 1))
    both = [leaky(spread(a, branch[0], 1, 1)) for branch in (branches.main, branches.skip)]
    x = both[0] + both[1]
    assert aux == {}
    assert torch.allclose(context[:, 0], x, atol=1e-5)
    p = 1 / (1 + (-spread(x, decoder.head, 1, 1)).exp())
    assert torch.allclose(coarse, p, atol=1e-6)
    with pytest.raises(ConfigError, match=r"\(4,\) a view, expected in_features=5"):
        decoder(vectors[..., :4])
