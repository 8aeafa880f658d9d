# SPDX-License-Identifier: MIT
"""The VAE bottleneck against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from shrink import ROOT, shrink
from torch.distributions import Normal
from torch.distributions import kl_divergence as slow_kl

from voxrecon.engine.config import load_config
from voxrecon.errors import ConfigError
from voxrecon.models import Pix2VoxDecoder, VAEBottleneck
from voxrecon.models.feature_fusions.vae import kl_divergence, product_of_experts
from voxrecon.registry import MODELS

CONFIGS = ROOT / "projects" / "pix2voxpp_vae" / "configs"


def bottleneck(in_features: int = 12, latent: int = 4, **options) -> VAEBottleneck:
    torch.manual_seed(0)
    return VAEBottleneck(in_features, latent, **options)


def fixed(mean: float, log_variance: float, latent: int = 1, **options) -> VAEBottleneck:
    """The same Gaussian whatever comes in."""
    vae = VAEBottleneck(1, latent, **options)
    for layer, value in ((vae.mean, mean), (vae.log_variance, log_variance)):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.constant_(layer.bias, value)
    return vae


# ---- KL divergence


def test_kl_of_known_gaussians():
    # (mean^2 + variance - 1 - log variance) / 2, summed over the latent
    mean = torch.tensor([[0.0, 0.0], [1.0, -2.0]])
    log_variance = torch.tensor([[0.0, 0.0], [0.0, math.log(4)]])
    assert kl_divergence(mean, log_variance)[0] == 0
    expected = 0.5 * 1 + 0.5 * (4 + 4 - 1 - math.log(4))
    assert kl_divergence(mean, log_variance)[1].item() == pytest.approx(expected)


def test_kl_against_torch_distributions():
    torch.manual_seed(0)
    mean, log_variance = torch.randn(5, 7), torch.randn(5, 7)
    slow = slow_kl(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(dim=1)
    assert torch.allclose(kl_divergence(mean, log_variance), slow, atol=1e-6)


@pytest.mark.parametrize(("reduction", "expected"), [("sum", 0.5 * 3 * 2), ("mean", 0.5 * 2)])
def test_the_loss_is_weighted_and_reduced_over_the_batch(reduction, expected):
    # N(1, 1) in each of two dimensions: 1/2 each, for three objects
    vae = fixed(1.0, 0.0, latent=2, kl_weight=0.1, kl_reduction=reduction).train()
    _, aux = vae(torch.zeros(3, 2, 1))
    assert aux["loss_kl"].item() == pytest.approx(0.1 * expected)


def test_at_64_objects_both_configs_weigh_the_kl_alike():
    losses = []
    for name in ("pix2vox_vae", "pix2voxpp_vae"):
        cfg = load_config(CONFIGS / f"{name}.py")
        options = {k: cfg.model.feature_fusion[k] for k in ("kl_weight", "kl_reduction")}
        batch = cfg.train_dataloader.batch_size
        vae = fixed(0.5, -1.0, latent=64, **options).train()
        losses.append(vae(torch.zeros(batch, 1, 1))[1]["loss_kl"].item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_gradient_of_the_kl():
    # d/d mean = mean, d/d log variance = (variance - 1) / 2
    mean = torch.tensor([[0.3, -2.0]], requires_grad=True)
    log_variance = torch.tensor([[math.log(3), -1.0]], requires_grad=True)
    kl_divergence(mean, log_variance).sum().backward()
    assert torch.allclose(mean.grad, mean)
    assert torch.allclose(log_variance.grad, torch.tensor([[1.0, (math.exp(-1) - 1) / 2]]))


# ---- several views


def test_product_of_two_experts_and_the_prior():
    # precisions 1 (prior), 2 and 4: precision 7, mean (0 + 2 * 1 + 4 * 3) / 7 = 2
    mean = torch.tensor([1.0, 3.0]).view(1, 2, 1)
    log_variance = -torch.tensor([2.0, 4.0]).log().view(1, 2, 1)
    mean, log_variance = product_of_experts(mean, log_variance)
    assert mean.shape == log_variance.shape == (1, 1)
    assert mean.item() == pytest.approx(2.0)
    assert log_variance.item() == pytest.approx(-math.log(7))


def test_product_of_one_view_is_that_view_and_the_prior():
    # precision 3 beside the prior's 1
    mean, log_variance = product_of_experts(
        torch.full((1, 1, 1), 2.0), torch.full((1, 1, 1), -math.log(3))
    )
    assert mean.item() == pytest.approx(1.5) and log_variance.exp().item() == pytest.approx(0.25)
    # a view that knows everything hides the prior, one that knows nothing leaves it
    for given, expected in ((-200.0, (2.0, -200.0)), (200.0, (0.0, 0.0))):
        product = product_of_experts(torch.full((1, 1, 1), 2.0), torch.full((1, 1, 1), given))
        assert [part.item() for part in product] == pytest.approx(expected)


def test_more_views_make_the_posterior_narrower():
    vae = bottleneck(aggregation="poe").eval()
    x = torch.rand(1, 4, 12)
    spreads = [vae(x[:, :n])[1]["log_variance"] for n in (1, 2, 3, 4)]
    for more, fewer in zip(spreads[1:], spreads[:-1], strict=True):
        assert (more < fewer).all()


def test_the_mean_of_features_is_what_one_view_of_that_mean_gives():
    vae = bottleneck(aggregation="mean").eval()
    x = torch.rand(2, 3, 3, 2, 2)
    assert torch.allclose(vae(x)[0], vae(x.mean(dim=1, keepdim=True))[0], atol=1e-6)
    expected = x.flatten(2).mean(dim=1) @ vae.mean.weight.T + vae.mean.bias
    assert torch.allclose(vae(x)[0][:, 0], expected, atol=1e-6)


@pytest.mark.parametrize("aggregation", ["mean", "poe"])
def test_the_order_of_views_does_not_matter(aggregation):
    vae = bottleneck(aggregation=aggregation).eval()
    x = torch.rand(2, 4, 12)
    assert torch.allclose(vae(x)[0], vae(x[:, [3, 1, 0, 2]])[0], atol=1e-6)


# ---- drawing


@pytest.mark.parametrize("aggregation", ["mean", "poe"])
def test_evaluation_gives_the_mean(aggregation):
    vae = bottleneck(aggregation=aggregation).eval()
    x = torch.rand(2, 3, 3, 2, 2)
    z, aux = vae(x)
    assert z.shape == (2, 1, 4) and aux.keys() == {"mean", "log_variance"}
    assert torch.equal(z[:, 0], aux["mean"]) and torch.equal(z, vae(x)[0])


def test_training_draws_with_the_posterior_spread():
    # the second map is log-variance: exp(x / 2), not exp(x)
    vae = fixed(3.0, math.log(0.25), latent=2).train()
    z, aux = vae(torch.zeros(50_000, 1, 1))
    assert z.mean().item() == pytest.approx(3.0, abs=0.01)
    assert z.std().item() == pytest.approx(0.5, abs=0.01)
    assert aux["mean"].shape == aux["log_variance"].shape == (50_000, 2)


def test_the_drawn_latent_passes_gradients_to_mean_and_spread():
    # z = mean + exp(x / 2) * noise: dz/dx = (z - mean) / 2
    vae = fixed(0.0, 0.0).train()
    z, _ = vae(torch.zeros(1, 1, 1))
    z.sum().backward()
    assert vae.mean.bias.grad.item() == 1
    assert vae.log_variance.bias.grad.item() == pytest.approx(z.item() / 2)


def test_float32_under_autocast():
    vae = bottleneck(aggregation="poe").train()
    with torch.autocast("cpu", torch.bfloat16):
        z, aux = vae(torch.rand(2, 3, 12))
    assert z.dtype == torch.float32
    assert {value.dtype for value in aux.values()} == {torch.float32}


def test_samples_of_the_prior():
    vae = bottleneck(latent=64)
    z = vae.sample(500, torch.Generator().manual_seed(1))
    assert z.shape == (500, 1, 64)
    assert z.mean().item() == pytest.approx(0, abs=0.02)
    assert z.std().item() == pytest.approx(1, abs=0.02)
    assert torch.equal(z, vae.sample(500, torch.Generator().manual_seed(1)))
    assert not torch.equal(z, vae.sample(500))


def test_samples_become_volumes():
    model = MODELS.build(shrink(load_config(CONFIGS / "pix2voxpp_vae.py").model.to_dict())).eval()
    with torch.no_grad():
        volumes = model.decode(model.feature_fusion.sample(3))
    assert volumes.shape == (3, 32, 32, 32)
    assert volumes.min() >= 0 and volumes.max() <= 1


# ---- the decoder's stem, and wrong arguments


def test_the_stem_fills_the_seed():
    torch.manual_seed(0)
    decoder = Pix2VoxDecoder(seed=(4, 2, 2, 2), channels=(3, 2), stem=5).eval()
    plain = Pix2VoxDecoder(seed=(4, 2, 2, 2), channels=(3, 2)).eval()
    keys = plain.state_dict().keys()
    assert decoder.state_dict().keys() - keys == {"stem.weight", "stem.bias"}
    assert decoder.stem.weight.shape == (32, 5)
    plain.load_state_dict({key: decoder.state_dict()[key] for key in keys})
    z = torch.randn(2, 3, 5)
    with torch.no_grad():
        seed = z @ decoder.stem.weight.T + decoder.stem.bias
        assert torch.allclose(decoder(z)[0][0], plain(seed)[0][0], atol=1e-6)
    with pytest.raises(ConfigError, match=r"decoder: 6 values a view \(6,\), expected stem=5"):
        decoder(torch.zeros(1, 1, 6))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent": 0}, "latent=0, expected at least 1"),
        ({"kl_reduction": "none"}, "kl_reduction='none', expected one of sum, mean"),
        ({"aggregation": "max"}, "aggregation='max', expected one of mean, poe"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ConfigError, match=message):
        bottleneck(**options)


def test_features_of_another_size():
    with pytest.raises(ConfigError, match="10 values a view, expected in_features=12"):
        bottleneck()(torch.zeros(1, 1, 10))
