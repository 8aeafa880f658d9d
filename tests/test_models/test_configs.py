# SPDX-License-Identifier: MIT
"""Every config: at full size on the meta device, and its small twin in action."""

from __future__ import annotations

import re

import pytest
import torch
import yaml
from safetensors.torch import load, save
from shrink import CONFIGS, ROOT, SIZE, shrink

from voxrecon.engine.config import load_config
from voxrecon.models import VoxelReconstructor
from voxrecon.registry import MODELS

# the others have no other parts, only other numbers; on the meta device they cost nothing
SMALL = [
    config
    for config in CONFIGS
    if not re.search("_128|_small|_captured|_flat|_pix3d|_pascal3d|_things3d", config)
]
PARAMETERS = {  # counted from the published code; the papers print them in millions
    "configs/pix2vox_f.py": 7_436_307,
    "configs/pix2vox_a.py": 114_244_467,
    "configs/pix2voxpp_f.py": 4_843_245,
    "configs/pix2voxpp_a.py": 96_329_421,
    "configs/quickstart.py": 1_938_219,
    "projects/pix2voxpp_vae/configs/pix2vox_vae.py": 117_406_707,
    "projects/r2n2/configs/r2n2.py": 35_968_706,
    "projects/attsets/configs/attsets.py": 17_709_025,
}
SEQUENTIAL = ("ConvLSTMFusion", "ConvGRUFusion")  # the order of the views matters to them
AUX_LOSSES = {"VAEBottleneck": {"loss_kl"}, "MemoryBankFusion": {"loss_triplet"}}


def feature_fusion(model: VoxelReconstructor) -> str:
    return type(model.feature_fusion).__name__


def build(config: str, small: bool = True) -> VoxelReconstructor:
    torch.manual_seed(0)
    cfg = load_config(ROOT / config).model
    model = MODELS.build(shrink(cfg) if small else cfg)
    if small:
        model.init_weights()
    if small and getattr(model.feature_fusion, "memory", None):
        fill(model)
    return model


def fill(model: VoxelReconstructor) -> None:
    """Shapes into an empty memory, of which every view recalls some."""
    memory, generator = model.feature_fusion.memory, torch.Generator().manual_seed(2)
    keys = torch.rand(5, memory.keys.shape[1], generator=generator)
    grids = torch.rand(5, memory.cells, generator=generator) > torch.arange(5)[:, None] / 5
    memory.write(torch.nn.functional.normalize(keys), grids)
    model.feature_fusion.beta = -1


def images(views: int, batch: int = 2, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, views, 3, SIZE, SIZE, generator=generator) * 2 - 1


@pytest.mark.parametrize("config", CONFIGS)
def test_full_size_on_meta(config):
    with torch.device("meta"):
        model = build(config, small=False).eval()
        side = model.data_preprocessor.size
        volume = model(torch.zeros(2, 2, 3, side, side))
    assert volume.shape == (2, *[model.grid_size] * 3)
    count = sum(p.numel() for p in model.parameters())
    stated = {**PARAMETERS, **stated_parameters()}
    assert count == stated.get(config, count) == PARAMETERS.get(config, count)


def stated_parameters() -> dict[str, int]:
    """What the metafiles say of their configs."""
    models = [
        model
        for path in (ROOT / "configs" / "metafile.yml", *(ROOT / "projects").glob("*/metafile.yml"))
        for model in yaml.safe_load(path.read_text())["Models"]
    ]
    return {model["Config"]: model["Metadata"]["Parameters"] for model in models}


def test_every_config_of_a_paper_is_in_its_metafile():
    assert set(stated_parameters()) == set(CONFIGS)


def test_every_counted_config_exists():
    assert set(PARAMETERS) <= set(CONFIGS)


@pytest.mark.parametrize("config", SMALL)
def test_forward_at_any_number_of_views(config):
    model = build(config).eval()
    for views in (1, 3, 8):
        with torch.no_grad():
            volume = model(images(views))
        assert volume.shape == (2, *[model.grid_size] * 3)
        assert volume.dtype == torch.float32
        assert volume.min() >= 0 and volume.max() <= 1
        assert volume.std() > 0


@pytest.mark.parametrize("config", [c for c in SMALL if not c.endswith("_64.py")])
def test_grids_of_64(config):
    """Every network of 32^3 makes 64^3 with one more doubling, and one more level to refine."""
    cfg = shrink(load_config(ROOT / config).model)
    cfg["decoder"]["channels"] = [*cfg["decoder"]["channels"], cfg["decoder"]["channels"][-1]]
    if cfg.get("refiner"):
        first, *others = cfg["refiner"]["channels"]
        cfg["refiner"].update(grid_size=64, channels=[first, first, *others])
    if (cfg.get("feature_fusion") or {}).get("grid_size"):
        cfg["feature_fusion"]["grid_size"] = 64
    torch.manual_seed(0)
    model = MODELS.build(cfg).train()
    model.init_weights()
    losses = model.loss(images(2), torch.zeros(2, 64, 64, 64))
    assert all(loss.isfinite() for loss in losses.values())
    with torch.no_grad():
        assert model.eval()(images(1)).shape == (2, 64, 64, 64)


