# SPDX-License-Identifier: MIT
"""F-score of surfaces (Knapitsch et al., 2017), by the recipe that the field has in common."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..errors import ConfigError
from ..registry import METRICS
from .iou import is_occupied
from .surfaces import POINTS, SIDES, check_options, distances, surface, surface_points

if TYPE_CHECKING:
    from scipy.spatial import KDTree

SUFFIXES = {0.0: "", 0.5: "_mid"}  # of the names of scores, by level


@METRICS.register_module()
class FScore:
    """F-score at 1 % of the cube's side, and the one that the truth itself would get.

    The common recipe (Tatarchenko et al., CVPR 2019; Pix2Vox++ and its followers): pad by
    one empty cell, marching cubes at level 0, coordinates divided by the padded number of cells
    less one (33 for 32), 8,192 points by area on either surface; a point counts if the nearest one
    of the other surface is less than 0.01 away. Ours differs in that both sides draw from
    independent streams of random numbers.

    Scores: ``precision`` is the share of predicted points near the truth, ``recall`` that of true
    points near the prediction (the public ports swap these names), ``fscore`` their harmonic mean:
    0 where both are 0 or where one of the grids is empty, 1 where both are empty. ``ceiling`` is
    the F-score of the truth against other points of itself: about 0.5 to 0.75 for chairs, as the
    points are further from each other than 0.01.

    At level 0 the surface runs through the middles of the empty cells around the object. The same
    at level 0.5, half-way to them, is called ``fscore_mid``, ``precision_mid``, ``recall_mid`` and
    ``ceiling_mid``; nothing else differs.

    Args:
        threshold: a voxel is predicted where its probability is at least this.
        strict: it is predicted where its probability is *above* the threshold alone.
        level: 0 or 0.5.
        points: on each surface.
        distance: in units of the cube's side, below which a point counts.
        seed: of the points, together with the sample's key.

    Raises:
        ConfigError: an option is out of its range, or scikit-image or scipy is missing.
    """

    def __init__(
        self,
        threshold: float = 0.3,
        strict: bool = False,
        level: float = 0.0,
        points: int = POINTS,
        distance: float = 0.01,
        seed: int = 0,
    ) -> None:
        check_options(threshold, points)
        if level not in tuple(SUFFIXES):
            raise ConfigError(f"level {level!r}: expected 0 or 0.5")
        if not isinstance(distance, int | float) or not 0 < distance < math.inf:
            raise ConfigError(f"distance {distance!r}: expected a number above 0")
        self.threshold, self.strict, self.level = threshold, strict, level
        self.points, self.distance, self.seed = points, distance, seed

    def __call__(self, predictions: Tensor, truth: Tensor, key: str) -> list[dict[str, Any]]:
        """Scores of the predictions (K, X, Y, Z) of one sample against its truth (X, Y, Z) bool."""
        side = max(truth.shape) + 1  # the padded number of cells less one
        options = {"points": self.points, "seed": self.seed, "key": key}
        true_surface = surface(truth.numpy(), self.level)
        true, again = (surface_points(true_surface, **options, side=name) for name in SIDES[1:])
        ceiling = f_score(again, true, self.distance * side)[0]
        results = []
        for prediction in predictions:
            occupied = is_occupied(prediction, self.threshold, self.strict).numpy()
            predicted = surface_points(surface(occupied, self.level), **options, side=SIDES[0])
            values = (*f_score(predicted, true, self.distance * side), ceiling)
            names = ("fscore", "precision", "recall", "ceiling")
            suffix = SUFFIXES[self.level]
            scores = {name + suffix: v for name, v in zip(names, values, strict=True)}
            results.append({"scores": scores})
        return results


def f_score(
    predicted: KDTree | None, true: KDTree | None, distance: float
) -> tuple[float, float, float]:
    """F-score, precision and recall of point sets, None for an empty one, at a distance in their
    units."""
    if predicted is None or true is None:
        value = float(predicted is true)
        return value, value, value
    precision = float((distances(predicted, true, distance) < distance).mean())
    recall = float((distances(true, predicted, distance) < distance).mean())
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0, precision, recall
