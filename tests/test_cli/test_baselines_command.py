# SPDX-License-Identifier: MIT
"""The command; the figures themselves are tested in tests/test_evaluation/test_baselines.py."""

from __future__ import annotations

import json

import pytest
from commands import call, refusal
from r2n2 import make_r2n2

from voxrecon.cli import baselines, test
from voxrecon.evaluation import read_results


@pytest.fixture(scope="module")
def results(made, tmp_path_factory):
    """Results of the tiny network on its data."""
    work = tmp_path_factory.mktemp("tested")
    options = ["--data-root", made.data, "--work-dir", work, "--views", 1, 3]
    call(test.main, made.config, made.best, *options)
    return work / "results.json"


def test_a_test_set_that_is_the_training_set_is_retrieved_exactly(made, results, tmp_path, capsys):
    out = tmp_path / "b.json"
    options = ["--resolution", 8, "--results", results, "--network", made.config, made.best]
    call(baselines.main, made.data, *options, "--network-views", 3, "--out", out)
    text = capsys.readouterr().out
    figures = json.loads(out.read_text())
    assert list(figures) == ["mean grid", "class mean", "oracle", "retrieval", "1 view", "3 views"]
    assert set(figures["oracle"].values()) == {1.0}
    # the first view of each test object is among those of the training objects
    assert set(figures["retrieval"].values()) == {1.0}
    assert "overall" in text and "1.0000" in text

    read = read_results(results)
    at = read["thresholds"].index(0.3)
    for sample in read["samples"]:
        name = "1 view" if sample["n_views"] == 1 else "3 views"
        value = sample["intersection"][at] / sample["union"][at]
        assert figures[name][f"{sample['taxonomy']}/{sample['id']}"] == pytest.approx(value)


def test_without_network_and_results(made, capsys):
    call(baselines.main, made.data, "--resolution", 8, "--split", "val")
    text = capsys.readouterr().out
    header = text.split("Voxel IoU")[1].split("overall")[0]
    assert "oracle" in header and "retrieval" not in header and "view" not in header


def test_results_of_other_samples_are_refused(made, results, tmp_path, capfd):
    make_r2n2(tmp_path / "data", n=3, views=1, grid=8)
    (tmp_path / "data" / "ShapeNetVox32").rename(tmp_path / "data" / "ShapeNetVox8")
    options = ["--resolution", 8, "--results", results]
    message = refusal(capfd, baselines.main, tmp_path / "data", *options)
    assert message.startswith(f"{results}: not the results of this split: ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resolution", "16"], "ShapeNetVox16: no such data folder"),
        (["--network-views", "0"], "--network-views 0: expected at least 1"),
        (["--results", "no.json"], "no.json: cannot be read: No such file or directory"),
    ],
)
def test_what_does_not_fit_is_refused(made, capfd, options, message):
    assert message in refusal(capfd, baselines.main, made.data, *options)
