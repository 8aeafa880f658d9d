# SPDX-License-Identifier: MIT
"""Every config, and a small twin of each that runs in a blink."""

from __future__ import annotations

import copy
from pathlib import Path

import timm
from torch import Tensor, nn

from voxrecon.registry import MODELS

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(
    str(path.relative_to(ROOT))
    for folder in ("configs", "projects")
    for path in (ROOT / folder).rglob("*.py")
    if "_base_" not in path.parts and (folder == "configs" or path.parent.name == "configs")
)
SIZE = 64  # pixels
SLOPE = 8  # every width w becomes max(1, w // 8)


@MODELS.register_module()
class TinyTrunk(nn.Module):
    """A trunk of stride 8, as those of the papers."""

    label = "tiny"

    def __init__(self, channels: int, in_chans: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_chans, channels, 8, stride=8)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        return self.norm(self.conv(x)).relu(), {}


def narrow(width: int) -> int:
    return max(1, width // SLOPE)


def shrink(model: dict) -> dict:
    """The same slots, narrow, for images of 64 pixels: 8x8 maps behind the trunk, then a 4^3 or 2^3
    seed.
    """
    model = copy.deepcopy(model)
    trunk = model["backbone"]
    assert timm.is_model(trunk["name"])
    width = narrow(model["neck"]["in_channels"])
    model["backbone"] = {
        "type": "TinyTrunk",
        "channels": width,
        "in_chans": trunk.get("in_chans", 3),
    }
    model["neck"]["in_channels"] = width
    side = 8
    for layer in model["neck"]["layers"]:
        layer["channels"] = narrow(layer["channels"])
        layer["padding"] = layer["kernel"] // 2  # keep what little there is
        if layer.get("pool"):
            layer["pool"] = 2
            side //= 2
    decoder = model["decoder"]
    values = model["neck"]["layers"][-1]["channels"] * side**2
    decoder["seed"] = (values // 8, 2, 2, 2)
    decoder["channels"] = [narrow(width) for width in decoder["channels"]]
    if model["volume_fusion"]["type"].endswith("ContextAwareFusion"):
        model["volume_fusion"]["in_channels"] = decoder["channels"][-1] + 1
    if model.get("refiner"):
        model["refiner"]["channels"] = [narrow(width) for width in model["refiner"]["channels"]]
        model["refiner"]["hidden"] = narrow(model["refiner"]["hidden"])
    model["data_preprocessor"]["size"] = SIZE
    return model
