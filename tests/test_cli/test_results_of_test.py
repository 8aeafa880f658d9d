# SPDX-License-Identifier: MIT
"""What tools/test.py finds out beyond IoU, and how it is told to."""

from __future__ import annotations

import json

import pytest
import torch
from commands import call, refusal

from voxrecon.cli import test
from voxrecon.datasets import R2N2Dataset
from voxrecon.evaluation import read_results
from voxrecon.models import VoxelReconstructor


def run(made, work, *options):
    call(test.main, made.config, made.best, "--data-root", made.data, "--work-dir", work, *options)
    return read_results(work / "results.json", intervals=True)


@pytest.fixture(scope="module")
def full(made, tmp_path_factory):
    """Results of the tiny network with everything."""
    work = tmp_path_factory.mktemp("full")
    metrics = ["--metrics", "fscore", "fscore-mid", "chamfer", "calibration"]
    retrieval = ["--retrieval-views", 3]
    return run(made, work, "--views", 1, 3, *metrics, *retrieval, "--orders", 10, "--report"), work


def test_everything_is_in_the_file(made, full):
    results, work = full
    assert json.loads((work / "results.json").read_text()) == results  # the summary, too
    assert results["views"] == [1, 3] and len(results["samples"]) == 8
    scores = {n: results["summary"][str(n)]["scores"] for n in (1, 3)}
    named = {"fscore", "ceiling", "fscore_mid", "chamfer", "brier"}
    assert named <= scores[1].keys() and scores[1]["ceiling"]["n"] == 4
    assert scores[3].keys() - scores[1].keys() == {"order_deviation", "order_range"}
    # the fusion of the tiny network does not know an order
    assert scores[3]["order_range"]["mean"] < 0.02
    assert results["summary"]["1"]["curve"]["overall"][5] == pytest.approx(
        results["summary"]["1"]["overall"][results["thresholds"].index(0.3)], abs=1e-12
    )
    run_ = results["run"]
    assert run_["retrieval_views"] == "3"
    assert run_["checkpoint"] == str(made.best) and len(run_["checkpoint_sha256"]) == 64
    assert run_["environment"]["torch"] == torch.__version__ and "VoxelIoU" in run_["config_text"]
    assert results["protocol"] == {
        **{
            "name": "pix2vox",
            "metric": "VoxelIoU",
            "threshold": 0.3,
            "mean": "sample",
            "strict": False,
        },
        **{"view_selection": "first", "view_order": "first"},
    }


def test_baselines_stand_beside(full):
    baselines = full[0]["baselines"]
    assert list(baselines) == ["mean grid", "class mean", "oracle", "retrieval"]
    # the tiny test set is the training set: its grids, and its first views, are known
    assert set(baselines["oracle"].values()) == {1.0}
    assert set(baselines["retrieval"].values()) == {1.0}
    assert baselines["oracle"].keys() == {f"{s['taxonomy']}/{s['id']}" for s in full[0]["samples"]}


def test_the_report_is_written(full):
    results, work = full
    page, table = (work / "report.html").read_text(), (work / "report.md").read_text()
    iou = f"{results['summary']['3']['overall'][1]:.3f}"
    assert iou in page and iou in table
    assert page.count("<img") >= 4 * 4  # of four samples three inputs at most, predictions, truth


def test_without_baselines(made, tmp_path, capsys):
    assert run(made, tmp_path, "--no-baselines")["baselines"] == {}
    assert run(made, tmp_path, "--retrieval-views", 0)["baselines"].keys() == {
        *("mean grid", "class mean", "oracle")
    }
    capsys.readouterr()


def test_no_training_set_is_said(made, data, tmp_path, capsys):
    taxonomy = json.loads((data / "taxonomy.json").read_text())
    for entry in taxonomy:
        del entry["train"]
    (data / "taxonomy.json").write_text(json.dumps(taxonomy))
    options = ["--data-root", data, "--work-dir", tmp_path / "w"]
    call(test.main, made.config, made.best, *options)
    assert "no baselines: " in capsys.readouterr().out


def test_samples_of_the_training_set_under_another_class_are_named(made, data, tmp_path, capsys):
    taxonomy = json.loads((data / "taxonomy.json").read_text())
    chair, aeroplane = taxonomy  # whose ids are the same
    chair["train"] = [*chair["train"], "alone"]
    aeroplane["train"] = aeroplane["test"][:1]
    (data / "taxonomy.json").write_text(json.dumps(taxonomy))
    options = ["--data-root", data, "--work-dir", tmp_path / "w", "--no-baselines"]
    call(test.main, made.config, made.best, *options)
    text = " ".join(capsys.readouterr().out.split())
    assert "leaks: 3 samples stand in train under another class: 02691156/object_0 (chair)" in text
    results = read_results(tmp_path / "w" / "results.json")
    assert results["leaks"] == {
        "03001627/object_0": ["aeroplane"],
        "02691156/object_0": ["chair"],
        "02691156/object_1": ["chair"],
    }
    clean = results["summary"]["1"]["without_leaks"]
    (rest,) = (s for s in results["samples"] if f"{s['taxonomy']}/{s['id']}" == "03001627/object_1")
    ious = [i / u for i, u in zip(rest["intersection"], rest["union"], strict=True)]
    assert clean == {"n": 1, "overall": ious, "class_mean": ious}


@pytest.mark.parametrize(
    ("protocol", "views", "thresholds"),
    [("r2n2", [1, 2, 3], [0.4]), ("retr", None, [0.5]), ("pix3d", None, None)],
)
def test_protocols_by_name(made, tmp_path, protocol, views, thresholds):
    options = ["--protocol", protocol, "--no-baselines", "--report", "--views", *(views or [1])]
    results = run(made, tmp_path, *options)
    assert results["protocol"]["name"] == protocol
    assert (tmp_path / "report.html").exists() and (tmp_path / "report.md").exists()
    assert results["views"] == (views or [1])
    assert thresholds is None or results["thresholds"] == thresholds