@pytest.mark.parametrize("config", SMALL)
def test_gradients_reach_every_trainable_parameter(config):
    model = build(config).train()
    truth = (
        torch.rand(2, *[model.grid_size] * 3, generator=torch.Generator().manual_seed(1)) > 0.7
    ).float()
    losses = model.loss(images(3), truth)
    volumes = ["fused"] + ["refined"] * (model.refiner is not None)
    names = {f"loss_{loss.name}_{v}" for loss in model.losses for v in volumes}
    extra = AUX_LOSSES.get(feature_fusion(model), set())
    assert set(losses) == names | (extra if "no_memory" not in config else set())
    assert "loss_bce_fused" in losses
    sum(losses.values()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    if feature_fusion(model) == "MemoryBankFusion" and model.feature_fusion.memory:
        assert all(p.grad.any() for p in model.feature_fusion.lstm.parameters())


@pytest.mark.parametrize("config", SMALL)
def test_order_of_views_matters_to_recurrences_alone(config):
    model = build(config).eval()
    x = images(4)
    with torch.no_grad():
        same = torch.allclose(model(x), model(x[:, [2, 0, 3, 1]]), atol=1e-5)
    assert same == (feature_fusion(model) not in SEQUENTIAL)


@pytest.mark.parametrize("config", SMALL)
def test_prefixes_equal_separate_runs(config):
    model = build(config).eval()
    x = images(5)
    with torch.no_grad():
        state = model.encode(x)
        for n in (1, 2, 5):
            assert torch.allclose(model.fuse(state, n)["volume"], model(x[:, :n]), atol=1e-6)


@pytest.mark.parametrize("config", SMALL)
def test_single_view_passes_the_fusion_unchanged(config):
    model = build(config).eval()
    with torch.no_grad():
        pair = model.encode(images(2))  # scored
        state = model.encode(images(2)[:, :1])  # not scored
        assert torch.equal(model.fuse(state)["fused"], state["coarse"][:, 0])
        assert torch.allclose(model.fuse(pair, 1)["fused"], state["coarse"][:, 0], atol=1e-6)


@pytest.mark.parametrize("config", SMALL)
def test_freezing_the_fusion_changes_no_gradient_of_a_single_view(config):
    gradients = []
    for frozen in ([], ["volume_fusion"]):
        model = build(config)
        model.freeze(frozen)
        model.train()
        truth = torch.ones(2, *[model.grid_size] * 3)
        sum(model.loss(images(1), truth).values()).backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    for name, gradient in gradients[0].items():
        if name.startswith("volume_fusion"):
            assert not gradient.any() and gradients[1][name] is None, name
        else:
            assert torch.equal(gradient, gradients[1][name]), name


@pytest.mark.parametrize("config", SMALL)
def test_chunks_of_views_change_nothing(config):
    model = build(config).eval()
    x = images(5)
    with torch.no_grad():
        whole = model(x)
        model.chunk = 2
        assert torch.allclose(model(x), whole, atol=1e-6)


@pytest.mark.parametrize("config", SMALL)
def test_weights_round_trip_through_safetensors(config):
    model, other = build(config).eval(), build(config).eval()
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter)
    other.load_state_dict(load(save({k: v.contiguous() for k, v in model.state_dict().items()})))
    x = images(2)
    with torch.no_grad():
        assert torch.equal(model(x), other(x))


@pytest.mark.parametrize("config", SMALL)
def test_autocast_keeps_volume_and_loss_in_float32(config):
    model = build(config).train()
    truth = torch.zeros(2, *[model.grid_size] * 3)
    with torch.autocast("cpu", torch.bfloat16):
        losses = model.loss(images(2), truth)
    for name, loss in losses.items():
        assert loss.dtype == torch.float32, name
        assert loss.isfinite(), name


@pytest.mark.parametrize("config", SMALL)
def test_frozen_slots_stand_still(config):
    model = build(config)
    model.freeze(["backbone", "neck", "decoder"])
    model.train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    trained = [p for p in model.parameters() if p.requires_grad]
    if not trained:
        pytest.skip("has nothing else to train; such a stage is refused")
    optimizer = torch.optim.Adam(trained, lr=1e-2)
    truth = torch.ones(2, *[model.grid_size] * 3)
    sum(model.loss(images(2), truth).values()).backward()
    optimizer.step()
    views = model.encode(images(2))["coarse"].shape[1]  # one, where features have been fused
    for key, value in model.state_dict().items():
        moved = not torch.equal(before[key], value)
        slot = key.split(".")[0]
        if slot in ("backbone", "neck", "decoder"):
            assert not moved, key
        elif key.endswith("weight") and (slot != "volume_fusion" or views > 1):
            assert moved, key
    model.freeze()
    assert all(p.requires_grad for name, p in model.named_parameters() if name not in model.fixed)
