# SPDX-License-Identifier: MIT
"""What the commands share: common options, and errors in one line."""

from __future__ import annotations

import argparse
import errno
import logging
import math
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NoReturn, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import track

from voxrecon.choices import BACKENDS, DEFAULT_MODEL
from voxrecon.cli.commands import command_line as command_line
from voxrecon.errors import ConfigError, VoxreconError
from voxrecon.packages import require_packages as require_packages
from voxrecon.system import available_cores as available_cores

T = TypeVar("T")

LAUNCHERS = {  # the variable that each sets for its processes
    "pytorch": ("RANK", "torchrun, as tools/dist_train.sh does"),
    "slurm": ("SLURM_PROCID", "srun"),
}
USER_ERROR, INTERRUPTED = 2, 130  # exit codes
OTHERS_WAIT = 2  # seconds
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def with_bar(items: Iterable[T], text: str) -> Iterator[T]:
    """The items, with a progress bar on a terminal that vanishes with the last of them."""
    console = Console()
    title = escape(text)  # a name from a file may look like markup
    yield from track(items, title, transient=True, console=console, disable=not console.is_terminal)


def one_line(error: BaseException) -> str:
    """The message of an error, printable; of one that a data loader's worker sent, the last line.

    A worker sends its traceback as the message, which ends with ``voxrecon.errors.FileError: ...``.
    """
    text = str(error).strip() or type(error).__name__
    if text.startswith("Caught "):
        text = re.sub(r"^[\w.]+: ", "", text.splitlines()[-1])
    # names in foreign files may hold anything, escape sequences of the terminal too
    return _printable(" ".join(text.split()))


def say(text: str) -> None:
    """Print a line that may hold names of foreign files: nothing in it moves the cursor, and what
    the terminal cannot show is a question mark."""
    code = sys.stdout.encoding or "utf-8"
    print(_printable(text).encode(code, "replace").decode(code))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def guard(command: Callable[[], None]) -> None:
    """Run a command; a user's error is one line without a traceback, and exit code 2.

    Ctrl-C is one line as well, and 130; a pipe that its reader has closed is silence, and 1.
    """
    code = USER_ERROR
    logging.raiseExceptions = False  # a log that cannot be written prints no tracebacks
    try:
        command()
    except VoxreconError as error:
        message = one_line(error)
    except BrokenPipeError:  # whoever read the output, such as head, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.filename is None and error.errno not in DISK:
            raise
        where = error.filename or "output cannot be written"  # a stream does not know its file
        message = one_line(OSError(f"{where}: {error.strerror}"))
    except KeyboardInterrupt:
        message, code = "interrupted", INTERRUPTED
    else:
        return
    rank = os.environ.get("RANK", "0")
    if rank != "0":
        # what stops all processes the first one says, and the launcher ends the others
        time.sleep(OTHERS_WAIT)
        message = f"process {rank}: {message}"
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


class Parser(argparse.ArgumentParser):
    """One whose errors are a line, as all others are."""

    def error(self, message: str) -> NoReturn:
        """A command line that does not fit."""
        raise ConfigError(f"{message}; see {self.prog} --help")


def parser(command: str, description: str, example: str) -> argparse.ArgumentParser:
    """A parser whose help ends with an example.

    Args:
        command: its words in the table, such as "data check".
        description: What it does, in lines of the help.
        example: What follows the command there.
    """
    program = command_line(command)
    return Parser(
        prog=program,
        description=description,
        epilog=f"example:\n  {program} {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def check_ranges(args: argparse.Namespace, ranges: Mapping[str, tuple[float, float]]) -> None:
    """ConfigError unless each option, where it is given, is a number from lowest to highest, or a
    list of such."""
    for name, (low, high) in ranges.items():
        given = getattr(args, name)
        for value in given if isinstance(given, list) else [given]:
            if value is not None and not low <= value <= high:
                option = name.replace("_", "-")
                expected = (
                    f"{low:.10g} to {high:.10g}" if high < math.inf else f"at least {low:.10g}"
                )
                raise ConfigError(f"--{option} {value}: expected {expected}")


def config_line(path: str) -> str:
    """A config of the repository as one types it here, also where only a wheel is installed."""
    return path if os.path.exists(path) else f"voxrecon::{path}"


def quote_path(path: str) -> str:
    """A path as it is typed into a shell, also one that begins like an option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def add_model_options(arguments: argparse.ArgumentParser) -> None:
    """The network of a command that runs one on photos, as ``VoxelInferencer`` takes it."""
    arguments.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        help=f"a name of `voxrecon list`, a model folder or a config (default: {DEFAULT_MODEL})",
    )
    arguments.add_argument("--weights", metavar="CKPT", help="a checkpoint, for a config or a name")
    arguments.add_argument(
        "--backend",
        choices=BACKENDS,
        default="torch",
        help="what runs a model folder that was exported for it (default: torch)",
    )
    arguments.add_argument("--device", help="as torch names it (default: a GPU if there is one)")


def add_data_options(arguments: argparse.ArgumentParser) -> None:
    """The data that a config is run on, see ``set_data_of``."""
    arguments.add_argument(
        "--data-root", metavar="DIR", help="folder of the data set, for all data loaders"
    )
    arguments.add_argument(
        "--taxonomy", metavar="FILE", help="splits of the data set (default: DIR/taxonomy.json)"
    )


def set_data_of(cfg, args: argparse.Namespace) -> None:
    """Put what ``add_data_options`` has read into a config."""
    from voxrecon.engine.config import set_data

    # a path on the command line is relative to where one stands, not to the data
    set_data(cfg, args.data_root, args.taxonomy and os.path.abspath(args.taxonomy))


def add_config_options(arguments: argparse.ArgumentParser) -> None:
    """The config, and the options of every command that runs it on data."""
    arguments.add_argument(
        "config", help="a config file, or voxrecon::configs/NAME.py from any folder"
    )
    add_data_options(arguments)
    arguments.add_argument(
        "--work-dir", metavar="D", help="output (default: work_dirs/<name of the config>)"
    )
    arguments.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
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


def prepare_config(args: argparse.Namespace):
    """The config with the options of ``add_config_options`` applied."""
    needed, how = LAUNCHERS.get(args.launcher, ("PATH", ""))
    if needed not in os.environ:
        raise ConfigError(f"--launcher {args.launcher}: {needed} is not set; start it by {how}")
    from voxrecon.engine.config import apply_options, load_config, parse_options

    cfg = load_config(args.config)
    for key in ("model", "train_dataloader", "test_dataloader", "test_evaluator", "train_cfg"):
        if not cfg.get(key):
            raise ConfigError(f"{args.config}: has no {key}, expected the config of a network")
    apply_options(cfg, parse_options(args.cfg_options))
    set_data_of(cfg, args)
    name = os.path.splitext(os.path.basename(args.config))[0]
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or os.path.join("work_dirs", name)
    cfg.launcher = args.launcher
    return cfg
