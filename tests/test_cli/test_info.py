# SPDX-License-Identifier: MIT
"""What a bug report is told."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

import numpy
import pytest
import torch
from commands import call, refusal
from shrink import ROOT

import voxrecon
from voxrecon.cli import environment, info
from voxrecon.cli.environment import EXTRAS, PACKAGES, describe_environment, without_user


@pytest.fixture
def told(capsys):
    call(info.main, "--json")
    return json.loads(capsys.readouterr().out)


def test_versions_and_machine(told):
    assert {name: told[name] for name in ("voxrecon", "python", "torch", "numpy")} == {
        "voxrecon": voxrecon.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
    }
    assert {*PACKAGES, *EXTRAS, "opencv", "trimesh"} <= told.keys()
    assert re.fullmatch(r".+, \d+ of \d+ cores", told["CPU"])
    assert re.fullmatch(r"\d+\.\d GiB|unknown", told["memory"])
    assert all(text and text.isprintable() for text in told.values())


def test_lines_are_aligned(told, capsys):
    call(info.main)
    lines = capsys.readouterr().out.splitlines()
    width = max(map(len, told))
    assert lines == [f"{name.ljust(width)}  {text}" for name, text in told.items()]


def test_optional_packages_are_all_there_is_in_pyproject():
    tomllib = pytest.importorskip("tomllib")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    named = [
        re.match(r"[\w-]+", part)[0] for k in extras.keys() - {"dev", "docs"} for part in extras[k]
    ]
    assert set(named) - {"voxrecon"} <= set(EXTRAS)


def test_what_is_not_installed(monkeypatch, capsys):
    def version(name):
        raise environment.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(environment.metadata, "version", version)
    call(info.main, "--json")
    told = json.loads(capsys.readouterr().out)
    assert {told[name] for name in EXTRAS} == {"not installed"}
    assert "scipy" not in describe_environment()  # of a result


def test_the_commit_of_a_clone(told, tmp_path):
    assert environment._commit(tmp_path) == "not in a clone"
    if not (ROOT / ".git").is_dir():
        pytest.skip("needs a clone")
    head = (ROOT / ".git" / "HEAD").read_text().strip().removeprefix("ref: ")
    path = ROOT / ".git" / head
    commit = path.read_text() if path.is_file() else head
    assert commit.startswith(told["git commit"].removesuffix("-dirty")) or "/" in commit


def test_gpus_and_their_driver(tmp_path, monkeypatch):
    """As many as there are, from a program that may be missing or fail."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.describe_installation()["GPU"] == "none that nvidia-smi finds"
    program = tmp_path / "nvidia-smi"
    program.write_text(
        '#!/bin/sh\n[ "$1 $2" = "--query-gpu=name,memory.total,driver_version '
        '--format=csv,noheader" ] && echo "A, 16384 MiB, 550.1" && echo "B, 8192 MiB, 550.1"\n'
    )
    program.chmod(0o755)
    assert environment.describe_installation()["GPU"] == "A, 16384 MiB, 550.1; B, 8192 MiB, 550.1"
    program.write_text("#!/bin/sh\necho no driver\nexit 9\n")
    assert environment.describe_installation()["GPU"] == "none that nvidia-smi finds"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/jane/env/voxrecon", "~/env/voxrecon"),
        ("/home/jane", "~"),
        ("/scratch/jane/voxrecon", "/scratch/~/voxrecon"),
        ("/opt/voxrecon", "/opt/voxrecon"),
    ],
)
def test_no_names_of_people(path, shown, monkeypatch):
    monkeypatch.setenv("HOME", "/home/jane")
    assert without_user(Path(path)) == shown


def test_what_it_does_not_take(capfd):
    expected = "unrecognized arguments: more; see voxrecon info --help"
    assert refusal(capfd, info.main, "more") == expected
