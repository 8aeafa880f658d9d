# SPDX-License-Identifier: MIT
import errno
import json
import os

import numpy as np
import pytest
import torch

from voxrecon.errors import FileError
from voxrecon.evaluation import (
    build_results,
    headline,
    headline_mean,
    read_results,
    summarise,
    write_json,
    write_results,
)
from voxrecon.evaluation.calibration import Calibration
from voxrecon.evaluation.intervals import mean_interval
from voxrecon.evaluation.protocols import PROTOCOLS


def record(taxonomy, id, n_views, intersection, union, name=None, **more):
    name = name or {"02691156": "aeroplane", "03001627": "chair"}[taxonomy]
    return {
        "taxonomy": taxonomy,
        "id": id,
        "name": name,
        "n_views": n_views,
        "intersection": intersection,
        "union": union,
        "broken": [],
        **more,
    }


NOTHING_MORE = {"scores": {}, "without_leaks": None, "calibration": None, "curve": None}
RECORDS = [
    record("02691156", "a", 1, [1, 2], [4, 4]),  # 0.25 0.5
    record("03001627", "a", 1, [3, 0], [4, 4]),  # 0.75 0
    record("03001627", "b", 1, [4, 0], [4, 0]),  # 1    1, an empty union
    record("03001627", "b", 3, [1, 4], [4, 4]),  # 0.25 1
]


@pytest.fixture
def results():
    return build_results(RECORDS, (0.3, 0.5), ["x.png: truncated"])


def test_results_by_hand(results):
    assert results == {
        "schema": 2,
        "protocol": {
            **{"name": "pix2vox", "metric": "VoxelIoU"},
            **{"threshold": 0.3, "mean": "sample", "strict": False},
        },
        "measures": [],
        "run": {},
        "data_sha256": "",
        "baselines": {},
        "leaks": {},
        "classes": {"02691156": "aeroplane", "03001627": "chair"},
        "thresholds": [0.3, 0.5],
        "views": [1, 3],
        "samples": [
            {
                "taxonomy": "02691156",
                "id": "a",
                "n_views": 1,
                "intersection": [1, 2],
                "union": [4, 4],
            },
            {
                "taxonomy": "03001627",
                "id": "a",
                "n_views": 1,
                "intersection": [3, 0],
                "union": [4, 4],
            },
            {
                "taxonomy": "03001627",
                "id": "b",
                "n_views": 1,
                "intersection": [4, 0],
                "union": [4, 0],
            },
            {
                "taxonomy": "03001627",
                "id": "b",
                "n_views": 3,
                "intersection": [1, 4],
                "union": [4, 4],
            },
        ],
        "broken": ["x.png: truncated"],
        "summary": {
            "1": {
                "overall": [pytest.approx(2 / 3), 0.5],
                "class_mean": [(0.25 + 0.875) / 2, 0.5],
                "best_threshold": 0.3,
                "classes": {
                    "02691156": {"name": "aeroplane", "n": 1, "iou": [0.25, 0.5]},
                    "03001627": {"name": "chair", "n": 2, "iou": [0.875, 0.5]},
                },
                **NOTHING_MORE,
            },
            "3": {
                "overall": [0.25, 1.0],
                "class_mean": [0.25, 1.0],
                "best_threshold": 0.5,
                "classes": {"03001627": {"name": "chair", "n": 1, "iou": [0.25, 1.0]}},
                **NOTHING_MORE,
            },
        },
    }


def test_equal_thresholds_give_the_first():
    results = build_results([record("03001627", "a", 1, [1, 2, 2], [4, 4, 4])], (0.2, 0.3, 0.4))
    assert results["summary"]["1"]["best_threshold"] == 0.3


def test_a_protocol_chooses_the_mean_and_the_threshold(results):
    assert headline(results, 3) == 0 and headline_mean(results, 1) == pytest.approx(2 / 3)
    by_class = build_results(RECORDS, (0.3, 0.5), protocol=PROTOCOLS["retr"])
    assert headline(by_class, 3) == 1 and headline_mean(by_class, 1) == 0.5
    # the best threshold is that of the mean that counts: by sample 0.67 > 0.5, by class 0.56 > 0.5
    searched = build_results(RECORDS, (0.3, 0.5), protocol=PROTOCOLS["pix3d"])
    assert [headline(searched, n) for n in (1, 3)] == [0, 1]


