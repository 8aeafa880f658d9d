# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import json

from voxrecon.cli.common import guard, parser


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon info``."""
    arguments = parser(
        "info", "Versions and machine, to be put into a bug report. No names of people.", "--json"
    )
    arguments.add_argument("--json", action="store_true", help="as JSON")
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def info(args: argparse.Namespace) -> None:
    """Print as the command line says."""
    from voxrecon.cli.environment import describe_installation

    found = describe_installation()
    if args.json:
        print(json.dumps(found, indent=2))
        return
    width = max(map(len, found))
    for name, text in found.items():
        print(f"{name:{width}}  {text}")


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: info(parse_args(argv)))


if __name__ == "__main__":
    main()
