# SPDX-License-Identifier: MIT
"""What the convolutional networks of 3D-R2N2 and AttSets are made of, in 2D and in 3D."""

from __future__ import annotations

from torch import Tensor, nn


def leaky(layer: nn.Module, slope: float) -> nn.Sequential:
    """A layer and a leaky ReLU behind it."""
    return nn.Sequential(layer, nn.LeakyReLU(slope, inplace=True))


class Branches(nn.Module):
    """The sum of two branches of one input; no activation behind it."""

    def __init__(self, main: nn.Module, skip: nn.Module) -> None:
        super().__init__()
        self.main, self.skip = main, skip

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ...) to (B, C', ...)."""
        return self.main(x) + self.skip(x)
