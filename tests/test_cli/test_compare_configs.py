# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from commands import call, refusal

from voxrecon.cli import compare_configs, train
from voxrecon.cli import test as test_command
from voxrecon.cli.runs import run_command
from voxrecon.errors import VoxreconError
from voxrecon.evaluation import read_results


@pytest.fixture
def commands(monkeypatch):
    """The commands that were called, in this process in place of ones of their own."""
    called = []

    def run_command(command, words, folder, jobs, processes):
        called.append(command)
        call({"train": train.main, "test": test_command.main}[command], *words)
        return 60.0 * len(called), 10_000_000

    monkeypatch.setattr(compare_configs, "run_command", run_command)
    return called


def test_two_seeds_side_by_side(made, tmp_path, commands, capsys):
    work, out = tmp_path / "work", tmp_path / "out.json"
    options = ["--data-root", made.data, "--work-dir", work, "--views", 1, 3, "--out", out]
    call(compare_configs.main, made.config, *options)
    assert commands == ["train", "test"] * 2
    text = capsys.readouterr().out
    assert "seeds 0, 1" in text and "3 views" in text
    (row,) = json.loads(out.read_text())["rows"]
    assert row["name"] == "tiny" and row["parameters"] > 0
    assert row["minutes"] == [1, 3] and row["peak_memory"] == [1e7, 1e7]
    files = [work / "tiny" / f"seed_{seed}" / "results.json" for seed in (0, 1)]
    for seed, file in enumerate(files):
        results = read_results(file)
        at = results["thresholds"].index(0.3)
        for n in ("1", "3"):
            assert row["iou"][n][seed] == results["summary"][n]["overall"][at]
        assert f"randomness = dict(seed={seed})" in results["run"]["config_text"]
    stamps = [path.stat().st_mtime_ns for path in sorted(work.rglob("*"))]
    call(compare_configs.main, made.config, *options)  # nothing is left to do
    assert len(commands) == 4
    assert stamps == [path.stat().st_mtime_ns for path in sorted(work.rglob("*"))]

    # results that cannot be used: the test is repeated, not the training
    results = json.loads(files[1].read_text())
    files[1].write_text(json.dumps({**results, "schema": 1}))
    capsys.readouterr()
    call(compare_configs.main, made.config, *options)
    assert commands[4:] == ["test"]
    folder = files[1].parent
    text = capsys.readouterr().out
    reason = f"{folder}: its training stays, its test is repeated: {files[1]}: results of schema 1,"
    assert reason in text and f"{folder}: tested again" in "".join(text.split("\n"))
    assert json.loads(out.read_text())["rows"] == [row]


def test_a_command_in_a_process_of_its_own(tmp_path):
    """make_shapes13 starts faster than a training."""
    processes = set()
    seconds, memory = run_command("make_shapes13", ["--help"], tmp_path, 1, processes)
    text = (tmp_path / "make_shapes13.txt").read_text()
    assert "voxrecon data make-shapes13 data/shapes13" in text
    assert seconds > 0 and not processes
    if Path("/proc/self/status").exists():
        assert 1e7 < memory < 1e10
    words = [tmp_path, "--per-class", "0"]
    error = f"{tmp_path}/make_shapes13.txt: make_shapes13 failed: --per-class 0: expected 1 to 1000"
    with pytest.raises(VoxreconError, match=f"^{re.escape(error)}"):
        run_command("make_shapes13", words, tmp_path, 1, processes)
    assert not processes


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


def test_a_run_that_fails_is_named(made, tmp_path, capfd, monkeypatch):
    def run_command(command, words, folder, jobs, processes):
        raise VoxreconError(f"{folder}: {command} failed")

    monkeypatch.setattr(compare_configs, "run_command", run_command)
    argv = [made.config, "--data-root", made.data, "--work-dir", tmp_path]
    message = refusal(capfd, compare_configs.main, *argv)
    assert message == f"{tmp_path}/tiny/seed_0: train failed"
    assert not list(tmp_path.rglob("run.json"))


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
