# SPDX-License-Identifier: MIT
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.dataset import DefaultSampler
from mmengine.hooks import DistSamplerSeedHook
from torch.utils.data import DataLoader, SequentialSampler

from voxrecon.datasets import SampleKey, ViewBatchSampler
from voxrecon.errors import ConfigError
from voxrecon.registry import DATA_SAMPLERS


def make(n=10, batch_size=4, seed=3, **kwargs):
    return ViewBatchSampler(DefaultSampler(range(n), seed=seed), batch_size, **kwargs)


@pytest.mark.parametrize(("drop_last", "sizes"), [(True, [4, 4]), (False, [4, 4, 2])])
def test_batches_hold_the_inner_samplers_order(drop_last, sizes):
    sampler = make(drop_last=drop_last, views=2)
    batches = list(sampler)
    assert [len(b) for b in batches] == sizes and len(sampler) == len(sizes)
    order = list(sampler.sampler)
    assert [key.index for batch in batches for key in batch] == order[: sum(sizes)]
    assert batches[0][0] == SampleKey(order[0], epoch=0, n_views=2, seed=3)


def test_exact_multiple_has_no_empty_batch():
    assert [len(b) for b in make(n=8, drop_last=False)] == [4, 4]


def test_views_follow_from_seed_epoch_and_batch():
    sampler = make(n=400, views=(1, 5))
    drawn = {}
    for epoch in (0, 7):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        drawn[epoch] = [batch[0].n_views for batch in batches]
        for number, batch in enumerate(batches):
            expected = np.random.default_rng((3, epoch, number, 2**31)).integers(1, 6)
            assert {(key.n_views, key.epoch) for key in batch} == {(expected, epoch)}
    assert set(drawn[0]) == {1, 2, 3, 4, 5} and drawn[0] != drawn[7]
    sampler.set_epoch(0)
    assert [batch[0].n_views for batch in sampler] == drawn[0]
    assert [batch[0].n_views for batch in make(n=400, views=(1, 5), seed=4)] != drawn[0]


def test_ranks_agree_on_the_number_of_views():
    ranks = []
    for rank in (0, 1):
        inner = DefaultSampler(range(80), seed=1)
        inner.rank, inner.world_size, inner.num_samples = rank, 2, 40
        ranks.append(list(ViewBatchSampler(inner, 4, views=(1, 20))))
    first, second = ([batch[0].n_views for batch in rank] for rank in ranks)
    assert first == second and len(set(first)) > 1
    indices = [{key.index for batch in rank for key in batch} for rank in ranks]
    assert not indices[0] & indices[1] and len(indices[0] | indices[1]) == 80


def test_set_views_and_epoch_from_mmengine():
    sampler = make(views=1)
    sampler.set_views([2, 2])
    loader = DataLoader(range(10), batch_sampler=sampler)
    runner = SimpleNamespace(train_loop=SimpleNamespace(dataloader=loader), epoch=5)
    DistSamplerSeedHook().before_train_epoch(runner)
    assert sampler.epoch == 5
    assert {(key.epoch, key.n_views) for batch in sampler for key in batch} == {(5, 2)}


@pytest.mark.parametrize("views", [0, -1, (0, 3), (3, 1), (1, 2, 3), "x", (1.0, 2)])
def test_bad_views(views):
    with pytest.raises(ConfigError, match="views .*expected a number from 1"):
        make(views=views)


def test_no_batch_at_all_is_an_error():
    with pytest.raises(ConfigError) as caught:
        make(n=6, batch_size=64)
    assert str(caught.value) == (
        "training needs at least one batch: 6 samples, batch_size 64 per process, drop_last True"
    )
    assert len(make(n=6, batch_size=64, drop_last=False)) == 1


def test_other_bad_arguments():
    with pytest.raises(ConfigError, match="batch_size 0, expected"):
        make(batch_size=0)
    with pytest.raises(ConfigError, match="seed -1 of DefaultSampler, expected"):
        make(seed=-1)
    with pytest.raises(ConfigError, match="seed None of SequentialSampler"):
        ViewBatchSampler(SequentialSampler(range(4)), 2)


def test_is_built_as_the_runner_builds_it():
    inner = DefaultSampler(range(10), seed=0)
    built = DATA_SAMPLERS.build(
        {"type": "ViewBatchSampler", "drop_last": True},
        default_args={"sampler": inner, "batch_size": 5},
    )
    assert isinstance(built, ViewBatchSampler) and len(built) == 2
