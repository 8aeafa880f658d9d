# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from voxrecon.registry import MODELS

ACTIVATIONS = {"elu": nn.ELU, "relu": nn.ReLU}


@MODELS.register_module()
class ConvNeck(nn.Module):
    """The 2D convolutions between trunk and decoder (Pix2Vox, section 3.2.1; Pix2Vox++, section
    3.2.1).

    Args:
        in_channels: Channels of the trunk's map.
        layers: One dict a layer: ``channels``, ``kernel``, ``padding`` (default 0), ``pool`` (max
            pooling with kernel and stride of that size, default none). Every convolution is
            followed by batch norm and activation.
        act: ``"elu"`` (Pix2Vox) or ``"relu"`` (Pix2Vox++).
    """

    def __init__(self, in_channels: int, layers: Sequence[dict], act: str = "relu") -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for layer in layers:
            self.layers.append(self._layer(in_channels, act, **layer))
            in_channels = layer["channels"]

    @staticmethod
    def _layer(
        in_channels: int,
        act: str,
        channels: int,
        kernel: int,
        padding: int = 0,
        pool: int | None = None,
    ) -> nn.Sequential:
        modules = [
            nn.Conv2d(in_channels, channels, kernel, padding=padding),
            nn.BatchNorm2d(channels),
            ACTIVATIONS[act](inplace=True),
        ]
        if pool:
            modules.append(nn.MaxPool2d(pool))
        return nn.Sequential(*modules)

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        """Trunk maps (B*V, C, h, w) to (B*V, c, h', w')."""
        return self.layers(x), {}
