# SPDX-License-Identifier: MIT
from __future__ import annotations

import torch
from torch import Tensor, nn

from voxrecon.registry import MODELS


@MODELS.register_module()
class FocalLoss(nn.Module):
    """Focal loss (Lin et al., ICCV 2017, Eq. 5) on voxels, mean over all of them.

    Args:
        gamma: Focusing exponent; 0 gives cross entropy weighted by ``alpha``.
        alpha: Weight of occupied voxels; empty ones have ``1 - alpha``.
    """

    name = "focal"

    def __init__(self, weight: float = 10.0, gamma: float = 2.0, alpha: float = 0.5) -> None:
        super().__init__()
        self.weight, self.gamma, self.alpha = weight, gamma, alpha

    def forward(self, volume: Tensor, target: Tensor) -> Tensor:
        """Probabilities and 0/1 targets, both (B, X, Y, Z) float32, to a scalar."""
        right = torch.where(target > 0.5, volume, 1 - volume)  # probability of the true state
        alpha = torch.where(target > 0.5, self.alpha, 1 - self.alpha)
        log = right.clamp(min=1e-12).log()
        return self.weight * (-alpha * (1 - right) ** self.gamma * log).mean()
