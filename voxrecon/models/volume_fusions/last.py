# SPDX-License-Identifier: MIT
from __future__ import annotations

from torch import Tensor, nn

from voxrecon.registry import MODELS


@MODELS.register_module()
class LastFusion(nn.Module):
    """The volume after the last view: the answer of a recurrent network (3D-R2N2)."""

    uses_last_only = True  # in training the others need not be decoded

    def score(self, context: Tensor) -> None:
        """The last needs no scores."""
        return None

    def fuse(self, coarse: Tensor, scores: Tensor | None) -> Tensor:
        """Coarse volumes (B, V, X, Y, Z) to one (B, X, Y, Z)."""
        return coarse[:, -1]
