# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import os

import torch

from voxrecon.cli.common import add_config_options, command_line, guard, parser, prepare_config
from voxrecon.errors import ConfigError


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon train``."""
    arguments = parser(
        "train",
        "Train the network of a config.",
        "configs/pix2voxpp_f.py --data-root data/ShapeNet --work-dir work_dirs/f",
    )
    add_config_options(arguments)
    arguments.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="CKPT",
        help="go on from the newest readable checkpoint of the work dir, or from CKPT",
    )
    arguments.add_argument(
        "--load-from", metavar="W", help="start from the weights of a checkpoint"
    )
    arguments.add_argument("--amp", action="store_true", help="mixed precision (GPU)")
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def train(args: argparse.Namespace) -> None:
    """Train as the command line says."""
    from voxrecon.engine import VoxelRunner
    from voxrecon.engine.config import check_config

    cfg = prepare_config(args)
    if args.resume is not None and args.load_from:
        raise ConfigError(
            "--resume and --load-from exclude each other: a resumed run has its weights"
        )
    if args.resume is not None:
        cfg.resume, cfg.load_from = True, args.resume or None
    elif args.load_from:
        cfg.load_from = args.load_from
    if args.amp:
        if not torch.cuda.is_available():
            raise ConfigError("--amp: no GPU found; mixed precision does not pay on a CPU")
        stages = [stage.get("optim_wrapper") for stage in cfg.train_cfg.stages]
        for wrapper in filter(None, [cfg.optim_wrapper, *stages]):
            wrapper.update(type="AmpOptimWrapper", loss_scale="dynamic")
    check_config(cfg)
    runner = VoxelRunner.from_cfg(cfg)
    runner.train()
    if torch.distributed.is_initialized():  # else its threads may outlive the process's end
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    best = os.path.join(cfg.work_dir, "best.pth")
    if runner.rank == 0 and os.path.exists(best):
        words = [command_line("test"), args.config, best, "--work-dir", cfg.work_dir]
        for option, value in (("--data-root", args.data_root), ("--taxonomy", args.taxonomy)):
            words += [option, value] if value else []
        print("next:", *words, "--views", *(cfg.model.get("eval_views") or (1, 3, 5)))


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: train(parse_args(argv)))


if __name__ == "__main__":
    main()
