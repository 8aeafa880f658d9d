# SPDX-License-Identifier: MIT
"""Trainings of a tiny network that start at once."""

from __future__ import annotations

import mmengine.runner.runner as mmengine_runner
import pytest
from commands import tiny_config
from r2n2 import make_r2n2
from yapf.yapflib import yapf_api


@pytest.fixture(scope="module")
def quick_starts():
    """mmengine asks compilers and drivers for their versions at each start, and formats the config
    four times."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(mmengine_runner, "collect_env", dict)
        monkeypatch.setattr(yapf_api, "FormatCode", lambda text, **_: (text, True))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder of a tiny config and of four objects with three views."""
    folder = tmp_path_factory.mktemp("comfort")
    make_r2n2(folder / "data", n=4, views=3, grid=8)
    (folder / "data" / "ShapeNetVox32").rename(folder / "data" / "ShapeNetVox8")
    tiny_config(folder)
    return folder