def test_a_protocol_has_its_own_numbers_of_views(made, capfd):
    options = ["--data-root", made.data, "--protocol", "r2n2"]
    message = refusal(capfd, test.main, made.config, made.best, *options)
    assert "3 renderings, 5 views asked for" in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--views", 0], "--views 0: expected at least 1"),
        (["--thresholds", 1.5], "--thresholds 1.5: expected 0 to 1"),
        (["--orders", 1], "--orders 1: expected 2 to 1000"),
        (["--orders", 5], "--orders 5: expected --views from 2 on"),
        (["--retrieval-views", -1], "--retrieval-views -1: expected at least 0"),
        (["--protocol", "pix3d", "--metrics", "fscore"], "--metrics: expected the metric VoxelIoU"),
    ],
)
def test_options_that_do_not_fit(made, tmp_path, capfd, options, message):
    data = ["--data-root", made.data, "--work-dir", tmp_path]
    found = refusal(capfd, test.main, made.config, made.best, *data, *options)
    assert message in found


def test_thresholds_of_ones_own(made, tmp_path):
    results = run(made, tmp_path, "--no-baselines", "--thresholds", 0.1, 0.9)
    assert results["thresholds"] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.9]


def test_views_in_another_order_and_another_selection(made, tmp_path):
    """The tiny network's mean does not know an order; three of three views are the same views."""
    few = ["--no-baselines", "--views", 1, 3]
    plain = run(made, tmp_path / "a", *few)
    shuffled = run(made, tmp_path / "b", *few, "--view-order", "random")
    drawn = run(made, tmp_path / "c", *few, "--view-selection", "random")
    assert shuffled["protocol"]["view_order"] == drawn["protocol"]["view_selection"] == "random"

    def counts(results, n):
        # at 0.5 lie the many voxels of which this network knows nothing at all
        return [c for s in results["samples"] if s["n_views"] == n for c in s["intersection"][:3]]

    # the first of three is the first however they are ordered
    assert counts(shuffled, 1) == pytest.approx(counts(plain, 1), abs=1)
    assert counts(shuffled, 3) == pytest.approx(counts(plain, 3), abs=1)
    assert counts(drawn, 1) != counts(plain, 1)
    assert counts(drawn, 3) == pytest.approx(counts(plain, 3), abs=1)


def test_orders_and_selections_of_a_data_set(made):
    def views(**options):
        dataset = R2N2Dataset(
            made.data,
            split="test",
            grid_size=8,
            n_views=3,
            test_mode=True,
            pipeline=[],
            **options,
        )
        return [(tuple(s["views"]), s.get("picks")) for s in dataset]

    assert views() == [((0, 1, 2), None)] * 4
    shuffled = views(order="random")
    assert shuffled == views(order="random")  # follows from the sample's key
    assert len({v for v, _ in shuffled}) > 1
    assert all(list(v) == picks for v, picks in shuffled)  # the first three: view i is pick i
    drawn = views(selection="random")
    assert drawn == views(selection="random") and len({v for v, _ in drawn}) > 1
    assert all(sorted(v) == [0, 1, 2] and picks is None for v, picks in drawn)


def test_predictions_that_are_no_numbers_are_one_error(made, tmp_path, capfd, monkeypatch):
    fuse = VoxelReconstructor.fuse

    def broken(self, *args, **kwargs):
        out = fuse(self, *args, **kwargs)
        out["volume"][0, 0, 0, 0] = float("nan")
        return out

    monkeypatch.setattr(VoxelReconstructor, "fuse", broken)
    options = ["--data-root", made.data, "--work-dir", tmp_path]
    message = refusal(capfd, test.main, made.config, made.best, *options)
    assert "1 predicted voxels are NaN or infinite, expected none" in message
    assert not (tmp_path / "results.json").exists()


def test_retrieval_pairs_features_with_the_grids_of_their_objects(made, data, tmp_path):
    """An object without enough views is left out of the features, so it is not retrieved."""
    taxonomy = json.loads((data / "taxonomy.json").read_text())
    first = taxonomy[0]
    first["test"], first["train"] = ["object_1"], ["object_0", "object_1"]
    (data / "taxonomy.json").write_text(json.dumps([first]))
    short = data / "ShapeNetRendering" / first["taxonomy_id"] / "object_0" / "rendering"
    (short / "02.png").unlink()
    options = ["--data-root", data, "--work-dir", tmp_path, "--retrieval-views", 3]
    call(test.main, made.config, made.best, *options)
    baselines = read_results(tmp_path / "results.json")["baselines"]
    assert baselines["retrieval"] == {f"{first['taxonomy_id']}/object_1": 1.0}


@pytest.mark.parametrize("name", ["results.json", "report.html"])
def test_places_that_cannot_be_written_are_said_before_the_test(made, tmp_path, capfd, name):
    (tmp_path / name).mkdir()
    options = ["--data-root", made.data, "--work-dir", tmp_path, "--report"]
    message = refusal(capfd, test.main, made.config, made.best, *options)
    assert message == f"{tmp_path / name}: a folder, expected a file"


def test_a_checkpoint_of_another_grid_size_is_said_before_missing_data(made, tmp_path, capfd):
    options = ["--data-root", made.data, "--work-dir", tmp_path]
    changes = ["--cfg-options", "model.decoder.channels=[4]", "test_dataloader.dataset.grid_size=4"]
    message = refusal(capfd, test.main, made.config, made.best, *options, *changes)
    assert message == f"{made.best}: grid_size is 8, the config has 4"
