# SPDX-License-Identifier: MIT
from __future__ import annotations

import torch
from torch import Tensor, nn

from voxrecon.errors import ConfigError
from voxrecon.registry import MODELS

REDUCTIONS = ("sum", "mean")
AGGREGATIONS = ("mean", "poe")


@MODELS.register_module()
class VAEBottleneck(nn.Module):
    """All views of an object through one latent vector of a variational autoencoder.

    Two linear maps give the mean and the log-variance of a Gaussian; the latent is drawn from it in
    training (reparameterisation; Kingma & Welling, ICLR 2014, section 2.4) and is its mean in
    evaluation. The KL divergence from the prior N(0, 1) is added to the loss. A vector per object
    comes out, so the decoder needs a ``stem``.

    The README of the public Pix2Vox-VAE calls the second map log sigma, its code takes
    ``exp(x / 2)`` as the standard deviation; so it is the log-variance, here too. That code draws
    the latent in evaluation as well.

    Args:
        in_features: Values of a view's features.
        latent: Values of the latent vector.
        kl_weight: Of the KL divergence in the loss.
        kl_reduction: Over the batch, after the sum over the latent: ``"sum"`` as in the public
            code, whose weight thus grows with the batch, or ``"mean"``.
        aggregation: ``"mean"``: one Gaussian from the mean of the views' features (public code).
            ``"poe"``: one Gaussian per view, multiplied with each other and with the prior (product
            of experts; Wu & Goodman, NeurIPS 2018, section 2.2): each view makes it narrower.
    """

    scope = "set"

    def __init__(
        self,
        in_features: int,
        latent: int = 64,
        kl_weight: float = 1e-4,
        kl_reduction: str = "sum",
        aggregation: str = "mean",
    ) -> None:
        super().__init__()
        if latent < 1:
            raise ConfigError(f"VAEBottleneck: latent={latent}, expected at least 1")
        if not kl_weight >= 0:
            raise ConfigError(f"VAEBottleneck: kl_weight={kl_weight}, expected from 0")
        for name, word, known in (
            ("kl_reduction", kl_reduction, REDUCTIONS),
            ("aggregation", aggregation, AGGREGATIONS),
        ):
            if word not in known:
                raise ConfigError(
                    f"VAEBottleneck: {name}={word!r}, expected one of {', '.join(known)}"
                )
        self.kl_weight, self.kl_reduction, self.aggregation = kl_weight, kl_reduction, aggregation
        self.mean = nn.Linear(in_features, latent)
        self.log_variance = nn.Linear(in_features, latent)

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        """Features (B, V, ...) to one latent vector per object, (B, 1, latent).

        ``aux`` has ``mean`` and ``log_variance`` (B, latent) of the posterior, in training
        ``loss_kl`` too.
        """
        x = x.flatten(2)
        if x.shape[2] != self.mean.in_features:
            raise ConfigError(
                f"VAEBottleneck: {x.shape[2]} values a view, "
                f"expected in_features={self.mean.in_features}"
            )
        if self.aggregation == "mean":
            x = x.mean(dim=1, keepdim=True)
        # float32 from here on, also under autocast: KL and noise are small differences
        mean, log_variance = self.mean(x).float(), self.log_variance(x).float()  # (B, V', latent)
        if self.aggregation == "mean":
            mean, log_variance = mean[:, 0], log_variance[:, 0]
        else:
            mean, log_variance = product_of_experts(mean, log_variance)
        aux = {"mean": mean, "log_variance": log_variance}
        if not self.training:
            return mean[:, None], aux
        kl = kl_divergence(mean, log_variance)
        aux["loss_kl"] = self.kl_weight * (kl.sum() if self.kl_reduction == "sum" else kl.mean())
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        return z[:, None], aux

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """``n`` latent vectors (n, 1, latent) drawn from the prior; the reconstructor's ``decode``
        makes volumes of them.

        A generator on the CPU draws the same numbers for every device.
        """
        like = self.mean.weight
        device = like.device if generator is None else generator.device
        z = torch.randn(n, 1, self.mean.out_features, generator=generator, device=device)
        return z.to(like.device)


def product_of_experts(mean: Tensor, log_variance: Tensor) -> tuple[Tensor, Tensor]:
    """The product of Gaussians (B, V, L) and the prior N(0, 1): mean and log-variance (B, L).

    Precisions add up, the prior's 1 included, and weigh the means. As a softmax of the logarithms
    no precision overflows.
    """
    log_precision = torch.cat([torch.zeros_like(log_variance[:, :1]), -log_variance], dim=1)
    weights = log_precision.softmax(dim=1)[:, 1:]  # the prior's mean is 0
    return (weights * mean).sum(dim=1), -log_precision.logsumexp(dim=1)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Of N(mean, exp(log_variance)) from N(0, 1), summed over the latent: (B, L) to (B,)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(dim=1)
