# SPDX-License-Identifier: MIT
import numpy as np
import pytest
import torch

from voxrecon.evaluation import intersection_union
from voxrecon.evaluation.calibration import Calibration, calibration_error, curve_counts
from voxrecon.registry import METRICS

KEY = "03001627/ab12"
THRESHOLDS = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]
THRESHOLDS += [0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]


def measure(prediction, truth):
    """Histogram and Brier score of one prediction."""
    prediction = torch.as_tensor(prediction)
    truth = torch.as_tensor(truth, dtype=torch.bool)
    shape = (-1, 1, 1)
    (result,) = Calibration()(prediction.reshape(1, *shape), truth.reshape(shape), KEY)
    assert set(result) == {"scores", "histogram"} and list(result["scores"]) == ["brier"]
    return result["histogram"], result["scores"]["brier"]


def sparse(values):
    return {i: value for i, value in enumerate(values) if value}


def test_a_grid_to_check_by_eye():
    histogram, brier = measure([0.0, 0.03, 0.5, 0.52, 0.9375, 1.0], [0, 1, 1, 0, 1, 1])
    assert [len(bins) for bins in histogram.values()] == [20] * 3
    assert sparse(histogram["count"]) == {0: 2, 10: 2, 18: 1, 19: 1}
    assert sparse(histogram["occupied"]) == {0: 1, 10: 1, 18: 1, 19: 1}
    expected = {0: 0.03, 10: 1.02, 18: 0.9375, 19: 1}
    assert sparse(histogram["probability"]) == pytest.approx(expected, abs=1e-7)
    errors = (0, 0.97**2, 0.5**2, 0.52**2, 0.0625**2, 0)
    assert brier == pytest.approx(sum(errors) / 6, abs=1e-7)
    ece = calibration_error(**histogram)
    assert ece == pytest.approx((abs(0.03 - 1) + abs(1.02 - 1) + 0.0625 + 0) / 6, abs=1e-7)
    kinds = {type(value) for name in ("count", "occupied") for value in histogram[name]}
    assert kinds == {int} and type(histogram["probability"][0]) is float


def test_edges_are_those_of_the_counts():
    """Values at float32 edges, one step below and one above, count as at that threshold."""
    edges = np.array(THRESHOLDS, np.float32)
    values = np.concatenate((edges, np.nextafter(edges, np.float32(0)), np.nextafter(edges, 1)))
    values = np.concatenate((values, np.array([0, 1], np.float32)))
    assert values.dtype == np.float32
    histogram, _ = measure(values, values > 0.4)
    assert histogram["count"] == [2] + [3] * 18 + [3]  # below, edge and above each; 0; 1
    truth = torch.from_numpy(values > 0.4)
    counts = intersection_union(
        torch.from_numpy(values).reshape(1, -1, 1, 1), truth.reshape(1, -1, 1, 1), THRESHOLDS
    )
    for got, expected in zip(curve_counts(histogram), counts, strict=True):
        assert got.tolist() == expected[0].tolist()
    for k, t in enumerate(THRESHOLDS, 1):
        single, _ = measure([np.float32(t)], [True])
        assert single["count"][k] == 1
        single, _ = measure([np.nextafter(np.float32(t), np.float32(0))], [True])
        assert single["count"][k - 1] == 1


def test_equals_a_slow_count():
    rng = np.random.default_rng(0)
    prediction = rng.random((2, 5, 4, 6)).astype(np.float32) ** 2
    prediction[1] = np.round(prediction[1], 2)  # many right onto edges
    truth = rng.random((5, 4, 6)) < 0.3
    results = METRICS.build({"type": "Calibration"})(
        torch.from_numpy(prediction), torch.from_numpy(truth), KEY
    )
    lows = [np.float32(k / 20) for k in range(20)]
    for volume, result in zip(prediction, results, strict=True):
        count, occupied, probability = [0] * 20, [0] * 20, [0.0] * 20
        for index in np.ndindex(*truth.shape):
            k = max(k for k in range(20) if volume[index] >= lows[k])
            count[k] += 1
            occupied[k] += int(truth[index])
            probability[k] += float(volume[index])
        assert result["histogram"]["count"] == count
        assert result["histogram"]["occupied"] == occupied
        assert result["histogram"]["probability"] == pytest.approx(probability, abs=1e-12)
        brier = np.mean((volume.astype(float) - truth) ** 2)
        assert result["scores"]["brier"] == pytest.approx(brier, abs=1e-12)
        both, either = curve_counts(result["histogram"])
        assert both.dtype == either.dtype == np.int64
        counts = intersection_union(
            torch.from_numpy(volume)[None], torch.from_numpy(truth)[None], THRESHOLDS
        )
        assert (both.tolist(), either.tolist()) == tuple(part[0].tolist() for part in counts)
        shares = [
            n / truth.size * abs(p / n - o / n)
            for n, o, p in zip(count, occupied, probability, strict=True)
            if n
        ]
        assert calibration_error(count, occupied, probability) == pytest.approx(
            sum(shares), abs=1e-12
        )


def test_beyond_0_and_1():
    histogram, brier = measure([-0.5, 1.5, 1.25], [False, True, False])
    assert sparse(histogram["count"]) == {0: 1, 19: 2}
    assert sparse(histogram["probability"]) == {19: 2}
    assert brier == pytest.approx(1 / 3)


def test_half_precision_counts_as_float32():
    values = torch.tensor([0.3, 0.5, 0.95], dtype=torch.float16)
    histogram, _ = measure(values, [True] * 3)
    assert histogram == measure(values.float(), [True] * 3)[0]


def test_calibrated_probabilities():
    """7 of 10 voxels of probability 0.7 are occupied; a network that is always sure is not so."""
    histogram, brier = measure([0.75] * 8 + [0.25] * 4, [1] * 6 + [0] * 2 + [1] + [0] * 3)
    assert calibration_error(**histogram) == 0
    assert brier == 0.75 * 0.25
    sure, _ = measure([1.0] * 8 + [0.0] * 4, [1] * 6 + [0] * 2 + [1] + [0] * 3)
    assert calibration_error(**sure) == pytest.approx(3 / 12)
    # sums over samples are one table
    total = {name: np.add(histogram[name], sure[name]) for name in histogram}
    assert calibration_error(**total) == pytest.approx(3 / 24)


def test_nothing_and_everything():
    empty, _ = measure([0.0] * 4, [False] * 4)
    assert [part.tolist() for part in curve_counts(empty)] == [[0] * 19, [0] * 19]
    full, _ = measure([1.0] * 4, [True] * 4)
    assert [part.tolist() for part in curve_counts(full)] == [[4] * 19, [4] * 19]
