# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from commands import call, refusal

from voxrecon.cli import corruptions
from voxrecon.cli import test as test_command
from voxrecon.datasets.transforms.corrupt import SCALES, CorruptViews
from voxrecon.engine.config import load_config
from voxrecon.evaluation import find_protocol, headline_mean, read_results
from voxrecon.evaluation.intervals import mean_interval
from voxrecon.registry import DATASETS


@pytest.fixture(autouse=True)
def no_workers(monkeypatch):
    """They take longer to start than the network takes."""
    monkeypatch.setattr(corruptions, "available_cores", lambda: 0)


def run(made, out, *options):
    call(corruptions.main, made.config, made.best, "--data-root", made.data, "--out", out, *options)
    return json.loads(out.read_text())


def test_table_and_file(made, tmp_path, capsys):
    options = ["--views", 2, "--kinds", "occlusion", "noise", "--strengths", 5, 1, 5]
    figures = run(made, tmp_path / "a.json", *options)
    text = capsys.readouterr().out
    settings = {(s["kind"], s["strength"]): s for s in figures["settings"]}
    asked = [(kind, strength) for kind in ("noise", "occlusion") for strength in (1, 5)]
    assert list(settings) == [("clean", 0), *asked]
    assert [s["scale"] for s in figures["settings"]] == [None, 0.05, 0.3, 0.1, 0.5]
    assert figures["protocol"] == find_protocol("pix2vox").record() and figures["views"] == 2
    clean = settings["clean", 0]
    for setting in settings.values():
        assert len(setting["iou"]) == 4 and "02691156/object_0" in setting["iou"]
        assert setting["mean"] == pytest.approx(np.mean(list(setting["iou"].values())))
    cells = {}
    for key in asked:
        there = [settings[key]["iou"][name] - iou for name, iou in clean["iou"].items()]
        ends = [end.item() for end in mean_interval(np.array(there)[:, None])]
        assert settings[key]["difference_interval"] == pytest.approx(ends, abs=1e-15)
        cells[key] = f"{'~' if ends[0] <= 0 <= ends[1] else ''}{settings[key]['mean']:.4f}"
    assert "IoU (p >= 0.3, mean over objects) of 4 objects, 2 views" in text
    rows = dict(re.findall(r"^ +(clean|noise|occlusion|blur|background) +(.+?) *$", text, re.M))
    for kind in ("noise", "occlusion"):
        mean = sum(settings[kind, strength]["mean"] for strength in (1, 5)) / 2
        assert rows.pop(kind).split() == [cells[kind, 1], cells[kind, 5], f"{mean:.4f}"]
    assert rows == {"clean": f"{clean['mean']:.4f}"}
    assert f"see the pictures: voxrecon analyse corruptions {made.config}" in text


def test_the_clean_figure_is_that_of_the_test(made, tmp_path, capsys):
    """By the config's protocol: 3D-RETR's has another threshold, is strict and takes classes."""
    text = made.config.read_text()
    begin, end = text.split("test_evaluator = dict(", 1)
    assert "pix2vox" in end.split(")")[0]
    config = tmp_path / "retr.py"
    config.write_text(f"{begin}test_evaluator = dict({end.replace('pix2vox', 'retr', 1)}")
    made = SimpleNamespace(**{**vars(made), "config": config})
    figures = run(made, tmp_path / "a.json", "--views", 2, "--kinds", "blur", "--strengths", 1)
    assert figures["protocol"] == find_protocol("retr").record()
    assert "IoU (p > 0.5, mean over classes) of 4 objects" in capsys.readouterr().out
    out = tmp_path / "results.json"
    options = ["--data-root", made.data, "--views", 2, "--work-dir", tmp_path, "--out", out]
    call(test_command.main, config, made.best, *options, "--no-baselines")
    results = read_results(out)
    expected = {
        f"{s['taxonomy']}/{s['id']}": s["intersection"][0] / s["union"][0]
        for s in results["samples"]
    }
    assert results["thresholds"] == [0.5]
    assert figures["settings"][0]["iou"] == pytest.approx(expected, abs=1e-12)
    assert figures["settings"][0]["mean"] == pytest.approx(headline_mean(results, 2), abs=1e-12)


def test_means_and_intervals():
    """Two objects of one class and one of another; every object loses 0.1, or one gains what the
    others lose."""
    clean = {"a/1": 0.5, "a/2": 0.7, "b/1": 0.3}
    scores = {
        corruptions.CLEAN: clean,
        ("blur", 1): {key: value - 0.1 for key, value in clean.items()},
        ("blur", 2): {"a/1": 0.4, "a/2": 0.8, "b/1": 0.3, "b/2": 0.9},
    }
    for name, mean in (("pix2vox", 0.5), ("retr", 0.45)):
        found = corruptions._summarise(scores, find_protocol(name))
        figures = [found[setting] for setting in scores]
        means = [figure["mean"] for figure in figures]
        assert means == pytest.approx([mean, mean - 0.1, mean], abs=1e-12)
        assert figures[0]["difference_interval"] is None
        assert figures[1]["difference_interval"] == pytest.approx([-0.1, -0.1], abs=1e-12)
        assert [corruptions._is_same(figure) for figure in figures] == [False, False, True]
    # of the class mean: half of that of two objects, the other class has one alone
    assert figures[2]["difference_interval"] == pytest.approx([-0.05, 0.05], abs=1e-12)
    one = {setting: {"a/1": of["a/1"]} for setting, of in scores.items()}
    found = corruptions._summarise(one, find_protocol("pix2vox"))
    assert found["blur", 1] == {"mean": 0.4, "difference_interval": None}
    assert not corruptions._is_same(found["blur", 1])


