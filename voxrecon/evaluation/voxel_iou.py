# SPDX-License-Identifier: MIT
"""The metric that validations and tests run: voxel IoU over a data set, on one process or more."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from mmengine.dist import all_gather_object, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement
from torch import Tensor

from ..errors import ConfigError, FileError, VoxreconError
from ..registry import METRICS
from .iou import check_sizes, intersection_union
from .report import build_results, write_json

NAMED = 20  # broken samples that a line of the log names


@METRICS.register_module()
class VoxelIoU(BaseMetric):
    """Mean IoU over samples, for each view count that the model has predicted.

    A data sample (``VoxelDataSample`` or its dictionary) brings ``taxonomy``, ``id``, ``name``,
    ``broken``, ``gt_voxels`` (X, Y, Z) and ``pred_volumes`` {n_views: (X, Y, Z)}.

    ``evaluate`` returns the same numbers on all processes. For the smallest view count: ``iou``,
    the greatest over thresholds of the mean over samples, by which the published code selects its
    checkpoint; ``iou@0.3`` and so on, the mean at one threshold; ``best_threshold``. For further
    view counts the same names with the count behind them, like ``iou@0.3/5v``. ``samples`` is the
    number of distinct objects.

    Args:
        thresholds: distinct values in [0, 1].
        out: JSON file for the results of all samples, see ``build_results``.
        prefix: put before the names, with a slash.
    """

    default_prefix = ""

    def __init__(
        self,
        thresholds: Sequence[float] = (0.2, 0.3, 0.4, 0.5),
        out: str | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        try:
            self.thresholds = tuple(float(t) for t in thresholds)
        except (TypeError, ValueError):
            self.thresholds = ()
        distinct = len(set(self.thresholds)) == len(self.thresholds) > 0
        if not distinct or not all(0 <= t <= 1 for t in self.thresholds):
            raise ConfigError(f"thresholds {thresholds}: expected distinct numbers in [0, 1]")
        self.out = out

    def process(self, data_batch: Any, data_samples: Sequence[dict | BaseDataElement]) -> None:
        """Count the voxels of a batch; ``data_batch`` is not used.

        Raises:
            VoxreconError: a prediction is not finite or not of the size of its true grid.
        """
        by_views = defaultdict(list)
        for sample in data_samples:
            if isinstance(sample, BaseDataElement):
                sample = sample.to_dict()
            for n_views, volume in sample["pred_volumes"].items():
                check_sizes(volume, sample["gt_voxels"], _name(sample))
                by_views[int(n_views)].append((sample, volume, sample["gt_voxels"]))

        for n_views, rows in by_views.items():
            samples, volumes, truths = zip(*rows, strict=True)
            prediction = torch.stack(volumes)  # (N, X, Y, Z)
            truth = torch.stack(truths).to(prediction.device)
            names = [_name(sample) for sample in samples]
            intersection, union = self.count(prediction, truth, names)
            self.results += [
                {
                    **{key: sample[key] for key in ("taxonomy", "id", "name")},
                    "n_views": n_views,
                    "intersection": i,
                    "union": u,
                    "broken": list(sample.get("broken", ())),
                }
                for sample, i, u in zip(samples, intersection.tolist(), union.tolist(), strict=True)
            ]

    def count(
        self, prediction: Tensor, truth: Tensor, names: Sequence[str]
    ) -> tuple[Tensor, Tensor]:
        """Intersection and union (N, T) of grids (N, X, Y, Z), see ``intersection_union``."""
        return intersection_union(prediction, truth, self.thresholds, names)

    def build(self, records: list[dict], broken: Sequence[str] = ()) -> dict[str, Any]:
        """The results that records stand for, each counted once, see ``build_results``."""
        return build_results(unique_records(records), self.thresholds, broken)

    def flatten(self, results: dict[str, Any]) -> dict[str, float]:
        """Results as names and numbers for the log."""
        return flat_metrics(results)

    def evaluate(self, size: int) -> dict[str, float]:
        """Metrics over the samples of all processes; ``size`` is that of the data set.

        Raises:
            VoxreconError: no sample was processed.
            FileError: the results cannot be written; raised on all processes.
        """
        # mmengine's collect_results would cut the list at the size of the data set, which is wrong
        # where samples were replaced: gather all and tell samples apart by their keys.
        records = [record for part in all_gather_object(self.results) for record in part]
        self.results.clear()
        if not records:
            raise VoxreconError(f"none of {size} samples was evaluated, expected at least one")
        broken = {message for record in records for message in record["broken"]}
        missing = (self.dataset_meta or {}).get("missing", ())
        broken, size = sorted(broken.union(missing)), size + len(missing)
        results = self.build(records, broken)
        metrics = self.flatten(results)
        if broken or metrics["samples"] != size:
            line = f"evaluated {metrics['samples']} of {size} samples, {len(broken)} broken"
            named = "; ".join(broken[:NAMED]) + ("; ..." if broken[NAMED:] else "")
            print_log(f"{line}: {named}" if named else line, "current", logging.WARNING)
        self._write(results)
        return {f"{self.prefix}/{k}" if self.prefix else k: v for k, v in metrics.items()}

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Metrics of the given records, each counted once."""
        return self.flatten(self.build(results))

    def _write(self, results: dict) -> None:
        if not self.out:
            return
        error = None
        if is_main_process():
            try:
                write_json(self.out, results)
            except FileError as e:
                error = str(e)
        # All processes raise: one that went on alone would wait for the others for ever.
        error = all_gather_object(error)[0]
        if error:
            raise FileError(error)


def unique_records(records: Iterable[dict]) -> list[dict]:
    """One record for each (taxonomy, id, n_views), in this order.

    Samplers pad the last batches with samples already seen, and a broken sample is replaced by
    another one. Such twins may differ by a voxel, as float sums depend on the batch: the smallest
    counts are kept, so the choice does not depend on the order of processes.
    """

    def key(record: dict) -> tuple:
        return record["taxonomy"], record["id"], record["n_views"]

    unique: dict[tuple, dict] = {}
    for record in sorted(records, key=lambda r: (*key(r), r["intersection"], r["union"])):
        unique.setdefault(key(record), record)
    return list(unique.values())


def flat_metrics(results: dict[str, Any]) -> dict[str, float]:
    """Results as names and numbers for the log, see ``VoxelIoU``."""
    metrics = {}
    for i, n_views in enumerate(results["views"]):
        suffix = f"/{n_views}v" if i else ""
        summary = results["summary"][str(n_views)]
        metrics[f"iou{suffix}"] = max(summary["overall"])
        for t, mean in zip(results["thresholds"], summary["overall"], strict=True):
            metrics[f"iou@{t}{suffix}"] = mean
        metrics[f"best_threshold{suffix}"] = summary["best_threshold"]
    metrics["samples"] = len({(s["taxonomy"], s["id"]) for s in results["samples"]})
    return metrics


def _name(sample: dict) -> str:
    return f"{sample['taxonomy']}/{sample['id']}"
