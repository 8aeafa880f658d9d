# SPDX-License-Identifier: MIT
import math

import pytest
import yaml

from voxrecon.errors import FileError
from voxrecon.evaluation.protocols import PROTOCOLS
from voxrecon.evaluation.published import report_rows
from voxrecon.evaluation.published_tables import FOLDER, TEST_SETS, read_published, read_table

AEROPLANE, CAR, CHAIR = "02691156", "02958343", "03001627"
SHAPENET, PIX3D = TEST_SETS["ShapeNet"], TEST_SETS["Pix3D"]
FILES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.iterdir())}
TABLES = {table.name: table for table in read_published()}
ALL_ROWS = [(name, row) for name, table in TABLES.items() for row in table.rows]
RETR = "3D-RETR, one model per number of views"
NO_DATA = "ShapeNet's 8,770 test objects, other data than this"
UNKNOWN = "threshold not known"
OF_CLASSES = "overall is the mean of classes"

# Overall figures of the released weights at each threshold that are off the mean over samples of
# the classes' figures, by how much; not explained.
OFF = {0.2: -0.0004, 0.3: -0.0002, 0.4: 0.0007, 0.5: -0.0003}


def results_of(counts=SHAPENET, views=(1, 3), protocol="pix2vox", **changes):
    classes = {key: {"name": key, "n": n} for key, n in counts.items()}
    return {
        "views": list(views),
        "protocol": PROTOCOLS[protocol].record() | {"view_selection": "first"} | changes,
        "classes": {key: key for key in counts},
        "summary": {str(n): {"classes": classes} for n in views},
    }


def find(rows, method, source=""):
    (row,) = [row for row in rows if row.method == method and source in row.source]
    return row


def unmarked(rows):
    return [row.method for row in rows if not row.mark]


@pytest.mark.parametrize(
    "name", [n for n, data in FILES.items() if len(data.get("samples", "")) > 1]
)
def test_overall_is_the_mean_that_the_row_says(name):
    counts = dict(zip(FILES[name]["columns"], FILES[name]["samples"], strict=True))
    total = counts.pop("overall")
    assert sum(counts.values()) == total and (total != 8770 or counts == SHAPENET)
    rounding = 0.0001 if name.startswith("pix2vox") else 0.0006  # of four and of three digits
    for row in TABLES[name].rows:
        for values in row.values.values():
            by_sample = sum(values[c] * n for c, n in counts.items()) / total
            by_class = sum(values[c] for c in counts) / len(counts)
            off = OFF[row.threshold] if name == "pix2vox_a_released" else 0.0
            expected = by_class if row.mean == "class" else by_sample + off
            assert abs(values["overall"] - expected) <= rounding, row


@pytest.mark.parametrize(
    "table, method, metric, column, value",
    [
        ("shapenet_classes", "3D-R2N2", "iou", "02828884", 0.421),
        ("shapenet_evaluated_anew", "Pix2Vox++/A", "fscore", "overall", 0.417),
        ("shapenet_views", "LRGT+", "fscore", 3, 0.4989),
        ("shapenet_views", RETR, "iou", 16, 0.755),
        ("cost", "Pix2Vox-A", "cost", "forward 8 views", 55.56),
        ("pascal3d", "Pix2Vox-A", "iou", "table", 0.481),
        ("pix3d", "Pix2Vox++/A, trained on Things3D chairs", "iou", "overall", 0.269),
    ],
)
def test_values_by_hand(table, method, metric, column, value):
    (row,) = (row for name, row in ALL_ROWS if name == table and row.method == method)
    assert row.values[metric][column] == value


def test_what_was_not_verified_is_absent():
    methods = {row.method for _, row in ALL_ROWS}
    assert not any(name in method for method in methods for name in ("Mem3D", "MarrNet", "RfC"))
    found = {(name, row.method) for name, row in ALL_ROWS if row.method.startswith("Pix2Vox++")}
    assert {name for name, method in found if "/F" in method} == {"pix3d"}  # figures of slides
    assert [name for name, row in ALL_ROWS if row.method == "AttSets"] == ["shapenet_views"]