def test_a_mark_where_nothing_differs(made, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(SCALES, "noise", (0, 0, 0, 0, 0))
    figures = run(made, tmp_path / "a.json", "--kinds", "noise", "--strengths", 1)
    clean, noise = figures["settings"]
    assert noise["iou"] == clean["iou"] and noise["difference_interval"] == [0, 0]
    text = capsys.readouterr().out
    assert re.search(rf"^ +noise +~{clean['mean']:.4f} +{clean['mean']:.4f} *$", text, re.M)
    assert "~ as clean pictures: the 95 % interval of the difference, object by obj" in text


def test_batches_and_workers_do_not_count(made, tmp_path, monkeypatch):
    options = ["--kinds", "noise", "blur", "background", "--strengths", 2]
    figures = run(made, tmp_path / "a.json", *options)
    monkeypatch.setattr(corruptions, "BATCH", 3)
    monkeypatch.setattr(corruptions, "available_cores", lambda: 1)
    assert run(made, tmp_path / "b.json", *options) == figures
    alone = run(made, tmp_path / "c.json", "--kinds", "blur", "--strengths", 2)
    assert alone["settings"] == [s for s in figures["settings"] if s["kind"] in ("clean", "blur")]


def test_sheet(made, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    run(made, tmp_path / "a.json", "--kinds", "noise", "blur", "--strengths", 5, "--show", sheet)
    assert f"what the network was shown: {sheet}" in capsys.readouterr().out
    picture = cv2.imread(str(sheet))
    tile, strip, gap = corruptions.TILE, corruptions.TILE // 8, corruptions.TILE // 32
    assert picture.shape == (2 * (tile + strip), 2 * tile + 3 * gap, 3)
    tiles = [
        [picture[top + strip :][:tile, left:][:, :tile] for left in (gap, tile + 2 * gap)]
        for top in (0, tile + strip)
    ]
    assert (tiles[0][0] == tiles[1][0]).all()  # clean
    # the middle of 137 pixels, transparent ones in the plain grey
    (path,) = made.data.glob("ShapeNetRendering/03001627/object_0/rendering/00.png")
    rgba = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[4:132, 4:132]
    assert (tiles[0][0] == np.where(rgba[..., 3:] == 0, 240, rgba[..., :3])).all()
    noise, blur = (row[1].astype(int) - row[0] for row in tiles)
    assert noise.std() > 10 and not noise[rgba[..., 3] == 0].any()
    assert blur[rgba[..., 3] == 0].any()


def test_it_stands_behind_the_cropping_and_shares_the_rest(made):
    source = load_config(made.config).test_dataloader.dataset
    clean = DATASETS.build({**source, "data_root": str(made.data), "n_views": 2})
    names = [type(transform).__name__ for transform in clean.pipeline.transforms]
    at = names.index("PackVoxelInputs")
    assert names[at - 1] == "CropViews"
    spoilt = corruptions._spoil(clean, ("blur", 3))
    transforms = spoilt.pipeline.transforms
    assert transforms[:at] + transforms[at + 1 :] == clean.pipeline.transforms
    assert isinstance(transforms[at], CorruptViews)
    assert (transforms[at].kind, transforms[at].scale) == ("blur", SCALES["blur"][2])
    assert spoilt.data_bytes is clean.data_bytes  # the folders are not listed again
    assert corruptions._spoil(clean, corruptions.CLEAN) is clean


def test_opaque_pictures_have_no_background(made, data, tmp_path, capfd):
    for path in data.glob("ShapeNetRendering/03001627/*/rendering/*.png"):
        cv2.imwrite(str(path), cv2.imread(str(path)))
    argv = [made.config, made.best, "--data-root", data, "--out", tmp_path / "a.json"]
    argv += ["--kinds", "background", "--strengths", 1]
    message = refusal(capfd, corruptions.main, *argv)
    assert re.search(r"rendering/00.png: no transparent pixels, expected some", message)
    assert not (tmp_path / "a.json").exists()


def test_options_that_do_not_fit(made, tmp_path, capfd):
    for options, expected in (
        (["--strengths", 3, 6], "--strengths 6: expected 1 to 5"),
        (["--views", 0], "--views 0: expected 1 to 1000"),
        (["--show", "a.jpg"], "--show a.jpg: expected the name of a .png file"),
        (["--out", tmp_path], f"--out {tmp_path}: expected the name of a file"),
    ):
        assert refusal(capfd, corruptions.main, made.config, made.best, *options) == expected
    message = refusal(capfd, corruptions.main, made.config, made.best, "--data-root", tmp_path)
    assert str(tmp_path) in message


def test_data_without_grids(made, tmp_path, capfd):
    text = made.config.read_text().replace("dict(type='LoadVoxels'),", "")
    assert text != made.config.read_text()
    (tmp_path / "blind.py").write_text(text)
    argv = [tmp_path / "blind.py", made.best, "--data-root", made.data, "--kinds", "blur"]
    message = refusal(capfd, corruptions.main, *argv)
    assert message == f"{made.data}: no grids, expected true ones to measure"


@pytest.mark.parametrize(
    ("evaluator", "expected"),
    [
        ("dict(type='Pix3DIoU')", "metric Pix3DIoU, expected VoxelIoU"),
        ("dict(type='VoxelIoU', protocol='pix3d')", "metric Pix3DIoU, expected VoxelIoU"),
        ("[dict(type='VoxelIoU')]", "expected one metric, a dict"),
    ],
)
def test_another_metric_is_refused(made, tmp_path, capfd, evaluator, expected):
    config = tmp_path / "other.py"
    text = made.config.read_text()
    config.write_text(f"{text}\ntest_evaluator = {evaluator}\n")
    message = refusal(capfd, corruptions.main, config, made.best, "--data-root", made.data)
    assert message == f"{config}: test_evaluator: {expected}"
