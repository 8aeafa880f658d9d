# SPDX-License-Identifier: MIT
"""The command ``voxrecon``: its table, its help, what it says of words that it does not know.

What each command does, and how it refuses, is tested beside this file: train and test in
``test_bad_input``, benchmark and complexity in ``test_analysis``, each other in the file of its
name.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys

import pytest
from commands import call, refusal
from shrink import ROOT

import voxrecon
from voxrecon.cli import completion
from voxrecon.cli.commands import COMMANDS, command_line
from voxrecon.cli.common import guard
from voxrecon.cli.main import full_parser, main

CLI = ROOT / "voxrecon" / "cli"


@pytest.mark.parametrize("words", COMMANDS)
def test_each_command_shows_help_with_an_example(words, capsys):
    with pytest.raises(SystemExit) as shown:
        main([*words.split(), "--help"])
    assert shown.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: voxrecon {words} ")
    example = re.search(rf"\nexample:\n  voxrecon {words} (.+)\n", text)[1]
    COMMANDS[words].load().parse_args(shlex.split(example.partition(" > ")[0]))


def test_the_table_has_every_command_and_its_door():
    modules = {path.stem for path in CLI.glob("*.py") if "\ndef main(" in path.read_text()}
    assert modules - {"main"} == {command.name for command in COMMANDS.values()}
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "tools").rglob("*.py")} == {
        command.door for command in COMMANDS.values() if command.door
    }
    for command in COMMANDS.values():
        door = f"from voxrecon.cli.{command.name} import main\n"
        assert command.door is None or door in (ROOT / command.door).read_text()


def test_the_script_of_the_package():
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"voxrecon": "voxrecon.cli.main:main"}


@pytest.mark.parametrize("argv", [[], ["-h"], ["--help"]])
def test_the_overview(argv, capsys):
    main(argv)
    text = capsys.readouterr().out
    rows = dict(re.findall(r"^  (\S+(?: \S+)?)  +(\S.*)$", text, re.M))
    assert {words: rows[words] for words in COMMANDS} == {
        words: command.help for words, command in COMMANDS.items()
    }
    # aligned, and narrow enough for any terminal
    columns = {
        line.index(c.help)
        for c in COMMANDS.values()
        for line in text.splitlines()
        if line.startswith(f"  {c.words} ") and line.endswith(c.help)
    }
    assert len(columns) == 1 and max(map(len, text.splitlines())) <= 100
    assert "  voxrecon infer photo1.jpg photo2.jpg -o chair.glb\n" in text
    codes = dict(re.findall(r"^  (\d+) +(\S+)", text, re.M))
    assert codes == {"0": "done", "1": "data", "2": "what", "130": "interrupted"}


@pytest.mark.parametrize("argv", [["data"], ["data", "--help"]])
def test_the_overview_of_a_group(argv, capsys):
    main(argv)
    text = capsys.readouterr().out
    assert text.startswith("usage: voxrecon data COMMAND ...\n\ndata: make, import")
    assert re.findall(r"^  (\S+ \S+)", text, re.M) == [w for w in COMMANDS if w.startswith("data ")]


def test_version(capsys):
    main(["--version"])
    assert capsys.readouterr().out == f"voxrecon {voxrecon.__version__}\n"


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("trian", "train"),
        ("check", "data check"),
        ("date", "data"),
        ("analyze", "analyse"),
        ("data chek", "data check"),
        ("data check-dataset", "data check"),
        ("data compare", "analyse compare"),
        ("analyse plotlog", "analyse plot-log"),
    ],
)
def test_an_unknown_word_names_the_nearest_command(typed, near, capfd):
    message = refusal(capfd, main, *typed.split(), "more")
    assert message == f"voxrecon {typed}: no such command, the nearest is voxrecon {near}"


def test_a_word_that_would_paint_the_terminal(capfd):
    assert refusal(capfd, main, "\x1b[31mtrain").startswith("voxrecon ?[31mtrain: no such")


def test_options_of_a_command_are_refused_in_a_line(capfd):
    message = refusal(capfd, main, "data", "pack", "a", "b", "--speed\x1b[31m")
    assert message == "unrecognized arguments: --speed?[31m; see voxrecon data pack --help"


def test_neither_help_nor_an_unknown_word_imports_torch():
    code = (
        "import sys\n"
        "from voxrecon.cli.main import main\n"
        "main(['--help'])\n"
        "try: main(['trian'])\n"
        "except SystemExit as end: code = end.code\n"
        "print(code, {'torch', 'cv2', 'trimesh', 'shtab'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "2 set()", done.stderr


def test_python_m_voxrecon():
    done = subprocess.run(
        [sys.executable, "-m", "voxrecon", "--version"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == (f"voxrecon {voxrecon.__version__}\n", 0)


def test_an_interrupt_is_130(capsys):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        guard(interrupt)
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "error: interrupted\n"


@pytest.mark.parametrize(
    ("started", "train", "infer"),
    [
        ("tools/train.py", "python tools/train.py", "voxrecon infer"),
        ("/clone/tools/analysis/compare.py", "python tools/train.py", "voxrecon infer"),
        ("/usr/bin/voxrecon", "voxrecon train", "voxrecon infer"),
        ("/site/voxrecon/cli/train.py", "voxrecon train", "voxrecon infer"),
        ("my_tools/train.py", "voxrecon train", "voxrecon infer"),
        ("", "voxrecon train", "voxrecon infer"),
    ],
)
def test_commands_are_named_as_this_one_was_started(started, train, infer, monkeypatch):
    monkeypatch.setattr(sys, "argv", [started, "data", "check"])
    assert (command_line("train"), command_line("infer")) == (train, infer)


# ---- one parser of all


def test_the_parser_of_all_commands(capsys):
    parser = full_parser()
    args = parser.parse_args(["data", "pack", "folder", "file.lmdb"])
    assert (args.data, args.out) == ("folder", "file.lmdb")
    (tops,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    assert set(tops.choices) == {words.split()[0] for words in COMMANDS}
    with pytest.raises(SystemExit):
        parser.parse_args(["data", "pack", "--help"])
    whole = capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["data", "pack", "--help"])
    assert capsys.readouterr().out == whole


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory):
    path = tmp_path_factory.mktemp("completion") / "voxrecon.bash"
    with open(path, "w") as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", file)
        call(completion.main, "bash")
    return path


def complete(script, folder, *words: str) -> list[str]:
    """What bash offers for the last word."""
    code = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n'
        'function=$(complete -p voxrecon | sed "s/.*-F \\([^ ]*\\).*/\\1/")\n'
        '"$function" voxrecon "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"\n'
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    argv = ["bash", "-c", code, "bash", str(script), "voxrecon", *words]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True)
    return sorted(done.stdout.split())


def test_completion_in_bash(bash_script, tmp_path):
    subprocess.run(["bash", "-n", bash_script], check=True)
    (tmp_path / "mine.py").touch()
    for words, offered in {
        ("da",): ["data"],
        ("data", "p"): ["pack", "pascal3d", "pix3d"],
        ("analyse", "compare", "--re"): ["--resamples"],
        ("data", "browse", "c.py", "--split", "v"): ["val"],
        ("train", "mi"): ["mine.py"],
        ("test", "c.py", "--data-root", "mi"): ["mine.py"],
    }.items():
        assert complete(bash_script, tmp_path, *words) == offered, words


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_in_other_shells(shell, capsys):
    call(completion.main, shell)
    text = capsys.readouterr().out
    assert "make-shapes13" in text and "per-class" in text


def test_completion_of_an_unknown_shell(capfd):
    message = refusal(capfd, main, "completion", "sh")
    assert message.startswith("argument shell: invalid choice: 'sh' (choose from ")
    assert message.endswith("; see voxrecon completion --help")
