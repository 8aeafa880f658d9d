# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

from voxrecon.errors import ConfigError
from voxrecon.models.layout import fast_layout
from voxrecon.models.residual import Branches, leaky
from voxrecon.registry import MODELS


class ZeroUnpool3d(nn.Module):
    """Doubles the side of a volume: each value in the first corner of its 2x2x2 cell, zeros in the
    others.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, X, Y, Z) to (B, C, 2X, 2Y, 2Z)."""
        y = x.new_zeros(*x.shape[:2], *(2 * side for side in x.shape[2:]))
        y[..., ::2, ::2, ::2] = x
        return fast_layout(y)


def _conv(in_channels: int, out_channels: int) -> nn.Conv3d:
    return nn.Conv3d(in_channels, out_channels, 3, padding=1)


@MODELS.register_module()
class R2N2Decoder(nn.Module):
    """Unpooling and residual 3D convolutions from a state to a volume (3D-R2N2, Res3D-GRU-3).

    Each entry of ``channels`` doubles the side, by zeros in between, and has two convolutions with
    a skip around them. Behind the last, as in the released code, the skip of ``head`` is a 3x3x3
    convolution of what its first convolution gives, not of the block's input. A softmax over two
    channels closes, the second of which is occupied. The context is the last feature volume.

    Args:
        seed: (C, s, s, s) of the state of a view.
        channels: Output channels of each doubling.
        head: Channels of the last block.
        slope: Of the leaky ReLU.
    """

    def __init__(
        self,
        seed: Sequence[int] = (128, 4, 4, 4),
        channels: Sequence[int] = (128, 128, 64),
        head: int = 32,
        slope: float = 0.01,
    ) -> None:
        super().__init__()
        self.seed = tuple(seed)
        self.grid_size = self.seed[-1] * 2 ** len(channels)
        widths = [self.seed[0], *channels]
        self.layers = nn.Sequential()
        for a, b in zip(widths[:-1], channels, strict=True):
            main = nn.Sequential(leaky(_conv(a, b), slope), leaky(_conv(b, b), slope))
            skip = nn.Identity() if a == b else nn.Conv3d(a, b, 1)
            self.layers.append(nn.Sequential(ZeroUnpool3d(), Branches(main, skip)))
        self.last = nn.Sequential(
            leaky(_conv(widths[-1], head), slope),
            Branches(leaky(_conv(head, head), slope), _conv(head, head)),
        )
        self.head = _conv(head, 2)

    def forward(
        self, x: Tensor, targets: Tensor | None = None
    ) -> tuple[tuple[Tensor, Tensor], dict]:
        """States (B, V, ...), read in C order as ``seed``, to coarse and context.

        Coarse is (B, V, X, Y, Z) in [0, 1], context (B, V, K, X, Y, Z).

        Raises:
            ConfigError: the values of a view do not fill ``seed``.
        """
        if prod(x.shape[2:]) != prod(self.seed):
            raise ConfigError(f"R2N2Decoder: {tuple(x.shape[2:])} a view, expected {self.seed}")
        context = self.last(self.layers(x.reshape(-1, *self.seed)))  # (B*V, K, X, Y, Z)
        # float32: bf16 rounds 0.999 to 1
        coarse = self.head(context).float().softmax(dim=1)[:, 1]  # (B*V, X, Y, Z)
        views = x.shape[:2]
        return (coarse.unflatten(0, views), context.unflatten(0, views)), {}
