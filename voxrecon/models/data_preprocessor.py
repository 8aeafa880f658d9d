# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor
from torch.nn import functional as F

from voxrecon.errors import ConfigError
from voxrecon.registry import MODELS

GREY = (0.299, 0.587, 0.114)  # weights of R, G, B
# PCA lighting of AlexNet (Krizhevsky et al. 2012, section 4.1): a row of eigenvectors per channel,
# and eigenvalues
EIGENVECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)
EIGENVALUES = (0.2175, 0.0188, 0.0045)


@MODELS.register_module()
class VoxelDataPreprocessor(BaseDataPreprocessor):
    """uint8 RGBA crops to normalised network input: batched, in float32, on the device.

    The steps are those of the public Pix2Vox transforms, in their order: bilinear resize of all
    four channels; pixels whose alpha is exactly 0 take the background colour, all others keep
    theirs; colour jitter, PCA noise, normalisation and channel permutation; flip. The random
    parameters come with the batch (``augment``), drawn by the data set. Nothing clamps between
    jitter and permutation, so all of these are one 3x4 matrix per view.

    Args:
        size: Side of the network's input, in pixels.
        background: Grey level 0..255 behind the object where no augmentation draws one.
        mean, std: Normalisation of values in [0, 1].
        channel_order: ``"bgr"`` as the published weights need it, or ``"rgb"``.
    """

    def __init__(
        self,
        size: int = 224,
        background: float = 240.0,
        mean: Sequence[float] = (0.5, 0.5, 0.5),
        std: Sequence[float] = (0.5, 0.5, 0.5),
        channel_order: str = "bgr",
    ) -> None:
        super().__init__()
        if channel_order not in ("bgr", "rgb"):
            raise ConfigError(f"channel_order {channel_order!r}: expected bgr or rgb")
        if len(mean) != 3 or len(std) != 3 or not all(std):
            raise ConfigError(f"mean {mean}, std {std}: expected three numbers each, std not 0")
        self.size, self.background = size, background / 255
        self.bgr = channel_order == "bgr"
        for name, value in (
            ("mean", mean),
            ("std", std),
            ("grey", GREY[::-1] if self.bgr else GREY),
            # the public code adds the red row to channel 0 whatever the channel order
            (
                "pca",
                [[e * v for e, v in zip(row, EIGENVALUES, strict=True)] for row in EIGENVECTORS],
            ),
        ):
            # on the CPU, also while a model is built on the meta device
            self.register_buffer(name, torch.tensor(value, device="cpu"), persistent=False)

    def forward(self, data: dict, training: bool = False) -> dict:
        """A collated batch to ``{"inputs": (B, V, 3, H, W) float32, "data_samples": [...]}``.

        ``data["inputs"]`` holds ``images`` (B, V, h, w, 4) uint8, optionally ``voxels`` (B, X, Y,
        Z) uint8, which become ``gt_voxels`` of the data samples, and ``augment``, a dict of drawn
        parameters.
        """
        data = self.cast_data(data)
        inputs, samples = data["inputs"], data.get("data_samples")
        if samples is not None and "voxels" in inputs:
            for sample, voxels in zip(samples, inputs["voxels"], strict=True):
                sample.gt_voxels = voxels
        with torch.autocast(inputs["images"].device.type, enabled=False):
            images = self.prepare(inputs["images"], inputs.get("augment"))
        return {"inputs": images, "data_samples": samples}

    def prepare(self, images: Tensor, augment: dict[str, Tensor] | None = None) -> Tensor:
        """RGBA (B, V, h, w, 4) uint8 to network input (B, V, 3, H, W) float32."""
        batch, views = images.shape[:2]
        x = images.flatten(0, 1).permute(0, 3, 1, 2).float().div_(255)  # (B*V, 4, h, w)
        x = F.interpolate(x, (self.size, self.size), mode="bilinear", align_corners=False)
        alpha, x = x[:, 3:], x[:, :3]  # (B*V, 1, H, W), (B*V, 3, H, W)
        if self.bgr:
            x = x.flip(1)
        if augment:
            background = augment["background"].repeat_interleave(views, 0)
            background = background[:, :, None, None]  # (B*V, 3, 1, 1)
        else:
            background = self.background
        x = torch.where(alpha == 0, background, x)
        matrix, offset = self.colour(x.mean((2, 3)), augment, views)
        x = torch.baddbmm(offset[:, :, None], matrix, x.flatten(2)).view_as(x)
        if augment:
            flip = augment["flip"].flatten()[:, None, None, None]  # (B*V, 1, 1, 1)
            x = torch.where(flip, x.flip(-1), x)
        return x.unflatten(0, (batch, views))

    def colour(
        self, means: Tensor, augment: dict[str, Tensor] | None, views: int
    ) -> tuple[Tensor, Tensor]:
        """Compose all photometric steps to ``y = matrix @ x + offset``.

        Args:
            means: Channel means (B*V, 3) of each view after background; the contrast blends with
                their grey.
            augment: ``factors`` (B, 3) of brightness, contrast, saturation; ``order`` (B, 3), in
                which these three are applied; ``noise`` (B, 3); ``permutation`` (B, 3) of the
                channels.

        Returns:
            Matrix (B*V, 3, 3) and offset (B*V, 3).
        """
        n = len(means)
        matrix = torch.eye(3, device=means.device).expand(n, 3, 3)
        offset = means.new_zeros(n, 3)
        if augment:
            # (B*V, ...): every view of an object has the same parameters
            factors, order, noise, permutation = (
                augment[key].repeat_interleave(views, 0)
                for key in ("factors", "order", "noise", "permutation")
            )
            brightness, contrast, saturation = factors[:, :, None].unbind(1)  # each (B*V, 1)
            to_grey = self.grey.expand(3, 3)  # every row weighs R, G, B
            saturate = (
                saturation[..., None] * torch.eye(3, device=means.device)
                + (1 - saturation[..., None]) * to_grey
            )
            for step in order.unbind(1):
                now = (matrix @ means[..., None])[..., 0] + offset  # (B*V, 3) channel means so far
                matrices = torch.stack(
                    [
                        brightness[..., None] * matrix,
                        contrast[..., None] * matrix,
                        saturate @ matrix,
                    ],
                    1,
                )
                offsets = torch.stack(
                    [
                        brightness * offset,
                        contrast * offset + (1 - contrast) * (now @ self.grey)[:, None],
                        (saturate @ offset[..., None])[..., 0],
                    ],
                    1,
                )
                rows = torch.arange(n, device=means.device)
                matrix, offset = matrices[rows, step], offsets[rows, step]
            offset = offset + noise @ self.pca.T
        matrix, offset = matrix / self.std[:, None], (offset - self.mean) / self.std
        if augment:
            matrix = matrix.gather(1, permutation[..., None].expand(n, 3, 3))
            offset = offset.gather(1, permutation)
        return matrix, offset