def test_rows_of_pix2vox():
    rows = report_rows(results_of())
    assert unmarked(rows) == ["Pix2Vox-A", "Pix2Vox-F", "Pix2Vox-A", "3D-C2FT"]
    assert find(rows, "Pix2Vox-A", "released").overall == 0.6607
    iccv = find(rows, "Pix2Vox-A", "Pix2Vox, ICCV")
    assert iccv.source == "Pix2Vox, ICCV 2019, t = 0.3"
    assert iccv.classes.keys() == SHAPENET.keys() and iccv.classes[CHAIR] == 0.567
    assert iccv.overall == iccv.views[1] == 0.661 and iccv.views[20] == 0.706
    assert (iccv.fscore_classes, iccv.fscore_overall, iccv.fscore_views) == ({}, None, {})

    lrgt = find(rows, "LRGT+")
    assert (lrgt.classes, lrgt.overall, lrgt.views[3]) == ({}, 0.5847, 0.7476)
    assert (lrgt.fscore_overall, lrgt.fscore_views[20]) == (0.3378, 0.5510)
    assert lrgt.mark == "threshold 0.5, not 0.3"
    assert find(rows, "R3Davit").fscore_classes[CHAIR] == 0.323
    assert find(rows, "EVolT").overall is None
    split, *other, weights = find(rows, "3D-R2N2").mark.split("; ")
    assert split.startswith("another split: 3D-R2N2's own") and weights.startswith("8 to 20 views")
    assert other == ["threshold 0.4, not 0.3", OF_CLASSES]
    assert find(rows, "3D-RETR").mark == f"{UNKNOWN}; {OF_CLASSES}"
    assert find(rows, "UMIFormer+").mark == (
        "threshold 0.5, not 0.3; its script prints the best of the thresholds 0.3 to 0.6"
    )
    lego = find(rows, "LegoFormer")
    assert lego.mark == "views selected: perhaps at random, the default of its code"
    assert find(rows, "Pix2Vox-VAE, vehicles").mark == "another split: validation"
    assert not any(row.method in ("DRC", "Pix3D baseline") for row in rows)  # other data sets


def test_rows_of_retr():
    rows = report_rows(results_of(protocol="retr"))
    assert unmarked(rows) == ["3D-RETR, trained with 3 views", RETR]
    assert find(rows, "3D-RETR").mark == UNKNOWN
    of_samples = "overall is the mean over samples"
    assert find(rows, "Pix2Vox-A", "Pix2Vox, ICCV").mark == f"threshold 0.3, not 0.5; {of_samples}"
    assert find(rows, "Pix2Vox-A", "released").mark == of_samples
    assert find(rows, "OGN").mark == f"{UNKNOWN}; test set not verified"


def test_rows_under_other_rules():
    rows = report_rows(results_of(view_selection="random"))
    assert unmarked(rows) == [] and find(rows, "3D-C2FT").mark == "views selected: first"
    assert find(rows, "LegoFormer").mark.startswith("views selected: perhaps at random")
    rows = report_rows(results_of(threshold=None))
    assert find(rows, "3D-C2FT").mark == "threshold 0.3, not the best"
    rows = report_rows(results_of(protocol="pix3d", views=(1,)))
    assert find(rows, "3D-C2FT").mark == "another metric: VoxelIoU; threshold 0.3, not the best"
    assert all("another metric: VoxelIoU" in row.mark for row in rows)


def test_rows_of_the_nearest_threshold():
    for threshold, figure in ((0.1, 0.6552), (0.4, 0.6608), (0.9, 0.6503)):
        rows = report_rows(results_of(threshold=threshold))
        assert find(rows, "Pix2Vox-A", "released").overall == figure


def test_rows_for_other_data_are_marked():
    without_cars = {key: n for key, n in SHAPENET.items() if key != CAR}
    for counts in (SHAPENET | {CHAIR: 1356}, without_cars, SHAPENET | {"02747177": 1}):
        rows = report_rows(results_of(counts))
        assert find(rows, "3D-C2FT").mark == NO_DATA
        assert find(rows, "TMVNet").mark == f"{NO_DATA}; {UNKNOWN}; test set not verified"
        vae = find(rows, "Pix2Vox-VAE, vehicles")
        assert vae.mark == "other data than this; another split: validation"
        assert all("other data than this" in row.mark for row in rows)
    results = results_of()
    results["summary"]["3"] = results_of(SHAPENET | {CAR: 1500})["summary"]["3"]
    assert unmarked(report_rows(results)) == []


