# SPDX-License-Identifier: MIT
"""What can be reached without reconstructing anything: mean grids and retrieval.

Tatarchenko et al. ("What do single-view 3D reconstruction networks learn?", CVPR 2019) showed that
retrieval from the training set rivals trained networks on benchmarks of this kind; section 4 has
these baselines. All functions take grids as (N, G) bool, G voxels flattened, and return IoUs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .iou import iou

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)  # of mean grids; the training set chooses
CHUNK = 1024  # training grids compared at once


def mean_grid(train: Tensor) -> Tensor:
    """The mean of grids, at the threshold that has the greatest mean IoU with them: (G,) bool."""
    mean = train.float().mean(dim=0)
    candidates = [mean >= t for t in THRESHOLDS]
    return max(candidates, key=lambda grid: float(pairwise_iou(train, grid[None]).mean()))


def mean_grid_iou(train: Tensor, test: Tensor) -> Tensor:
    """IoU (N,) of the training set's mean grid with each test grid."""
    return pairwise_iou(test, mean_grid(train)[None])[:, 0]


def class_mean_iou(
    train: Tensor, train_classes: Sequence[str], test: Tensor, test_classes: Sequence[str]
) -> Tensor:
    """IoU (N,) of each test grid with the mean grid of its class, which is known; 0 for a class
    without training grids."""
    scores = torch.zeros(len(test), dtype=torch.float64)
    train_of, test_of = np.asarray(train_classes), np.asarray(test_classes)
    for name in sorted(set(test_classes) & set(train_classes)):
        chosen = torch.from_numpy(test_of == name)
        scores[chosen] = mean_grid_iou(train[torch.from_numpy(train_of == name)], test[chosen])
    return scores


def oracle_iou(train: Tensor, test: Tensor) -> Tensor:
    """IoU (N,) of each test grid with the training grid that is nearest to it: what retrieval
    could reach if it always chose best."""
    return pairwise_iou(test, train).amax(dim=1)


def retrieval_iou(
    train: Tensor, train_features: Tensor, test: Tensor, test_features: Tensor
) -> Tensor:
    """IoU (N,) of each test grid with that of the training view of nearest features (cosine).

    Features are (N, F) of a test view each, and (N', V, F) of V views of each training object.
    """
    known = torch.nn.functional.normalize(train_features.flatten(0, 1), dim=1)  # (N' * V, F)
    asked = torch.nn.functional.normalize(test_features, dim=1)
    best = (asked @ known.T).argmax(dim=1) // train_features.shape[1]
    both = (train[best] & test).count_nonzero(dim=1)
    either = (train[best] | test).count_nonzero(dim=1)
    return iou(both, either)


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU (N, M) float64 of all pairs of grids."""
    size_a, size_b = a.count_nonzero(dim=1), b.count_nonzero(dim=1)
    first, parts = a.float(), []
    for start in range(0, len(b), CHUNK):
        # counts up to 2^24 are exact in float32
        both = (first @ b[start : start + CHUNK].float().T).round().long()
        parts.append(iou(both, size_a[:, None] + size_b[None, start : start + CHUNK] - both))
    return torch.cat(parts, dim=1)
