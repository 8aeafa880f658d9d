# SPDX-License-Identifier: MIT
from __future__ import annotations

import json

import pytest
from commands import call, refusal
from shrink import ROOT

from voxrecon.cli import compare_configs
from voxrecon.evaluation import read_results


@pytest.mark.slow
def test_two_seeds_side_by_side(made, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "helpers"))
    work, out = tmp_path / "work", tmp_path / "out.json"
    options = ["--data-root", made.data, "--work-dir", work, "--views", 1, 3, "--out", out]
    call(compare_configs.main, made.config, *options, "--jobs", 2)
    text = capsys.readouterr().out
    assert "seeds 0, 1" in text and "3 views" in text
    (row,) = json.loads(out.read_text())["rows"]
    assert row["name"] == "tiny" and row["parameters"] > 0 and min(row["peak_memory"]) > 1e7
    for seed in (0, 1):
        results = read_results(work / "tiny" / f"seed_{seed}" / "results.json")
        at = results["thresholds"].index(0.3)
        for n in ("1", "3"):
            assert row["iou"][n][seed] == results["summary"][n]["overall"][at]
    stamps = [path.stat().st_mtime_ns for path in sorted(work.rglob("*"))]
    call(compare_configs.main, made.config, *options)  # nothing is left to do
    assert stamps == [path.stat().st_mtime_ns for path in sorted(work.rglob("*"))]


def test_records_that_are_broken_or_of_other_runs(made, tmp_path, capfd):
    folder = tmp_path / "tiny" / "seed_0"
    folder.mkdir(parents=True)
    base = [compare_configs.main, made.config, "--data-root", made.data, "--work-dir", tmp_path]
    for text in ("{", "[]", '{"seconds": "x"}', '{"seconds": 1}'):
        (folder / "run.json").write_text(text)
        message = refusal(capfd, *base, "--seeds", 0)
        assert message.startswith(f"{folder}/run.json: not a record of a run (")
    (folder / "run.json").write_text('{"seconds": 1, "peak_memory": 1, "config": "another"}')
    message = refusal(capfd, *base, "--seeds", 0)
    assert message.startswith(f"{folder}/run.json: of another config; ")


def test_a_run_that_fails_is_named(made, tmp_path, capfd):
    options = ["--data-root", made.data, "--work-dir", tmp_path, "--seeds", 0]
    message = refusal(capfd, compare_configs.main, made.config, *options, "--taxonomy", "no.json")
    assert message.startswith(f"{tmp_path}/tiny/seed_0/train.txt: train failed: "), message
    assert not (tmp_path / "tiny" / "seed_0" / "run.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "1", "1"], "--seeds 1 1: expected distinct numbers from 0"),
        (["--views", "0"], "--views 0: expected distinct numbers from 1"),
        (["--jobs", "0"], "--jobs 0: expected at least 1"),
        (["--data-root", "no"], "--data-root no: no such data set"),
        (["--cfg-options", "randomness.seed=3"], "--cfg-options randomness.seed: expected --seeds"),
    ],
)
def test_what_does_not_fit_is_refused(made, capfd, options, message):
    base = [made.config, "--data-root", made.data]
    assert refusal(capfd, compare_configs.main, *base, *options) == message
    assert "expected distinct names" in refusal(capfd, compare_configs.main, made.config, *base)
