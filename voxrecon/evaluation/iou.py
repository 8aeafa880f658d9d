# SPDX-License-Identifier: MIT
"""Voxel intersection over union at several thresholds, as the Pix2Vox papers evaluate it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import VoxreconError


def intersection_union(
    prediction: Tensor,
    truth: Tensor,
    thresholds: Sequence[float],
    names: Sequence[str] = (),
    strict: bool = False,
) -> tuple[Tensor, Tensor]:
    """Numbers of voxels in the intersection and in the union of predicted and true grids.

    A voxel is predicted where ``prediction >= t``, like the public Pix2Vox code (the paper says
    ``>``). ``t`` is rounded to the prediction's type first, so a float32 prediction of 0.3 counts
    at t = 0.3; half-precision predictions are compared as float32, which holds them exactly.

    Args:
        prediction: (N, X, Y, Z) occupancy probabilities.
        truth: (N, X, Y, Z) bool or uint8; every voxel but 0 is occupied.
        thresholds: T values.
        names: what error messages call the N samples, "sample i" by default.
        strict: a voxel is predicted where ``prediction > t`` alone.

    Returns:
        intersection and union, each (N, T) int64.

    Raises:
        VoxreconError: the grids differ in size, or a prediction is NaN or infinite.
    """
    check_sizes(prediction, truth)
    if truth.dtype not in (torch.bool, torch.uint8):
        raise TypeError(f"truth is {truth.dtype}, expected bool or uint8")
    if prediction.dtype != torch.float64:
        prediction = prediction.float()
    prediction = prediction.flatten(1)  # (N, X*Y*Z)
    truth = truth.flatten(1).bool()
    finite = prediction.isfinite()
    if not finite.all():
        i = int(finite.all(1).int().argmin())
        name = names[i] if names else f"sample {i}"
        count = int((~finite[i]).sum())
        raise VoxreconError(f"{name}: {count} predicted voxels are NaN or infinite, expected none")

    intersection, union = [], []
    occupied = truth.count_nonzero(1)  # (N,)
    for t in thresholds:
        predicted = is_occupied(prediction, t, strict)
        both = (predicted & truth).count_nonzero(1)
        intersection.append(both)
        union.append(predicted.count_nonzero(1) + occupied - both)
    return torch.stack(intersection, 1), torch.stack(union, 1)


def is_occupied(prediction: Tensor, threshold: float, strict: bool = False) -> Tensor:
    """Where probabilities are ``>= threshold``, or above it, as ``intersection_union`` has it."""
    if prediction.dtype != torch.float64:
        prediction = prediction.float()
    t = torch.tensor(threshold, dtype=prediction.dtype).item()
    return prediction > t if strict else prediction >= t


def iou(intersection: Tensor, union: Tensor) -> Tensor:
    """Intersection over union, float64; 1.0 where the union is empty: both grids hold nothing."""
    return torch.where(union == 0, 1.0, intersection.double() / union.clamp(min=1))


def check_sizes(prediction: Tensor, truth: Tensor, name: str = "") -> None:
    """Raise VoxreconError, beginning with ``name``, unless both grids have one size."""
    if prediction.shape != truth.shape:
        sizes = ["x".join(map(str, grid.shape)) for grid in (prediction, truth)]
        label = f"{name}: " if name else ""
        raise VoxreconError(
            f"{label}predicted grid is {sizes[0]}, expected {sizes[1]} like the true one"
        )
