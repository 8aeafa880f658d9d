# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import os

from rich.console import Console

from voxrecon.cli.common import (
    add_config_options,
    check_ranges,
    guard,
    parser,
    prepare_config,
    quote_path,
)
from voxrecon.errors import CheckpointError, ConfigError, FileError, VoxreconError
from voxrecon.evaluation.protocols import PROTOCOLS, find_protocol
from voxrecon.fileio import reason

MEASURES = {
    "fscore": {"type": "FScore"},
    "fscore-mid": {"type": "FScore", "level": 0.5},
    "chamfer": {"type": "ChamferDistance"},
    "calibration": {"type": "Calibration"},
}
ORDERS = ("first", "random", "azimuth")
SELECTIONS = ("first", "random")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of ``tools/test.py``."""
    arguments = parser(
        "Test a checkpoint: IoU per class and overall, beside what needs no network. Reconstructs\n"
        "from the first N views of each object; each view is encoded once for all numbers N.",
        "python tools/test.py configs/pix2voxpp_f.py work_dirs/f/best.pth "
        "--data-root data/ShapeNet --views 1 3 5 --metrics fscore --report",
    )
    add_config_options(arguments)
    arguments.add_argument("checkpoint", help="safetensors or a training checkpoint")
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
        "--thresholds", type=float, nargs="+", metavar="T", help="in place of the protocol's"
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
        choices=ORDERS,
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
    arguments.add_argument(
        "--out", metavar="FILE", help="results of every sample (default: D/results.json)"
    )
    arguments.add_argument(
        "--report", action="store_true", help="a page, D/report.html, and a table, D/report.md"
    )
    arguments.add_argument(
        "--show-dir",
        metavar="D",
        help="draw inputs, prediction and truth of every sample, and write predictions as GLB",
    )
    arguments.add_argument(
        "--show-per-class", type=int, metavar="N", help="only so many of each class (default: all)"
    )
    arguments.add_argument(
        "--skip-bad", action="store_true", help="count broken samples instead of stopping"
    )
    return arguments.parse_args(argv)


def test(args: argparse.Namespace) -> None:
    """Test as the command line says."""
    from voxrecon.engine import VoxelRunner
    from voxrecon.engine.config import check_config
    from voxrecon.evaluation import format_results, summarise, write_results

    ranges = {
        "metric_seed": (0, 2**63),
        "views": (1, 10_000),
        "thresholds": (0, 1),
        "orders": (2, 1000),
    }
    check_ranges(args, {**ranges, "retrieval_views": (0, 10_000), "show_per_class": (1, 10**9)})
    cfg = prepare_config(args)
    if not os.path.isfile(args.checkpoint):
        raise CheckpointError(f"{args.checkpoint}: no such checkpoint")
    _set_evaluation(cfg, args)
    out = args.out or os.path.join(cfg.work_dir, "results.json")
    _prepare_outputs(cfg, args, out)
    cfg.load_from = args.checkpoint
    check_config(cfg)
    train_data = cfg.train_dataloader.dataset.to_dict()
    # a test needs nothing of the training
    training = ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler")
    for key in (*training, "val_dataloader", "val_cfg", "val_evaluator"):
        cfg[key] = None
    runner = VoxelRunner.from_cfg(cfg)
    data = cfg.test_dataloader.dataset.to_dict()
    sorted_views = data.get("order", "first") != "first"
    if runner.rank == 0 and runner.network.runs_again(sorted_views) and len(args.views or ()) > 1:
        print(f"{runner.network.scope} fusion: what follows the features runs again for each count")
    runner.test()
    if runner.rank:
        return
    metric = runner.test_evaluator.metrics[0]
    results = metric.found
    results["protocol"] |= {
        "view_selection": data.get("selection", "first"),
        "view_order": data.get("order", "first"),
    }
    results["run"] = _describe(cfg, args, runner)
    if not args.no_baselines and metric.protocol.metric == "VoxelIoU":
        from voxrecon.cli.baselines import of_network

        try:
            results["baselines"] = of_network(
                runner.network, train_data, data, args.retrieval_views
            )
        except VoxreconError as error:
            print(f"no baselines: {error}")
    results["summary"] = summarise(results, intervals=True)
    write_results(out, results)
    Console().print(format_results(results))
    print(f"results of every sample: {out}")
    if args.report:
        from voxrecon.cli.report import write_report

        print("report:", *write_report(cfg.work_dir, results, runner))
    if args.show_dir:
        print(f"pictures and meshes: {args.show_dir}")
    print(f"next: python tools/analysis/compare.py {quote_path(out)} OTHER/results.json")


def _set_evaluation(cfg, args: argparse.Namespace) -> None:
    """Put protocol, views and metrics into the config."""
    if not isinstance(cfg.test_evaluator, dict):
        raise ConfigError("test_evaluator: expected one metric, a dict")
    if args.protocol:
        protocol = find_protocol(args.protocol)
        args.views = args.views or list(protocol.views)
        cfg.test_evaluator = {"type": protocol.metric}
        if protocol.metric == "VoxelIoU":
            cfg.test_evaluator.protocol = protocol.name
    protocol = find_protocol(cfg.test_evaluator.get("protocol", "pix2vox"))
    if cfg.test_evaluator.type != "VoxelIoU":
        given = {
            "--thresholds": args.thresholds,
            "--metrics": args.metrics,
            "--orders": args.orders,
        }
        for option in (name for name, value in given.items() if value):
            raise ConfigError(
                f"{option}: expected the metric VoxelIoU, not {cfg.test_evaluator.type}"
            )
    if args.thresholds:
        cfg.test_evaluator.thresholds = sorted({*args.thresholds, protocol.threshold})
    if args.metrics:
        rule = {"threshold": protocol.threshold, "strict": protocol.strict}
        on_surfaces = {**rule, "seed": args.metric_seed}
        cfg.test_evaluator.measures = [
            {**MEASURES[name], **(on_surfaces if name != "calibration" else {})}
            for name in dict.fromkeys(args.metrics)
        ]
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
    if args.skip_bad:
        dataset.skip_bad = True


def _prepare_outputs(cfg, args: argparse.Namespace, out: str) -> None:
    """Make sure, before the test, that its results can be written."""
    if args.show_dir == "":
        raise ConfigError("--show-dir is empty, expected a folder")
    if args.show_per_class is not None and not args.show_dir:
        raise ConfigError("--show-per-class: nothing is shown without --show-dir")
    if os.path.isdir(out):
        raise ConfigError(f"--out {out}: a folder, expected a file")
    for path, folder in ((out, os.path.dirname(out)), (args.show_dir, args.show_dir)):
        try:
            os.makedirs(folder or ".", exist_ok=True)
        except OSError as error:
            raise FileError(f"{path}: cannot be written: {reason(error)}") from error
    if args.show_dir:
        others = [h for h in cfg.get("custom_hooks", []) if h["type"] != "ReconstructionHook"]
        show = {"show_dir": args.show_dir, "per_class": args.show_per_class}
        cfg.custom_hooks = [*others, {"type": "ReconstructionHook", **show}]


def _describe(cfg, args: argparse.Namespace, runner) -> dict:
    """What the results are of, as text."""
    from voxrecon.cli.environment import describe_environment
    from voxrecon.engine.checkpoint import hash_file

    dataset = runner.test_dataloader.dataset
    return {
        "config": args.config,
        "config_text": cfg.pretty_text,
        "checkpoint": args.checkpoint,
        "checkpoint_sha256": hash_file(args.checkpoint),
        "network": runner.network.network,
        "scope": runner.network.scope,
        "data_root": dataset.data_root,
        "split": dataset.split,
        "environment": describe_environment(),
    }


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: test(parse_args(argv)))


if __name__ == "__main__":
    main()
