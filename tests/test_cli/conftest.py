# SPDX-License-Identifier: MIT
from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import mmengine.runner.runner as mmengine_runner
import pytest
from commands import call, tiny_config
from r2n2 import make_r2n2

from voxrecon.cli import train


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A tiny config, a data set of four objects with three views, and a run of two epochs on it."""
    root = tmp_path_factory.mktemp("made")
    make_r2n2(root / "data", n=4, views=3, grid=8)
    (root / "data" / "ShapeNetVox32").rename(root / "data" / "ShapeNetVox8")
    config, work = tiny_config(root), root / "work"
    call(train.main, config, "--data-root", root / "data", "--work-dir", work)
    return SimpleNamespace(
        config=config,
        data=root / "data",
        best=work / "best.pth",
        last=work / "epoch_2.pth",
    )


@pytest.fixture
def data(made, tmp_path) -> Path:
    """A copy of the data set that a test may spoil."""
    return Path(shutil.copytree(made.data, tmp_path / "data"))


@pytest.fixture(autouse=True)
def no_survey(monkeypatch):
    """mmengine asks compilers and drivers for their versions at each start."""
    monkeypatch.setattr(mmengine_runner, "collect_env", dict)
