# SPDX-License-Identifier: MIT
"""The options of a test that say what is measured, and how."""

from __future__ import annotations

import argparse
import math

from voxrecon.cli.common import check_ranges
from voxrecon.datasets import R2N2Dataset
from voxrecon.datasets.base import SELECTIONS
from voxrecon.errors import ConfigError
from voxrecon.evaluation.protocols import PROTOCOLS, find_protocol
from voxrecon.evaluation.voxel_iou import VoxelIoU
from voxrecon.registry import METRICS

MEASURES = {
    "fscore": {"type": "FScore"},
    "fscore-mid": {"type": "FScore", "level": 0.5},
    "chamfer": {"type": "ChamferDistance"},
    "calibration": {"type": "Calibration"},
}


def add_evaluation_options(arguments: argparse.ArgumentParser) -> None:
    """Protocol, views, metrics and baselines."""
    arguments.add_argument(
        "--protocol",
        choices=list(PROTOCOLS),
        help="thresholds, mean and numbers of views as a paper has them (default: the config's)",
    )
    arguments.add_argument(
        "--views",
        type=int,
        nargs="+",
        metavar="N",
        help="numbers of views (default: those of --protocol, else 1)",
    )
    arguments.add_argument(
        "--thresholds", type=float, nargs="+", metavar="T", help="besides the protocol's"
    )
    arguments.add_argument(
        "--metrics",
        nargs="+",
        default=[],
        choices=list(MEASURES),
        metavar="NAME",
        help=f"beyond IoU: {', '.join(MEASURES)}; fscore and fscore-mid are F-scores at 1 %% of "
        "surfaces at level 0 (the usual recipe) and 0.5",
    )
    arguments.add_argument(
        "--metric-seed", type=int, default=0, metavar="N", help="of points on surfaces (default: 0)"
    )
    arguments.add_argument(
        "--view-selection",
        choices=SELECTIONS,
        help="which views of an object (default: the config's, first)",
    )
    arguments.add_argument(
        "--view-order",
        choices=R2N2Dataset.orders,
        help="in which order the network gets them (default: the config's, mostly first)",
    )
    arguments.add_argument(
        "--orders",
        type=int,
        metavar="K",
        help="how far the IoU depends on the order: the most views in K random orders as well",
    )
    arguments.add_argument(
        "--retrieval-views",
        type=int,
        default=1,
        metavar="N",
        help="views of each training object to retrieve from, 0 for no retrieval (default: 1)",
    )
    arguments.add_argument(
        "--no-baselines", action="store_true", help="leave out what needs no network"
    )


def set_evaluation(cfg, args: argparse.Namespace) -> None:
    """Put protocol, views and metrics into the config.

    Raises:
        ConfigError: an option is out of its range or does not fit the metric of the config.
    """
    check_ranges(
        args,
        {
            **{"views": (1, math.inf), "thresholds": (0, 1), "orders": (2, 1000)},
            **dict.fromkeys(("metric_seed", "retrieval_views"), (0, math.inf)),
        },
    )
    if args.protocol:
        protocol = find_protocol(args.protocol)
        args.views = args.views or list(protocol.views)
        cfg.test_evaluator = {"type": protocol.metric}
        if protocol.metric == VoxelIoU.kind:
            cfg.test_evaluator.protocol = protocol.name
    _set_metrics(cfg.test_evaluator, args)
    dataset = cfg.test_dataloader.dataset
    if args.views:
        cfg.model.eval_views = sorted(set(args.views))
        dataset.n_views = max(args.views)
    for key, value in (("order", args.view_order), ("selection", args.view_selection)):
        if value:
            dataset[key] = value
    if args.orders:
        if dataset.get("n_views", 1) < 2:
            raise ConfigError(f"--orders {args.orders}: expected --views from 2 on")
        cfg.model.eval_orders = args.orders


def _set_metrics(evaluator, args: argparse.Namespace) -> None:
    """Put thresholds and measures into ``test_evaluator``."""
    name = evaluator.get("type") if isinstance(evaluator, dict) else None
    kind = METRICS.get(name) if isinstance(name, str) else None
    if not (isinstance(kind, type) and issubclass(kind, VoxelIoU)):
        raise ConfigError(
            f"test_evaluator.type {name!r}: expected VoxelIoU, Pix3DIoU or a class made from them"
        )
    if kind.kind != VoxelIoU.kind:
        for option in ("thresholds", "metrics", "orders"):
            if getattr(args, option):
                raise ConfigError(f"--{option}: expected the metric VoxelIoU, not {name}")
        return
    protocol = find_protocol(evaluator.get("protocol", "pix2vox"))
    if args.thresholds:
        known = evaluator.get("thresholds") or protocol.thresholds
        evaluator.thresholds = sorted({*args.thresholds, *known})
    if args.metrics:
        chosen = [dict(MEASURES[name]) for name in dict.fromkeys(args.metrics)]
        for measure in chosen:
            if measure["type"] != "Calibration":
                measure["seed"] = args.metric_seed
        others = [m for m in evaluator.get("measures", ()) if dict(m) not in chosen]
        evaluator.measures = [*others, *chosen]
