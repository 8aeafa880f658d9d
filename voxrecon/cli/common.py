# SPDX-License-Identifier: MIT
"""What the commands share: common options, and errors in one line."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable

from voxrecon.errors import VoxreconError

USER_ERROR = 2  # exit code


def one_line(error: BaseException) -> str:
    """The message of an error; of one that a data loader's worker has wrapped, the original one."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r"^voxrecon\.errors\.\w+: ", "", lines[-1])


def guard(command: Callable[[], None]) -> None:
    """Run a command; a user's error is printed in one line, without a traceback, and ends it with exit code 2."""
    try:
        command()
    except VoxreconError as error:
        message = one_line(error)
    except OSError as error:
        if error.filename is None:
            raise
        message = f"{error.filename}: {error.strerror}"
    except KeyboardInterrupt:
        message = "interrupted"
    else:
        return
    print(f"error: {message}", file=sys.stderr)
    sys.exit(USER_ERROR)


def parser(description: str, example: str) -> argparse.ArgumentParser:
    """A parser whose help ends with an example."""
    return argparse.ArgumentParser(
        description=description,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_config_options(arguments: argparse.ArgumentParser) -> None:
    """The options of every command that reads a config and runs on data."""
    arguments.add_argument(
        "--data-root", metavar="DIR", help="folder of the data set, for all data loaders"
    )
    arguments.add_argument(
        "--taxonomy", metavar="FILE", help="splits of the data set (default: DIR/taxonomy.json)"
    )
    arguments.add_argument(
        "--work-dir", metavar="D", help="output (default: work_dirs/<name of the config>)"
    )
    arguments.add_argument(
        "--cfg-options",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="change the config, e.g. train_dataloader.batch_size=8",
    )
    arguments.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm"],
        default="none",
        help="of several processes",
    )
    arguments.add_argument("--local-rank", type=int, default=0, help=argparse.SUPPRESS)


def prepare_config(args: argparse.Namespace):
    """The config with the options of ``add_config_options`` applied and checked."""
    from voxrecon.engine.config import apply_options, load_config, parse_options, set_data

    cfg = load_config(args.config)
    apply_options(cfg, parse_options(args.cfg_options))
    set_data(cfg, args.data_root, args.taxonomy)
    name = os.path.splitext(os.path.basename(args.config))[0]
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or os.path.join("work_dirs", name)
    cfg.launcher = args.launcher
    return cfg
