# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from commands import call, refusal

from voxrecon.cli import plot_log
from voxrecon.cli.plot_log import distinct_names, draw_curves, read_run

PACE = 50  # steps of an epoch; each tenth but the last of the epoch is logged


def lines(first: int, last: int, shift: float = 0.0, val: int = 2) -> list[str]:
    """What a training of these epochs logs: a loss of 1 / step, an IoU of a tenth of the epoch."""
    rows = []
    for epoch in range(first, last + 1):
        for step in range((epoch - 1) * PACE + 10, epoch * PACE, 10):
            loss = 1 / step + shift
            rows.append({"lr": 0.1, "loss": loss, "epoch": epoch, "iter": step, "step": step})
        if epoch % val == 0:
            rows.append({"iou": epoch / 10 + shift, "samples": 3, "step": epoch})
    return [json.dumps(row) for row in rows]


def write_run(folder: Path, rows: list[str], log: str = "", at: str = "20260101_000000") -> Path:
    path = folder / at / "vis_data" / "scalars.json"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(rows) + "\n")
    (folder / at / f"{at}.log").write_text(log)
    return folder


def stage(number: int, epochs: int) -> str:
    text = f"stage {number} of 2: {epochs} epoch{'s' * (epochs > 1)}, views (1, 3), frozen: none"
    return f"2026/01/01 00:00:00 - mmengine - INFO - {text}\n"


def curves(figure, panel: int) -> list[list[tuple[float, float]]]:
    return [
        [tuple(p) for p in line.get_xydata()]
        for line in figure.axes[panel].get_lines()
        if line.get_linestyle() != ":"
    ]


def test_a_run_of_this_project(made, tmp_path, capsys):
    out = tmp_path / "new" / "curves.png"
    call(plot_log.main, made.best.parent, "--out", out)
    assert capsys.readouterr().out == f"curves of 1 run: {out}\n"
    assert cv2.imread(str(out)).std() > 5
    run = read_run(made.best.parent)
    assert [epoch for epoch, *_ in run.train] == [1, 2] and run.stages == [1, 1]
    assert [epoch for epoch, _ in run.val] == [1, 2] and {"iou", "loss", "lr"} <= run.keys()


