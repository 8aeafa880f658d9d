# SPDX-License-Identifier: MIT
from __future__ import annotations

import torch
from torch import Tensor, nn

from voxrecon.registry import MODELS

from .context_aware import SoftmaxFusion, conv_layer, fold_views


@MODELS.register_module()
class MultiScaleContextAwareFusion(SoftmaxFusion):
    """Multi-scale context-aware fusion of Pix2Vox++ (section 3.2.3).

    ``scales`` layers in series see ever larger neighbourhoods; the outputs of all of them are
    concatenated, reduced to ``in_channels`` and scored.
    """

    def __init__(self, in_channels: int = 9, scales: int = 4, slope: float = 0.2) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            conv_layer(in_channels, in_channels, slope) for _ in range(scales)
        )
        self.reduce = conv_layer(scales * in_channels, in_channels, slope)
        self.head = conv_layer(in_channels, 1, slope)

    def score(self, context: Tensor) -> Tensor:
        """Context (B, V, K, X, Y, Z) to scores (B, V, X, Y, Z)."""
        x, outputs = fold_views(context), []
        for layer in self.scales:
            x = layer(x)  # (B*V, K, X, Y, Z)
            outputs.append(x)
        return self.head(self.reduce(torch.cat(outputs, dim=1)))[:, 0].unflatten(
            0, context.shape[:2]
        )
