# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import math
import os

from rich.console import Console

from voxrecon.cli.common import (
    add_config_options,
    check_ranges,
    command_line,
    guard,
    parser,
    prepare_config,
    quote_path,
)
from voxrecon.cli.evaluation_options import add_evaluation_options, set_evaluation
from voxrecon.errors import CheckpointError, ConfigError, FileError, VoxreconError
from voxrecon.fileio import reason

REPORTS = ("report.html", "report.md")


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon test``."""
    arguments = parser(
        "test",
        "Test a checkpoint: IoU per class and overall, beside what needs no network. Reconstructs\n"
        "from the first N views of each object; each view is encoded once for all numbers N.",
        "configs/pix2voxpp_f.py work_dirs/f/best.pth "
        "--data-root data/ShapeNet --views 1 3 5 --metrics fscore --report",
    )
    add_config_options(arguments)
    arguments.add_argument("checkpoint", help="safetensors or a training checkpoint")
    add_evaluation_options(arguments)
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
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def test(args: argparse.Namespace) -> None:
    """Test as the command line says."""
    from voxrecon.cli.baselines import find_leaks, of_network
    from voxrecon.engine import VoxelRunner
    from voxrecon.engine.config import check_config
    from voxrecon.evaluation import format_results, summarise
    from voxrecon.evaluation.figures import count_views

    check_ranges(args, {"show_per_class": (1, math.inf)})
    cfg = prepare_config(args)
    if not os.path.isfile(args.checkpoint):
        raise CheckpointError(f"{args.checkpoint}: no such checkpoint")
    set_evaluation(cfg, args)
    if args.skip_bad:
        cfg.test_dataloader.dataset.skip_bad = True
    out = args.out or os.path.join(cfg.work_dir, "results.json")
    _prepare_outputs(cfg, args, out)
    check_config(cfg)
    train_data = cfg.train_dataloader.dataset.to_dict()
    # a test needs nothing of the training
    training = ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler")
    for key in (*training, "val_dataloader", "val_cfg", "val_evaluator"):
        cfg[key] = None
    runner = VoxelRunner.from_cfg(cfg)
    runner.load_checkpoint(args.checkpoint)  # before the data: it may not fit the config
    data = cfg.test_dataloader.dataset.to_dict()
    network, counts = runner.network, cfg.model.get("eval_views") or ()
    again = network.runs_again(data.get("order", "first") != "first")
    if runner.rank == 0 and again and len(counts) > 1:
        print(f"{network.scope} fusion: what follows the features runs again for each count")
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
    results["leaks"] = find_leaks(train_data, results["samples"])
    results["summary"] = summarise(results, intervals=True)
    _save(out, results)  # what has been found is not lost if the rest fails
    if metric.kind != "VoxelIoU":
        print(f"no baselines: they are IoUs of grids as they are, not {metric.kind}")
    elif not args.no_baselines:
        views = args.retrieval_views
        print(
            f"baselines from the training set, retrieval from {count_views(views)} of each object; "
            "--no-baselines leaves them out"
        )
        try:
            results["baselines"] = of_network(network, train_data, data, views)
            results["run"]["retrieval_views"] = str(views)
        except VoxreconError as error:
            print(f"no baselines: {error}")
    _save(out, results)
    Console().print(format_results(results))
    print(f"results of every sample: {out}")
    if args.report:
        from voxrecon.cli.report import write_report

        print("report:", *write_report(cfg.work_dir, results, runner))
    if args.show_dir:
        print(f"pictures and meshes: {args.show_dir}")
    print(f"next: {command_line('analyse compare')} {quote_path(out)} OTHER/results.json")


def _save(out: str, results: dict) -> None:
    """Write the results; where that fails, print them at least."""
    from voxrecon.evaluation import format_results, write_results

    try:
        write_results(out, results)
    except FileError:
        Console().print(format_results(results))
        raise


def _prepare_outputs(cfg, args: argparse.Namespace, out: str) -> None:
    """Make sure, before the test, that its results can be written."""
    if args.show_dir == "":
        raise ConfigError("--show-dir is empty, expected a folder")
    if args.show_per_class and not args.show_dir:
        raise ConfigError("--show-per-class: nothing is shown without --show-dir")
    reports = [os.path.join(cfg.work_dir, name) for name in REPORTS] if args.report else []
    for path in (out, *reports):
        if os.path.exists(path) and not os.path.isfile(path):
            kind = "a folder" if os.path.isdir(path) else "a device or a pipe"
            raise FileError(f"{path}: {kind}, expected a file")
    folders = [(path, os.path.dirname(path)) for path in (out, *reports)]
    for path, folder in (*folders, (args.show_dir, args.show_dir)):
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
