# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from voxrecon.errors import ConfigError
from voxrecon.models.recurrence import recur
from voxrecon.registry import MODELS


@MODELS.register_module()
class ConvLSTMFusion(nn.Module):
    """A convolutional LSTM over the views (Shi et al., NeurIPS 2015, Eq. 3, without peepholes).

    It stands between encoder and decoder of Pix2Vox-LSTM, whose report names it and whose public
    code never calls it: size, kernel and what is passed on are ours. Every hidden state is passed
    on, so decoder and volume fusion have one map for each view as before.

    Args:
        channels: Of a view's map, and of the hidden state.
        kernel: Side of the convolutions, odd.
        grid: (C, s, s, s): the map is read, in C order, as this grid, and the convolutions are 3D;
            None: they are 2D.
        bottleneck: Channels of the recurrence between two 1x1 convolutions; None: ``channels``, and
            no such convolutions.
        residual: Add the hidden states to the maps instead of replacing them: what a single view
            shows reaches the decoder without a detour.
    """

    scope = "causal"

    def __init__(
        self,
        channels: int,
        kernel: int = 3,
        grid: Sequence[int] | None = None,
        bottleneck: int | None = None,
        residual: bool = True,
    ) -> None:
        super().__init__()
        if kernel < 1 or kernel % 2 == 0:
            raise ConfigError(f"ConvLSTMFusion: kernel={kernel}, expected an odd number")
        if bottleneck is not None and bottleneck < 1:
            raise ConfigError(f"ConvLSTMFusion: bottleneck={bottleneck}, expected at least 1")
        if grid is not None and grid[0] != channels:
            raise ConfigError(f"ConvLSTMFusion: grid={tuple(grid)}, expected {channels} channels")
        self.channels, self.residual = channels, residual
        self.grid = None if grid is None else tuple(grid)
        conv = nn.Conv2d if grid is None else nn.Conv3d
        hidden = bottleneck or channels
        self.reduce = conv(channels, hidden, 1) if bottleneck else nn.Identity()
        # all four gates at once: input, forget, output, candidate
        self.from_input = conv(hidden, 4 * hidden, kernel, padding=kernel // 2)
        self.from_state = conv(hidden, 4 * hidden, kernel, padding=kernel // 2, bias=False)
        self.expand = conv(hidden, channels, 1) if bottleneck else nn.Identity()

    def init_weights(self) -> None:
        """Xavier for the gates, since they saturate, and a forget gate that begins open."""
        for gates in (self.from_input, self.from_state):
            for gate in gates.weight.chunk(4):  # each by itself: Xavier looks at the width
                nn.init.xavier_uniform_(gate)
        hidden = self.from_state.in_channels
        nn.init.zeros_(self.from_input.bias)
        nn.init.ones_(self.from_input.bias[hidden : 2 * hidden])

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        """Maps (B, V, C, h, w), in the order of the sequence, to as many (B, V, C, h, w); with
        ``grid`` (B, V, C, s, s, s).
        """
        batch, views = x.shape[:2]
        if self.grid is None and x.shape[2] != self.channels:
            raise ConfigError(
                f"ConvLSTMFusion: {tuple(x.shape[2:])} a view, expected channels={self.channels}"
            )
        if self.grid is not None:
            if prod(x.shape[2:]) != prod(self.grid):
                raise ConfigError(
                    f"ConvLSTMFusion: {tuple(x.shape[2:])} a view do not fill grid={self.grid}"
                )
            x = x.reshape(batch, views, *self.grid)
        inputs = self.from_input(self.reduce(x.flatten(0, 1)))  # (B*V, 4H, h, w)
        inputs = inputs.unflatten(0, (batch, views))
        # two tensors: an exported recurrence may not begin with one twice
        hidden, cell = (torch.zeros_like(inputs[:, 0].chunk(4, dim=1)[0]) for _ in range(2))
        states = recur(self._step, (hidden, cell), (inputs,))
        out = self.expand(states.flatten(0, 1)).unflatten(0, (batch, views))
        return (x + out if self.residual else out), {}

    def _step(self, state: tuple[Tensor, Tensor], view: tuple[Tensor]) -> tuple[Tensor, Tensor]:
        (hidden, cell), (view,) = state, view
        gates = view + self.from_state(hidden)  # (B, 4H, h, w)
        admit, keep, show, candidate = gates.chunk(4, dim=1)
        cell = keep.sigmoid() * cell + admit.sigmoid() * candidate.tanh()
        return show.sigmoid() * cell.tanh(), cell
