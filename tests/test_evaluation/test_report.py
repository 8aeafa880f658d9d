# SPDX-License-Identifier: MIT
import errno
import json
import os

import pytest
from rich.console import Console

from voxrecon.errors import FileError
from voxrecon.evaluation import build_results, format_results, read_results, write_json


def record(taxonomy, id, n_views, intersection, union, name=None):
    name = name or {"02691156": "aeroplane", "03001627": "chair"}[taxonomy]
    return {
        "taxonomy": taxonomy,
        "id": id,
        "name": name,
        "n_views": n_views,
        "intersection": intersection,
        "union": union,
        "broken": [],
    }


RECORDS = [
    record("02691156", "a", 1, [1, 2], [4, 4]),  # 0.25 0.5
    record("03001627", "a", 1, [3, 0], [4, 4]),  # 0.75 0
    record("03001627", "b", 1, [4, 0], [4, 0]),  # 1    1, an empty union
    record("03001627", "b", 3, [1, 4], [4, 4]),  # 0.25 1
]


@pytest.fixture
def results():
    return build_results(RECORDS, (0.3, 0.5), ["x.png: truncated"])


def printed(results, width=80):
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(format_results(results))
    return capture.get()


def test_results_by_hand(results):
    assert results == {
        "schema": 1,
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
            },
            "3": {
                "overall": [0.25, 1.0],
                "class_mean": [0.25, 1.0],
                "best_threshold": 0.5,
                "classes": {"03001627": {"name": "chair", "n": 1, "iou": [0.25, 1.0]}},
            },
        },
    }


def test_equal_thresholds_give_the_first():
    results = build_results([record("03001627", "a", 1, [1, 2, 2], [4, 4, 4])], (0.2, 0.3, 0.4))
    assert results["summary"]["1"]["best_threshold"] == 0.3


def test_the_table_as_printed(results):
    lines = [line.rstrip() for line in printed(results).splitlines() if line.strip()]
    assert lines[0] == "Voxel IoU"
    assert lines[3:] == [
        "  1 view, best t=0.3                best",
        "    aeroplane                 1   0.2500   0.5000",
        "    chair                     2   0.8750   0.5000",
        "    overall by sample         3   0.6667   0.5000",
        "    mean of classes               0.5625   0.5000",
        "  3 views, best t=0.5                        best",
        "    chair                     1   0.2500   1.0000",
        "    overall by sample         1   0.2500   1.0000",
        "    mean of classes               0.2500   1.0000",
        "broken samples left out: 1",
    ]


def test_no_number_is_cut_off_in_80_columns():
    thresholds = [i / 20 for i in range(1, 20)]
    counts = list(range(1000, 1019))
    name = "a class with a [red]very[/red] long name"
    many = [record("1", str(i), n, counts, [10_000] * 19, name) for n in (1, 12) for i in range(9)]
    text = printed(build_results(many, thresholds))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for value in counts:
        assert text.count(f"{value / 10_000:.4f}") == 2 * 3  # class, overall, mean of classes
    assert "[red]very[/red]" in printed(build_results(many, thresholds), width=200)


def test_json_round_trip(tmp_path, results):
    path = tmp_path / "new" / "results.json"
    write_json(path, results)
    write_json(path, results)
    assert read_results(path) == results
    assert os.listdir(path.parent) == ["results.json"]


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
        ({"schema": 2}, "results of schema 2, expected 1"),
        ({"schema": None}, "results of schema None, expected 1"),
        ({"samples": {}}, "'samples' is missing or wrong, expected a list"),
        ({"thresholds": [0.3]}, "sample 0 is malformed, expected taxonomy, id"),
        ({"samples": [{"id": "a"}]}, "sample 0 is malformed"),
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
    ],
)
def test_samples_that_do_not_add_up(tmp_path, results, key, value):
    results["samples"][1][key] = value
    write_json(tmp_path / "results.json", results)
    with pytest.raises(FileError, match="sample 1 is malformed"):
        read_results(tmp_path / "results.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[]"])
def test_files_that_hold_no_results(tmp_path, content):
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(FileError) as error:
        read_results(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileError, match="cannot be read: No such file"):
        read_results(tmp_path / "results.json")


def test_a_file_over_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("voxrecon.evaluation.report.MAX_BYTES", 10)
    (tmp_path / "results.json").write_text(" " * 11)
    with pytest.raises(FileError, match="11 bytes, expected at most 10"):
        read_results(tmp_path / "results.json")
