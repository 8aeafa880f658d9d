# SPDX-License-Identifier: MIT
import math
from dataclasses import FrozenInstanceError

import pytest
import yaml

from voxrecon.errors import FileError
from voxrecon.evaluation.published import (
    FOLDER,
    OTHER_DATA,
    SHAPENET_TEST,
    by_class,
    by_views,
    read_published,
    read_table,
    report_rows,
)

AEROPLANE, BENCH, CAR, CHAIR = "02691156", "02828884", "02958343", "03001627"
TABLES = {table.name: table for table in read_published()}
ALL_ROWS = [(table, row) for table in TABLES.values() for row in table.rows]
RETR = "3D-RETR, one model per number of views"
R2N2_SPLIT = "3D-R2N2's own, of each class the last 20 % of the sorted ids"

# Overall figures that are not the mean over samples of the classes' figures: by how much.
OFF = {
    ("shapenet_classes", "3D-R2N2", 0.4, "iou"): -0.0089,  # means of classes
    ("shapenet_classes", "OGN", None, "iou"): -0.0060,
    ("shapenet_classes", "PSGN", None, "iou"): -0.0049,
    ("shapenet_evaluated_anew", "3D-RETR", None, "iou"): -0.0048,
    ("shapenet_evaluated_anew", "3D-RETR", None, "fscore"): -0.0010,
    ("pix2vox_a_released", "Pix2Vox-A", 0.2, "iou"): -0.0004,  # not explained
    ("pix2vox_a_released", "Pix2Vox-A", 0.3, "iou"): -0.0002,
    ("pix2vox_a_released", "Pix2Vox-A", 0.4, "iou"): 0.0007,
    ("pix2vox_a_released", "Pix2Vox-A", 0.5, "iou"): -0.0003,
}


def row_of(table, method, source="", threshold=None):
    (row,) = [
        row
        for row in TABLES[table].rows
        if row.method == method and source in row.source and threshold in (None, row.threshold)
    ]
    return row


def results_of(counts, views=(1, 3), threshold=0.3):
    classes = {key: {"name": key, "n": n} for key, n in counts.items()}
    summary = {str(n): {"classes": classes} for n in views}
    return {"views": list(views), "protocol": {"threshold": threshold}, "summary": summary}


def find(rows, method, source=""):
    (row,) = [row for row in rows if row.method == method and source in row.source]
    return row


def test_there_are_these_tables():
    assert list(TABLES) == [
        "cost",
        "pascal3d",
        "pix2vox_a_released",
        "pix2vox_a_retrained",
        "pix2vox_a_training_views",
        "pix2vox_lstm_feet",
        "pix2vox_lstm_shapenet",
        "pix2vox_refiner",
        "pix2vox_vae_furniture",
        "pix2vox_vae_vehicles",
        "pix3d",
        "r2n2_classes_by_views",
        "shapenet_classes",
        "shapenet_evaluated_anew",
        "shapenet_unseen",
        "shapenet_views",
    ]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table(table):
    assert table.title and table.dataset and table.split and len(table.source) > 8
    assert all(table.metrics.values())
    for row in table.rows:
        assert row.source and row.split
        for metric, values in row.values.items():
            assert values and all(math.isfinite(value) for value in values.values())
            assert metric not in ("iou", "fscore") or all(0 < v < 1 for v in values.values())


