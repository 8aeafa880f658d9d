# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

State = tuple[Tensor, ...]


def recur(step: Callable[[State, State], State], state: State, inputs: Sequence[Tensor]) -> Tensor:
    """The first part of the state after each view, (B, V, ...).

    Args:
        step: The state and the inputs of one view to the next state, all new tensors.
        state: Before the first view, each part a tensor (B, ...) of its own.
        inputs: Each (B, V, ...).
    """
    if isinstance(inputs[0].shape[1], torch.SymInt):
        return _scan(step, state, inputs)
    states = []
    for view in zip(*(x.unbind(1) for x in inputs), strict=True):
        state = step(state, view)
        states.append(state[0])
    return torch.stack(states, dim=1)


def _scan(step: Callable[[State, State], State], state: State, inputs: Sequence[Tensor]) -> Tensor:
    """The same for a number of views that is not known yet: of a network that is exported."""
    from torch._higher_order_ops.scan import scan

    def body(state: State, view: State) -> tuple[State, Tensor]:
        state = step(state, view)
        return state, state[0].clone()  # no tensor may come out twice

    return scan(body, state, tuple(x.movedim(1, 0) for x in inputs))[1].movedim(0, 1)
