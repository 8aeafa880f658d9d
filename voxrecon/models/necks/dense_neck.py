# SPDX-License-Identifier: MIT
from __future__ import annotations

from math import prod

from torch import Tensor, nn

from voxrecon.errors import ConfigError
from voxrecon.models.residual import leaky
from voxrecon.registry import MODELS


@MODELS.register_module()
class DenseNeck(nn.Module):
    """A view's map to one vector: the dense layer that closes the encoders of 3D-R2N2 and AttSets.

    Args:
        in_features: Values of a view's map.
        features: Length of the vector.
        slope: Of the leaky ReLU.
    """

    def __init__(self, in_features: int, features: int = 1024, slope: float = 0.01) -> None:
        super().__init__()
        self.in_features = in_features
        self.layer = leaky(nn.Linear(in_features, features), slope)

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        """Maps (B*V, C, h, w), read in C order, to vectors (B*V, F).

        Raises:
            ConfigError: a map has other than ``in_features`` values.
        """
        if prod(x.shape[1:]) != self.in_features:
            raise ConfigError(
                f"DenseNeck: maps {tuple(x.shape[1:])}, expected in_features={self.in_features}"
            )
        return self.layer(x.flatten(1)), {}
