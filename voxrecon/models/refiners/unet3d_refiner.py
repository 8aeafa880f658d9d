# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from voxrecon.errors import ConfigError
from voxrecon.registry import MODELS


@MODELS.register_module()
class UNet3DRefiner(nn.Module):
    """The refiner of Pix2Vox and Pix2Vox++ (section 3.2.4 of both): a 3D U-Net with dense bottom
    and added skips.

    Its output is the mean of its input and of what it predicts, as in the released code.

    Args:
        grid_size: Side of the volume.
        channels: Output channels of each halving, e.g. ``(32, 64, 128)`` from 32^3 to 4^3.
        hidden: Width of the dense bottleneck.
    """

    def __init__(
        self,
        grid_size: int = 32,
        channels: Sequence[int] = (32, 64, 128),
        hidden: int = 2048,
        slope: float = 0.2,
    ) -> None:
        super().__init__()
        self.grid_size = grid_size
        side, rest = divmod(grid_size, 2 ** len(channels))
        if rest or not side:
            raise ConfigError(
                f"refiner: grid_size={grid_size} cannot be halved {len(channels)} times"
            )
        bottom = channels[-1] * side**3
        down = [1, *channels]
        up = [*channels[::-1], 1]
        self.down = nn.ModuleList(
            nn.Sequential(
                nn.Conv3d(a, b, 4, padding=2),
                nn.BatchNorm3d(b),
                nn.LeakyReLU(slope),
                nn.MaxPool3d(2),
            )
            for a, b in zip(down[:-1], down[1:], strict=True)
        )
        self.dense = nn.Sequential(
            nn.Linear(bottom, hidden), nn.ReLU(), nn.Linear(hidden, bottom), nn.ReLU()
        )
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose3d(a, b, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm3d(b),
                nn.ReLU(),
            )
            for a, b in zip(up[:-2], up[1:-1], strict=True)
        )
        self.head = nn.ConvTranspose3d(up[-2], 1, 4, stride=2, padding=1, bias=False)

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        """A fused volume (B, X, Y, Z) in [0, 1] to the refined one, likewise."""
        if x.shape[-1] != self.grid_size:
            raise ConfigError(
                f"refiner: grid_size={self.grid_size}, volume given {tuple(x.shape[1:])}"
            )
        skips, y = [], x[:, None]  # (B, 1, X, Y, Z)
        for layer in self.down:
            y = layer(y)  # (B, c, X/2, Y/2, Z/2)
            skips.append(y)
        bottom = skips.pop()
        y = bottom + self.dense(bottom.flatten(1)).view_as(bottom)
        for layer in self.up:
            y = layer(y) + skips.pop()
        prediction = self.head(y)[:, 0].float().sigmoid()
        return 0.5 * (x + prediction), {}
