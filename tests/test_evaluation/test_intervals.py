# SPDX-License-Identifier: MIT
import math

import numpy as np
import pytest

from voxrecon.evaluation.intervals import class_mean_interval, mean_interval, table_intervals


def test_the_interval_of_normal_scores_is_that_of_the_textbook():
    scores = np.random.default_rng(0).normal(0.5, 0.1, size=(400, 1))
    low, high = mean_interval(scores, resamples=20_000)
    half = 1.96 * scores.std() / math.sqrt(400)  # 0.0098
    # the ends of 20,000 resamples are known to about 2 % of the half width
    assert low[0] == pytest.approx(scores.mean() - half, abs=0.06 * half)
    assert high[0] == pytest.approx(scores.mean() + half, abs=0.06 * half)


def test_it_holds_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        low, high = mean_interval(rng.uniform(size=(60, 1)), resamples=400)
        held += low[0] <= 0.5 <= high[0]
    assert 180 <= held <= 198  # 190 expected, three standard deviations are 9


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3])
def test_equal_scores_have_no_width(value):
    low, high = mean_interval(np.full((7, 2), value))
    assert (low == value).all() and (high == value).all()


def test_a_resample_holds_whole_samples():
    scores = np.random.default_rng(2).uniform(size=(50, 1))
    low, high = mean_interval(np.concatenate((scores, 1 - scores), axis=1))
    assert low[0] == pytest.approx(1 - high[1]) and high[0] == pytest.approx(1 - low[1])
    again = mean_interval(np.concatenate((scores, 1 - scores), axis=1))
    assert np.array_equal(again, (low, high))
    assert not np.array_equal(mean_interval(scores, seed=1)[0], low[:1])


def test_many_samples_are_drawn_in_parts(monkeypatch):
    scores = np.random.default_rng(3).uniform(size=(40, 2))
    ends = mean_interval(scores, resamples=300)
    monkeypatch.setattr("voxrecon.evaluation.intervals.CHUNK", 1000)
    parts = mean_interval(scores, resamples=300)
    assert np.allclose(parts, ends, atol=1e-12)


def test_class_means_weigh_the_classes_alike():
    rng = np.random.default_rng(4)
    large, small = rng.normal(0.2, 0.01, (900, 1)), rng.normal(0.8, 0.2, (25, 1))
    low, high = class_mean_interval([large, small], resamples=20_000)
    middle = (large.mean() + small.mean()) / 2
    half = 1.96 * math.hypot(large.std() / 30, small.std() / 5) / 2
    assert low[0] == pytest.approx(middle - half, abs=0.08 * half)
    assert high[0] == pytest.approx(middle + half, abs=0.08 * half)
    # a class of one sample has no spread
    low, high = class_mean_interval([np.ones((1, 1)), np.zeros((3, 1))])
    assert (low[0], high[0]) == (0.5, 0.5)


def test_a_table_of_means_equals_its_columns():
    rng = np.random.default_rng(5)
    values = rng.uniform(size=(12, 4))
    values[[2, 7], 3] = np.nan
    parts = [list(range(5)), list(range(5, 11)), [11]]
    overall, of_parts, class_mean = table_intervals(values, parts)
    assert overall.shape == (4, 2) and of_parts.shape == (3, 4, 2) and class_mean.shape == (4, 2)
    low, high = mean_interval(values[:, :3])
    assert np.array_equal(overall[:3], np.stack((low, high), axis=1))
    there = ~np.isnan(values[:, 3])
    low, high = mean_interval(values[there][:, 3:])
    assert np.array_equal(overall[3], [low[0], high[0]])
    low, high = class_mean_interval([values[part][:, :3] for part in parts])
    assert np.array_equal(class_mean[:3], np.stack((low, high), axis=1))
    of_first = mean_interval(values[:5, :3])  # the first class is drawn first
    assert np.array_equal(of_parts[0, :3], np.stack(of_first, axis=1))
    assert np.isnan(of_parts[2]).all()  # of one sample nothing is known


def test_single_samples_have_no_interval():
    overall, of_parts, class_mean = table_intervals(np.array([[0.5, np.nan]]), [[0]])
    assert all(np.isnan(part).all() for part in (overall, of_parts, class_mean))
    _, _, class_mean = table_intervals(np.array([[0.5], [0.7]]), [[0], [1]])
    assert np.isnan(class_mean).all()
