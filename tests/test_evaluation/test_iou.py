# SPDX-License-Identifier: MIT
from fractions import Fraction

import numpy as np
import pytest
import torch

from voxrecon.errors import VoxreconError
from voxrecon.evaluation import intersection_union, iou
from voxrecon.evaluation.iou import is_occupied

THRESHOLDS = (0.2, 0.3, 0.4, 0.5)


def slow_counts(prediction, truth, threshold):
    """One grid, voxel by voxel, with exact rational comparisons."""
    t = Fraction(float(np.float32(threshold)))
    intersection = union = 0
    for index in np.ndindex(*truth.shape):
        p = Fraction(float(prediction[index])) >= t
        g = bool(truth[index])
        intersection += p and g
        union += p or g
    return intersection, union


def test_a_grid_to_check_by_eye():
    # x = 0: truth 1 1   prediction .5 .1      x = 1: truth 0 0   prediction .3 0
    #              0 1              .2 .4                   1 0              .9 0
    truth = torch.tensor([[[[1, 1], [0, 1]], [[0, 0], [1, 0]]]], dtype=torch.uint8)
    prediction = torch.tensor([[[[0.5, 0.1], [0.2, 0.4]], [[0.3, 0.0], [0.9, 0.0]]]])
    intersection, union = intersection_union(prediction, truth, THRESHOLDS)
    assert intersection.tolist() == [[3, 3, 3, 2]]
    assert union.tolist() == [[6, 5, 4, 4]]
    assert intersection.dtype == union.dtype == torch.int64
    assert iou(intersection, union).tolist() == [[3 / 6, 3 / 5, 3 / 4, 2 / 4]]


def test_equals_a_slow_count():
    rng = np.random.default_rng(0)
    # Multiples of 0.1 put many voxels right onto thresholds.
    prediction = (rng.integers(0, 11, (5, 4, 3, 6)) / 10).astype(np.float32)
    truth = rng.integers(0, 2, prediction.shape).astype(np.uint8)
    thresholds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    got = intersection_union(torch.from_numpy(prediction), torch.from_numpy(truth), thresholds)
    for i in range(len(truth)):
        for j, t in enumerate(thresholds):
            expected = slow_counts(prediction[i], truth[i], t)
            assert (got[0][i, j].item(), got[1][i, j].item()) == expected


@pytest.mark.parametrize("k", range(9))
def test_a_moved_cube(k):
    truth = torch.zeros(1, 20, 20, 20, dtype=torch.bool)
    truth[0, 2:10, 4:12, 6:14] = True
    intersection, union = intersection_union(truth.roll(k, 1).float(), truth, [0.5])
    assert iou(intersection, union).item() == (8 - k) / (8 + k)


@pytest.mark.parametrize("t", [0.1, 0.2, 0.3, 0.4, 0.7])
def test_a_float32_prediction_at_the_threshold_counts(t):
    at = np.float32(t)
    below = np.nextafter(at, np.float32(0))
    prediction = torch.tensor([at, below]).view(1, 2, 1, 1)
    truth = torch.ones(1, 2, 1, 1, dtype=torch.bool)
    assert intersection_union(prediction, truth, [t])[0].item() == 1


def test_other_types_are_compared_without_loss():
    truth = torch.ones(1, 1, 1, 1, dtype=torch.bool)

    def counts(value, dtype, t):
        prediction = torch.full((1, 1, 1, 1), value, dtype=dtype)
        return intersection_union(prediction, truth, [t])[0].item()

    assert counts(0.3, torch.float64, 0.3) == 1  # though float32(0.3) is greater
    assert counts(0.2, torch.float16, 0.2) == 0  # float16(0.2) is 0.19995
    assert counts(0.3, torch.bfloat16, 0.3) == 1  # bfloat16(0.3) is 0.30078
    assert counts(1, torch.uint8, 0.5) == 1


def test_an_empty_union_is_agreement():
    empty = torch.zeros(1, 2, 2, 2)
    intersection, union = intersection_union(empty, empty.bool(), [0.5])
    assert (intersection.item(), union.item(), iou(intersection, union).item()) == (0, 0, 1.0)
    intersection, union = intersection_union(empty + 1, empty.bool(), [0.5])
    assert (intersection.item(), union.item(), iou(intersection, union).item()) == (0, 8, 0.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_prediction_that_is_not_finite_is_named(value):
    prediction = torch.rand(3, 2, 2, 2)
    prediction[1, 0, 1, 0] = value
    truth = torch.ones(3, 2, 2, 2, dtype=torch.uint8)
    with pytest.raises(VoxreconError, match="^sample 1: 1 predicted voxels are NaN or infinite"):
        intersection_union(prediction, truth, [0.5])
    with pytest.raises(VoxreconError, match="^03001627/b: "):
        intersection_union(prediction, truth, [0.5], ["a", "03001627/b", "c"])


def test_sizes_and_types_must_fit():
    prediction = torch.rand(1, 4, 4, 4)
    with pytest.raises(VoxreconError, match="grid is 1x4x4x4, expected 1x8x8x8"):
        intersection_union(prediction, torch.ones(1, 8, 8, 8, dtype=torch.uint8), [0.5])
    with pytest.raises(TypeError, match="float32, expected bool or uint8"):
        intersection_union(prediction, prediction, [0.5])


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_equal_to_the_threshold_or_above_it(dtype):
    prediction = torch.tensor([0.0, 0.2999, 0.3, 0.3001, 0.5, 1.0]).to(dtype).reshape(1, 1, 2, 3)
    full = torch.ones(1, 1, 2, 3, dtype=torch.bool)
    for t in (0.3, 0.5, 1.0):
        for strict in (False, True):
            counted = intersection_union(prediction, full, [t], strict=strict)[0]
            assert is_occupied(prediction, t, strict).sum() == counted.item()
    at = torch.tensor([[[[0.5]]]], dtype=dtype)
    assert is_occupied(at, 0.5).all() and not is_occupied(at, 0.5, strict=True).any()
