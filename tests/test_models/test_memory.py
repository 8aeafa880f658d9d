# SPDX-License-Identifier: MIT
"""The memory of Mem3D, against hand-made cases and a slow reference of its rules."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import multiprocessing
from torch.nn.functional import cosine_similarity, normalize

from voxrecon.errors import ConfigError
from voxrecon.models.feature_fusions import ShapeMemory
from voxrecon.models.feature_fusions.memory import pack_bits, unpack_bits

CELLS = 64


def memory(slots: int = 3, features: int = 2, **more) -> ShapeMemory:
    return ShapeMemory(slots, features, CELLS, **more)


def shape(*occupied: int) -> torch.Tensor:
    """A grid (1, G) bool."""
    grid = torch.zeros(1, CELLS, dtype=torch.bool)
    grid[0, list(occupied)] = True
    return grid


def unit(*values: float) -> torch.Tensor:
    return normalize(torch.tensor([values], dtype=torch.float))


def similarity(a: np.ndarray, b: np.ndarray, kind: str) -> float:
    if kind == "mse":
        return 1 - float(np.mean((a.astype(float) - b.astype(float)) ** 2))
    return float((a & b).sum() / (a | b).sum()) if (a | b).any() else 1.0


def reference(slots: list, feature: torch.Tensor, grid: np.ndarray, kind: str, half: bool):
    """One write into a list of [key, grid, age] or None, recomputing everything."""
    cosines = [
        -math.inf if s is None else float(cosine_similarity(feature, s[0], dim=0)) for s in slots
    ]
    best = int(np.argmax(cosines))
    hit = slots[best] is not None and similarity(grid, slots[best][1], kind) >= 0.8
    ages = [math.inf if s is None else s[2] for s in slots]
    chosen = best if hit else int(np.argmax(ages))
    key = normalize(feature + slots[best][0], dim=0) if hit else feature
    key = key.half().float() if half else key
    for slot in filter(None, slots):
        slot[2] += 1
    slots[chosen] = [key, slots[best][1] if hit else grid, 0]
    return hit


@pytest.mark.parametrize("key_dtype", ["float32", "float16"])
@pytest.mark.parametrize("kind", ["mse", "iou"])
def test_writing_equals_a_slow_reference(kind, key_dtype):
    rng = np.random.default_rng(0)
    kinds = rng.random((6, CELLS)) > 0.5  # shapes that come again and again, with noise
    directions = torch.from_numpy(rng.normal(size=(6, 10))).float()
    ours = memory(4, 10, key_dtype=key_dtype, delta=0.8, similarity=kind)
    slots, hits = [None] * 4, []
    for _ in range(12):
        which = rng.integers(6, size=5)
        noise = torch.from_numpy(rng.normal(size=(5, 10))).float()
        features = normalize(directions[torch.from_numpy(which)] + 0.3 * noise)
        grids = kinds[which] ^ (rng.random((5, CELLS)) > 0.95)
        ours.write(features, torch.from_numpy(grids))
        for feature, grid in zip(features, grids, strict=True):
            hits.append(reference(slots, feature, grid, kind, key_dtype == "float16"))
    assert 10 < sum(hits) < 50  # both rules have been at work
    assert ours.ages.tolist() == [slot[2] for slot in slots]
    assert np.array_equal(unpack_bits(ours.values).numpy(), np.stack([s[1] for s in slots]))
    torch.testing.assert_close(ours.keys.float(), torch.stack([s[0] for s in slots]))
    assert ours.keys.dtype == getattr(torch, key_dtype)


def test_hit_miss_and_oldest_by_hand():
    ours = memory()
    a, b, c, d = (shape(*range(16 * i, 16 * i + 16)) for i in range(4))
    ours.write(unit(1, 0), a)  # a miss: the first empty slot
    assert ours.ages.tolist() == [0, -1, -1]
    ours.write(unit(0, 1), b)  # the most similar key holds another shape
    ours.write(unit(-1, 0), c)
    assert ours.ages.tolist() == [2, 1, 0]
    ours.write(unit(1, 1), a)  # as near to a as to b: the first, and a hit
    assert ours.ages.tolist() == [0, 2, 1]
    expected = unit(1 + math.sqrt(0.5), math.sqrt(0.5))
    torch.testing.assert_close(ours.keys[:1], expected)
    ours.write(unit(1, 0), d)  # a miss: b is the oldest now
    assert ours.ages.tolist() == [1, 0, 2]
    assert torch.equal(ours.read(torch.tensor([0, 1, 2])), torch.cat([a, d, c]))
    torch.testing.assert_close(ours.similarities(unit(-1, 0))[0, 1:], torch.tensor([-1.0, 1.0]))


def test_a_hit_keeps_the_value():
    ours = memory()
    ours.write(unit(1, 0), shape(0, 1))
    ours.write(unit(1, 0), shape(0, 1, 2))  # 1 of 64 differs: 0.984
    assert torch.equal(ours.read(torch.tensor([0])), shape(0, 1))
    assert ours.ages.tolist() == [0, -1, -1]


def test_a_later_write_sees_the_earlier_ones_of_its_batch():
    whole, apart = memory(), memory()
    features = torch.cat([unit(1, 0), unit(1, 0.1), unit(0, 1)])
    grids = torch.cat([shape(0), shape(0), shape(*range(32))])
    whole.write(features, grids)
    for i in range(3):
        apart.write(features[i : i + 1], grids[i : i + 1])
    assert whole.ages.tolist() == apart.ages.tolist() == [1, 0, -1]
    torch.testing.assert_close(whole.keys, apart.keys)


def test_similarities_of_grids():
    grids = torch.cat([shape(0, 1, 2), shape()])
    for kind, expected in (
        ("mse", [[1 - 3 / 64, 1 - 3 / 64], [1 - 2 / 64, 1.0]]),
        ("iou", [[0.25, 0.0], [0.0, 1.0]]),
    ):
        ours = memory(similarity=kind, delta=1.0)
        ours.write(torch.cat([unit(1, 0), unit(0, 1)]), torch.cat([shape(2, 3), shape()]))
        found = ours.value_similarities(grids)
        torch.testing.assert_close(found[:, :2], torch.tensor(expected))
        assert found[:, 2].tolist() == [-math.inf] * 2  # empty


def test_an_empty_grid_is_much_like_a_chair_unless_iou_is_asked():
    chair = shape(0, 1, 2, 3, 4)
    for kind, slots in (("mse", 1), ("iou", 2)):
        ours = memory(similarity=kind)
        ours.write(torch.cat([unit(1, 0), unit(1, 0)]), torch.cat([shape(), chair]))
        assert int((ours.ages >= 0).sum()) == slots


def test_bits_are_those_of_numpy():
    grids = np.random.default_rng(0).random((5, CELLS)) > 0.5
    packed = pack_bits(torch.from_numpy(grids))
    assert np.array_equal(packed.numpy(), np.packbits(grids, axis=1))
    assert np.array_equal(unpack_bits(packed).numpy(), grids)


def test_cells_must_fill_bytes():
    with pytest.raises(ConfigError, match="ShapeMemory: cells=27, expected a multiple of 8"):
        ShapeMemory(1, 1, 27)


def test_nan_is_similar_to_nothing():
    ours = memory()
    ours.write(torch.cat([unit(1, 0), unit(math.nan, 0)]), torch.cat([shape(0), shape(0)]))
    assert ours.ages.tolist() == [1, 0, -1]
    assert ours.similarities(unit(1, 0)).tolist() == [[1.0, -math.inf, -math.inf]]
    ours.write(unit(1, 0), shape(0))
    assert ours.ages.tolist() == [0, 1, -1] and ours.keys[0].tolist() == [1, 0]


def batches(rank: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(10 * step + rank)
    which = torch.randint(4, (3,), generator=generator)
    noise = torch.randn(3, 4, generator=generator)
    grids = torch.arange(CELLS)[None] // 16 == which[:, None]
    return normalize(torch.eye(4)[which] + 0.2 * noise), grids


def write_as_rank(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    ours = memory(5, 4)
    for step in range(4):
        ours.write(*batches(rank, step))
    torch.save(ours.state_dict(), Path(folder) / f"{rank}.pth")
    torch.distributed.destroy_process_group()


def test_two_processes_hold_what_one_would_have_written(tmp_path):
    # forked: to import everything anew takes longer than the rest
    arguments = dict(nprocs=2, start_method="fork")
    multiprocessing.start_processes(write_as_rank, (str(tmp_path),), **arguments)
    one = memory(5, 4)
    for step in range(4):
        features, grids = zip(*(batches(rank, step) for rank in (0, 1)), strict=True)
        one.write(torch.cat(features), torch.cat(grids))
    for rank in (0, 1):
        state = torch.load(tmp_path / f"{rank}.pth", weights_only=True)
        assert state.keys() == one.state_dict().keys()
        for key, value in one.state_dict().items():
            assert torch.equal(state[key], value), (rank, key)
    assert (one.ages >= 0).sum() >= 4
