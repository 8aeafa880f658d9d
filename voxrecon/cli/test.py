# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import os

from rich.console import Console

from voxrecon.cli.common import add_config_options, guard, parser, prepare_config
from voxrecon.errors import CheckpointError, ConfigError, FileError
from voxrecon.fileio import reason


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of ``tools/test.py``."""
    arguments = parser(
        "Test a checkpoint: IoU per class and overall, on the first n views of each object.",
        "python tools/test.py configs/pix2voxpp_f.py work_dirs/f/best.pth "
        "--data-root data/ShapeNet --views 1 3 5",
    )
    add_config_options(arguments)
    arguments.add_argument("checkpoint", help="safetensors or a training checkpoint")
    arguments.add_argument(
        "--views", type=int, nargs="+", metavar="N", help="numbers of views (default: 1)"
    )
    arguments.add_argument(
        "--out", metavar="FILE", help="results of every sample (default: D/results.json)"
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
    from voxrecon.evaluation import format_results, read_results

    cfg = prepare_config(args)
    if not os.path.isfile(args.checkpoint):
        raise CheckpointError(f"{args.checkpoint}: no such checkpoint")
    if args.views:
        if min(args.views) < 1:
            raise ConfigError(f"--views {min(args.views)}: expected at least 1")
        cfg.model.eval_views = sorted(set(args.views))
        cfg.test_dataloader.dataset.n_views = max(args.views)
    if args.show_dir == "":
        raise ConfigError("--show-dir is empty, expected a folder")
    if args.show_per_class is not None and not args.show_dir:
        raise ConfigError("--show-per-class: nothing is shown without --show-dir")
    if args.show_per_class is not None and args.show_per_class < 1:
        raise ConfigError(f"--show-per-class {args.show_per_class}: expected at least 1")
    if args.skip_bad:
        cfg.test_dataloader.dataset.skip_bad = True
    out = args.out or os.path.join(cfg.work_dir, "results.json")
    if os.path.isdir(out):  # known now, not after the test
        raise ConfigError(f"--out {out}: a folder, expected a file")
    for path, folder in ((out, os.path.dirname(out)), (args.show_dir, args.show_dir)):
        try:
            os.makedirs(folder or ".", exist_ok=True)
        except OSError as error:
            raise FileError(f"{path}: cannot be written: {reason(error)}") from error
    if not isinstance(cfg.test_evaluator, dict):
        raise ConfigError("test_evaluator: expected one metric, a dict")
    cfg.test_evaluator.out = out
    if args.show_dir:
        others = [h for h in cfg.get("custom_hooks", []) if h["type"] != "ReconstructionHook"]
        show = {"show_dir": args.show_dir, "per_class": args.show_per_class}
        cfg.custom_hooks = [*others, {"type": "ReconstructionHook", **show}]
    cfg.load_from = args.checkpoint
    check_config(cfg)
    # a test needs nothing of the training, its data least of all
    training = ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler")
    for key in (*training, "val_dataloader", "val_cfg", "val_evaluator"):
        cfg[key] = None
    runner = VoxelRunner.from_cfg(cfg)
    runner.test()
    if runner.rank == 0:
        Console().print(format_results(read_results(out)))
        print(f"results of every sample: {out}")
        if args.show_dir:
            print(f"pictures and meshes: {args.show_dir}")


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: test(parse_args(argv)))


if __name__ == "__main__":
    main()
