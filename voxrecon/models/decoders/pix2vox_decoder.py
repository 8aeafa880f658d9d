# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from voxrecon.errors import ConfigError
from voxrecon.registry import MODELS

from .up_conv import UpConv3d


@MODELS.register_module()
class Pix2VoxDecoder(nn.Module):
    """Transposed 3D convolutions from a seed to a coarse volume per view (Pix2Vox, section 3.2.2).

    Whatever comes in per view is read, in C order, as a seed (C, s, s, s). Each entry of
    ``channels`` doubles the side; a 1x1x1 convolution with sigmoid closes. The context, from which
    a fusion scores the view, is the last feature volume and the coarse volume, concatenated.

    Args:
        seed: (C, s, s, s).
        channels: Output channels of each doubling, e.g. ``(512, 128, 32, 8)`` from 2^3 to 32^3.
        head_std: Of the closing convolution's initial weights. None leaves them as the public
            trainer draws them: with torch's fan-in of 1 for a transposed convolution that is 1.41,
            from which probabilities start saturated and short trainings do not recover.
        stem: Values of a vector per view (VAE), which a dense map brings to the seed's size; None:
            what comes in fills the seed, and there is no such map.
    """

    def __init__(
        self,
        seed: Sequence[int],
        channels: Sequence[int] = (512, 128, 32, 8),
        head_std: float | None = None,
        stem: int | None = None,
    ) -> None:
        super().__init__()
        self.seed, self.head_std = tuple(seed), head_std
        self.grid_size = self.seed[-1] * 2 ** len(channels)
        self.stem = None if stem is None else nn.Linear(stem, prod(self.seed))
        widths = [self.seed[0], *channels]
        self.layers = nn.Sequential(
            *(
                nn.Sequential(
                    UpConv3d(a, b),
                    nn.BatchNorm3d(b),
                    nn.ReLU(inplace=True),
                )
                for a, b in zip(widths[:-1], widths[1:], strict=True)
            )
        )
        self.head = nn.ConvTranspose3d(widths[-1], 1, 1, bias=False)

    def init_weights(self) -> None:
        """Draw the closing convolution's weights with ``head_std``; the reconstructor has drawn all
        others before."""
        if self.head_std is not None:
            nn.init.normal_(self.head.weight, 0, self.head_std)

    def forward(
        self, x: Tensor, targets: Tensor | None = None
    ) -> tuple[tuple[Tensor, Tensor], dict]:
        """Features (B, V, ...) to coarse and context.

        Coarse is (B, V, X, Y, Z) in [0, 1], context (B, V, K, X, Y, Z).
        """
        batch, views = x.shape[:2]
        values = prod(x.shape[2:])
        if self.stem is not None:
            if values != self.stem.in_features:
                raise ConfigError(
                    f"decoder: {values} values a view {tuple(x.shape[2:])}, "
                    f"expected stem={self.stem.in_features}"
                )
            x = self.stem(x.flatten(2))  # (B, V, C * s^3)
        elif values != prod(self.seed):
            raise ConfigError(
                f"decoder: {values} values a view {tuple(x.shape[2:])} do not fill "
                f"seed={self.seed} ({prod(self.seed)} values)"
            )
        features = self.layers(x.reshape(batch * views, *self.seed))  # (B*V, c, X, Y, Z)
        # float32: bf16 rounds 0.999 to 1
        coarse = self.head(features).float().sigmoid()  # (B*V, 1, X, Y, Z)
        context = torch.cat([features, coarse.to(features.dtype)], dim=1)
        return (
            coarse[:, 0].unflatten(0, (batch, views)),
            context.unflatten(0, (batch, views)),
        ), {}
