# SPDX-License-Identifier: MIT
"""What README and docs tell people to type exists, parses and runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from shrink import CONFIGS, ROOT

from voxrecon.cli.commands import COMMANDS, Command, find_command

PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "projects").rglob("README.md")),
]
DOORS = {command.door: command for command in COMMANDS.values() if command.door}


def blocks(language: str) -> list[tuple[str, str]]:
    """(page and number, text) of every code block in a language."""
    return [
        (f"{page.relative_to(ROOT)}-{number}", text)
        for page in PAGES
        for number, text in enumerate(
            re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.S)
        )
    ]


def commands() -> list[str]:
    lines = [line for _, text in blocks("bash") for line in text.splitlines()]
    return [line for line in lines if re.search(r"\btools/|^voxrecon ", line)]


@pytest.mark.parametrize("line", commands())
def test_commands_name_files_that_exist_and_options_that_parse(line):
    words = shlex.split(line, comments=True)
    for config in (word for word in words if word.startswith(("configs/", "projects/"))):
        assert (ROOT / config).is_file()
    if words[0] == "voxrecon":
        if words[1:] == ["--help"]:
            return
        command, words = find_command(words[1:])
    else:
        tool = next(i for i, word in enumerate(words) if word.startswith("tools/"))
        assert (ROOT / words[tool]).is_file()
        command, words = DOORS.get(words[tool]), words[tool + 1 :]
    if command:  # no shell script
        check(command, words)


def check(command: Command, words: list[str]) -> None:
    """They parse, and the first argument is where it belongs."""
    given = vars(command.load().parse_args(words)).values()
    assert (
        not words
        or words[0].startswith("-")
        or any(words[0] in (v, *(v if isinstance(v, list) else ())) for v in given)
    )


def test_make_quickstart_runs_commands_that_parse():
    recipe = (ROOT / "Makefile").read_text().split("\nquickstart:")[1].split("\n\n")[0]
    recipe = re.sub(r"\$\((\w+)\)", r"\1", recipe.replace("\\\n", " "))
    commands = [shlex.split(line) for line in recipe.splitlines()[1:]]
    tools = [words[1] for words in commands]
    assert tools == [
        "tools/dataset_converters/make_shapes13.py",
        "tools/train.py",
        "tools/test.py",
    ]
    for words in commands:
        check(DOORS[words[1]], words[2:])
        assert all((ROOT / w).is_file() for w in words if w.startswith(("tools/", "configs/")))


def test_every_config_is_in_a_readme():
    readme = (ROOT / "README.md").read_text()
    for config in CONFIGS:
        paper = (ROOT / config).parents[1] / "README.md"
        assert config in readme or f"configs/{Path(config).name}" in paper.read_text(), config
