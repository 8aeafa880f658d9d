# SPDX-License-Identifier: MIT
from __future__ import annotations

from torch import Tensor, nn

from voxrecon.registry import MODELS


@MODELS.register_module()
class MeanFusion(nn.Module):
    """The plain mean of the coarse volumes: the baseline of Pix2Vox, section 4.6."""

    def score(self, context: Tensor) -> None:
        """A mean needs no scores."""
        return None

    def fuse(self, coarse: Tensor, scores: Tensor | None) -> Tensor:
        """Coarse volumes (B, V, X, Y, Z) to one (B, X, Y, Z)."""
        return coarse.mean(dim=1)
