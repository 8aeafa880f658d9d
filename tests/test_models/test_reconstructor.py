# SPDX-License-Identifier: MIT
"""The slot protocol, with toy slots whose answers are known."""

from __future__ import annotations

import re

import pytest
import torch
from mmengine.config import Config
from shrink import ROOT, shrink
from torch import nn

from voxrecon.errors import ConfigError
from voxrecon.models import VoxelReconstructor
from voxrecon.registry import MODELS
from voxrecon.structures import VoxelDataSample


class Toy(nn.Module):
    """A feature fusion that counts its calls and mixes the views as its scope allows."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope, self.calls = scope, 0

    def forward(self, x, targets=None):
        self.calls += 1
        x = x - x.mean(1, keepdim=True) if self.scope == "set" else x.cumsum(1)
        return x, {"loss_toy": x.square().mean(), "seen": targets is not None}


for _scope in ("causal", "set", "sets"):
    MODELS.register_module(name=f"Toy_{_scope}", module=lambda s=_scope: Toy(s))


def build(scope: str | None = None, **slots):
    torch.manual_seed(0)
    cfg = shrink(Config.fromfile(ROOT / "configs/pix2voxpp_a.py").model)
    if scope:
        cfg["feature_fusion"] = {"type": f"Toy_{scope}"}
    cfg.update(slots)
    model = MODELS.build(cfg)
    model.init_weights()
    return model


def images(views=4, seed=1):
    return torch.rand(2, views, 3, 64, 64, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(("scope", "calls"), [("causal", 1), ("set", 3)])
def test_prefixes_by_scope(scope, calls):
    """A causal fusion runs once for all prefixes, one over the set once more for each shorter."""
    model = build(scope).eval()
    x = images()
    with torch.no_grad():
        state = model.encode(x)
        volumes = {n: model.fuse(state, n)["volume"] for n in (2, 3, 4)}
        assert model.feature_fusion.calls == calls
        for n, volume in volumes.items():
            assert torch.allclose(volume, model(x[:, :n]), atol=1e-6), n


@pytest.mark.parametrize(("scope", "calls"), [(None, 0), ("causal", 3), ("set", 3)])
def test_first_views_of_sorted_ones_are_those_selected_first(scope, calls):
    """They come sorted, not in the order of their selection: another order for each object."""
    model = build(scope).eval()
    x = images(3)
    samples = [VoxelDataSample(metainfo={"picks": picks}) for picks in ([2, 0, 1], [1, 2, 0])]
    with torch.no_grad():
        predicted = model.predict(x, samples, (1, 2, 3))
        if calls:
            assert model.feature_fusion.calls == calls
        kept = {1: ([1], [2]), 2: ([1, 2], [0, 2]), 3: ([0, 1, 2], [0, 1, 2])}
        for n, places in kept.items():
            alone = model(torch.stack([x[i, at] for i, at in enumerate(places)]))
            for i in (0, 1):
                volume = predicted[i].pred_volumes[n]
                assert torch.allclose(volume, alone[i], atol=1e-6), (n, i)


def test_in_training_only_the_last_state_is_decoded_where_no_other_is_used():
    model = build("causal", refiner=None)
    model.volume_fusion = MODELS.build({"type": "LastFusion"})
    x = images(3)
    whole = model.eval().encode(x)["coarse"]
    assert whole.shape[1] == 3
    for module in model.modules():  # the same network but for the shape
        module.training = isinstance(module, VoxelReconstructor)
    assert torch.allclose(model.encode(x)["coarse"], whole[:, -1:], atol=1e-6)


def test_aux_losses_join_and_targets_arrive():
    model = build("causal").train()
    truth = torch.zeros(2, 32, 32, 32)
    losses = model.loss(images(2), truth)
    assert set(losses) == {"loss_toy", "loss_bce_fused", "loss_bce_refined"}
    assert model.fuse(model.encode(images(2), truth))["aux"]["seen"] is True
    assert model.eval().fuse(model.encode(images(2)))["aux"]["seen"] is False


def test_several_losses():
    model = build(loss=[{"type": "BCELoss"}, {"type": "DiceLoss"}], refiner=None).train()
    losses = model.loss(images(2), torch.ones(2, 32, 32, 32))
    assert set(losses) == {"loss_bce_fused", "loss_dice_fused"}


def test_losses_of_one_name_and_unknown_scopes_are_refused():
    with pytest.raises(ConfigError, match="bce, bce: expected each name once"):
        build(loss=[{"type": "BCELoss"}, {"type": "BCELoss", "weight": 2}])
    with pytest.raises(ConfigError, match="scope 'sets', expected of per_view, causal, set"):
        build("sets")


@pytest.mark.parametrize(
    ("seed", "reason"), [(5, "'int' object is not iterable"), ([], "index out of range")]
)
def test_arguments_of_the_wrong_kind(seed, reason):
    message = (
        rf"^model.decoder: Pix2VoxDecoder\(seed={re.escape(str(seed))}, .* be built: .*{reason}"
    )
    with pytest.raises(ConfigError, match=message):
        build(decoder={"seed": seed})


def test_the_three_modes():
    model = build(eval_views=(1, 3)).eval()
    x = images(3)
    samples = [VoxelDataSample(), VoxelDataSample()]
    for sample in samples:
        sample.gt_voxels = torch.zeros(32, 32, 32, dtype=torch.uint8)
    with torch.no_grad():
        volume = model(x)
        assert torch.equal(volume, model(x, mode="tensor"))
        state = model.encode(x)
        assert torch.equal(volume, model.fuse(state)["volume"])
        predicted = model(x, samples, mode="predict")
        for i, sample in enumerate(predicted):
            assert set(sample.pred_volumes) == {1, 3}
            assert torch.equal(sample.pred_volumes[3], volume[i])
            assert torch.equal(sample.pred_volumes[1], model.fuse(state, 1)["volume"][i])
        losses = model(x, samples, mode="loss")
    assert set(losses) == {"loss_bce_fused", "loss_bce_refined"}
    with pytest.raises(ValueError, match="mode 'val'"):
        model(x, mode="val")


def test_views_that_are_not_there_and_grids_of_another_size():
    model = build().eval()
    with torch.no_grad():
        state = model.encode(images(2))
        for n in (0, 3):
            with pytest.raises(ConfigError, match=f"{n} views asked for, 2 given"):
                model.fuse(state, n)
        with pytest.raises(ConfigError, match=r"expected \(B, V, C, H, W\)"):
            model(images(2)[0])
        with pytest.raises(ConfigError, match=r"\(16, 16, 16\).*32\^3"):
            model.loss(images(2), torch.zeros(2, 16, 16, 16))


def test_what_lies_behind_the_feature_fusion():
    model = build("set").eval()
    with torch.no_grad():
        features, _ = model.extract_features(images(3))
        latents, _ = model.feature_fusion(features)
        assert torch.allclose(model.decode(latents), model(images(3)), atol=1e-6)


def test_an_initialisation_of_mmengine():
    layers = ["Conv2d", "Conv3d", "ConvTranspose3d", "Linear"]
    model = build(init_cfg={"type": "Xavier", "layer": layers, "gain": 0.5, "bias": 0.1})
    weight = model.refiner.dense[0].weight
    assert weight.std().item() == pytest.approx(0.5 * (2 / sum(weight.shape)) ** 0.5, rel=0.05)
    assert model.neck.layers[0][0].bias.eq(0.1).all()


def test_the_published_initialisation():
    model = build()
    conv = model.decoder.layers[0][0]
    # fan-in of a transposed convolution is that of torch: output channels times kernel
    expected = (2 / (conv.weight.shape[1] * 64)) ** 0.5
    assert conv.weight.std().item() == pytest.approx(expected, rel=0.05)
    dense = model.refiner.dense[0]
    assert dense.weight.std().item() == pytest.approx(0.01, rel=0.05) and not dense.bias.any()
    assert not model.neck.layers[0][0].bias.any()
