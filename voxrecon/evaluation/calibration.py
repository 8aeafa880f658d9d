# SPDX-License-Identifier: MIT
"""Whether voxels of probability 0.7 are occupied in 7 of 10 cases (Guo et al., ICML 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..registry import METRICS

BINS = 20
EDGES = tuple(k / BINS for k in range(1, BINS))  # thresholds 0.05 ... 0.95


@METRICS.register_module()
class Calibration:
    """What the probabilities of all voxels are worth: their histogram and their squared error.

    ``histogram`` has 20 bins of the float32 probability, k/20 <= p < (k + 1)/20 but for the last,
    which holds 1, too: ``count`` voxels, ``occupied`` ones among them, and ``probability``, the sum
    of theirs. The edges are rounded as ``intersection_union`` rounds thresholds, so intersections
    and unions at any k/20 follow from it, see ``curve_counts``. The score ``brier`` is the mean
    of (p - truth)^2 over the voxels (Brier, 1950).

    Networks of this package give probabilities in [0, 1]; what another one puts beyond counts as 0
    or as 1.
    """

    def __call__(self, predictions: Tensor, truth: Tensor, key: str) -> list[dict[str, Any]]:
        """Histogram and score of predictions (K, X, Y, Z) of one sample and its truth (X, Y, Z)
        bool; ``key`` is not used."""
        truth = truth.flatten()
        edges = torch.tensor(EDGES, dtype=torch.float32)
        results = []
        for prediction in predictions:
            p = prediction.flatten().float().clamp(0, 1)
            bins = torch.bucketize(p, edges, right=True)  # edges[i - 1] <= p < edges[i]
            p = p.double()
            histogram = {
                "count": torch.bincount(bins, minlength=BINS).tolist(),
                "occupied": torch.bincount(bins[truth], minlength=BINS).tolist(),
                "probability": torch.bincount(bins, weights=p, minlength=BINS).tolist(),
            }
            brier = float((p - truth.double()).square().mean())
            results.append({"scores": {"brier": brier}, "histogram": histogram})
        return results


def curve_counts(histogram: Mapping[str, Sequence[float]]) -> tuple[np.ndarray, np.ndarray]:
    """Voxels in the intersection and in the union at the thresholds 0.05, 0.10 ... 0.95.

    Args:
        histogram: of one prediction, see ``Calibration``.

    Returns:
        intersections and unions, each (19,) int64, as of ``prediction >= t``.
    """
    count, occupied = (np.asarray(histogram[name], np.int64) for name in ("count", "occupied"))
    above, both = (bins[..., ::-1].cumsum(-1)[..., ::-1][..., 1:] for bins in (count, occupied))
    return both, above + occupied.sum(-1, keepdims=True) - both


def calibration_error(
    count: Sequence[int], occupied: Sequence[int], probability: Sequence[float]
) -> float:
    """Expected calibration error: by how much the mean probability of a bin and the share of its
    voxels that are occupied differ, averaged over the voxels.

    Args:
        count, occupied, probability: sums over at least one voxel in each bin, see ``Calibration``.
    """
    # a bin's weight is its share of the voxels, so its count cancels out
    return float(np.abs(np.subtract(probability, occupied)).sum() / np.sum(count))