def test_curves_have_the_values(tmp_path):
    log = stage(1, 3) + stage(2, 1)
    runs = [
        read_run(write_run(tmp_path / "a", lines(1, 4), log)),
        read_run(write_run(tmp_path / "b", lines(1, 2, shift=0.5))),
    ]
    assert runs[0].pace == runs[1].pace == PACE
    figure = draw_curves(runs, ["loss", "iou"])
    loss_a, none_a, loss_b, none_b = curves(figure, 0)
    steps = [step for step in range(10, 200, 10) if step % PACE]
    assert loss_a == [(step, 1 / step) for step in steps]
    assert loss_b == [(step, 1 / step + 0.5) for step in steps if step < 100]
    assert none_a == none_b == []
    no_train, iou_a, _, iou_b = curves(figure, 1)
    # at the end of their epochs, in steps
    assert no_train == [] and iou_a == [(100, 0.2), (200, 0.4)] and iou_b == [(100, 0.7)]
    for axes in figure.axes:
        bounds = [line.get_xdata()[0] for line in axes.get_lines() if line.get_linestyle() == ":"]
        assert bounds == [150]  # of a; b's log tells nothing
        colours = [line.get_color() for line in axes.get_lines()[:4]]
        assert colours == ["C0", "C0", "C1", "C1"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "iou"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_a_resumed_run_is_one_curve(tmp_path):
    """The later folder counts from its first epoch on, also where the earlier one went further."""
    write_run(tmp_path, lines(1, 6), stage(1, 4) + stage(2, 9), at="20260101_000000")
    write_run(tmp_path, lines(4, 5, shift=1.0), stage(1, 4) + stage(2, 3), at="20260101_000100")
    (tmp_path / "20260101_000200" / "vis_data").mkdir(parents=True)  # a test: no scalars
    run = read_run(tmp_path)
    steps = [step for step in range(10, 250, 10) if step % PACE]
    assert [step for _, step, _ in run.train] == steps
    shifted = [figures["loss"] - 1 / step > 0.9 for _, step, figures in run.train]
    assert shifted == [step > 150 for step in steps]
    assert run.val == [(2, {"iou": 0.2, "samples": 3}), (4, {"iou": 1.4, "samples": 3})]
    assert run.stages == [4, 3]
    # resumed in the second stage, the log speaks of no other
    write_run(tmp_path, lines(5, 6), stage(2, 8), at="20260101_000300")
    assert read_run(tmp_path).stages == [4, 8]
    # begun anew
    write_run(tmp_path, lines(1, 1), stage(1, 7), at="20260101_000400")
    again = read_run(tmp_path)
    assert again.stages == [7] and len(again.train) == 4 and again.val == []


def test_a_folder_and_a_file(tmp_path):
    write_run(tmp_path, lines(1, 2), stage(1, 2))
    folder = tmp_path / "20260101_000000"
    whole = read_run(tmp_path)
    for path in (folder, folder / "vis_data" / "scalars.json"):
        run = read_run(path)
        assert (run.train, run.val, run.stages) == (whole.train, whole.val, whole.stages)
    alone = tmp_path / "x.json"
    alone.write_text("\n".join(lines(1, 2)))
    assert read_run(alone).train == whole.train and read_run(alone).stages == []


def test_names(tmp_path):
    names = ["x/small/seed_0", "x/big/seed_0", "x/big/seed_1"]
    assert distinct_names([Path(n) for n in names]) == ["small/seed_0", "big/seed_0", "big/seed_1"]
    file = tmp_path / "run" / "vis_data" / "scalars.json"
    assert distinct_names([file, tmp_path / "b"]) == ["run", "b"]
    runs = [read_run(write_run(tmp_path / name, lines(1, 1))) for name in ("_a$x$", "b\n")]
    figure = draw_curves(runs, ["loss"])
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [r" _a\$x\$", "b?"]
    figure.draw_without_rendering()  # no formula


def test_many_runs_look_different(tmp_path):
    runs = [read_run(write_run(tmp_path / str(i), lines(1, 1))) for i in range(12)]
    rows = draw_curves(runs, ["loss"]).axes[0].get_lines()[::2]
    assert len({(line.get_color(), line.get_linestyle()) for line in rows}) == 12


def test_gaps(tmp_path, capsys):
    rows = lines(1, 2)
    gaps = {1: "NaN", 2: "-Infinity", 5: "1e999", 7: "9" * 400}
    for i, value in gaps.items():
        rows[i] = re.sub(r'"loss": [^,]+', f'"loss": {value}', rows[i])
    work = write_run(tmp_path / "a", rows)
    call(plot_log.main, work, "--keys", "loss", "lr", "--out", tmp_path / "x.svg")
    warning, done = capsys.readouterr().out.splitlines()
    assert warning == f"warning: {work}: 4 of 8 values of loss are not finite"
    loss = curves(draw_curves([read_run(work)], ["loss"]), 0)[0]
    assert [math.isnan(y) for _, y in loss] == [i in gaps for i in range(8)]


def test_the_same_bytes(tmp_path):
    work = write_run(tmp_path / "a", lines(1, 2))
    for suffix in ("png", "svg"):
        outs = [tmp_path / f"{i}.{suffix}" for i in range(2)]
        for out in outs:
            call(plot_log.main, work, "--keys", "loss", "--out", out)
        assert outs[0].read_bytes() == outs[1].read_bytes()
    assert outs[0].read_bytes().startswith(b"<?xml")


def test_a_key_that_is_in_no_run(tmp_path, capfd):
    work = write_run(tmp_path / "a", lines(1, 2))
    out = tmp_path / "a.png"
    message = refusal(capfd, plot_log.main, work, "--keys", "los", "--out", out)
    assert message == "--keys los: in none of the runs, the nearest is 'loss'"
    assert not out.exists()
    # one run is enough
    other = write_run(tmp_path / "b", lines(1, 1, val=9))
    call(plot_log.main, work, other, "--keys", "iou", "--out", out)
    assert out.is_file()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"loss": 1.0, "st', """b'{"loss": 1.0, "st' is not JSON, expected a whole line"""),
        ("[" * 100_000, f"{b'[' * 30!r} is not JSON, expected a whole line"),
        ("9" * 5000, f"{b'9' * 30!r} is not JSON, expected a whole line"),
        ("\xff\udcff", "is not JSON, expected a whole line"),
        ("[1, 2]", "list, expected an object of figures"),
        ('{"loss": 1.0}', "step None, expected a number from 0"),
        ('{"step": true}', "step True, expected a number from 0"),
        ('{"step": -1, "epoch": 1}', "step -1, expected a number from 0"),
        ('{"step": 1e3}', "step 1000.0, expected a number from 0"),
        ('{"step": 1, "epoch": "x\\n"}', "epoch x , expected a number from 0"),
        (f'{{"step": {10**13}}}', f"step {10**13}, expected a number from 0"),
    ],
)
def test_a_line_that_is_none(tmp_path, capfd, line, expected):
    work = write_run(tmp_path / "a", lines(1, 1))
    file = work / "20260101_000000" / "vis_data" / "scalars.json"
    with file.open("ab") as log:
        log.write(line.encode(errors="surrogateescape"))
    message = refusal(capfd, plot_log.main, work, "--out", tmp_path / "a.png")
    assert message.startswith(f"{file}:5: ") and " ".join(expected.split()) in message
    assert not (tmp_path / "a.png").exists()


def test_what_is_no_run(tmp_path, capfd, monkeypatch):
    out = ["--out", tmp_path / "a.png"]
    message = refusal(capfd, plot_log.main, tmp_path, *out)
    assert message.startswith(
        f"{tmp_path}: no vis_data/scalars.json in it, expected the --work-dir"
    )
    assert "cannot be read" in refusal(capfd, plot_log.main, tmp_path / "none", *out)
    work = write_run(tmp_path / "a", [""])
    assert "empty, expected lines" in refusal(capfd, plot_log.main, work, *out)
    twice = refusal(capfd, plot_log.main, work, tmp_path / "b" / ".." / "a", *out)
    assert twice.endswith("a: given twice, expected distinct runs")
    message = refusal(capfd, plot_log.main, work, "--out", "a.pdf")
    assert message == "--out a.pdf: expected the name of a .png or .svg file"
    monkeypatch.setattr(plot_log, "MAX_BYTES", 10)
    work = write_run(tmp_path / "c", lines(1, 1))
    assert "expected at most 10" in refusal(capfd, plot_log.main, work, *out)


def test_other_values_are_passed_over(tmp_path):
    row = {"step": 3, "epoch": 1, "loss": 2, "text": "x", "flag": True, "list": [1], "none": None}
    run = read_run(write_run(tmp_path, [json.dumps(row)]))
    assert run.train == [(1, 3, {"loss": 2.0})] and run.pace == 3
    assert np.array(curves(draw_curves([run], ["loss"]), 0)[0]).tolist() == [[3, 2]]
