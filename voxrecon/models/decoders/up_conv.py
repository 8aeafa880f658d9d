# SPDX-License-Identifier: MIT
from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SMALL = 2**3  # input cells
LARGE = 2**23  # weights, 32 MiB in float32


def up_conv_by_product(x: Tensor, weight: Tensor) -> Tensor:
    """Transposed convolution of kernel 4, stride 2, padding 1 as two matrix products.

    The first gives what each cell adds at each of the 64 taps, the second puts it in its place. The
    second grows with the square of the cells, so this is for very small volumes.

    Args:
        x: (B, C, X, Y, Z).
        weight: (C, O, 4, 4, 4), as of ``nn.ConvTranspose3d``.

    Returns:
        (B, O, 2X, 2Y, 2Z).
    """
    sides = x.shape[2:]
    cells, taps = prod(sides), prod(weight.shape[2:])
    # (P, K, Q): 1 where tap k of cell p lands on cell q of the output
    places = F.conv_transpose3d(
        torch.eye(cells, dtype=x.dtype, device=x.device).view(cells, 1, *sides),
        torch.eye(taps, dtype=x.dtype, device=x.device).view(1, taps, *weight.shape[2:]),
        stride=2,
        padding=1,
    ).flatten(2)
    y = x.flatten(2).transpose(1, 2) @ weight.flatten(1)  # (B, P, O*K)
    y = (y.unflatten(2, (-1, taps)) @ places).sum(1)  # (B, O, Q)
    return y.unflatten(2, [2 * side for side in sides])


class UpConv3d(nn.ConvTranspose3d):
    """The transposed 3D convolution that doubles a side: kernel 4, stride 2, padding 1, no bias.

    Parameter and result are those of ``nn.ConvTranspose3d``. Its CPU kernel first rearranges the
    whole weight, in every call; for a seed of 2^3 that takes longer than the arithmetic (2048 to
    512 channels, one volume: about 160 of 230 ms). There a matrix product takes about half
    the time, forward and backward, for 1 to 64 volumes. With weights that fit into the cache, or
    from 4^3 cells on, the kernel is the faster one.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 4, stride=2, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, X, Y, Z) to (B, O, 2X, 2Y, 2Z)."""
        if x.is_cpu and prod(x.shape[2:]) <= SMALL and self.weight.numel() >= LARGE:
            return up_conv_by_product(x, self.weight)
        return super().forward(x)
