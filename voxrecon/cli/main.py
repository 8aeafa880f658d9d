# SPDX-License-Identifier: MIT
"""The command ``voxrecon``: finds the module of a command, and imports no other."""

from __future__ import annotations

import argparse
import sys

import voxrecon
from voxrecon.cli.commands import COMMANDS, GROUPS, find_command
from voxrecon.cli.common import guard

USAGE = "usage: voxrecon COMMAND ...\n       voxrecon COMMAND --help\n       voxrecon --version"
EPILOG = """\
examples:
  voxrecon infer photo1.jpg photo2.jpg -o chair.glb
  voxrecon train configs/quickstart.py --data-root data/quickstart

exit codes:
  0    done
  1    data with faults (data check, data render-meshes), an output pipe that closed, or a bug
  2    what was given does not fit; the last line on stderr says what
  130  interrupted by Ctrl-C"""


def overview(group: str | None = None) -> str:
    """All commands, or those of a group, one a line."""
    titles = {"": "commands", **{name: f"{name}: {text}" for name, text in GROUPS.items()}}
    parts = [f"usage: voxrecon {group} COMMAND ..."] if group else [USAGE, voxrecon.__doc__]
    width = max(map(len, COMMANDS))
    for name in titles if group is None else [group]:
        rows = [c for c in COMMANDS.values() if c.words.split()[:-1] == name.split()]
        lines = [f"  {c.words:{width}}  {c.help}" for c in rows]
        parts.append("\n".join([f"{titles[name]}", *lines]))
    return "\n\n".join([*parts, EPILOG] if group is None else parts)


def full_parser() -> argparse.ArgumentParser:
    """One parser of all commands, for completion and documentation; imports every command."""
    root = argparse.ArgumentParser(prog="voxrecon", description=voxrecon.__doc__)
    root.add_argument("--version", action="version", version=_version())
    tops = root.add_subparsers(metavar="COMMAND")
    places = {"": tops}
    for name, text in GROUPS.items():
        group = tops.add_parser(name, help=text, description=f"{text.capitalize()}.")
        places[name] = group.add_subparsers(metavar="COMMAND")
    for command in COMMANDS.values():
        *group, word = command.words.split()
        own = command.load().build_parser()
        places["".join(group)].add_parser(
            word,
            prog=own.prog,
            parents=[own],
            add_help=False,  # the parent's
            help=command.help,
            description=own.description,
            epilog=own.epilog,
            formatter_class=own.formatter_class,
            allow_abbrev=False,
        )
    return root


def _version() -> str:
    return f"voxrecon {voxrecon.__version__}"


def _run(words: list[str]) -> None:
    group = words[0] if words and words[0] in GROUPS else None
    if words[bool(group) :] in ([], ["-h"], ["--help"]):
        print(overview(group))
    elif words == ["--version"]:
        print(_version())
    else:
        command, rest = find_command(words)
        command.load().main(rest)


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: _run(sys.argv[1:] if argv is None else argv))
