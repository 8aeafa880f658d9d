# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
import re

import cv2
import numpy as np
import pytest
from commands import call, refusal

from voxrecon.cli import corruptions
from voxrecon.cli import test as test_command
from voxrecon.datasets.transforms.corrupt import SCALES
from voxrecon.evaluation import read_results


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
    for setting in settings.values():
        assert len(setting["iou"]) == 4 and "02691156/object_0" in setting["iou"]
        assert setting["mean"] == pytest.approx(np.mean(list(setting["iou"].values())))
    assert "of 4 objects, 2 views" in text
    rows = dict(re.findall(r"^ +(clean|noise|occlusion|blur|background) +(.+?) *$", text, re.M))
    for kind in ("noise", "occlusion"):
        weak, strong = (settings[kind, strength]["mean"] for strength in (1, 5))
        assert rows.pop(kind).split() == [f"{v:.4f}" for v in (weak, strong, (weak + strong) / 2)]
    assert rows == {"clean": f"{settings['clean', 0]['mean']:.4f}"}
    assert f"see the pictures: python tools/analysis/corruptions.py {made.config}" in text

    # the clean figures are those of the test
    test_out = tmp_path / "results.json"
    options = ["--data-root", made.data, "--views", 2, "--work-dir", tmp_path, "--out", test_out]
    call(test_command.main, made.config, made.best, *options)
    results = read_results(test_out)
    at = results["thresholds"].index(figures["threshold"])
    expected = {
        f"{s['taxonomy']}/{s['id']}": s["intersection"][at] / s["union"][at]
        for s in results["samples"]
    }
    assert settings["clean", 0]["iou"] == pytest.approx(expected, abs=1e-12)


def test_batches_and_workers_do_not_count(made, tmp_path, monkeypatch):
    options = ["--kinds", *SCALES, "--strengths", 2]
    figures = run(made, tmp_path / "a.json", *options)
    monkeypatch.setattr(corruptions, "BATCH", 3)
    monkeypatch.setattr(corruptions, "available_cores", lambda: 0)
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


def test_it_stands_behind_the_cropping():
    names = ["LoadViews", "CropViews", "DrawAugmentation", "PackVoxelInputs"]
    source = {"pipeline": [{"type": name} for name in names], "n_views": 2}
    spoilt = corruptions._spoil(source, ("blur", 3))
    assert [t["type"] for t in spoilt["pipeline"]] == [*names[:2], "CorruptViews", *names[2:]]
    assert spoilt["pipeline"][2] == {"type": "CorruptViews", "kind": "blur", "strength": 3}
    assert spoilt["n_views"] == 2 and len(source["pipeline"]) == 4
    assert corruptions._spoil(source, corruptions.CLEAN) == source


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
