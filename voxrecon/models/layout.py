# SPDX-License-Identifier: MIT
from __future__ import annotations

import torch
from torch import Tensor


def fast_layout(x: Tensor) -> Tensor:
    """(B, C, X, Y, Z) with its channels last in memory.

    On a CPU narrow 3D convolutions take half the time so; on a GPU the layout stays.
    """
    return x if x.is_cuda else x.contiguous(memory_format=torch.channels_last_3d)