def test_scores_of_the_samples_that_have_one():
    scores = [{"a": 1.0}, {"a": 2.0, "b": None}, {"a": 6.0}, {}]
    records = [{**r, "scores": s} for r, s in zip(RECORDS, scores, strict=True)]
    results = build_results(records, (0.3, 0.5))
    found = results["summary"]["1"]["scores"]
    assert found["a"] == {
        "n": 3,
        "mean": 3.0,
        "class_mean": 2.5,
        "classes": {"02691156": 1.0, "03001627": 4.0},
    }
    nothing = {"02691156": None, "03001627": None}
    assert found["b"] == {"n": 0, "mean": None, "class_mean": None, "classes": nothing}
    assert results["summary"]["3"]["scores"] == {}
    with_intervals = summarise(results, intervals=True)["1"]["scores"]
    assert with_intervals["b"]["interval"] is None
    assert 1 <= with_intervals["a"]["interval"][0] <= 3 <= with_intervals["a"]["interval"][1] <= 6


def test_leaks_are_left_out_of_one_mean_and_named():
    leaks = {"03001627/a": ["sofa"], "03001627/other": ["bench"]}
    results = build_results(RECORDS, (0.3, 0.5), leaks=leaks)
    assert results["leaks"] == {"03001627/a": ["sofa"]}
    without = results["summary"]["1"]["without_leaks"]
    means = [pytest.approx((0.25 + 1) / 2), 0.75]
    assert without == {"n": 2, "overall": means, "class_mean": means}
    assert results["summary"]["3"]["without_leaks"] is None


def test_curve_and_calibration_follow_from_the_histograms():
    generator = torch.Generator().manual_seed(0)
    prediction = torch.rand(3, 4, 4, 4, generator=generator)
    truth = torch.rand(3, 4, 4, 4, generator=generator) > 0.5
    measure, records = Calibration(), []
    for i in range(3):
        (found,) = measure(prediction[i : i + 1], truth[i], f"c/{i}")
        records.append({**record("02691156", str(i), 1, [0], [1]), **found})
    summary = build_results(records, (0.3,))["summary"]["1"]
    for t, mean in zip(summary["curve"]["thresholds"], summary["curve"]["overall"], strict=True):
        p = prediction >= t
        expected = [(p[i] & truth[i]).sum() / (p[i] | truth[i]).sum() for i in range(3)]
        assert mean == pytest.approx(float(sum(expected)) / 3, abs=1e-6)
    bins = summary["calibration"]["bins"]
    assert sum(b["count"] for b in bins) == 3 * 64
    inside = (prediction >= 0.3) & (prediction < 0.35)
    assert bins[6]["occupied"] == pytest.approx(float(truth[inside].float().mean()))
    gaps = [b["count"] * abs(b["probability"] - b["occupied"]) for b in bins if b["count"]]
    assert summary["calibration"]["ece"] == pytest.approx(sum(gaps) / (3 * 64))


def test_the_data_hash_knows_keys_and_grids_alone():
    def hash_of(*grids):
        records = [{**r, "truth": g} for r, g in zip(RECORDS, grids, strict=False)]
        return build_results(records, (0.3, 0.5))["data_sha256"]

    first = hash_of("aa", "bb", "cc")
    assert len(first) == 64 and first == hash_of("aa", "bb", "cc", "cc")
    assert hash_of("aa", "bb", "cd") != first != hash_of("bb", "aa", "cc")


def test_json_round_trip(tmp_path, results):
    path = tmp_path / "new" / "results.json"
    results["summary"] = summarise(results, intervals=True)
    write_results(path, results)
    write_results(path, results)
    assert read_results(path, intervals=True) == results == json.loads(path.read_text())
    assert sum('"intersection"' in line for line in path.read_text().splitlines()) == len(RECORDS)
    assert os.listdir(path.parent) == ["results.json"]


def test_the_summary_of_a_file_is_not_believed(tmp_path, results):
    write_results(tmp_path / "r.json", {**results, "summary": {"1": "<script>"}})
    assert read_results(tmp_path / "r.json")["summary"] == summarise(results)


