# SPDX-License-Identifier: MIT
"""The parts of 3D-R2N2 against slow references and numbers made by hand."""

from __future__ import annotations

import math

import pytest
import torch
from mmengine.config import Config
from shrink import ROOT
from torch.nn import functional as F

from voxrecon.errors import ConfigError
from voxrecon.models import ConvGRUFusion, DenseNeck, LastFusion, R2N2Decoder, ResidualEncoder
from voxrecon.models.decoders.r2n2_decoder import ZeroUnpool3d
from voxrecon.registry import MODELS


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_full_size_on_meta():
    with torch.device("meta"):
        slots = [ResidualEncoder(), DenseNeck(2304), ConvGRUFusion(), R2N2Decoder()]
        assert parameters(slots[0]) + parameters(slots[1]) == 7_252_832
        assert [parameters(slot) for slot in slots[2:]] == [26_493_312, 2_222_562]
        maps, _ = slots[0](torch.zeros(4, 3, 127, 127))
        assert maps.shape == (4, 256, 3, 3)
        vectors, _ = slots[1](maps)
        assert vectors.shape == (4, 1024)
        states, _ = slots[2].eval()(vectors.unflatten(0, (2, 2)))
        assert states.shape == (2, 2, 128, 4, 4, 4)
        (coarse, context), _ = slots[3](states)
        assert coarse.shape == (2, 2, 32, 32, 32) and context.shape == (2, 2, 32, 32, 32, 32)
        assert slots[3].grid_size == 32


def leaky(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x > 0, x, 0.01 * x)


