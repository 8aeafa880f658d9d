# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

from voxrecon.errors import ConfigError
from voxrecon.models.residual import Branches, leaky
from voxrecon.registry import MODELS


class SameUpConv3d(nn.ConvTranspose3d):
    """TensorFlow's ``SAME`` transposed convolution of kernel 3 and stride 2: tap k of cell i lands
    on 2i + k, and what lies beyond the doubled side is cut off.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, X, Y, Z) to (B, O, 2X, 2Y, 2Z)."""
        return super().forward(x)[..., :-1, :-1, :-1]


def _conv(in_channels: int, out_channels: int) -> nn.ConvTranspose3d:
    return nn.ConvTranspose3d(in_channels, out_channels, 3, padding=1)


@MODELS.register_module()
class AttSetsDecoder(nn.Module):
    """A dense seed and residual transposed 3D convolutions: the decoder of AttSets on the base of
    3D-R2N2, as in its released code.

    Each entry of ``channels`` doubles the side by a transposed convolution, adds another one, and
    has a skip of kernel 1 and stride 2 around both. In the last block both branches start from what
    its first convolution gives, and both end in a leaky ReLU. The context is the last feature
    volume.

    Args:
        in_features: Length of a view's vector.
        seed: (C, s, s, s), which the dense layer gives with its channels last.
        channels: Output channels of each doubling.
        head: Channels of the last block.
        slope: Of the leaky ReLU.
    """

    def __init__(
        self,
        in_features: int = 1024,
        seed: Sequence[int] = (128, 4, 4, 4),
        channels: Sequence[int] = (128, 128, 64),
        head: int = 32,
        slope: float = 0.2,
    ) -> None:
        super().__init__()
        self.in_features, self.seed = in_features, tuple(seed)
        self.grid_size = self.seed[-1] * 2 ** len(channels)
        self.stem = leaky(nn.Linear(in_features, prod(seed)), slope)
        widths = [self.seed[0], *channels]
        self.layers = nn.Sequential(
            *(
                Branches(
                    nn.Sequential(leaky(SameUpConv3d(a, b), slope), leaky(_conv(b, b), slope)),
                    nn.ConvTranspose3d(a, b, 1, stride=2, output_padding=1),
                )
                for a, b in zip(widths[:-1], channels, strict=True)
            )
        )
        self.last = nn.Sequential(
            leaky(_conv(widths[-1], head), slope),
            Branches(leaky(_conv(head, head), slope), leaky(_conv(head, head), slope)),
        )
        self.head = _conv(head, 1)

    def forward(
        self, x: Tensor, targets: Tensor | None = None
    ) -> tuple[tuple[Tensor, Tensor], dict]:
        """Vectors (B, V, F) to coarse and context.

        Coarse is (B, V, X, Y, Z) in [0, 1], context (B, V, K, X, Y, Z).

        Raises:
            ConfigError: a view has other than ``in_features`` values.
        """
        if prod(x.shape[2:]) != self.in_features:
            raise ConfigError(
                f"AttSetsDecoder: {tuple(x.shape[2:])} a view, expected "
                f"in_features={self.in_features}"
            )
        seed = self.stem(x.flatten(2).flatten(0, 1))  # (B*V, s*s*s*C)
        seed = seed.unflatten(1, (*self.seed[1:], self.seed[0])).movedim(-1, 1)  # (B*V, C, s, s, s)
        context = self.last(self.layers(seed))  # (B*V, K, X, Y, Z)
        # float32: bf16 rounds 0.999 to 1
        coarse = self.head(context).float().sigmoid()[:, 0]  # (B*V, X, Y, Z)
        views = x.shape[:2]
        return (coarse.unflatten(0, views), context.unflatten(0, views)), {}