def test_files_hold_no_key_twice():
    def visit(node):
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(set(keys)) == len(keys), keys
            for _, value in node.value:
                visit(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                visit(value)

    for path in FOLDER.iterdir():
        assert path.suffix == ".yaml"
        visit(yaml.compose(path.read_text()))


def test_test_split():
    assert len(SHAPENET_TEST) == 13 and sum(SHAPENET_TEST.values()) == 8770
    for name in ("shapenet_classes", "shapenet_evaluated_anew", "pix2vox_a_released"):
        assert TABLES[name].samples == SHAPENET_TEST | {"overall": 8770}


@pytest.mark.parametrize("name", [t.name for t in TABLES.values() if len(t.samples) > 1])
def test_overall_is_the_mean_over_samples(name):
    table = TABLES[name]
    counts = {column: n for column, n in table.samples.items() if column != "overall"}
    assert sum(counts.values()) == table.samples["overall"]
    rounding = 0.0001 if name.startswith("pix2vox") else 0.0006  # of four and of three digits
    for row in table.rows:
        for metric, values in row.values.items():
            mean = sum(values[c] * n for c, n in counts.items()) / table.samples["overall"]
            off = OFF.get((name, row.method, row.threshold, metric))
            expected = (0.0, rounding) if off is None else (off, 0.0001)
            assert abs(values["overall"] - mean - expected[0]) <= expected[1], row
            if "overall is the mean of classes" in row.differs:
                plain = sum(values[c] for c in counts) / len(counts)
                assert abs(values["overall"] - plain) <= 0.0005, row
            else:
                assert off is None or abs(off) < 0.001


def test_overall_lies_between_the_classes():
    for table, row in ALL_ROWS:
        for values in row.values.values():
            classes = [value for column, value in values.items() if column != "overall"]
            if table.by == "class" and len(classes) > 1:
                assert min(classes) < values["overall"] < max(classes)


def test_more_views_are_not_worse():
    falls = []
    for row in TABLES["shapenet_views"].rows:
        for metric, values in row.values.items():
            assert list(values) == sorted(values)
            steps = list(values.values())
            falls += [(row.method, metric) for a, b in zip(steps, steps[1:]) if b < a]  # noqa: B905
    assert falls == [("3D-R2N2", "fscore")]  # .383 at 8 views, .382 at 12


def test_one_view_is_the_same_in_both_kinds_of_tables():
    rows = [row for row in report_rows(results_of(SHAPENET_TEST)) if row.classes and row.views]
    assert [row.method for row in rows] == [
        "3D-R2N2",
        "Pix2Vox-F",
        "Pix2Vox-A",
        "Pix2Vox-F",
        "Pix2Vox-A",
        "Pix2Vox-A with ResNet-152",
    ]
    classes, views = (f(results_of(SHAPENET_TEST)) for f in (by_class, by_views))
    for row in rows:
        overall = find(classes, row.method, row.source).overall
        assert row.overall == overall == find(views, row.method, row.source).views[1]


def test_iccv_is_the_released_weights_at_0_3():
    iccv = row_of("shapenet_classes", "Pix2Vox-A", "Pix2Vox, ICCV").values["iou"]
    released = row_of("pix2vox_a_released", "Pix2Vox-A", threshold=0.3).values["iou"]
    far = [column for column in iccv if abs(iccv[column] - released[column]) > 0.00051]
    assert far == [CAR, "04530566"]


def test_values_by_hand():
    iou = row_of("shapenet_classes", "Pix2Vox-A", "Pix2Vox, ICCV").values["iou"]
    assert iou[CHAIR] == 0.567 and iou["04530566"] == 0.594 and iou["overall"] == 0.661
    assert row_of("shapenet_classes", "Pix2Vox-A", "arXiv").values["iou"][CHAIR] == 0.599
    assert (
        row_of("shapenet_classes", "Pix2Vox-F", "Pix2Vox, ICCV").values["iou"]["04379243"] == 0.587
    )
    assert row_of("shapenet_classes", "3D-R2N2").values["iou"][BENCH] == 0.421
    assert row_of("shapenet_classes", "PSGN").values["iou"]["04401088"] == 0.749
    assert row_of("shapenet_classes", "Pix2Vox-A with ResNet-152").values["iou"]["overall"] == 0.628
    released = row_of("pix2vox_a_released", "Pix2Vox-A", threshold=0.5).values["iou"]
    assert released["03636649"] == 0.4170 and released["overall"] == 0.6503
    anew = row_of("shapenet_evaluated_anew", "R3Davit").values
    assert anew["iou"]["overall"] == 0.711 and anew["fscore"]["overall"] == 0.464
    assert anew["iou"]["04090263"] == 0.684 and anew["fscore"]["04401088"] == 0.641
    anew = row_of("shapenet_evaluated_anew", "Pix2Vox++/A").values
    assert anew["iou"][CHAIR] == 0.581 and anew["fscore"]["overall"] == 0.417
    lrgt = row_of("shapenet_views", "LRGT+").values
    assert lrgt["iou"][20] == 0.7922 and lrgt["fscore"][20] == 0.5510
    assert lrgt["iou"][1] == 0.5847 and lrgt["fscore"][3] == 0.4989
    attsets = row_of("shapenet_views", "AttSets").values
    assert attsets["iou"][1] == 0.642 and attsets["fscore"][20] == 0.448
    evolt = row_of("shapenet_views", "EVolT").values
    assert list(evolt["iou"]) == list(evolt["fscore"]) == [4, 8, 12, 16, 20]
    assert evolt["iou"][8] == 0.698 and evolt["fscore"][4] == 0.358
    assert 20 not in row_of("shapenet_views", "TMVNet").values["iou"]
    assert row_of("shapenet_views", RETR).values["iou"][16] == 0.755
    assert row_of("shapenet_views", "Pix2Vox-A with mean fusion").values["iou"][2] == 0.675
    assert row_of("cost", "OGN").values["cost"] == {
        "parameters": 12.46,
        "training": 192,
        "backward": 312.25,
        "forward 1 view": 37.90,
    }
    assert row_of("cost", "Pix2Vox-A").values["cost"]["forward 8 views"] == 55.56
    assert row_of("pascal3d", "Pix2Vox-A").values["iou"]["table"] == 0.481
    assert row_of("pascal3d", "DRC").values["iou"] == {"overall": 0.536}
    assert row_of("pix3d", "Pix2Vox++/A, trained on Things3D chairs").values["iou"] == {
        "overall": 0.269
    }
    assert row_of("shapenet_unseen", "Pix2Vox-A").values["iou"]["overall"] == 0.227
    lstm = [
        row_of(f"pix2vox_lstm_{n}", "Pix2Vox-LSTM", threshold=0.4) for n in ("feet", "shapenet")
    ]
    assert [row.values["iou"]["overall"] for row in lstm] == [0.3225, 0.6134]
    vae = row_of("pix2vox_vae_furniture", "Pix2Vox-VAE, furniture", threshold=0.4)
    assert vae.values["iou"]["02933112"] == 0.7753 and vae.split == "validation"
    vae = row_of("pix2vox_vae_vehicles", "Pix2Vox-VAE, vehicles", threshold=0.3)
    assert vae.values["iou"]["overall"] == 0.7291
    assert row_of("r2n2_classes_by_views", "3D-R2N2, chair").values["iou"][4] == 0.541
    assert row_of("pix2vox_refiner", "Pix2Vox-A without refiner").values["iou"]["overall"] == 0.643
    assert row_of("pix2vox_a_retrained", "Pix2Vox-A, all data").values["iou"]["table"] == 0.586
    assert row_of("pix2vox_a_training_views", "Pix2Vox-A").values["hours"][8] == 9.75


def test_what_was_not_verified_is_absent():
    methods = {row.method for _, row in ALL_ROWS}
    assert not any("Mem3D" in method or "MarrNet" in method for method in methods)
    plus_f = {(t.name, row.method) for t, row in ALL_ROWS if "Pix2Vox++/F" in row.method}
    assert {name for name, _ in plus_f} == {"pix3d"}  # two figures of slides
    assert [t.name for t, row in ALL_ROWS if row.method == "AttSets"] == ["shapenet_views"]
    rows = [(t.name, row.method) for t, row in ALL_ROWS if row.method == "Pix2Vox++/A"]
    assert rows == [("shapenet_evaluated_anew", "Pix2Vox++/A"), ("shapenet_views", "Pix2Vox++/A")]
    assert "RfC" not in "".join(row.method + row.note for _, row in ALL_ROWS)


def test_rows_for_results_on_the_test_split():
    rows = report_rows(results_of(SHAPENET_TEST))
    assert len({(row.method, row.source) for row in rows}) == len(rows)
    iccv = find(rows, "Pix2Vox-A", "Pix2Vox, ICCV 2019, t = 0.3")
    assert iccv.source == "Pix2Vox, ICCV 2019, t = 0.3" and iccv.mark == ""
    assert iccv.classes.keys() == SHAPENET_TEST.keys() and iccv.classes[CHAIR] == 0.567
    assert iccv.overall == 0.661 and iccv.views[20] == 0.706
    assert (iccv.fscore_classes, iccv.fscore_overall, iccv.fscore_views) == ({}, None, {})
    with pytest.raises(FrozenInstanceError):
        iccv.mark = "x"

    lrgt = find(rows, "LRGT+")
    assert (lrgt.classes, lrgt.overall, lrgt.views[3], lrgt.mark) == ({}, 0.5847, 0.7476, "")
    assert (lrgt.fscore_overall, lrgt.fscore_views[20]) == (0.3378, 0.5510)
    evolt = find(rows, "EVolT")
    assert (evolt.overall, evolt.fscore_overall) == (None, None)
    r3davit = find(rows, "R3Davit")
    assert (r3davit.overall, r3davit.fscore_overall, r3davit.mark) == (0.711, 0.464, "")
    assert r3davit.fscore_classes[CHAIR] == 0.323 and r3davit.views == {}
    assert find(rows, "3D-RETR").mark == "overall is the mean of classes"
    assert find(rows, "3D-R2N2").mark == (
        f"another split: {R2N2_SPLIT}; overall is the mean of classes; "
        "8 to 20 views are of released weights that were trained on a part of this test set"
    )
    assert find(rows, "Pix2Vox-VAE, vehicles").mark == "another split: validation"
    assert not any(row.method in ("DRC", "Pix3D baseline") for row in rows)  # other data sets


@pytest.mark.parametrize("threshold, figure", [(0.1, 0.6552), (0.4, 0.6608), (0.9, 0.6503)])
def test_rows_of_the_nearest_threshold(threshold, figure):
    rows = by_class(results_of(SHAPENET_TEST, threshold=threshold))
    assert find(rows, "Pix2Vox-A", "released").overall == figure


@pytest.mark.parametrize(
    "counts",
    [
        SHAPENET_TEST | {CHAIR: 1356},
        {key: n for key, n in SHAPENET_TEST.items() if key != CAR},
        SHAPENET_TEST | {"02747177": 1},
        {"chair": 8770},
    ],
)
def test_rows_for_other_data_are_marked(counts):
    rows = report_rows(results_of(counts))
    assert len(rows) == len(report_rows(results_of(SHAPENET_TEST)))
    assert find(rows, "Pix2Vox-A", "Pix2Vox, ICCV").mark == find(rows, "LRGT+").mark == OTHER_DATA
    assert OTHER_DATA == "ShapeNet's 8,770 test objects, other data than this"
    assert find(rows, "EVolT").mark == f"{OTHER_DATA}; test set not verified"
    vae = find(rows, "Pix2Vox-VAE, vehicles")
    assert vae.mark == "other data than this; another split: validation"
    assert all("other data than this" in row.mark for row in rows)


def test_one_view_count_with_fewer_samples_is_other_data():
    results = results_of(SHAPENET_TEST, views=(1, 5))
    results["summary"]["5"] = results_of(SHAPENET_TEST | {CAR: 1500})["summary"]["1"]
    assert all(row.mark for row in report_rows(results))


GOOD = {
    "title": "T",
    "dataset": "ShapeNet",
    "split": "test",
    "by": "class",
    "source": "S",
    "metrics": {"iou": "meaning", "hours": "of training"},
    "columns": [AEROPLANE, "overall"],
    "rows": [{"method": "M", "iou": [0.5, None]}],
}


def write(tmp_path, table):
    path = tmp_path / "table.yaml"
    path.write_text(table if isinstance(table, str) else yaml.safe_dump(table, sort_keys=False))
    return path


def test_a_table_by_hand(tmp_path):
    row = {"method": "N", "source": "P", "split": "val", "threshold": 0.5, "hours": [12, 1.5]}
    rows = [*GOOD["rows"], row | {"differs": "d", "note": "n"}]
    extra = {"rows": rows, "threshold": 0.4, "samples": [3, 3], "notes": ["a", "b"]}
    table = read_table(write(tmp_path, GOOD | extra))
    assert (table.name, table.title, table.by) == ("table", "T", "class")
    assert table.columns == (AEROPLANE, "overall") and table.samples == {AEROPLANE: 3, "overall": 3}
    assert table.notes == ("a", "b") and table.view_selection == ""
    first, second = table.rows
    assert (first.method, first.source, first.split, first.threshold) == ("M", "S", "test", 0.4)
    assert first.values == {"iou": {AEROPLANE: 0.5}} and (first.differs, first.note) == ("", "")
    assert (second.source, second.split, second.threshold) == ("P", "val", 0.5)
    assert second.values == {"hours": {AEROPLANE: 12, "overall": 1.5}}
    assert (second.differs, second.note) == ("d", "n")


def with_row(**keys):
    return {"rows": [*GOOD["rows"], {"method": "N", "iou": [0.1, 0.2]} | keys]}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"by": "classes"}, "by: 'classes', expected class, views, other"),
        ({"title": 3}, "title: 3, expected one line of text"),
        ({"notes": ["a\nb"]}, r"notes: 'a\nb', expected one line of text"),
        ({"extra": 1}, "key: 'extra', expected one of title,"),
        ({"columns": []}, "columns: list, expected each once"),
        ({"columns": ["overall"] * 2}, "columns: list, expected each once"),
        ({"columns": [787351]}, "columns: 787351, expected a quoted taxonomy id of ShapeNet"),
        ({"columns": ["02691157"]}, "columns: '02691157', expected a quoted taxonomy id"),
        ({"columns": [["x"]]}, "columns: list, expected a quoted taxonomy id"),
        ({"by": "views"}, "columns: '02691156', expected 1 to 24 views"),
        ({"by": "views", "columns": [True, 2]}, "columns: True, expected 1 to 24 views"),
        ({"by": "other", "columns": [None, 2]}, "columns: None, expected a name or a whole"),
        ({"samples": [1]}, "samples: '1 values', expected 2, one per column"),
        ({"metrics": []}, "metrics: list, expected names and meanings"),
        ({"rows": {}}, "rows: dict, expected a list"),
        ({"rows": []}, "rows: list, expected at least one"),
        ({"rows": ["x"]}, "row 0: 'x', expected keys method"),
        ({"rows": [{"iou": [0.1, 0.2]}]}, "row 0: no 'method', expected method"),
        ({"rows": [{"method": "M"}]}, "row 0: 'M', expected one of iou, hours"),
        (with_row(iuo=[0.1, 0.2]), "row 1: key: 'iuo', expected one of method, source,"),
        (with_row(iou=[0.1]), "row 1: iou: '1 values', expected 2, one per column"),
        (with_row(iou=0.1), "row 1: iou: 0.1, expected a list"),
        (with_row(iou=[1.1, 0]), "row 1: iou: 1.1, expected a number from 0 to 1 or ~"),
        (with_row(iou=[-0.1, 0]), "row 1: iou: -0.1, expected a number from 0 to 1 or ~"),
        (with_row(iou=[math.nan, 0]), "row 1: iou: nan, expected a number from 0 to 1 or ~"),
        (with_row(iou=["0.5", 0]), "row 1: iou: '0.5', expected a number from 0 to 1 or ~"),
        (with_row(iou=[True, 0]), "row 1: iou: True, expected a number from 0 to 1 or ~"),
        (with_row(hours=[math.inf, 0]), "row 1: hours: inf, expected a number from 0 to 1e+06"),
        (with_row(threshold=3), "row 1: threshold: 3, expected a number in (0, 1)"),
        (with_row(split=None), "row 1: split: None, expected one line of text"),
        (with_row(method="M"), "row 1: 'M', expected each method, source and threshold once"),
    ],
)
def test_malformed_tables_are_refused(tmp_path, change, message):
    path = write(tmp_path, GOOD | change)
    with pytest.raises(FileError) as error:
        read_table(path)
    assert str(error.value).startswith(f"{path}: {message}"), error.value
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", GOOD)
def test_missing_keys_are_refused(tmp_path, key):
    path = write(tmp_path, {k: v for k, v in GOOD.items() if k != key})
    with pytest.raises(FileError) as error:
        read_table(path)
    assert str(error.value).startswith(f"{path}: no {key!r}, expected title, dataset, split")


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: b: c", "- !!python/object/apply:os.getcwd []", "2019-99-99", "[" * 500, "\x07"],
)
def test_what_is_not_yaml_is_refused(tmp_path, text):
    path = write(tmp_path, text)
    with pytest.raises(FileError) as error:
        read_table(path)
    assert str(error.value).startswith(f"{path}: not YAML: ")
    assert "\n" not in str(error.value)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileError, match="no.yaml: cannot be read: No such file"):
        read_table(tmp_path / "no.yaml")
    with pytest.raises(FileError, match="table.yaml: 65537 bytes, expected at most 65536"):
        read_table(write(tmp_path, "#" * 65537))
    with pytest.raises(FileError, match=r"table.yaml: None, expected keys title, dataset"):
        read_table(write(tmp_path, ""))
