# SPDX-License-Identifier: MIT
"""How far a mean would move with other samples: bootstrap intervals (Efron 1979, percentiles)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95
CHUNK = 1 << 22  # drawn samples at once


def mean_interval(
    scores: np.ndarray, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of the mean over samples.

    Args:
        scores: (N, T) finite, a row a sample.

    Returns:
        Low and high ends, each (T,).
    """
    return _ends(_resampled_means(scores, resamples, np.random.default_rng(seed)))


def class_mean_interval(
    parts: Sequence[np.ndarray], resamples: int = RESAMPLES, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of the mean of class means; samples are drawn within their class.

    Args:
        parts: (N_c, T) scores of each class.

    Returns:
        Low and high ends, each (T,).
    """
    rng = np.random.default_rng(seed)
    return _ends(sum(_resampled_means(part, resamples, rng) for part in parts) / len(parts))


def table_intervals(
    values: np.ndarray, parts: Sequence[Sequence[int]], resamples: int = RESAMPLES
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The 95 % intervals of many means over the same samples, from few draws.

    Args:
        values: (N, C), NaN where a sample has no such score.
        parts: places of the samples of each class, P of them.

    Returns:
        Low and high ends of the means over samples (C, 2), of the means of each class (P, C, 2),
        and of the means of the class means (C, 2); NaN where there are fewer than two samples.
    """
    there = ~np.isnan(values)  # (N, C)
    overall, class_mean = np.full((2, values.shape[1], 2), np.nan)
    of_parts = np.full((len(parts), values.shape[1], 2), np.nan)
    patterns, column_of = np.unique(there, axis=1, return_inverse=True)
    for k, pattern in enumerate(patterns.T):
        columns = column_of.ravel() == k
        if pattern.sum() > 1:
            chosen = values[np.ix_(pattern, columns)]
            overall[columns] = np.stack(mean_interval(chosen, resamples), axis=1)
        rng, sums, classes, wide = np.random.default_rng(0), 0.0, 0, False
        for p, part in enumerate(parts):
            places = [i for i in part if pattern[i]]
            if not places:
                continue
            means = _resampled_means(values[np.ix_(places, columns)], resamples, rng)
            if len(places) > 1:
                wide = True
                of_parts[p, columns] = np.stack(_ends(means), axis=1)
            sums, classes = sums + means, classes + 1
        if wide:
            class_mean[columns] = np.stack(_ends(sums / classes), axis=1)
    return overall, of_parts, class_mean


def _resampled_means(scores: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(R, T): means of N samples that are drawn with replacement."""
    scores = np.asarray(scores, np.float64)
    count = len(scores)
    middle = scores[:1]  # equal scores give just their value, without rounding
    means = []
    for start in range(0, resamples, step := max(1, CHUNK // count)):
        rows = min(step, resamples - start)
        drawn = rng.integers(count, size=(rows, count)) + np.arange(rows)[:, None] * count
        weights = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        means.append(weights @ (scores - middle) / count + middle)  # (rows, T)
    return np.concatenate(means)


def _ends(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    tail = (1 - LEVEL) / 2
    return np.quantile(means, tail, axis=0), np.quantile(means, 1 - tail, axis=0)
