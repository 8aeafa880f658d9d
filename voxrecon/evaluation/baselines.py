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
from torch.nn.functional import normalize

from .iou import iou

THRESHOLDS = torch.arange(2, 31) / 40  # of mean grids, 0.05 to 0.75; the training set chooses
CHUNK = 1024  # grids or views compared at once


def mean_grid(train: Tensor) -> Tensor:
    """The mean of grids, at the threshold that has the greatest mean IoU with them: (G,) bool."""
    mean = sum(part.float().sum(dim=0) for part in train.split(CHUNK)) / len(train)  # (G,)
    candidates = mean >= THRESHOLDS[:, None]  # (T, G)
    return candidates[int(pairwise_iou(train, candidates).mean(dim=0).argmax())]


def mean_grid_iou(train: Tensor, test: Tensor) -> Tensor:
    """IoU (N,) of the training set's mean grid with each test grid."""
    return pairwise_iou(test, mean_grid(train)[None])[:, 0]


def class_mean_iou(
    train: Tensor, train_classes: Sequence[str], test: Tensor, test_classes: Sequence[str]
) -> Tensor:
    """IoU (N,) of each test grid with the mean grid of its class, which is known; NaN for a class
    without training grids."""
    scores = torch.full((len(test),), torch.nan, dtype=torch.float64)
    train_of, test_of = np.asarray(train_classes), np.asarray(test_classes)
    for name in sorted(set(test_classes) & set(train_classes)):
        chosen = torch.from_numpy(test_of == name)
        scores[chosen] = mean_grid_iou(train[torch.from_numpy(train_of == name)], test[chosen])
    return scores


def oracle_iou(train: Tensor, test: Tensor) -> Tensor:
    """IoU (N,) of each test grid with the training grid that is nearest to it: what retrieval
    could reach if it always chose best."""
    best = torch.zeros(len(test), dtype=torch.float64)
    for part in train.split(CHUNK):
        best = torch.maximum(best, pairwise_iou(test, part).amax(dim=1))
    return best


def retrieval_iou(
    train: Tensor, train_features: Tensor, test: Tensor, test_features: Tensor
) -> Tensor:
    """IoU (N,) of each test grid with that of the training view of nearest features (cosine).

    Features are (N, F) of a test view each, and (N', V, F) of V views of each training object.
    """
    asked = normalize(test_features.float(), dim=1)
    best, score = torch.zeros(len(asked), dtype=torch.long), torch.full((len(asked),), -2.0)
    views = train_features.shape[1]
    step = max(1, CHUNK // views)  # training objects at once
    for start in range(0, len(train_features), step):
        known = normalize(train_features[start : start + step].flatten(0, 1).float(), dim=1)
        here, place = (asked @ known.T).max(dim=1)
        best = torch.where(here > score, start + place // views, best)
        score = torch.maximum(here, score)
    both = (train[best] & test).count_nonzero(dim=1)
    either = (train[best] | test).count_nonzero(dim=1)
    return iou(both, either)


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU (N, M) float64 of all pairs of grids."""
    rows = []
    for some in a.split(CHUNK):
        # counts up to 2^24 are exact in float32
        parts = [some.float() @ other.float().T for other in b.split(CHUNK)]
        both = torch.cat(parts, dim=1).round().long()
        sizes = some.count_nonzero(dim=1)[:, None] + b.count_nonzero(dim=1)
        rows.append(iou(both, sizes - both))
    return torch.cat(rows)
