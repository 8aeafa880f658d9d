# SPDX-License-Identifier: MIT
"""Chamfer distance of surfaces (Fan et al., CVPR 2017; here of distances, not of their squares)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..registry import METRICS
from .iou import is_occupied
from .surfaces import POINTS, SIDES, check_options, distances, surface, surface_points

if TYPE_CHECKING:
    from scipy.spatial import KDTree

LEVEL = 0.5  # of the surface: half-way between occupied and empty cells


@METRICS.register_module()
class ChamferDistance:
    """How far predicted and true surface are from each other, in units of the cube's side.

    ``chamfer`` is the mean distance of predicted points to the nearest true ones plus that of true
    points to the nearest predicted ones, 0 where both grids are empty, None where one is.
    ``chamfer_floor`` is that of the truth against other points of itself: a perfect prediction gets
    no 0 either, as both surfaces are known by points alone.

    The surfaces are those of marching cubes at 0.5, not the inflated ones of the F-score, and the
    side of the cube is the number of its cells.

    Args:
        threshold: a voxel is predicted where its probability is at least this.
        strict: it is predicted where its probability is *above* the threshold alone.
        points: on each surface.
        seed: of the points, together with the sample's key.

    Raises:
        ConfigError: an option is out of its range, or scikit-image or scipy is missing.
    """

    def __init__(
        self, threshold: float = 0.3, strict: bool = False, points: int = POINTS, seed: int = 0
    ) -> None:
        check_options(threshold, points)
        self.threshold, self.strict, self.points, self.seed = threshold, strict, points, seed

    def __call__(self, predictions: Tensor, truth: Tensor, key: str) -> list[dict[str, Any]]:
        """Scores of the predictions (K, X, Y, Z) of one sample against its truth (X, Y, Z) bool."""
        cells = max(truth.shape)
        options = {"points": self.points, "seed": self.seed, "key": key}
        true_surface = surface(truth.numpy(), LEVEL)
        true, again = (surface_points(true_surface, **options, side=name) for name in SIDES[1:])
        floor = chamfer(again, true, cells)
        results = []
        for prediction in predictions:
            occupied = is_occupied(prediction, self.threshold, self.strict).numpy()
            predicted = surface_points(surface(occupied, LEVEL), **options, side=SIDES[0])
            scores = {"chamfer": chamfer(predicted, true, cells), "chamfer_floor": floor}
            results.append({"scores": scores})
        return results


def chamfer(predicted: KDTree | None, true: KDTree | None, unit: float) -> float | None:
    """Chamfer distance of point sets, None for an empty one, in multiples of ``unit``."""
    if predicted is None or true is None:
        return 0.0 if predicted is true else None
    there, back = distances(predicted, true), distances(true, predicted)
    return float(there.mean() + back.mean()) / unit
