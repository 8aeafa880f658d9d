# SPDX-License-Identifier: MIT
"""Every command, as its parser describes it."""

from __future__ import annotations

import argparse

from voxrecon.cli.commands import COMMANDS, GROUPS, Command

WIDTH = 88  # characters of a usage


def commands_page() -> str:
    """All commands by groups, in Markdown."""
    groups: dict[str, list[Command]] = {}
    for command in COMMANDS.values():
        groups.setdefault(command.words.rpartition(" ")[0], []).append(command)
    lines = ["| command | |", "|---|---|"]
    for command in COMMANDS.values():
        link = f"#voxrecon-{command.words.replace(' ', '-')}"
        lines.append(f"| [`voxrecon {command.words}`]({link}) | {command.help} |")
    for group, commands in groups.items():
        title = f"{group}: {GROUPS[group]}" if group else "Use, train, test"
        lines += ["", f"## {title}"]
        for command in commands:
            lines += _section(command)
    return "\n".join(lines)


def _section(command: Command) -> list[str]:
    parser = command.load().build_parser()
    lines = ["", f"### voxrecon {command.words}", "", _escape(parser.description)]
    if command.door:
        lines += ["", f"In a clone also `python {command.door}`."]
    formatter = _formatter(parser)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, prefix="")
    lines += ["", f"```text\n{formatter.format_help().strip()}\n```"]
    actions = [
        action
        for action in sorted(parser._actions, key=lambda action: bool(action.option_strings))
        if action.help != argparse.SUPPRESS and not isinstance(action, argparse._HelpAction)
    ]
    lines += ["", "| | |", "|---|---|"]
    lines += [f"| `{_words(action)}` | {_help(parser, action)} |" for action in actions]
    if parser.epilog:
        title, _, example = parser.epilog.partition("\n")
        lines += ["", title.capitalize(), "", f"```bash\n{_dedent(example)}\n```"]
    return lines


def _formatter(parser: argparse.ArgumentParser) -> argparse.HelpFormatter:
    return parser.formatter_class(parser.prog, width=WIDTH)


def _words(action: argparse.Action) -> str:
    """What one types: ``-o, --out FILE [FILE ...]``."""
    formatter = argparse.HelpFormatter("")
    if not action.option_strings:
        return formatter._format_args(action, action.dest)
    names = ", ".join(action.option_strings)
    values = "" if action.nargs == 0 else formatter._format_args(action, action.dest.upper())
    return f"{names} {values}".strip().replace("|", r"\|")


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = _formatter(parser)._expand_help(action) if action.help else ""
    return _escape(text).replace("|", r"\|")


def _escape(text: str) -> str:
    """Plain text as Markdown that reads the same."""
    return text.replace("<", r"\<").replace("*", r"\*")


def _dedent(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())
