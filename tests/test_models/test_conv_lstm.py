# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from voxrecon.errors import ConfigError
from voxrecon.registry import MODELS


def build(**args):
    torch.manual_seed(0)
    fusion = MODELS.build({"type": "ConvLSTMFusion", **args}).eval()
    fusion.init_weights()
    return fusion


def maps(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def reference(fusion, x: torch.Tensor, conv) -> torch.Tensor:
    """Shi et al., Eq. 3, gate by gate and view by view: (B, V, H, ...) to the hidden states."""
    wx, wh = fusion.from_input.weight.chunk(4), fusion.from_state.weight.chunk(4)
    bias = fusion.from_input.bias.chunk(4)
    hidden, cell = torch.zeros_like(x[:, 0]), torch.zeros_like(x[:, 0])
    states = []
    for view in range(x.shape[1]):
        i, f, o, g = (
            conv(x[:, view], wx[gate], bias[gate], padding=1) + conv(hidden, wh[gate], padding=1)
            for gate in range(4)
        )
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        hidden = torch.sigmoid(o) * torch.tanh(cell)
        states.append(hidden)
    return torch.stack(states, dim=1)


@torch.no_grad()
def test_equals_the_equations():
    fusion, x = build(channels=6, residual=False), maps(2, 4, 6, 5, 5)
    assert torch.allclose(fusion(x)[0], reference(fusion, x, F.conv2d), atol=1e-6)
    added = build(channels=6)
    assert torch.allclose(added(x)[0], x + fusion(x)[0], atol=1e-6)


@torch.no_grad()
def test_the_grid_variant_equals_the_equations_behind_its_bottleneck():
    fusion = build(channels=16, grid=(16, 2, 2, 2), bottleneck=4)
    x = maps(2, 3, 8, 4, 4)  # 128 values a view, read in C order
    grid = x.reshape(6, 16, 2, 2, 2)
    narrow = F.conv3d(grid, fusion.reduce.weight, fusion.reduce.bias).unflatten(0, (2, 3))
    states = reference(fusion, narrow, F.conv3d).flatten(0, 1)
    wide = F.conv3d(states, fusion.expand.weight, fusion.expand.bias)
    assert torch.allclose(fusion(x)[0], (grid + wide).unflatten(0, (2, 3)), atol=1e-6)


@torch.no_grad()
def test_a_state_does_not_know_the_views_after_it():
    fusion, x = build(channels=6), maps(1, 5, 6, 4, 4)
    states, _ = fusion(x)
    for n in range(1, 5):
        other = torch.cat([x[:, :n], -7 * x[:, n:]], dim=1)
        assert torch.equal(fusion(other)[0][:, :n], states[:, :n])
        assert not torch.allclose(fusion(other)[0][:, n:], states[:, n:])
        assert torch.allclose(fusion(x[:, :n])[0], states[:, :n], atol=1e-6)


def test_the_forget_gate_begins_open():
    bias = build(channels=4).from_input.bias
    assert bias.tolist() == [0] * 4 + [1] * 4 + [0] * 8


def test_parameters_at_full_size():
    with torch.device("meta"):
        flat = MODELS.build({"type": "ConvLSTMFusion", "channels": 256})
    # two 3x3 convolutions from 256 to 4 x 256 channels, one of them with biases
    assert sum(p.numel() for p in flat.parameters()) == 2 * 256 * 1024 * 9 + 1024


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="kernel=4, expected an odd number"):
        build(channels=4, kernel=4)
    with pytest.raises(ConfigError, match="bottleneck=0, expected at least 1"):
        build(channels=4, bottleneck=0)
    with pytest.raises(ConfigError, match=r"\(4, 3, 3\) a view, expected channels=8"):
        build(channels=8)(maps(1, 2, 4, 3, 3))
    with pytest.raises(ConfigError, match=r"grid=\(8, 2, 2, 2\), expected 4 channels"):
        build(channels=4, grid=(8, 2, 2, 2))
    with pytest.raises(ConfigError, match=r"\(4, 3, 3\) a view do not fill grid=\(4, 2, 2, 2\)"):
        build(channels=4, grid=(4, 2, 2, 2))(maps(1, 2, 4, 3, 3))