def test_rows_of_pix3d():
    rows = report_rows(results_of(PIX3D, (1,), "pix3d"))
    assert [row.overall for row in rows] == [0.179, 0.204, 0.256, 0.269, 0.287]
    baseline = find(rows, "Pix3D baseline")
    assert baseline.mark == "an approximate figure"
    other = "another metric: VoxelIoU; threshold not known"
    assert {row.mark for row in rows if row is not baseline} == {other}
    rows = report_rows(results_of(PIX3D, (1,)))
    assert rows[0].mark == UNKNOWN
    assert rows[-1].mark == (
        "another metric: Pix3DIoU; threshold the best, not 0.3; an approximate figure"
    )
    for counts in ({"chair": 2893}, PIX3D | {"sofa": 10}):
        rows = report_rows(results_of(counts, (1,)))
        assert rows[0].mark == f"Pix3D's 2,894 photos of chairs, other data than this; {UNKNOWN}"


GOOD = {
    **{"title": "T", "dataset": "ShapeNet", "split": "test", "by": "class", "source": "S"},
    "metrics": {"iou": "meaning", "hours": "of training"},
    "columns": [AEROPLANE, "overall"],
    "rows": [{"method": "M", "iou": [0.5, None]}],
}


def write(tmp_path, table):
    path = tmp_path / "table.yaml"
    path.write_text(table if isinstance(table, str) else yaml.safe_dump(table, sort_keys=False))
    return path


def test_a_table_by_hand(tmp_path):
    row = {"method": "N", "source": "P", "split": "val", "threshold": "best", "hours": [12, 1.5]}
    rows = [*GOOD["rows"], row | {"differs": "d", "note": "n", "mean": "class"}]
    extra = {"rows": rows, "threshold": 0.4, "samples": [3, 3], "view_selection": "first"}
    table = read_table(write(tmp_path, GOOD | extra))
    first, second = table.rows
    assert (first.method, first.source, first.split, first.threshold) == ("M", "S", "test", 0.4)
    assert (first.mean, first.metric, first.view_selection) == ("sample", "VoxelIoU", "first")
    assert first.values == {"iou": {AEROPLANE: 0.5}} and first.differs == ""
    assert (second.source, second.split, second.threshold) == ("P", "val", "best")
    assert (second.mean, second.differs) == ("class", "d")
    assert second.values == {"hours": {AEROPLANE: 12, "overall": 1.5}}


def with_row(**keys):
    return {"rows": [*GOOD["rows"], {"method": "N", "iou": [0.1, 0.2]} | keys]}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"by": "classes"}, "by: 'classes', expected class, views, other"),
        ({"columns": [787351]}, "columns: 787351, expected a quoted taxonomy id of ShapeNet"),
        ({"rows": ["x"]}, "row 0: 'x', expected keys method"),
        (with_row(iou=[0.1]), "row 1: iou: '1 values', expected 2, one per column"),
        (with_row(iou=[math.nan, 0]), "row 1: iou: nan, expected a number from 0 to 1 or ~"),
        (with_row(threshold=3), "row 1: threshold: 3, expected a number in (0, 1) or best"),
        (with_row(mean="classes"), "row 1: mean: 'classes', expected sample, class"),
        (with_row(metric="iou"), "row 1: metric: 'iou', expected VoxelIoU, Pix3DIoU"),
        ("- !!python/object/apply:os.getcwd []", "not YAML: "),
        ("", "None, expected keys title, dataset"),
        ("#" * 65537, "65537 bytes, expected at most 65536"),
    ],
)
def test_malformed_tables_are_refused(tmp_path, change, message):
    path = write(tmp_path, change if isinstance(change, str) else GOOD | change)
    with pytest.raises(FileError) as error:
        read_table(path)
    assert str(error.value).startswith(f"{path}: {message}"), error.value
    assert "\n" not in str(error.value)
