# SPDX-License-Identifier: MIT
"""The metric that validations and tests run: voxel IoU over a data set, on one process or more."""

from __future__ import annotations

import hashlib
import inspect
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from mmengine.dist import (
    all_gather_object,
    broadcast_object_list,
    get_local_size,
    is_main_process,
)
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement
from torch import Tensor

from ..errors import ConfigError, VoxreconError
from ..registry import METRICS
from ..system import available_cores
from .figures import score_figure
from .iou import check_sizes, intersection_union, iou
from .protocols import find_protocol
from .results import MEANS, build_results, sample_key

NAMED = 20  # broken samples that a line of the log names


@METRICS.register_module()
class VoxelIoU(BaseMetric):
    """Mean IoU over samples, for each view count that the model has predicted.

    A data sample (``VoxelDataSample`` or its dictionary) brings ``taxonomy``, ``id``, ``name``,
    ``broken``, ``gt_voxels`` (X, Y, Z) and ``pred_volumes`` {n_views: (X, Y, Z)}.

    ``evaluate`` returns the same numbers on all processes. For the smallest view count: ``iou``,
    the greatest over thresholds of the mean that the protocol takes, by which the published code
    selects its checkpoint; ``iou@0.3`` and so on, the mean at one threshold; ``best_threshold``;
    the mean of each score. For further view counts the same names with the count behind them, like
    ``iou@0.3/5v``. ``samples`` is the number of distinct objects.

    Args:
        thresholds: distinct values in [0, 1]; None: those of the protocol.
        protocol: a name of ``PROTOCOLS``: which mean, and whether an equal probability counts.
        measures: what to find out beyond IoU, such as ``{"type": "FScore"}``; ``threshold`` and
            ``strict`` of one that takes them are the protocol's, if not given. Each is called with
            the predictions (K, X, Y, Z) of a sample for its K view counts, its truth (X, Y, Z) bool
            and its key, and returns K dictionaries with ``scores`` (name to number or None) or a
            ``histogram``; of several samples at once, in threads.
        prefix: put before the names, with a slash.

    Attributes:
        found: all that the last ``evaluate`` found, see ``build_results``; on the main process.
    """

    default_prefix = ""
    kind = "VoxelIoU"  # of the protocols that it can follow

    def __init__(
        self,
        thresholds: Sequence[float] | None = None,
        protocol: str = "pix2vox",
        measures: Sequence[dict] = (),
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        self.protocol = find_protocol(protocol)
        if self.protocol.metric != self.kind:
            raise ConfigError(
                f"{self.kind}: protocol {protocol}, whose IoU is that of {self.protocol.metric}"
            )
        given = self.protocol.thresholds if thresholds is None else thresholds
        try:
            self.thresholds = tuple(float(t) for t in given)
        except (TypeError, ValueError):
            self.thresholds = ()
        distinct = len(set(self.thresholds)) == len(self.thresholds) > 0
        if not distinct or not all(0 <= t <= 1 for t in self.thresholds):
            raise ConfigError(f"thresholds {given}: expected distinct numbers in [0, 1]")
        headline = self.protocol.threshold
        if headline is not None and headline not in self.thresholds:
            raise ConfigError(
                f"thresholds {given}: expected {headline} of protocol {protocol} among them"
            )
        self.measures = [self._build(measure) for measure in measures]
        self.settings = [  # of the measures, as far as they are plain values
            {
                "type": type(measure).__name__,
                **{k: v for k, v in vars(measure).items() if _plain(v)},
            }
            for measure in self.measures
        ]
        self.found: dict[str, Any] | None = None

    def _build(self, measure: dict) -> Any:
        kind = METRICS.get(measure["type"])
        taken = inspect.signature(kind).parameters if kind else ()
        rule = {"threshold": self.protocol.threshold, "strict": self.protocol.strict}
        return METRICS.build({**{key: rule[key] for key in rule if key in taken}, **measure})

    def process(self, data_batch: Any, data_samples: Sequence[dict | BaseDataElement]) -> None:
        """Count the voxels of a batch; ``data_batch`` is not used.

        Raises:
            VoxreconError: a prediction is not finite or not of the size of its true grid.
        """
        samples = [s.to_dict() if isinstance(s, BaseDataElement) else s for s in data_samples]
        by_views = defaultdict(list)
        for i, sample in enumerate(samples):
            for n_views, volume in sample["pred_volumes"].items():
                check_sizes(volume, sample["gt_voxels"], sample_key(sample))
                by_views[int(n_views)].append((i, volume, sample["gt_voxels"]))

        records: dict[tuple[int, int], dict] = {}  # by sample and view count
        digests = [digest(sample["gt_voxels"]) for sample in samples]
        for n_views, rows in by_views.items():
            places, volumes, truths = zip(*rows, strict=True)
            prediction = torch.stack(volumes)  # (N, X, Y, Z)
            truth = torch.stack(truths).to(prediction.device)
            names = [sample_key(samples[i]) for i in places]
            counts = (part.tolist() for part in self.count(prediction, truth, names))
            for i, intersection, union in zip(places, *counts, strict=True):
                records[i, n_views] = {
                    **{key: samples[i][key] for key in ("taxonomy", "id", "name")},
                    "n_views": n_views,
                    "intersection": intersection,
                    "union": union,
                    "truth": digests[i],
                    "scores": {},
                    "broken": list(samples[i].get("broken", ())),
                }
                numbers = view_numbers(samples[i], n_views)
                if numbers != list(range(n_views)):
                    records[i, n_views]["view_numbers"] = numbers
        for i, sample in enumerate(samples):
            if sample.get("order_volumes") is not None:
                record = records[i, max(sample["pred_volumes"])]
                record["scores"] |= self._order_scores(sample)
        if self.measures:
            with ThreadPoolExecutor(max(1, available_cores() // get_local_size())) as pool:
                for i, found in enumerate(pool.map(self._measure, samples)):
                    for n_views, more in found.items():
                        record = records[i, n_views]
                        record["scores"] |= more.pop("scores", {})
                        record |= more
        self.results += records.values()

    def _measure(self, sample: dict) -> dict[int, dict]:
        """What the measures say of a sample, by view count."""
        views = sorted(sample["pred_volumes"])
        volumes = torch.stack([sample["pred_volumes"][n] for n in views]).float().cpu()
        truth = sample["gt_voxels"].bool().cpu()
        found: dict[int, dict] = {int(n): {"scores": {}} for n in views}
        for measure in self.measures:
            for record, more in zip(
                found.values(), measure(volumes, truth, sample_key(sample)), strict=True
            ):
                more = dict(more)
                record["scores"] |= more.pop("scores", {})
                record |= more
        return found

    def _order_scores(self, sample: dict) -> dict[str, float]:
        """How far the IoU at the protocol's threshold depends on the order of the views."""
        volumes = sample["order_volumes"]  # (K, X, Y, Z)
        truth = sample["gt_voxels"].to(volumes.device).expand_as(volumes)
        both, either = self.count(volumes, truth, [sample_key(sample)] * len(volumes))  # (K, T)
        at = self.thresholds.index(self.protocol.threshold)
        scores = iou(both[:, at], either[:, at])
        return {
            "order_deviation": float(scores.std(correction=0)),
            "order_range": float(scores.max() - scores.min()),
        }

    def count(
        self, prediction: Tensor, truth: Tensor, names: Sequence[str]
    ) -> tuple[Tensor, Tensor]:
        """Intersection and union (N, T) of grids (N, X, Y, Z), see ``intersection_union``."""
        return intersection_union(prediction, truth, self.thresholds, names, self.protocol.strict)

    def build(self, records: list[dict], broken: Sequence[str] = ()) -> dict[str, Any]:
        """The results that records stand for, each counted once, see ``build_results``."""
        return build_results(
            unique_records(records),
            self.thresholds,
            broken,
            self.protocol,
            measures=self.settings,
        )

    def flatten(self, results: dict[str, Any]) -> dict[str, float]:
        """Results as names and numbers for the log."""
        return flat_metrics(results)

    def evaluate(self, size: int) -> dict[str, float]:
        """Metrics over the samples of all processes; ``size`` is that of the data set.

        Raises:
            VoxreconError: no sample was processed.
        """
        # mmengine's collect_results would cut the list at the size of the data set, which is wrong
        # where samples were replaced: gather all and tell samples apart by their keys.
        parts = all_gather_object(self.results)  # NCCL cannot gather objects on one process
        records = [record for part in parts for record in part] if is_main_process() else []
        self.results.clear()
        # all processes raise: one that went on alone would wait for the others for ever
        answer: list[Any] = [None, ""]
        if is_main_process():
            try:
                answer[0] = self._evaluate(records, size)
            except VoxreconError as error:
                answer[1] = str(error)
        broadcast_object_list(answer)
        if answer[1]:
            raise VoxreconError(answer[1])
        return {f"{self.prefix}/{k}" if self.prefix else k: v for k, v in answer[0].items()}

    def _evaluate(self, records: list[dict], size: int) -> dict[str, float]:
        if not records:
            raise VoxreconError(f"none of {size} samples was evaluated, expected at least one")
        broken = {message for record in records for message in record["broken"]}
        missing = (self.dataset_meta or {}).get("missing", ())
        broken, size = sorted(broken.union(missing)), size + len(missing)
        self.found = self.build(records, broken)
        metrics = self.flatten(self.found)
        if broken or metrics["samples"] != size:
            line = f"evaluated {metrics['samples']} of {size} samples, {len(broken)} broken"
            named = "; ".join(broken[:NAMED]) + ("; ..." if broken[NAMED:] else "")
            print_log(f"{line}: {named}" if named else line, "current", logging.WARNING)
        return metrics

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Metrics of the given records, each counted once."""
        return self.flatten(self.build(results))


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
        means = summary[MEANS[results["protocol"]["mean"]]]
        metrics[f"iou{suffix}"] = max(means)
        for t, mean in zip(results["thresholds"], means, strict=True):
            metrics[f"iou@{t}{suffix}"] = mean
        metrics[f"best_threshold{suffix}"] = summary["best_threshold"]
        for name in summary["scores"]:
            mean, _ = score_figure(results, n_views, name)
            if mean is not None:
                metrics[f"{name}{suffix}"] = mean
    metrics["samples"] = len({(s["taxonomy"], s["id"]) for s in results["samples"]})
    return metrics


def digest(grid: Tensor) -> str:
    """16 hexadecimal digits that tell grids (X, Y, Z) of 0 and 1 apart."""
    cells = np.packbits(grid.cpu().numpy() != 0).tobytes()
    return hashlib.blake2b(cells + str(tuple(grid.shape)).encode(), digest_size=8).hexdigest()


def view_numbers(sample: dict, n_views: int) -> list[int]:
    """The numbers of the views that a reconstruction from ``n_views`` has seen, in their order."""
    views = list(sample.get("views", range(n_views)))
    picks = sample.get("picks")
    if picks is None:
        return views[:n_views]
    return [view for view, pick in zip(views, picks, strict=True) if pick < n_views]


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))
