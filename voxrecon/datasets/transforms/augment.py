# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from voxrecon.errors import ConfigError
from voxrecon.registry import TRANSFORMS


@TRANSFORMS.register_module()
class DrawAugmentation(BaseTransform):
    """Draw the parameters of Pix2Vox's augmentation, in its order, from ``rng`` into ``augment``;
    nothing is applied.

    ``VoxelDataPreprocessor`` applies them to whole batches. All views of a sample share the
    parameters but ``flip``:

    ============== ================= ===============================================================
    background     (3,) float32      grey levels / 255, where alpha is 0
    factors        (3,) float32      of brightness, contrast, saturation: 1 + U(-x, x)
    order          (3,) int64        in which these three are applied
    noise          (3,) float32      coefficients of the PCA lighting, N(0, noise_std)
    flip           (V,) bool         mirror this view; the grid is not mirrored, as published
    permutation    (3,) int64        of the colour channels
    ============== ================= ===============================================================

    Args:
        background: Lowest and highest grey level 0..255, both included.
        brightness, contrast, saturation: The x above, 0 for none.
        noise_std: Standard deviation of the coefficients.
        flip: Probability, for each view by itself.
        permute: Draw a permutation; the identity otherwise.
    """

    def __init__(
        self,
        background: Sequence[int] = (225, 255),
        brightness: float = 0.4,
        contrast: float = 0.4,
        saturation: float = 0.4,
        noise_std: float = 0.1,
        flip: float = 0.5,
        permute: bool = True,
    ) -> None:
        if len(background) != 2 or not 0 <= background[0] <= background[1] <= 255:
            raise ConfigError(
                f"background {background!r}, expected (lowest, highest) within 0..255"
            )
        if min(brightness, contrast, saturation, noise_std) < 0:
            given = (brightness, contrast, saturation, noise_std)
            raise ConfigError(
                f"brightness, contrast, saturation, noise_std {given}, expected from 0"
            )
        if not 0 <= flip <= 1:
            raise ConfigError(f"flip {flip!r}, expected a probability")
        self.background = tuple(background)
        self.jitter = np.array((brightness, contrast, saturation))
        self.noise_std, self.flip, self.permute = noise_std, flip, permute

    def transform(self, results: dict) -> dict:
        rng: np.random.Generator = results["rng"]
        low, high = self.background
        # the order of these entries is the order of drawing: part of what a seed means
        results["augment"] = {
            "background": (rng.integers(low, high + 1, 3) / 255).astype(np.float32),
            "factors": (1 + rng.uniform(-self.jitter, self.jitter)).astype(np.float32),
            "order": rng.permutation(3),
            "noise": rng.normal(0, self.noise_std, 3).astype(np.float32),
            "flip": rng.random(len(results["images"])) < self.flip,
            "permutation": rng.permutation(3) if self.permute else np.arange(3),
        }
        return results
