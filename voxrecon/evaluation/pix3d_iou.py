# SPDX-License-Identifier: MIT
"""The IoU of the Pix3D benchmark (Sun et al., CVPR 2018, section 5 and the public evaluation)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import max_pool3d

from ..errors import VoxreconError
from ..registry import METRICS
from .protocols import PROTOCOLS
from .results import build_results
from .voxel_iou import VoxelIoU, unique_records

PROTOCOL = PROTOCOLS["pix3d"]
THRESHOLDS = PROTOCOL.thresholds  # searched for the greatest mean IoU
INSIDE = 0.1  # from here on a voxel counts for the bounding box
SIDE = 32  # cells on which grids are compared
FINE = 100  # cells from which on a grid is pooled first, so that no thin part is stepped over


@METRICS.register_module()
class Pix3DIoU(VoxelIoU):
    """IoU after both grids have been fitted to their bounding boxes, at the best threshold of all.

    Prediction and truth are each cropped to the box of what is at least 0.1, padded to a cube,
    resampled trilinearly to 32^3 and compared where they are *above* a threshold; that one of 0.01,
    0.02 ... 0.50 counts at which the mean over all samples is greatest. So position and size do not
    count, and the figures are no ``VoxelIoU``. A prediction that is nowhere 0.1 has IoU 0.

    ``evaluate`` returns ``iou``, ``best_threshold`` and ``samples``, for further view counts as
    :class:`VoxelIoU` does. The results hold the counts at the best threshold of each view count.

    Args:
        prefix: put before the names, with a slash.
    """

    kind = "Pix3DIoU"

    def __init__(self, prefix: str | None = None) -> None:
        super().__init__(protocol=PROTOCOL.name, prefix=prefix)

    def count(
        self, prediction: Tensor, truth: Tensor, names: Sequence[str]
    ) -> tuple[Tensor, Tensor]:
        pairs = []
        for i, name in enumerate(names):
            if not prediction[i].isfinite().all():
                raise VoxreconError(f"{name}: predicted voxels are NaN or infinite, expected none")
            fitted = [fit(grid).flatten() for grid in (prediction[i], truth[i] != 0)]
            # one threshold at a time would take as many passes
            at = torch.tensor(THRESHOLDS, dtype=torch.float64, device=prediction.device)[:, None]
            a, b = (grid > at for grid in fitted)  # (T, 32^3)
            pairs.append(((a & b).count_nonzero(1), (a | b).count_nonzero(1)))
        intersection, union = (torch.stack(part) for part in zip(*pairs, strict=True))
        return intersection, union

    def build(self, records: list[dict], broken: Sequence[str] = ()) -> dict[str, Any]:
        """Results at the best thresholds alone: fifty columns would say nothing more."""
        records = unique_records(records)
        searched = build_results(records, self.thresholds, (), PROTOCOL)["summary"].values()
        best = sorted({summary["best_threshold"] for summary in searched})
        places = [self.thresholds.index(threshold) for threshold in best]
        kept = [
            {**r, **{key: [r[key][i] for i in places] for key in ("intersection", "union")}}
            for r in records
        ]
        return build_results(kept, best, broken, PROTOCOL)

    def flatten(self, results: dict[str, Any]) -> dict[str, float]:
        metrics = super().flatten(results)
        return {name: value for name, value in metrics.items() if "@" not in name}


def fit(grid: Tensor) -> Tensor:
    """(X, Y, Z) cropped to its bounding box, padded to a cube, resampled to (32, 32, 32) float64.

    The samples reach from the middle of the box's first cell to that of its last one on the longest
    side; what lies outside of the box is 0.
    """
    grid = grid.double()
    if max(grid.shape) > FINE:
        grid = max_pool3d(grid[None], 4)[0]
    inside = (grid >= INSIDE).nonzero()
    if not len(inside):
        return grid.new_zeros((SIDE,) * 3)
    low, high = inside.amin(0).tolist(), inside.amax(0).tolist()
    grid = grid[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))]
    length = max(grid.shape) - 1
    x, y, z = (_weights(cells, length).to(grid.device) for cells in grid.shape)
    return torch.einsum("abc,xa,yb,zc->xyz", grid, x, y, z)


def _weights(cells: int, length: int) -> Tensor:
    """(32, cells): what each cell of a side gives to each sample."""
    last = cells - 1
    at = torch.linspace((last - length) / 2, (last + length) / 2, SIDE, dtype=torch.float64)
    share = 1 - (at[:, None] - torch.arange(cells, dtype=torch.float64)).abs()
    outside = (at < 0) | (at > last)
    return share.clamp(min=0).masked_fill(outside[:, None], 0)
