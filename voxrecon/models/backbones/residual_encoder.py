# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from voxrecon.errors import ConfigError
from voxrecon.models.residual import Branches, leaky
from voxrecon.registry import MODELS

SKIPS = ("none", "conv", "identity")


@MODELS.register_module()
class ResidualEncoder(nn.Module):
    """The residual 2D encoder of 3D-R2N2 (Res3D-GRU-3) and, with other pools, of AttSets.

    Each stage is two convolutions, each with a leaky ReLU, a skip added behind them, and a pool
    that halves the side. The first convolution is 7x7, all others 3x3. As in the released code of
    3D-R2N2 the fourth stage has no skip and the last one passes its input on unchanged.

    Args:
        channels: Of each stage.
        skips: Of each stage: ``"none"``, ``"conv"`` (1x1) or ``"identity"``.
        padded_pool: Pad every pool by 1 on all sides, as 3D-R2N2 does: sides 127, 64, 33, 17, 9,
            5, 3. Otherwise as AttSets does, rounding up: 127, 64, 32, 16, 8, 4, 2.
        slope: Of the leaky ReLU.
        in_chans: Channels of a view.
    """

    def __init__(
        self,
        channels: Sequence[int] = (96, 128, 256, 256, 256, 256),
        skips: Sequence[str] = ("none", "conv", "conv", "none", "conv", "identity"),
        padded_pool: bool = True,
        slope: float = 0.01,
        in_chans: int = 3,
    ) -> None:
        super().__init__()
        if len(skips) != len(channels):
            raise ConfigError(
                f"ResidualEncoder: {len(skips)} skips, expected one for each of "
                f"{len(channels)} channels"
            )
        self.in_chans = in_chans
        widths = [in_chans, *channels]
        self.stages = nn.Sequential()
        for i, (a, b, skip) in enumerate(zip(widths[:-1], channels, skips, strict=True)):
            kernel = 3 if i else 7
            stage = nn.Sequential(
                leaky(nn.Conv2d(a, b, kernel, padding=kernel // 2), slope),
                leaky(nn.Conv2d(b, b, 3, padding=1), slope),
            )
            if skip not in SKIPS or (skip == "identity" and a != b):
                raise ConfigError(
                    f"ResidualEncoder: skip {skip!r} from {a} to {b} channels, expected of "
                    f"{', '.join(SKIPS)}, identity where both are equal"
                )
            if skip != "none":
                stage = Branches(stage, nn.Conv2d(a, b, 1) if skip == "conv" else nn.Identity())
            pool = nn.MaxPool2d(2, padding=1) if padded_pool else nn.MaxPool2d(2, ceil_mode=True)
            self.stages.append(nn.Sequential(stage, pool))

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        """Images (B*V, C, H, W) to maps (B*V, C', h, w).

        Raises:
            ConfigError: the images have other than ``in_chans`` channels.
        """
        if x.shape[1] != self.in_chans:
            raise ConfigError(
                f"{x.shape[1]} channels given, backbone takes in_chans={self.in_chans}"
            )
        return self.stages(x), {}
