# SPDX-License-Identifier: MIT
"""The command; the figures themselves are tested in tests/test_evaluation/test_baselines.py."""

from __future__ import annotations

import json

import pytest
from commands import call, refusal

from voxrecon.cli import baselines


def test_a_test_set_that_is_the_training_set_is_its_own_oracle(made, tmp_path, capsys):
    out = tmp_path / "b.json"
    call(baselines.main, made.data, "--resolution", 8, "--out", out)
    text = capsys.readouterr().out
    figures = json.loads(out.read_text())
    assert list(figures) == ["mean grid", "class mean", "oracle"]
    assert set(figures["oracle"].values()) == {1.0} and len(figures["oracle"]) == 4
    header, overall = text.split("Voxel IoU")[1].split("overall")
    assert "oracle" in header and "1.0000" in overall


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resolution", "16"], "ShapeNetVox16: no such data folder"),
        (["--resolution", "0"], "--resolution 0: expected 1 to 512"),
        (["--resolution", "8", "--taxonomy", "no.json"], "no.json: no taxonomy file"),
    ],
)
def test_what_does_not_fit_is_refused(made, capfd, options, message):
    assert message in refusal(capfd, baselines.main, made.data, *options)


def test_grids_that_do_not_fit_into_memory_are_refused(made, capfd, monkeypatch):
    monkeypatch.setattr(baselines, "MAX_BYTES", 2047)
    message = refusal(capfd, baselines.main, made.data, "--resolution", 8)
    assert message.endswith("grids of 0 GiB, expected at most 0 for baselines")