def test_encoder_by_its_equations():
    torch.manual_seed(0)
    encoder = ResidualEncoder((4, 4, 6), ("none", "identity", "conv"))
    weights = {key: iter(stage.state_dict().values()) for key, stage in enumerate(encoder.stages)}
    x = torch.rand(2, 3, 15, 15)
    maps, aux = encoder(x)
    for stage in range(3):
        w = weights[stage]
        kernel = 3 if stage else 7
        y = leaky(F.conv2d(x, next(w), next(w), padding=kernel // 2))
        y = leaky(F.conv2d(y, next(w), next(w), padding=1))
        if stage == 1:
            y = y + x
        if stage == 2:
            y = y + F.conv2d(x, next(w), next(w))
        # by 1 on all sides, then the highest of each 2x2: 15, 8, 5, 3
        y = F.pad(y, (1, 1, 1, 1), value=-math.inf)
        side = y.shape[-1] // 2 * 2
        x = y[..., :side, :side].unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax((3, 5))
    assert maps.shape == (2, 6, 3, 3) and aux == {}
    assert torch.allclose(maps, x, atol=1e-6)


@pytest.mark.parametrize(
    ("padded", "sides"), [(True, (64, 33, 17, 9, 5, 3)), (False, (64, 32, 16, 8, 4, 2))]
)
def test_sides_behind_the_pools(padded, sides):
    with torch.device("meta"):
        stages = ResidualEncoder((1,) * 6, ("none",) * 6, padded_pool=padded).stages
        x, found = torch.zeros(1, 3, 127, 127), []
        for stage in stages:
            x = stage(x)
            found.append(x.shape[-1])
    assert tuple(found) == sides


def test_wrong_arguments_of_the_encoder():
    with pytest.raises(ConfigError, match="1 skips, expected one for each of 2 channels"):
        ResidualEncoder((4, 4), ("none",))
    with pytest.raises(ConfigError, match="skip 'cnv' from 3 to 4 channels"):
        ResidualEncoder((4,), ("cnv",))
    with pytest.raises(ConfigError, match="skip 'identity' from 3 to 4 channels"):
        ResidualEncoder((4,), ("identity",))
    with pytest.raises(ConfigError, match="4 channels given, backbone takes in_chans=3"):
        ResidualEncoder((4,), ("none",))(torch.zeros(1, 4, 8, 8))


def test_dense_neck_reads_maps_in_c_order():
    neck = DenseNeck(8, features=8)
    with torch.no_grad():
        neck.layer[0].weight.copy_(torch.eye(8))
        neck.layer[0].bias.zero_()
    maps = torch.arange(-4.0, 4).view(1, 2, 2, 2)
    expected = torch.tensor([-0.04, -0.03, -0.02, -0.01, 0, 1, 2, 3])
    for layout in (torch.contiguous_format, torch.channels_last):
        vectors, aux = neck(maps.contiguous(memory_format=layout))
        assert torch.allclose(vectors[0], expected) and aux == {}
    with pytest.raises(ConfigError, match=r"maps \(2, 2, 1\), expected in_features=8"):
        neck(torch.zeros(1, 2, 2, 1))


def gru_by_its_equations(fusion: ConvGRUFusion, x: torch.Tensor) -> torch.Tensor:
    """One object, one view and one output cell at a time: (B, V, F) to (B, V, C, s, s, s)."""
    channels, side = fusion.seed[:2]
    out = torch.zeros(*x.shape[:2], *fusion.seed)

    def gate(index: int, view: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        weight, bias = fusion.from_state[index].weight, fusion.from_state[index].bias
        dense = (fusion.from_view[index].weight @ view).view(fusion.seed)
        around = F.pad(state, (1,) * 6)
        y = torch.zeros(fusion.seed)
        for cell in torch.cartesian_prod(*[torch.arange(side)] * 3).tolist():
            i, j, k = cell
            patch = around[:, i : i + 3, j : j + 3, k : k + 3]
            for c in range(channels):
                y[c, i, j, k] = (weight[c] * patch).sum() + dense[c, i, j, k] + bias[c]
        return y

    for b in range(len(x)):
        state = torch.zeros(fusion.seed)
        for v in range(x.shape[1]):
            update = 1 / (1 + (-gate(0, x[b, v], state)).exp())
            reset = 1 / (1 + (-gate(1, x[b, v], state)).exp())
            candidate = gate(2, x[b, v], reset * state).tanh()
            state = update * state + (1 - update) * candidate
            out[b, v] = state
    return out


@torch.no_grad()
def test_gru_by_its_equations():
    torch.manual_seed(0)
    fusion = ConvGRUFusion(in_features=5, channels=3, side=2)
    x = torch.randn(2, 3, 5)
    states, aux = fusion.eval()(x)
    assert states.shape == (2, 3, 3, 2, 2, 2) and aux == {}
    assert torch.allclose(states, gru_by_its_equations(fusion, x), atol=1e-6)


@torch.no_grad()
def test_gates_by_hand():
    """An update gate of 1 keeps the state, one of 0 takes the candidate."""
    fusion = ConvGRUFusion(in_features=1, channels=1, side=1).eval()
    for layer in [*fusion.from_state, *fusion.from_view]:
        layer.weight.zero_()
    fusion.from_view[0].weight.fill_(100.0)  # a view of 1 keeps, one of -1 replaces
    fusion.from_state[2].bias.fill_(0.5)
    states, _ = fusion(torch.tensor([1.0, -1.0, 1.0]).view(1, 3, 1))
    assert states.flatten().tolist() == pytest.approx([0, math.tanh(0.5), math.tanh(0.5)])


@torch.no_grad()
def test_a_state_does_not_depend_on_the_views_behind_it():
    torch.manual_seed(0)
    fusion = ConvGRUFusion(in_features=5, channels=3, side=2).eval()
    x = torch.randn(2, 4, 5)
    other = x.clone()
    other[:, 2:] = torch.randn(2, 2, 5)
    states, changed = fusion(x)[0], fusion(other)[0]
    assert torch.equal(states[:, :2], changed[:, :2])
    assert not torch.allclose(states[:, 2], changed[:, 2], atol=1e-3)
    assert torch.allclose(states[:, :2], fusion(x[:, :2])[0], atol=1e-6)
    assert not torch.allclose(states[:, 3], fusion(x[:, [1, 0, 2, 3]])[0][:, 3], atol=1e-4)


def test_gru_refuses_other_vectors():
    fusion = ConvGRUFusion(in_features=5, channels=3, side=2)
    with pytest.raises(ConfigError, match=r"\(4,\) a view, expected in_features=5"):
        fusion(torch.zeros(1, 1, 4))


def test_unpooling_puts_a_value_into_the_first_corner():
    volume = torch.arange(1.0, 9).view(1, 1, 2, 2, 2)
    out = ZeroUnpool3d()(volume)[0, 0]
    assert out.shape == (4, 4, 4) and out.count_nonzero() == 8
    assert [out[0, 0, 0], out[0, 0, 2], out[0, 2, 0], out[2, 0, 0], out[2, 2, 2]] == [1, 2, 3, 5, 8]


@torch.no_grad()
def test_decoder_by_its_equations():
    torch.manual_seed(0)
    decoder = R2N2Decoder(seed=(4, 2, 2, 2), channels=(4, 3), head=2)
    states = torch.randn(2, 3, 4, 2, 2, 2)
    (coarse, context), aux = decoder(states)
    w = iter(decoder.state_dict().values())

    def conv(x: torch.Tensor, padding: int = 1) -> torch.Tensor:
        return F.conv3d(x, next(w), next(w), padding=padding)

    x = states.flatten(0, 1)
    for side in (4, 8):
        unpooled = torch.zeros(6, x.shape[1], side, side, side)
        unpooled[:, :, ::2, ::2, ::2] = x
        y = leaky(conv(leaky(conv(unpooled))))
        x = y + (unpooled if side == 4 else conv(unpooled, padding=0))
    a = leaky(conv(x))
    b = leaky(conv(a))
    x = b + conv(a)  # of a, without an activation
    p = conv(x).exp()
    p = p[:, 1] / p.sum(1)
    assert next(w, None) is None and aux == {}
    assert torch.allclose(context.flatten(0, 1), x, atol=1e-5)
    assert torch.allclose(coarse.flatten(0, 1), p, atol=1e-6)
    with pytest.raises(ConfigError, match=r"\(4, 2, 2\) a view, expected \(4, 2, 2, 2\)"):
        decoder(states[..., 0])


def test_last_fusion():
    fusion = LastFusion()
    coarse = torch.rand(2, 3, 4, 4, 4)
    assert fusion.score(coarse[:, :, None]) is None
    assert torch.equal(fusion.fuse(coarse, None), coarse[:, 2])
    assert torch.equal(fusion.fuse(coarse[:, :1], None), coarse[:, 0])


def test_initialisation_as_published():
    """A variance of 2 / ((fan-in + fan-out) / 2), and biases of 0.1."""
    cfg = Config.fromfile(ROOT / "projects/r2n2/configs/r2n2.py").model
    cfg.backbone.channels = (16, 24, 32, 32, 32, 32)
    cfg.neck.update(in_features=32 * 9, features=32)
    cfg.feature_fusion.update(in_features=32, channels=16)
    cfg.decoder.update(seed=(16, 4, 4, 4), channels=(16, 16, 24))
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    for weight, fans in (
        (model.backbone.stages[2][0].main[0][0].weight, (24 + 32) * 9),
        (model.feature_fusion.from_view[1].weight, 32 + 16 * 64),
        (model.feature_fusion.from_state[2].weight, (16 + 16) * 27),
        (model.decoder.layers[2][1].main[0][0].weight, (16 + 24) * 27),
    ):
        assert weight.std().item() == pytest.approx((4 / fans) ** 0.5, rel=0.05)
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    assert len(biases) == 30 and all((bias == 0.1).all() for bias in biases)
