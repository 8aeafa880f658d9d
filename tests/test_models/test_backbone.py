# SPDX-License-Identifier: MIT
from __future__ import annotations

import copy

import huggingface_hub
import pytest
import timm
import torch
from timm.models import create_feature_extractor
from torch import nn

from voxrecon.errors import ConfigError, VoxreconError
from voxrecon.models import TimmBackbone
from voxrecon.models.backbones.cut import CutTrunk


@pytest.mark.parametrize(
    ("name", "stop", "parameters", "shape"),
    [
        ("vgg16_bn.tv_in1k", "features.26", 2_918_976, (512, 28, 28)),
        ("resnet50.tv_in1k", "layer2", 1_444_928, (512, 28, 28)),
        ("resnet18.tv_in1k", "layer2", 683_072, (128, 28, 28)),
        ("resnet18", 2, 683_072, (128, 28, 28)),
    ],
)
def test_cuts_of_the_papers(name, stop, parameters, shape):
    with torch.device("meta"):
        trunk = TimmBackbone(name, stop)
        maps, aux = trunk(torch.zeros(2, 3, 224, 224))
    assert sum(p.numel() for p in trunk.parameters()) == parameters
    assert maps.shape == (2, *shape)
    assert aux == {}


@pytest.mark.parametrize(
    ("name", "stop", "shape"),
    [
        ("convnext_atto", 1, (80, 8, 8)),
        ("vit_tiny_patch16_224", 3, (192, 4, 4)),
        ("swin_tiny_patch4_window7_224", 1, (192, 8, 8)),  # channels last in timm
        ("swin_tiny_patch4_window7_224", "layers.1", (192, 8, 8)),
    ],
)
def test_other_families_by_stage(name, stop, shape):
    args = {} if name.startswith("convnext") else {"img_size": 64}
    with torch.device("meta"):
        trunk = TimmBackbone(name, stop, args=args)
        maps, _ = trunk(torch.zeros(1, 3, 64, 64))
    assert maps.shape == (1, *shape)


def test_the_cut_is_the_trunk_itself():
    whole = timm.create_model("resnet18").eval()
    trunk = TimmBackbone("resnet18", "layer2").eval()
    own = trunk.trunk.state_dict()
    trunk.trunk.load_state_dict({k: v for k, v in whole.state_dict().items() if k in own})
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = whole.layer2(whole.layer1(whole.maxpool(whole.act1(whole.bn1(whole.conv1(x))))))
        assert torch.allclose(trunk(x)[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "stop"),
    [
        ("resnet18", "layer2"),
        ("vgg16_bn", "features.9"),
        ("densenet121", "features.denseblock1"),  # long enough that copying might recurse
    ],
)
def test_a_cut_is_that_of_timm_without_running_code(name, stop, monkeypatch):
    """The same parameters in the same order, the same values, and copies of it work."""
    torch.manual_seed(0)
    model = timm.create_model(name)
    other = create_feature_extractor(copy.deepcopy(model), {stop: "out"})
    with monkeypatch.context() as patch:
        patch.setattr("builtins.exec", None)
        cut = CutTrunk(model, stop)
        assert all(module.training for module in cut.modules())  # as of any new module
        cut.eval().train()
    assert list(cut.state_dict()) == list(other.state_dict())
    assert [n for n, _ in cut.named_parameters()] == [n for n, _ in other.named_parameters()]
    x = torch.rand(2, 3, 64, 64)
    for mode in (True, False):
        cut.train(mode)
        other.train(mode)
        twin = copy.deepcopy(cut)
        expected = other(x)["out"]
        assert torch.equal(cut(x), expected) and torch.equal(twin(x), expected)


def test_what_is_inside_of_a_leaf_cannot_be_cut():
    model = nn.Sequential(nn.TransformerEncoderLayer(8, 1, 8))
    with pytest.raises(ValueError, match="'0.linear1' is a part of what cannot be cut"):
        CutTrunk(model, "0.linear1")


def test_other_input_channels():
    trunk = TimmBackbone("resnet18", "layer2", in_chans=4)
    assert trunk(torch.zeros(1, 4, 64, 64))[0].shape == (1, 128, 8, 8)
    with pytest.raises(ConfigError, match="3 channels given, backbone takes in_chans=4"):
        trunk(torch.zeros(1, 3, 64, 64))


def test_frozen_trunk_still_follows_the_data_unless_norm_eval():
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for norm_eval in (False, True):
        trunk = TimmBackbone("resnet18", "layer2", frozen=True, norm_eval=norm_eval).train()
        assert not any(p.requires_grad for p in trunk.parameters())
        before = trunk.trunk.bn1.running_mean.clone()
        trunk(x)
        assert torch.equal(before, trunk.trunk.bn1.running_mean) is norm_eval


@pytest.mark.parametrize(
    ("name", "stop", "weights", "message"),
    [
        ("resnet51", "layer2", "random", "'resnet51'.*no such timm model"),
        ("resnet18", "layer9", "random", "no module 'layer9'"),
        ("resnet18", "layer2", "imagenet", "'imagenet'.*pretrained, reinitialised, random"),
    ],
)
def test_bad_arguments(name, stop, weights, message):
    with torch.device("meta"), pytest.raises(ConfigError, match=message):
        TimmBackbone(name, stop, weights=weights)


def test_tokens_are_refused():
    with torch.device("meta"):
        trunk = TimmBackbone("vit_tiny_patch16_224", "blocks.0")
        with pytest.raises(ConfigError, match=r"\(1, 197, 192\).*expected a map"):
            trunk(torch.zeros(1, 3, 224, 224))


def test_only_init_weights_asks_for_pretrained_ones(monkeypatch):
    create, asked = timm.create_model, []

    def spy(name, pretrained=False, **args):
        asked.append(pretrained)
        if pretrained:
            raise ConnectionError("no route")
        return create(name, **args)

    monkeypatch.setattr(timm, "create_model", spy)
    monkeypatch.setattr(TimmBackbone, "_ask_hub", lambda self: None)
    trunk = TimmBackbone("resnet18", "layer2", weights="pretrained")
    assert asked == [False]
    with pytest.raises(VoxreconError, match="resnet18.*weights=random") as caught:
        trunk.init_weights()
    assert asked == [False, True] and "\n" not in str(caught.value)


def test_the_hub_is_asked_once(monkeypatch):
    asked = []

    def fail(url, timeout):
        asked.append((url, timeout))
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda **_: None)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", fail)
    trunk = TimmBackbone("resnet18.tv_in1k", "layer2")
    with pytest.raises(VoxreconError, match="cannot be fetched .ConnectionError.*weights=random"):
        trunk.init_weights()
    ((url, timeout),) = asked
    assert url.endswith("timm/resnet18.tv_in1k/resolve/main/model.safetensors") and timeout == 10


def test_reinitialised_keeps_what_was_drawn_over_it_and_random_is_timms_own():
    for weights, kept in (("reinitialised", True), ("random", False)):
        trunk = TimmBackbone("resnet18", "layer2", weights=weights)
        torch.nn.init.ones_(trunk.trunk.conv1.weight)
        trunk.init_weights()
        assert bool((trunk.trunk.conv1.weight == 1).all()) is kept
