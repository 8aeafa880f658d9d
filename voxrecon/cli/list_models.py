# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from voxrecon.cli.common import command_line, guard, parser
from voxrecon.errors import ConfigError


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon list``."""
    arguments = parser(
        "list",
        "The networks that voxrecon knows by name, and which of them come with weights.",
        "'pix2voxpp*'",
    )
    arguments.add_argument(
        "pattern",
        nargs="?",
        default="",
        metavar="PATTERN",
        help="only names that hold it, or that it matches where it has * or ? (default: all)",
    )
    arguments.add_argument("--json", action="store_true", help="as JSON")
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def list_models(args: argparse.Namespace) -> None:
    """Print as the command line says."""
    from voxrecon.apis import model_zoo

    models = [model_zoo.find_model(name) for name in select(model_zoo.list_models(), args.pattern)]
    if args.json:
        rows = [
            {
                "name": model.name,
                "collection": model.collection,
                "parameters": model.parameters,
                "weights": model.folder is not None,
                "config": model.config,
            }
            for model in models
        ]
        print(json.dumps(rows, indent=2))
        return
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Name", no_wrap=True)
    table.add_column("Collection")
    table.add_column("Parameters", justify="right", no_wrap=True)
    table.add_column("Weights", no_wrap=True)
    for model in models:
        millions = f"{model.parameters / 1e6:.2f} M"
        shipped = "with voxrecon" if model.folder else "-"
        table.add_row(Text(model.name), Text(model.collection), millions, shipped)
    Console().print(table)
    ready = [model for model in models if model.folder]
    if ready:
        infer = command_line("infer")
        print(f"next: {infer} photo1.jpg photo2.jpg --model {ready[0].name} -o object.glb")
    else:
        print(f"next: {command_line('train')} {models[0].config} --data-root DIR")


def select(names: Sequence[str], pattern: str) -> list[str]:
    """The names that a pattern is in, or that it matches where it has wildcards.

    Raises:
        ConfigError: there is none; names the nearest.
    """
    wild = pattern if set(pattern) & set("*?[") else f"*{pattern}*"
    found = [name for name in names if fnmatchcase(name, wild)]
    if not found:
        (near,) = get_close_matches(pattern, names, n=1, cutoff=0)
        raise ConfigError(f"PATTERN {pattern}: no such model, the nearest is {near}")
    return found


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: list_models(parse_args(argv)))


if __name__ == "__main__":
    main()
