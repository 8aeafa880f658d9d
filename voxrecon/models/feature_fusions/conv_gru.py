# SPDX-License-Identifier: MIT
from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from voxrecon.errors import ConfigError
from voxrecon.models.recurrence import recur
from voxrecon.registry import MODELS


@MODELS.register_module()
class ConvGRUFusion(nn.Module):
    """The 3D convolutional GRU of 3D-R2N2 (Res3D-GRU-3): a grid of cells that each view updates.

    Every cell sees the whole view, through a dense map of its vector, and the states of its
    neighbours, through a convolution. The update gate is the share of the old state that is kept.

    Args:
        in_features: Length of a view's vector.
        channels: Of the state.
        side: Of the state's grid.
    """

    scope = "causal"

    def __init__(self, in_features: int = 1024, channels: int = 128, side: int = 4) -> None:
        super().__init__()
        self.in_features, self.seed = in_features, (channels, side, side, side)
        # update, reset, candidate: each by itself, since Xavier's initialisation looks at the width
        self.from_view = nn.ModuleList(
            nn.Linear(in_features, channels * side**3, bias=False) for _ in range(3)
        )
        self.from_state = nn.ModuleList(
            nn.Conv3d(channels, channels, 3, padding=1) for _ in range(3)
        )

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        """Vectors (B, V, F), in the order of the sequence, to the states after each of them
        (B, V, C, s, s, s); the last one is the answer (volume fusion ``LastFusion``).

        Raises:
            ConfigError: a view has other than ``in_features`` values.
        """
        if prod(x.shape[2:]) != self.in_features:
            raise ConfigError(
                f"ConvGRUFusion: {tuple(x.shape[2:])} a view, expected "
                f"in_features={self.in_features}"
            )
        # each (B, V, C, s, s, s)
        inputs = [layer(x.flatten(2)).unflatten(2, self.seed) for layer in self.from_view]
        state = torch.zeros_like(inputs[0][:, 0])  # (B, C, s, s, s)
        return recur(self._step, (state,), inputs), {}

    def _step(self, state: tuple[Tensor], view: tuple[Tensor, ...]) -> tuple[Tensor]:
        (state,), (update, reset, candidate) = state, view
        to_update, to_reset, to_candidate = self.from_state
        update = (update + to_update(state)).sigmoid()
        reset = (reset + to_reset(state)).sigmoid()
        candidate = (candidate + to_candidate(reset * state)).tanh()
        return (update * state + (1 - update) * candidate,)
