# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from voxrecon.models.layout import fast_layout
from voxrecon.registry import MODELS


def conv_layer(in_channels: int, out_channels: int, slope: float) -> nn.Sequential:
    """3x3x3 convolution, batch norm, leaky ReLU: the layer of which both published scorers are
    made.
    """
    return nn.Sequential(
        nn.Conv3d(in_channels, out_channels, 3, padding=1),
        nn.BatchNorm3d(out_channels),
        nn.LeakyReLU(slope, inplace=True),
    )


def fold_views(context: Tensor) -> Tensor:
    """Context (B, V, K, X, Y, Z) to (B*V, K, X, Y, Z)."""
    return fast_layout(context.flatten(0, 1))


class SoftmaxFusion(nn.Module):
    """Fusion of coarse volumes by a score per view and voxel, softmax over the views."""

    passes_single_view = True  # the softmax over one view is 1, whatever its score

    def fuse(self, coarse: Tensor, scores: Tensor | None) -> Tensor:
        """Coarse volumes and scores, both (B, V, X, Y, Z), to one volume (B, X, Y, Z).

        A single view needs no scores.
        """
        if scores is None:
            return coarse[:, 0]
        weights = scores.float().softmax(dim=1)  # (B, V, X, Y, Z)
        return (coarse * weights).sum(dim=1).clamp(0, 1)


@MODELS.register_module()
class ContextAwareFusion(SoftmaxFusion):
    """Context-aware fusion of Pix2Vox (section 3.2.3).

    The released code has widths 16-8-4-2-1 where the paper prints 9-16-8-4-1, and batch norm and
    leaky ReLU behind the last layer as well; this follows the code.
    """

    def __init__(
        self, in_channels: int = 9, channels: Sequence[int] = (16, 8, 4, 2, 1), slope: float = 0.2
    ) -> None:
        super().__init__()
        widths = [in_channels, *channels]
        self.layers = nn.Sequential(
            *(conv_layer(a, b, slope) for a, b in zip(widths[:-1], widths[1:], strict=True))
        )

    def score(self, context: Tensor) -> Tensor:
        """Context (B, V, K, X, Y, Z) to scores (B, V, X, Y, Z)."""
        return self.layers(fold_views(context))[:, 0].unflatten(0, context.shape[:2])
