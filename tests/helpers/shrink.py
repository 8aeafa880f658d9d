# SPDX-License-Identifier: MIT
"""Every config, and a small twin of each that runs in a blink."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from math import prod
from pathlib import Path

import timm
import torch
from torch import Tensor, nn

from voxrecon.registry import MODELS

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(
    str(path.relative_to(ROOT))
    for folder in ("configs", "projects")
    for path in (ROOT / folder).rglob("*.py")
    if not {"_base_", "example_plugin"} & set(path.parts)  # the latter's needs its package
    and (folder == "configs" or path.parent.name == "configs")
)
SIZE = 64  # pixels
SLOPE = 8  # every width w becomes max(1, w // 8)


@MODELS.register_module()
class TinyTrunk(nn.Module):
    """A trunk of one convolution, with the stride of the one that it stands for."""

    label = "tiny"

    def __init__(self, channels: int, in_chans: int = 3, stride: int = 8) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_chans, channels, stride, stride=stride)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        return self.norm(self.conv(x)).relu(), {}


def narrow(width: int) -> int:
    return max(1, width // SLOPE)


def narrow_all(widths: Sequence[int]) -> list[int]:
    return [narrow(width) for width in widths]


def shrink(model: dict) -> dict:
    """The same slots, narrow, for images of 64 pixels; numbers that follow from others follow."""
    model = copy.deepcopy(model)
    model["data_preprocessor"]["size"] = SIZE
    _shrink_encoder(model)
    shape = _shrink_fusion(model.get("feature_fusion"), _shape_of_a_view(model))
    decoder = model["decoder"]
    decoder["channels"] = narrow_all(decoder["channels"])
    if decoder["type"] == "Pix2VoxDecoder":
        if decoder.get("stem"):
            decoder["stem"], decoder["seed"] = shape[0], (narrow(decoder["seed"][0]), 2, 2, 2)
        else:
            assert prod(shape) % 8 == 0, shape
            decoder["seed"] = (prod(shape) // 8, 2, 2, 2)
    else:
        decoder["seed"] = (narrow(decoder["seed"][0]), *decoder["seed"][1:])
        decoder["head"] = narrow(decoder["head"])
        if decoder.get("in_features"):
            decoder["in_features"] = shape[0]
    if model["volume_fusion"]["type"].endswith("ContextAwareFusion"):
        model["volume_fusion"]["in_channels"] = decoder["channels"][-1] + 1
    if model.get("refiner"):
        model["refiner"]["channels"] = narrow_all(model["refiner"]["channels"])
        model["refiner"]["hidden"] = narrow(model["refiner"]["hidden"])
    return model


def _shrink_encoder(model: dict) -> None:
    trunk, neck = model["backbone"], model["neck"]
    if trunk["type"] == "TimmBackbone":
        assert timm.is_model(trunk["name"])
        trunk = {
            "type": "TinyTrunk",
            "channels": narrow(neck.get("in_channels", 128)),
            "in_chans": trunk.get("in_chans", 3),
            "stride": 16 if "patch16" in trunk["name"] else 8,
        }
    else:
        trunk["channels"] = narrow_all(trunk["channels"])
    model["backbone"] = trunk
    if neck["type"] == "DenseNeck":
        neck["in_features"] = prod(_shape(trunk, (trunk.get("in_chans", 3), SIZE, SIZE)))
        neck["features"] = narrow(neck["features"])
        return
    neck["in_channels"] = trunk["channels"]
    for layer in neck["layers"]:
        layer["channels"] = narrow(layer["channels"])
        layer["padding"] = layer["kernel"] // 2  # keep what little there is
        if layer.get("pool"):
            layer["pool"] = 2


def _shape_of_a_view(model: dict) -> tuple[int, ...]:
    """Of the features behind backbone and neck."""
    channels = model["backbone"].get("in_chans", 3)
    return _shape(model["neck"], _shape(model["backbone"], (channels, SIZE, SIZE)))


def _shape(slot: dict, shape: tuple[int, ...]) -> tuple[int, ...]:
    """What a slot makes of ``shape``, by running it on the meta device."""
    with torch.device("meta"):
        return tuple(MODELS.build(slot).eval()(torch.zeros(1, *shape))[0].shape[1:])


def _shrink_fusion(fusion: dict | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shrink a feature fusion for features of ``shape`` a view; the shape of what it gives."""
    kind = fusion["type"] if fusion else None
    if kind == "ConvLSTMFusion":
        if fusion.get("grid"):
            shape = fusion["grid"] = (prod(shape) // 8, 2, 2, 2)
            fusion["bottleneck"] = narrow(fusion["bottleneck"])
        fusion["channels"] = shape[0]
    elif kind == "VAEBottleneck":
        fusion["in_features"], fusion["latent"] = prod(shape), narrow(fusion["latent"])
        shape = (fusion["latent"],)
    elif kind == "MemoryBankFusion":
        fusion["in_shape"], fusion["hidden"] = shape, narrow(fusion["hidden"])
        fusion["embedding"] = narrow_all(fusion.get("embedding", ()))
        fusion["slots"] = min(fusion["slots"], 12)
        shape = (prod(shape) + fusion["hidden"],)
    elif kind == "ConvGRUFusion":
        fusion["in_features"], fusion["channels"] = prod(shape), narrow(fusion["channels"])
        shape = (fusion["channels"], *[fusion["side"]] * 3)
    elif kind == "AttSetsFusion":
        fusion["features"] = prod(shape)
    else:
        assert kind is None, f"no rule to shrink {kind}"
    return shape
