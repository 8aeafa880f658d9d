# SPDX-License-Identifier: MIT
"""Reading, priors and the triplet loss of Mem3D, and its memory in checkpoints."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from mmengine.config import Config
from safetensors.torch import load_file, save_file
from shrink import ROOT, SIZE, shrink
from torch.nn.functional import normalize

from voxrecon.engine.checkpoint import load_weights, write_checkpoint, write_model
from voxrecon.errors import CheckpointError, ConfigError
from voxrecon.models import MemoryBankFusion
from voxrecon.registry import MODELS

EMBEDDED = dict(in_shape=(2, 1, 1), grid_size=4, slots=4, hidden=3, embedding=(2,), limit=3)


def fusion(**changes) -> MemoryBankFusion:
    torch.manual_seed(0)
    return MemoryBankFusion(**{**EMBEDDED, **changes})


def view(*values: float) -> torch.Tensor:
    """Features (1, 1, 2, 1, 1) of one view."""
    return torch.tensor(values).view(1, 1, 2, 1, 1)


def solid(side: int) -> torch.Tensor:
    """A grid (1, 4, 4, 4) whose corner of ``side`` cells is occupied."""
    grid = torch.zeros(1, 4, 4, 4)
    grid[:, :side, :side, :side] = 1
    return grid


def filled(**changes) -> MemoryBankFusion:
    """Keys at 0, 60 and 90 degrees, cubes of 2, 3 and 4."""
    bank = fusion(**changes)
    angles = torch.tensor([0, 60, 90]).deg2rad()
    keys = torch.stack([angles.cos(), angles.sin()], dim=1)
    grids = torch.cat([solid(side) for side in (2, 3, 4)]).flatten(1) > 0
    bank.memory.write(keys, grids)
    return bank


def test_what_is_read_and_in_which_order():
    bank = filled(beta=0.4).eval()
    x = view(math.cos(math.radians(70)), math.sin(math.radians(70)))
    y, aux = bank(torch.cat([x, -x], dim=1))
    # 10, 20 and 70 degrees away; only the first two are above 0.4
    assert aux["retrieved"].tolist() == [[[1, 2, -1], [-1, -1, -1]]]
    cosines = [math.cos(math.radians(10)), math.cos(math.radians(20)), 0.0]
    torch.testing.assert_close(aux["similarities"], torch.tensor([[cosines, [0.0] * 3]]))
    assert y.shape == (1, 2, 2 + 3) and torch.equal(y[..., :2], torch.cat([x, -x], 1).flatten(2))
    assert y[0, 0, 2:].abs().min() > 0 and not y[0, 1, 2:].any()


def test_beta_itself_is_not_above_beta():
    bank = filled(beta=1.0).eval()
    assert bank(view(1.0, 0.0))[1]["retrieved"].tolist() == [[[-1, -1, -1]]]


def test_limit_takes_the_most_similar():
    bank = filled(beta=-1.0, limit=2).eval()
    assert bank(view(0.0, 1.0))[1]["retrieved"].tolist() == [[[2, 1]]]
    longer = filled(beta=-0.5, limit=9).eval()
    assert longer(view(0.0, 1.0))[1]["retrieved"].tolist() == [[[2, 1, 0] + [-1] * 6]]


@pytest.mark.parametrize("embedding", [(), (2,), (2, 3)])
def test_the_prior_is_the_last_output_over_the_packed_sequence(embedding):
    bank = filled(embedding=embedding)
    slots = torch.tensor([[1, 2, -1], [0, -1, -1], [-1, -1, -1], [2, 1, 0]])
    priors = bank.encode_shapes(slots)
    for row, prior in zip(slots, priors, strict=True):
        row = row[row >= 0]
        if not len(row):
            assert not prior.any()
            continue
        grids = bank.memory.read(row).float().view(-1, 1, 4, 4, 4)
        _, (hidden, _) = bank.lstm(bank.embedding(grids).flatten(1)[None])
        torch.testing.assert_close(prior, hidden[0, 0])


def test_the_order_of_the_sequence_matters():
    bank = filled()
    a, b = bank.encode_shapes(torch.tensor([[0, 1, 2], [2, 1, 0]]))
    assert (a - b).abs().max() > 1e-3


def test_an_empty_memory_gives_a_zero_prior_and_zero_gradients():
    bank = fusion().train()
    x = view(1.0, 2.0).requires_grad_()
    y, aux = bank(x, solid(2))
    assert not y[..., 2:].any() and aux["retrieved"].tolist() == [[[-1, -1, -1]]]
    assert aux["loss_triplet"] == 0
    (y.sum() + aux["loss_triplet"]).backward()
    for name, parameter in bank.named_parameters():
        assert parameter.grad is not None and not parameter.grad.any(), name
    # read before written: the next step finds it
    assert bank(view(1.0, 2.0))[1]["retrieved"].tolist() == [[[0, -1, -1]]]


def test_triplet_by_hand():
    bank = filled(similarity="iou", delta=0.9, margin=0.1, triplet_weight=2.0).train()
    x = view(3.0, 0.0).requires_grad_()
    _, aux = bank(x, solid(3))  # the same shape at 60 degrees, another one at 0
    torch.testing.assert_close(aux["loss_triplet"], torch.tensor(2 * (1 - 0.5 + 0.1)))
    aux["loss_triplet"].backward()
    # d cos(60 degrees - angle) / d angle = sin(60 degrees), d angle / d y = 1 / 3
    expected = torch.tensor([0.0, -2 * math.sqrt(0.75) / 3])
    torch.testing.assert_close(x.grad.flatten(), expected)


def test_triplet_is_the_mean_over_views_that_have_both():
    bank = filled(similarity="iou", margin=0.1)
    queries = normalize(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    grids = torch.cat([solid(2), solid(3), solid(1)]).flatten(1) > 0  # the last is not stored
    loss = bank.triplet(queries, bank.memory.similarities(queries), grids)
    # 0 where the same shape leads by half; cos(0) - cos(30 degrees) + 0.1 at 90 degrees
    torch.testing.assert_close(loss, torch.tensor((0 + 1 - math.sqrt(0.75) + 0.1) / 2))


def test_views_are_queries_of_their_own_in_order():
    bank, apart = fusion().train(), fusion().train()
    x = torch.randn(2, 3, 2, 1, 1)
    truth = torch.cat([solid(2), solid(4)])
    bank(x, truth)
    for b in range(2):
        for v in range(3):
            apart(x[b : b + 1, v : v + 1], truth[b : b + 1])
    assert torch.equal(bank.memory.ages, apart.memory.ages)
    assert torch.equal(bank.memory.values, apart.memory.values)
    torch.testing.assert_close(bank.memory.keys, apart.memory.keys)


def test_it_writes_in_training_only():
    bank = filled()
    before = copy.deepcopy(bank.state_dict())
    bank.eval()(view(1.0, 1.0), solid(1))
    bank.train()(view(1.0, 1.0))
    assert all(torch.equal(value, before[key]) for key, value in bank.state_dict().items())
    bank(view(1.0, 1.0), solid(1))
    assert not torch.equal(bank.memory.ages, before["memory.ages"])


def test_pooled_keys_are_means():
    bank = fusion(in_shape=(2, 3, 3), key="pooled").train()
    x = torch.rand(1, 1, 2, 3, 3)
    y, _ = bank(x, solid(2))
    assert y.shape == (1, 1, 18 + 3)
    torch.testing.assert_close(bank.memory.keys[0], normalize(x[0, 0].mean((1, 2)), dim=0))


def test_autocast_rounds_no_similarity():
    bank, x = filled(), view(0.25, 0.75)
    exact = bank(x)[1]["similarities"]
    with torch.autocast("cpu", torch.bfloat16):
        y, aux = bank(x.bfloat16(), solid(3))
    assert torch.equal(aux["similarities"], exact) and y.dtype == torch.bfloat16
    assert aux["loss_triplet"].dtype == bank.memory.keys.dtype == torch.float32


def test_without_slots_the_prior_is_zero_and_nothing_is_learnt():
    bank = fusion(slots=0).train()
    y, aux = bank(view(1.0, 2.0), solid(2))
    assert y.tolist() == [[[1, 2, 0, 0, 0]]] and aux == {}
    assert not bank.state_dict()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(beta=1.5), "beta=1.5, expected a cosine, -1 to 1"),
        (dict(beta=-1.1), "beta=-1.1, expected a cosine, -1 to 1"),
        (dict(delta=1.01), "delta=1.01, expected 0 to 1"),
        (dict(delta=-0.1), "delta=-0.1, expected 0 to 1"),
        (dict(key="mean"), "key='mean', expected one of flat, pooled"),
        (dict(similarity="dice"), "similarity='dice', expected mse or iou"),
        (dict(key_dtype="int8"), "key_dtype='int8', expected one of float32, float16"),
        (dict(embedding=(2, 2, 2)), r"embedding=\(2, 2, 2\), expected halvings that divide 4"),
        (dict(grid_size=3), "grid_size=3, expected an even number"),
        (dict(slots=-1), "slots=-1, expected at least 0"),
        (dict(limit=0), "limit=0, expected at least 1"),
    ],
)
def test_wrong_arguments(changes, message):
    with pytest.raises(ConfigError, match=f"^MemoryBankFusion: {message}$"):
        fusion(**changes)


def test_wrong_shapes():
    with pytest.raises(ConfigError, match=r"\(2, 2, 2\) a view, expected in_shape=\(2, 1, 1\)"):
        fusion()(torch.zeros(1, 1, 2, 2, 2))
    with pytest.raises(ConfigError, match=r"grids \(8, 8, 8\), expected grid_size=4"):
        fusion().train()(view(1.0, 0.0), torch.zeros(1, 8, 8, 8))


# ---- in checkpoints


def network(seed: int = 0, **changes):
    torch.manual_seed(seed)
    cfg = shrink(Config.fromfile(ROOT / "projects" / "mem3d" / "configs" / "mem3d.py").model)
    cfg["decoder"]["channels"] = [8, 4]
    cfg["feature_fusion"].update({"grid_size": 8, "embedding": [4], "beta": 0.0, **changes})
    model = MODELS.build(cfg)
    model.init_weights()
    return model.train()


def steps(model, optimizer, first: int, count: int) -> None:
    for step in range(first, first + count):
        generator = torch.Generator().manual_seed(step)
        images = torch.rand(3, 2, 3, SIZE, SIZE, generator=generator)
        truth = (torch.rand(3, 8, 8, 8, generator=generator) > 0.5).float()
        optimizer.zero_grad()
        sum(model.loss(images, truth).values()).backward()
        optimizer.step()


@pytest.mark.parametrize("kind", ["pth", "safetensors"])
def test_a_resumed_memory_is_the_same_bit_for_bit(tmp_path, kind):
    whole, resumed = network(), network(seed=1)
    optimizers = [torch.optim.Adam(model.parameters(), 1e-3) for model in (whole, resumed)]
    steps(whole, optimizers[0], 0, 2)
    path = tmp_path / f"a.{kind}"
    if kind == "pth":
        torch.save(whole.state_dict(), path)
        resumed.load_state_dict(torch.load(path, weights_only=True))
    else:
        save_file(whole.state_dict(), path)
        resumed.load_state_dict(load_file(path))
    optimizers[1].load_state_dict(copy.deepcopy(optimizers[0].state_dict()))
    for model, optimizer in zip((whole, resumed), optimizers, strict=True):
        steps(model, optimizer, 2, 2)
    assert (whole.feature_fusion.memory.ages >= 0).sum() >= 6
    for key, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key


def checkpoint(model, path):
    meta = {"network": model.network, "grid_size": model.grid_size}
    write_checkpoint({"meta": meta, "state_dict": model.state_dict()}, path)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(slots=7), r"feature_fusion.memory.values is \(7, 64\) instead of \(12, 64\)"),
        (dict(grid_size=16, embedding=[4, 4]), r"memory.values is \(12, 512\) instead of"),
        (dict(key="pooled"), r"feature_fusion.memory.keys is \(12, 32\) instead of"),
        (dict(slots=0), "feature_fusion.memory.keys is missing"),
    ],
)
def test_another_memory_in_a_checkpoint_is_one_clear_error(tmp_path, changes, message):
    model = network()
    write_model(network(**changes), {}, tmp_path / "a.safetensors")
    for path in (checkpoint(network(**changes), tmp_path / "a.pth"), tmp_path / "a.safetensors"):
        with pytest.raises(CheckpointError, match=message) as caught:
            load_weights(model, path)
        assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_a_memory_for_another_network_grid_is_named(tmp_path):
    cfg = shrink(Config.fromfile(ROOT / "projects" / "mem3d" / "configs" / "mem3d.py").model)
    path = checkpoint(MODELS.build(cfg), tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="grid_size is 32, the config has 8"):
        load_weights(network(), path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ages", -(2**63)),
        ("ages", 2**63 - 1),
        ("keys", math.nan),
        ("keys", math.inf),
        ("keys", 3e38),
    ],
)
def test_hostile_buffers_do_no_harm(tmp_path, name, value):
    model = network()
    model.feature_fusion.memory.ages.fill_(0)
    getattr(model.feature_fusion.memory, name).fill_(value)
    other = network(seed=1)
    load_weights(other, checkpoint(model, tmp_path / "a.pth"))
    with torch.no_grad():
        volume = other.eval()(torch.rand(2, 2, 3, SIZE, SIZE))
    assert volume.isfinite().all()
    steps(other.train(), torch.optim.Adam(other.parameters(), 1e-3), 0, 3)
    assert all(p.isfinite().all() for p in other.parameters())
