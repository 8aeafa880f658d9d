# SPDX-License-Identifier: MIT
import numpy as np
import pytest
import torch
from scipy.interpolate import RegularGridInterpolator

from voxrecon.errors import VoxreconError
from voxrecon.evaluation import (
    Pix3DIoU,
    VoxelIoU,
    format_results,
    headline_mean,
    read_results,
    write_results,
)
from voxrecon.evaluation.pix3d_iou import THRESHOLDS, fit


def sample(prediction, truth, name="a", views=1):
    return {
        "taxonomy": "chair",
        "id": name,
        "name": "chair",
        "gt_voxels": torch.as_tensor(truth).to(torch.uint8),
        "pred_volumes": {views: torch.as_tensor(prediction, dtype=torch.float32)},
    }


def blob(seed, shape=(9, 6, 12), size=20, at=(3, 5, 2)):
    """Random values in a box, nothing around it."""
    grid = np.zeros((size, size, size))
    place = tuple(slice(a, a + n) for a, n in zip(at, shape, strict=True))
    grid[place] = np.random.default_rng(seed).uniform(0.1, 1, shape)
    return grid.astype(np.float32)


def reference(grid):
    """By the text of the public evaluation, with scipy's interpolation."""
    if max(grid.shape) > 100:
        n = grid.shape[0] // 4
        grid = grid.reshape(n, 4, n, 4, n, 4).max((1, 3, 5))
    inside = np.argwhere(grid >= 0.1)
    low, high = inside.min(0), inside.max(0) + 1
    box = grid[low[0] : high[0], low[1] : high[1], low[2] : high[2]].astype(float)
    length, middle = max(box.shape) - 1, (np.array(box.shape) - 1) / 2
    axes = [np.linspace(m - length / 2, m + length / 2, 32) for m in middle]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    look = RegularGridInterpolator(
        [np.arange(n) for n in box.shape], box, bounds_error=False, fill_value=0
    )
    return look(points)


@pytest.mark.parametrize(
    "grid",
    [
        blob(0),
        blob(1, shape=(32, 32, 32), size=32, at=(0, 0, 0)),
        blob(2, shape=(40, 31, 64), size=128, at=(7, 50, 20)),
    ],
)
def test_resampled_like_the_reference(grid):
    fitted = fit(torch.from_numpy(grid))
    assert fitted.shape == (32, 32, 32) and fitted.dtype == torch.float64
    assert np.abs(fitted.numpy() - reference(grid)).max() < 1e-9


def test_what_is_below_a_tenth_does_not_widen_the_box():
    grid = blob(3)
    faint = grid.copy()
    faint[0, 0, 0] = 0.09
    assert torch.equal(fit(torch.from_numpy(grid)), fit(torch.from_numpy(faint)))


def test_place_and_size_do_not_count():
    truth = blob(4, at=(0, 0, 0)) > 0.5
    moved = np.roll(truth, (4, 3, 6), (0, 1, 2))
    large = truth.repeat(2, 0).repeat(2, 1).repeat(2, 2)[:40, :40, :40]
    metric = Pix3DIoU()
    metric.process(None, [sample(moved, truth)])
    assert metric.evaluate(1)["iou"] == 1
    assert fit(torch.from_numpy(large)).shape == (32, 32, 32)
    plain = VoxelIoU()
    plain.process(None, [sample(moved, truth)])
    assert plain.evaluate(1)["iou"] < 0.3


def test_the_best_threshold_of_the_mean(tmp_path):
    pairs = [(blob(5 + i), blob(50 + i) > 0.6) for i in range(3)]
    metric = Pix3DIoU()
    for i, (prediction, truth) in enumerate(pairs):
        metric.process(None, [sample(prediction, truth, str(i))])
    metrics = metric.evaluate(3)
    means = []
    for t in THRESHOLDS:
        scores = []
        for prediction, truth in pairs:
            a, b = reference(prediction) > t, reference(truth.astype(float)) > t
            scores.append((a & b).sum() / (a | b).sum())
        means.append(np.mean(scores))
    assert len(THRESHOLDS) == 50 and (THRESHOLDS[0], THRESHOLDS[-1]) == (0.01, 0.5)
    assert metrics == {
        "iou": pytest.approx(max(means), abs=1e-12),
        "best_threshold": THRESHOLDS[int(np.argmax(means))],
        "samples": 3,
    }
    write_results(tmp_path / "results.json", metric.found)
    results = read_results(tmp_path / "results.json")
    assert headline_mean(results, 1) == metrics["iou"]
    assert results["thresholds"] == [metrics["best_threshold"]]
    assert results["summary"]["1"]["overall"] == [metrics["iou"]]
    assert len(results["samples"]) == 3
    format_results(results)


def test_each_view_count_has_its_own_threshold():
    box = np.zeros((20, 20, 20), bool)
    box[2:18, 4:16, 2:18] = True
    truth = box.copy()
    truth[10:, 10:] = False
    metric = Pix3DIoU()
    for views, (inside, beside) in {1: (0.45, 0.3), 2: (0.2, 0.15)}.items():
        prediction = np.where(truth, inside, beside * box)
        metric.process(None, [sample(prediction, truth, views=views)])
    metrics = metric.evaluate(1)
    assert list(metrics) == ["iou", "best_threshold", "iou/2v", "best_threshold/2v", "samples"]
    assert 0.3 <= metrics["best_threshold"] < 0.45 and metrics["iou"] > 0.95
    assert 0.15 <= metrics["best_threshold/2v"] < 0.2 and metrics["iou/2v"] > 0.95


def test_nothing_predicted():
    metric = Pix3DIoU()
    metric.process(None, [sample(np.full((8, 8, 8), 0.09), np.ones((8, 8, 8)))])
    assert metric.evaluate(1)["iou"] == 0
    bad = np.full((8, 8, 8), np.nan)
    with pytest.raises(VoxreconError, match="^chair/a: predicted voxels are NaN or infinite"):
        metric.process(None, [sample(bad, np.ones((8, 8, 8)))])
