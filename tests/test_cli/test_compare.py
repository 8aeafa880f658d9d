# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import call, refusal
from results_files import MEASURES, make_results

from voxrecon.cli import compare
from voxrecon.evaluation import write_results


@pytest.fixture(scope="module")
def made_files(tmp_path_factory):
    """Results of two networks, the second better by the same 50 voxels everywhere."""
    a, b = make_results(views=(1, 3)), make_results(views=(1, 3))
    for sample in b["samples"]:
        sample["intersection"] = [
            min(i + 50, u) for i, u in zip(sample["intersection"], sample["union"], strict=True)
        ]
    b["run"] |= {"config": "configs/other one.py", "checkpoint_sha256": "ab" * 32}
    folder = tmp_path_factory.mktemp("results")
    paths = folder / "a.json", folder / "b.json"
    for path, results in zip(paths, (a, b), strict=True):
        write_results(path, results)
    return paths


@pytest.fixture
def files(made_files, tmp_path):
    """Copies that a test may spoil."""
    return [Path(shutil.copy(path, tmp_path)) for path in made_files]


def test_tables_fit_and_say_what_is_better(files, tmp_path, capsys):
    out = tmp_path / "rows.json"
    call(compare.main, *files, "--out", out)
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert lines[0] == f"A: {files[0]}"
    assert lines[2:4] == [
        "   work_dirs/small/best.pth (sha256 0123456789ab)",
        "   protocol pix2vox: p >= 0.3, mean over samples, views first, their order first",
    ]
    assert "   work_dirs/small/best.pth (sha256 abababababab)" in lines
    titles = [line for line in lines if line.startswith(("Voxel", "F-score", "Chamfer"))]
    assert titles == [
        "Voxel IoU at t = 0.3, 1 view",
        "F-score at 1 %, 1 view",
        "Chamfer distance, 1 view, less is better",
        "Voxel IoU at t = 0.3, 3 views",
        "F-score at 1 %, 3 views",
        "Chamfer distance, 3 views, less is better",
    ]
    tables = lines[lines.index(titles[0]) : lines.index(next(x for x in lines if x[:3] == "Of "))]
    assert max(map(len, tables)) <= 80
    record = json.loads(out.read_text())
    assert (record["a"], record["b"]) == tuple(map(str, files))
    means = [row for row in record["rows"] if row["name"] == "mean, samples"]
    assert [row["score"] for row in means[:2]] == ["iou", "fscore"] and len(means) == 12
    iou = means[0]
    assert iou["verdict"] == "B" and means[1]["verdict"] == "equal" and iou["n"] == 26
    (line,) = (x for x in lines[: lines.index(titles[1])] if "mean, samples" in x)
    figures = (iou["difference"], iou["low"], iou["high"])
    cells = [f"{iou['a']:.4f}", f"{iou['b']:.4f}", *(f"{value:+.4f}" for value in figures)]
    assert line.split()[2:] == ["26", *cells, "B", "better"]
    assert lines[-1] == (
        "next, several trainings of each: voxrecon analyse compare-configs "
        "configs/pix2voxpp_small.py 'configs/other one.py' --data-root data/shapes13"
    )
    assert "Of 13 classes at 95 %, about one in twenty stands out by chance alone." in text
    assert "Intervals of fewer than about 30 samples are somewhat narrow." in lines


@pytest.mark.parametrize(("count", "narrow"), [(1, False), (29, True), (30, False)])
def test_narrow_intervals_are_named(tmp_path, capsys, count, narrow):
    path = tmp_path / "r.json"
    write_results(path, make_results(count, (1,), {"03001627": "chair"}, scores=False))
    call(compare.main, path, path)
    assert ("somewhat narrow" in capsys.readouterr().out) == narrow


def test_options_choose(files, capsys):
    call(compare.main, *files, "--views", 3, 3, "--threshold", 0.5, "--resamples", 100)
    text = capsys.readouterr().out
    assert text.count("Voxel IoU at t = 0.5, 3 views") == 1 and "1 view" not in text


def test_a_file_with_itself(files, capsys):
    call(compare.main, files[0], files[0])
    text = capsys.readouterr().out
    assert "better" not in text.replace("less is better", "") and "next" not in text
    rows = [line.split() for line in text.splitlines() if line.rstrip().endswith("equal")]
    assert len(rows) == 2 * 6 * 15 and all(row[-4:-1] == ["0"] * 3 for row in rows)


def test_what_has_no_score_is_said_and_names_are_printed_plainly(files, capsys):
    results = json.loads(files[1].read_text())
    results["samples"][0]["scores"]["chamfer"] = None
    results["classes"]["03001627"] = "\x1b[31m[red]chair"
    results["run"] = {}
    for path in files:
        write_results(path, results)
    call(compare.main, *files, "--views", 1)
    text = capsys.readouterr().out
    assert "without 1 sample to which A or B has none" in text
    assert "\x1b" not in text and "?[31m[red]chair" in text
    assert "checkpoint unknown" in text and "next" not in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 1}, "{b}: results of schema 1, expected 2: test the checkpoint again"),
        ({"data_sha256": ""}, "{b}: data_sha256 , expected fedcba987654 as in {a}: other samples"),
        (
            {"protocol": {"threshold": 0.4}},
            "{b}: threshold 0.4 in its protocol, expected 0.3 as in {a}",
        ),
        (
            {"measures": [{**MEASURES[0], "points": 64}, *MEASURES[1:]]},
            "{b}: FScore points 64, expected 8192 as in {a} to compare fscore",
        ),
    ],
)
def test_files_that_do_not_fit_are_refused(files, capfd, change, message):
    results = json.loads(files[1].read_text())
    change = {k: results[k] | v if isinstance(v, dict) else v for k, v in change.items()}
    files[1].write_text(json.dumps(results | change))
    expected = message.format(a=files[0], b=files[1])
    assert refusal(capfd, compare.main, *files) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--views", "0"], "--views 0: expected 1 to 10000"),
        (["--views", "1", "4"], "{a}: no results of 4 views, expected one of 1, 3"),
        (["--threshold", "0.35"], "{a}: no threshold 0.35, expected one of 0.2, 0.3, 0.4, 0.5"),
        (["--threshold", "nan"], "--threshold nan: expected 0 to 1"),
        (["--resamples", "5"], "--resamples 5: expected 100 to 100000"),
    ],
)
def test_options_that_do_not_fit_are_refused(files, capfd, options, message):
    assert refusal(capfd, compare.main, *files, *options) == message.format(a=files[0])
