# SPDX-License-Identifier: MIT
from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from voxrecon.registry import MODELS


@MODELS.register_module()
class BCELoss(nn.Module):
    """Mean binary cross entropy of all voxels times ``weight`` (Pix2Vox, Eq. 3; the released code
    has weight 10).

    It works on probabilities: a fused volume mixes probabilities, so there are no logits to work
        on.
    """

    name = "bce"

    def __init__(self, weight: float = 10.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, volume: Tensor, target: Tensor) -> Tensor:
        """Probabilities and 0/1 targets, both (B, X, Y, Z) float32, to a scalar."""
        return self.weight * F.binary_cross_entropy(volume, target)
