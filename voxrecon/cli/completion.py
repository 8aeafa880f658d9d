# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse

import shtab

from voxrecon.cli.common import guard, parser

SHELLS = ("bash", "zsh", "fish")


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon completion``."""
    arguments = parser(
        "completion",
        "Print a script that completes commands and options of voxrecon. A shell reads it from\n"
        "  bash  ~/.local/share/bash-completion/completions/voxrecon\n"
        "  zsh   _voxrecon in a folder of $fpath\n"
        "  fish  ~/.config/fish/completions/voxrecon.fish",
        "bash > ~/.local/share/bash-completion/completions/voxrecon",
    )
    arguments.add_argument("shell", choices=SHELLS)
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def completion(args: argparse.Namespace) -> None:
    """Print as the command line says."""
    from voxrecon.cli.main import full_parser

    root = full_parser()
    _complete_files(root)
    print(shtab.complete(root, args.shell))


def _complete_files(arguments: argparse.ArgumentParser) -> None:
    """Mark what may be a file: every value without choices that is no number."""
    for action in arguments._actions:  # argparse has no public list, shtab reads this one too
        if isinstance(action, argparse._SubParsersAction):
            for part in action.choices.values():
                _complete_files(part)
        elif action.nargs != 0 and not action.choices and action.type is None:
            action.complete = shtab.FILE


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: completion(parse_args(argv)))


if __name__ == "__main__":
    main()
