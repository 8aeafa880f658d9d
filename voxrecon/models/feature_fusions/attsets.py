# SPDX-License-Identifier: MIT
from __future__ import annotations

from torch import Tensor, nn

from voxrecon.errors import ConfigError
from voxrecon.registry import MODELS


@MODELS.register_module()
class AttSetsFusion(nn.Module):
    """Attentional aggregation of a set of vectors (AttSets, in its fully connected form).

    One dense layer, shared by the views, scores every entry of every vector; a softmax over the
    views, for each entry by itself, weighs them. A single view passes unchanged, and the order of
    the views does not matter.

    Args:
        features: Length of a view's vector.
    """

    scope = "set"

    def __init__(self, features: int = 1024) -> None:
        super().__init__()
        self.features = features
        self.attention = nn.Linear(features, features)

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        """Vectors (B, V, F) to one (B, 1, F).

        Raises:
            ConfigError: a view has other than ``features`` values.
        """
        if x.shape[2:] != (self.features,):
            raise ConfigError(
                f"AttSetsFusion: {tuple(x.shape[2:])} a view, expected features={self.features}"
            )
        weights = self.attention(x).float().softmax(dim=1)  # (B, V, F)
        return (x * weights).sum(dim=1, keepdim=True).to(x.dtype), {}
