# SPDX-License-Identifier: MIT
"""The doubling convolution equals torch's, whichever way it is computed."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from voxrecon.models.decoders import Pix2VoxDecoder, UpConv3d, up_conv


def pair(in_channels: int, out_channels: int) -> tuple[UpConv3d, nn.ConvTranspose3d]:
    torch.manual_seed(0)
    ours = UpConv3d(in_channels, out_channels)
    stock = nn.ConvTranspose3d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
    stock.load_state_dict(ours.state_dict())
    return ours, stock


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).detach().abs().max() / b.detach().abs().max())


@pytest.fixture
def product(monkeypatch):
    """Every size goes through the matrix product; a list of the shapes that did."""
    calls = []
    stock = up_conv.up_conv_by_product
    monkeypatch.setattr(
        up_conv, "up_conv_by_product", lambda x, w: (calls.append(tuple(x.shape)), stock(x, w))[1]
    )
    monkeypatch.setattr(up_conv, "LARGE", 0)
    monkeypatch.setattr(up_conv, "SMALL", 10**6)
    return calls


@pytest.mark.parametrize("sides", [(1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4), (1, 2, 3)])
@pytest.mark.parametrize("batch", [1, 5])
def test_equals_the_stock_convolution_and_its_gradients(product, sides, batch):
    ours, stock = pair(12, 7)
    x = torch.randn(batch, 12, *sides)
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    outputs = [layer(x) for layer, x in zip((ours, stock), inputs, strict=True)]
    assert product == [tuple(x.shape)]
    assert outputs[0].shape == (batch, 7, *(2 * side for side in sides))
    assert relative(*outputs) < 1e-5
    upstream = torch.randn_like(outputs[0])
    for output in outputs:
        output.backward(upstream)
    assert relative(inputs[0].grad, inputs[1].grad) < 1e-5
    assert relative(ours.weight.grad, stock.weight.grad) < 1e-5


def test_gradients_are_those_of_finite_differences():
    x = torch.randn(2, 3, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 2, 4, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(up_conv.up_conv_by_product, (x, weight))


def test_one_cell_spreads_its_weight():
    # cell 0 reaches the outputs -1..2 along each axis, of which -1 is cut off
    x = torch.zeros(1, 1, 2, 2, 2)
    x[..., 0, 0, 0] = 1
    weight = torch.arange(64.0).view(1, 1, 4, 4, 4)
    y = up_conv.up_conv_by_product(x, weight)
    assert torch.equal(y[0, 0, :3, :3, :3], weight[0, 0, 1:, 1:, 1:])
    assert y[0, 0, 3].eq(0).all() and y[0, 0, :, 3].eq(0).all() and y[0, 0, :, :, 3].eq(0).all()


def test_only_a_large_weight_on_a_small_volume_is_multiplied_out(product, monkeypatch):
    monkeypatch.setattr(up_conv, "SMALL", 8)
    monkeypatch.setattr(up_conv, "LARGE", 4 * 3 * 64)
    pair(4, 3)[0](torch.ones(1, 4, 2, 2, 2))
    assert product == [(1, 4, 2, 2, 2)]
    product.clear()
    pair(4, 2)[0](torch.ones(1, 4, 2, 2, 2))
    pair(4, 3)[0](torch.ones(1, 4, 3, 2, 2))
    pair(4, 3)[0].to("meta")(torch.ones(1, 4, 2, 2, 2, device="meta"))
    assert product == []


@pytest.mark.parametrize(
    ("seed", "channels", "large"),
    [
        (2048, (512, 128, 32, 8), True),  # Pix2Vox-A
        (1568, (512, 128, 32, 8), True),  # Pix2Vox++/A
        (392, (128, 64, 32, 8), False),  # Pix2Vox++/F
        (256, (128, 64, 32, 8), False),  # Pix2Vox-F
    ],
)
def test_which_layers_of_the_networks_the_rule_takes(seed, channels, large):
    with torch.device("meta"):
        layers = Pix2VoxDecoder((seed, 2, 2, 2), channels).layers
    taken = [layer[0].weight.numel() >= up_conv.LARGE for layer in layers]
    assert taken == [large, False, False, False]


def test_autocast_and_meta(product):
    ours, stock = pair(8, 4)
    x = torch.randn(2, 8, 2, 2, 2)
    with torch.autocast("cpu", torch.bfloat16):
        y = ours(x)
    assert y.dtype == torch.bfloat16
    assert relative(y.float(), stock(x)) < 2e-2
    with torch.device("meta"):
        empty = up_conv.up_conv_by_product(torch.empty(2, 8, 2, 2, 2), torch.empty(8, 4, 4, 4, 4))
    assert empty.shape == (2, 4, 4, 4, 4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cuda():
    ours, stock = pair(8, 4)
    x = torch.randn(2, 8, 2, 2, 2)
    y = up_conv.up_conv_by_product(x.cuda(), ours.weight.cuda())
    assert relative(y.cpu(), stock(x)) < 1e-2  # TF32


def test_exports_with_a_free_batch_and_traces_whole(product):
    ours, _ = pair(8, 4)
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(
        ours, (torch.randn(2, 8, 2, 2, 2),), dynamic_shapes=({0: batch},)
    ).module()
    for n in (1, 5):
        x = torch.randn(n, 8, 2, 2, 2)
        assert relative(exported(x), ours(x)) < 1e-6
    whole = torch.compile(ours, backend="eager", fullgraph=True)
    x = torch.randn(3, 8, 2, 2, 2)
    assert relative(whole(x), ours(x)) < 1e-6


def test_the_weight_keeps_name_and_layout():
    ours, stock = pair(6, 4)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {"weight": (6, 4, 4, 4, 4)}
    assert isinstance(copy.deepcopy(ours), nn.ConvTranspose3d)
