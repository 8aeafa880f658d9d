# SPDX-License-Identifier: MIT
import pytest
from rich.console import Console

from voxrecon.evaluation import PROTOCOLS, build_results, format_results, summarise


def record(taxonomy, id, n_views, intersection, union, **more):
    name = {"02691156": "aeroplane", "03001627": "chair"}.get(taxonomy, taxonomy)
    return {
        **{"taxonomy": taxonomy, "id": id, "name": name, "n_views": n_views},
        **{"intersection": intersection, "union": union, **more},
    }


RECORDS = [
    record("02691156", "a", 1, [1, 2], [4, 4], scores={"fscore": 0.5}),  # 0.25 0.5
    record("03001627", "a", 1, [3, 0], [4, 4]),  # 0.75 0
    record("03001627", "b", 1, [4, 0], [4, 0]),  # 1    1
    record("03001627", "b", 3, [1, 4], [4, 4]),  # 0.25 1
]


def printed(results, width=80):
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(format_results(results))
    return [line.rstrip() for line in capture.get().splitlines() if line.strip()]


def test_the_tables_as_printed():
    leaks = {"03001627/b": ["sofa"]}
    results = build_results(RECORDS, (0.3, 0.5), ["x.png: truncated"], leaks=leaks)
    oracle = {"02691156/a": 0.5, "03001627/a": 0.25, "03001627/b": None}
    results["baselines"] = {"mean grid": dict.fromkeys(oracle, 0.125), "oracle": oracle}
    lines = printed(results)
    assert lines[0] == "Voxel IoU at t = 0.3 (p >= t), protocol pix2vox"
    assert [line.split() for line in lines[1:3]] == [
        ["1", "3", "mean"],
        ["Class", "n", "view", "views", "grid", "oracle"],
    ]
    assert [line.split() for line in lines[4:8]] == [
        ["aeroplane", "1", "0.2500", "-", "0.1250", "0.5000"],
        ["chair", "2", "0.8750", "0.2500", "0.1250", "0.2500"],
        ["mean,", "samples", "3", "0.6667", "0.2500", "0.1250", "0.3750"],
        ["mean,", "classes", "0.5625", "0.2500", "0.1250", "0.3750"],
    ]
    assert lines[8] == "By threshold, mean of samples"
    assert [line.split() for line in lines[11:13]] == [
        ["1", "0.6667", "0.5000"],
        ["3", "0.2500", "1.0000"],
    ]
    assert lines[13] == "Further scores, mean of samples"
    assert lines[17].split() == ["F-score", "at", "1", "%", "0.5000", "-"]
    assert lines[18:] == [
        "leaks: 1 samples stand in train under another class: 03001627/b (sofa)",
        "without them: IoU 0.5000, mean of samples, of 2 samples, 1 view",
        "broken samples left out: 1",
    ]


def test_intervals_stand_below_the_means():
    results = build_results(RECORDS, (0.3, 0.5))
    results["summary"] = summarise(results, intervals=True)
    lines = printed(results)
    low, high = results["summary"]["1"]["interval"]["overall"][0]
    # of the one sample at 3 views there is none
    assert [line.split()[-2:] for line in lines if "95 %" in line] == [["from", f"{low:.4f}"]]
    assert [line.split() for line in lines if line.split()[0] == "to"] == [["to", f"{high:.4f}"]]


def test_every_mean_is_the_one_of_the_protocol():
    more = [record("03001627", "c", 1, [0, 0], [4, 4], scores={"fscore": s}) for s in (0.25,)]
    records = [*RECORDS[:3], *more]
    records[1] = {**records[1], "scores": {"fscore": 1.0}}
    protocol = {**PROTOCOLS["pix2vox"].record(), "mean": "class"}
    leaks = {"03001627/c": ["sofa"]}
    text = printed(build_results(records, (0.3, 0.5), protocol=protocol, leaks=leaks))
    (title,) = (line for line in text if line.startswith("Further"))
    assert title == "Further scores, mean of classes"
    (line,) = (line for line in text if line.startswith(" F-score"))
    assert line.split()[-1] == "0.5625"  # of 0.5 and of the mean of 1 and 0.25
    # of 0.25 and of the mean of 0.75 and 1
    assert text[-1] == "without them: IoU 0.5625, mean of classes, of 3 samples, 1 view"


def test_names_are_printed_plainly():
    evil = "\x1b[31mred\x07"
    records = [{**r, "name": evil, "scores": {evil: 0.5}} for r in RECORDS]
    protocol = {**PROTOCOLS["pix2vox"].record(), "name": evil}
    results = build_results(records, (0.3, 0.5), protocol=protocol, leaks={"03001627/b": [evil]})
    results["baselines"] = {evil: {"03001627/b": 0.5}}
    text = "\n".join(printed(results))
    assert "\x1b" not in text and "\x07" not in text and text.count("?[31mred?") == 6


def test_a_searched_threshold():
    text = printed(build_results(RECORDS, (0.3, 0.5), protocol=PROTOCOLS["pix3d"]))
    assert text[0] == "Voxel IoU at the best threshold (p > t), protocol pix3d"
    assert [line for line in text if "samples" in line][0].split()[-2:] == ["0.6667", "1.0000"]


@pytest.mark.parametrize("n_views", [1, 12])
def test_no_number_is_cut_off_in_80_columns(n_views):
    thresholds = [i / 20 for i in range(1, 20)]
    counts = list(range(1000, 1019))
    name = "a class with a [red]very[/red] long name"
    views = range(1, n_views + 1)
    many = [record(name, str(i), n, counts, [10_000] * 19) for n in views for i in range(9)]
    results = build_results(many, thresholds)
    results["baselines"] = {"retrieval": {f"{name}/{i}": 0.5432 for i in range(9)}}
    lines = printed(results)
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "…" not in text
    for value in counts:  # the one at 0.3 also by class, by sample and by class again
        expected = n_views * (1 + 3 * (value == counts[5]))
        assert text.count(f"{value / 10_000:.4f}") == expected
    assert text.count("0.5432") == 3
    assert "[red]very[/red]" in "\n".join(printed(results, width=200))


@pytest.mark.parametrize(
    ("mean", "label"), [("sample", "mean, samples"), ("class", "mean, classes")]
)
def test_the_interval_stands_below_its_mean(mean, label):
    protocol = {**PROTOCOLS["pix2vox"].record(), "mean": mean}
    results = build_results(RECORDS, (0.3, 0.5), protocol=protocol)
    results["summary"] = summarise(results, intervals=True)
    lines = printed(results)
    (at,) = (i for i, line in enumerate(lines) if "95 %" in line)
    assert lines[at - 1].split("  ")[0].strip() == label
