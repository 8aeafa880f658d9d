# SPDX-License-Identifier: MIT
"""How far a mean would move with other samples: bootstrap intervals (Efron 1979, percentiles)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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


def pairs(ends: Iterable[np.ndarray]) -> list[list[float]]:
    """Low and high ends (T,) as T pairs."""
    return np.stack(tuple(ends), axis=1).tolist()


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