def test_intervals_of_each_view_count_are_those_of_its_samples():
    """Counts of the same samples share their draws, which must not show."""
    records = [
        record("02691156", str(i), n, [i, 9 - i], [10, 10], scores={"a": i / n})
        for i in range(6)
        for n in (1, 2)
    ]
    both = build_results(records, (0.3, 0.5))
    alone = build_results([r for r in records if r["n_views"] == 2], (0.3, 0.5))
    summary = summarise(both, intervals=True)
    assert summary["2"] == summarise(alone, intervals=True)["2"]
    low, high = mean_interval(np.arange(6)[:, None] / 10)
    ends = pytest.approx([low[0], high[0]])
    assert summary["1"]["interval"]["overall"][0] == ends
    assert summary["1"]["classes"]["02691156"]["interval"][0] == ends
    assert summary["2"]["scores"]["a"]["interval"] == pytest.approx([5 * low[0], 5 * high[0]])


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path, results, monkeypatch):
    path = tmp_path / "results.json"
    path.write_text("old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError) as error:
        write_json(path, results)
    assert str(error.value) == f"{path}: cannot be written: No space left on device"
    assert os.listdir(tmp_path) == ["results.json"]
    assert path.read_text() == "old"


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "results.json", tmp_path / "folder"):
        with pytest.raises(FileError, match="cannot be written: "):
            write_json(path, {})
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_numbers_that_are_not_json_write_nothing(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "results.json", {"iou": float("nan")})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 1}, "results of schema 1, expected 2: test the checkpoint again"),
        ({"schema": None}, "results of schema None, expected 2"),
        ({"schema": 2.0}, "results of schema 2.0, expected 2"),
        ({"schema": "x" * 10**6}, "results of schema 'x{79}..., expected 2"),
        ({"samples": {}}, "'samples' is {}, expected as docs/evaluation.md has it"),
        ({"samples": []}, r"'samples' is \[\], expected"),
        ({"thresholds": [0.3]}, "sample 0 is {'taxonomy': '02691156', 'id': 'a'.*, expected"),
        ({"thresholds": [0.3, -7]}, r"'thresholds' is \[0.3, -7\], expected"),
        ({"thresholds": [0.3, 0.3]}, "'thresholds' is "),
        ({"views": [1, 3, 1]}, "'views' is "),
        ({"measures": [["FScore"]]}, "'measures' is "),
        ({"thresholds": [0.2, 0.5]}, r"thresholds \[0.2, 0.5\], expected 0.3 too"),
        ({"samples": [{"id": "a"}]}, "sample 0 is {'id': 'a'}, expected"),
        ({"protocol": {"name": "pix2vox"}}, "'protocol' is {'name': 'pix2vox'}, expected"),
        ({"run": {"config": 1}}, "'run' is {'config': 1}, expected"),
        ({"run": {"environment": ["torch"]}}, "'run' is "),
        ({"baselines": {"oracle": {"a": "1"}}}, "'baselines' is "),
        ({"leaks": {"a": "sofa"}}, "'leaks' is "),
        ({"classes": {}}, "sample 0 has a class or number of views that is not listed"),
        ({"views": [1]}, "sample 3 has a class or number of views that is not listed"),
        ({"views": [1, 3, 5]}, "no sample of 5 views"),
        ({"views": [0]}, r"'views' is \[0\], expected"),
    ],
)
def test_files_of_another_kind(tmp_path, results, change, message):
    path = tmp_path / "results.json"
    path.write_text(json.dumps({**results, **change}))
    with pytest.raises(FileError, match=message) as error:
        read_results(path)
    assert str(error.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("intersection", [5, 2]),
        ("intersection", [-1, 2]),
        ("union", [4]),
        ("union", [4.0, 4]),
        ("union", None),
        ("id", ["a"]),
        ("taxonomy", None),
        ("n_views", "1"),
        ("scores", {"fscore": "high"}),
        ("scores", {"fscore": True}),
        ("scores", {"fscore": 10**400}),
        ("scores", {"fscore": 1.7e308}),
        ("scores", {"": 1.0}),
        ("scores", [1.0]),
        ("view_numbers", [-1]),
        ("id", ""),
        ("histogram", {"count": [1] * 20, "occupied": [2] * 20, "probability": [0.5] * 20}),
        ("histogram", {"count": [1] * 20, "occupied": [1] * 20, "probability": [1e9] * 20}),
        ("truth", 3),
        ("histogram", {"count": [1] * 20}),
    ],
)
def test_samples_that_do_not_add_up(tmp_path, results, key, value):
    results["samples"][1][key] = value
    write_json(tmp_path / "results.json", results)
    with pytest.raises(FileError, match="sample 1 is {.*, expected as docs"):
        read_results(tmp_path / "results.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[]", b"9" * 10_000])
def test_files_that_hold_no_results(tmp_path, content):
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(FileError) as error:
        read_results(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_sample_twice(tmp_path, results):
    results["samples"].append(results["samples"][1])
    write_json(tmp_path / "r.json", results)
    with pytest.raises(FileError, match="sample 4 is .'03001627', 'a', 1. again, expected once"):
        read_results(tmp_path / "r.json")


def test_a_missing_file(tmp_path):
    with pytest.raises(FileError, match="cannot be read: No such file"):
        read_results(tmp_path / "results.json")


def test_a_file_over_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("voxrecon.evaluation.results_file.MAX_BYTES", 10)
    (tmp_path / "results.json").write_text(" " * 11)
    with pytest.raises(FileError, match="11 bytes, expected at most 10"):
        read_results(tmp_path / "results.json")
