# SPDX-License-Identifier: MIT
import re
from types import SimpleNamespace

import pytest
from results_files import make_results
from rich.cells import cell_len

from voxrecon.evaluation.figures import find_score
from voxrecon.evaluation.markdown import format_markdown


@pytest.fixture
def results():
    return make_results(26, (1, 3))


def table(text):
    """Rows by label, cells split at pipes that are not escaped."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return lines, {row[0]: row[1:] for row in cells}


def test_table_holds_the_figures_of_the_results(results):
    _, rows = table(format_markdown(results))
    assert rows["IoU, probability ≥\u00a00.3"] == [
        "samples",
        "1 view",
        "3 views",
        "mean grid",
        "class mean",
        "oracle",
        "retrieval",
    ]
    one, three = (results["summary"][n] for n in "13")
    for label, key in (
        ("**mean over samples**", "overall"),
        ("**mean over classes**", "class_mean"),
    ):
        for cell, summary in zip(rows[label][1:], (one, three), strict=False):
            low, high = summary["interval"][key][1]
            assert cell == f"{summary[key][1]:.3f} [{low:.3f}, {high:.3f}]"
    chair = one["classes"]["03001627"]
    low, high = chair["interval"][1]
    assert rows["chair"][:2] == ["2", f"{chair['iou'][1]:.3f} [{low:.3f}, {high:.3f}]"]
    oracle = results["baselines"]["oracle"]
    assert rows["**mean over samples**"][5] == f"{sum(oracle.values()) / 26:.3f}"
    clean = rows["mean over samples without leaks"]
    assert clean[:2] == ["24", f"{one['without_leaks']['overall'][1]:.3f}"]
    assert rows["F-score at 1 %"][1].startswith(f"{one['scores']['fscore']['mean']:.3f} [")
    assert rows["Ceiling of the F-score"][2].startswith(
        f"{three['scores']['ceiling']['mean']:.3f} ["
    )


def test_every_mean_is_the_one_of_the_protocol():
    results = make_results(20, (1, 3), mean="class")
    text = format_markdown(results)
    _, rows = table(text)
    summary = results["summary"]["1"]
    score = summary["scores"]["fscore"]
    low, high = score["class_interval"]
    assert rows["F-score at 1 %"][1] == f"{score['class_mean']:.3f} [{low:.3f}, {high:.3f}]"
    clean = rows["mean over classes without leaks"]
    assert clean[:2] == ["18", f"{summary['without_leaks']['class_mean'][1]:.3f}"]
    assert "mean over samples without leaks" not in rows
    alone = next(c for c in summary["classes"].values() if c["n"] == 1)
    assert rows[alone["name"]][1] == f"{alone['iou'][1]:.3f}"  # no interval


def test_what_is_needed_to_compare_stands_below(results):
    text = format_markdown(results)
    assert (
        "Protocol pix2vox: voxels at probability ≥\u00a00.3, mean over samples, views selected: "
        in text
    )
    assert "Test samples in the training set under another class: 2." in text
    assert "checkpoint sha256 0123456789ab, " in text and "sha256 fedcba987654." in text
    results["protocol"].update(strict=True, mean="class")
    assert "voxels at probability >\u00a00.3, mean over classes" in format_markdown(results)


def test_rows_that_have_nothing_to_say_are_left_out():
    least = make_results(13, (1,), scores=False, baselines=False, leaks=0, calibration=False)
    text = format_markdown(least)
    _, rows = table(text)
    assert len(rows) == 1 + 1 + 13 + 2 and rows["IoU, probability ≥\u00a00.3"] == [
        "samples",
        "1 view",
    ]
    assert "another class: 0." in text


def test_published_rows_have_a_table_where_any_can_be_compared(results):
    older = SimpleNamespace(
        method="3D-R2N2", source="ECCV 2016", mark="other split; class mean", classes={},
        overall=0.56, views={1: 0.56, 4: 0.625}, fscore_classes={}, fscore_overall=None,
        fscore_views={},
    )  # fmt: skip
    newer = SimpleNamespace(
        method="Newer", source="a|b", mark="", classes={}, overall=0.66, views={}
    )
    assert "3D-R2N2" not in format_markdown(results, [older])
    text = format_markdown(results, [older, newer])
    _, rows = table(text)
    assert rows["IoU"] == ["1 view", "3 views", "4 views", "source"]
    ours = [f"{results['summary'][n]['overall'][1]:.3f}" for n in "13"]
    assert rows["**this network**"] == [*ours, "–", ""]
    assert rows["3D-R2N2<sup>a,b</sup>"] == ["0.560", "–", "0.625", "ECCV 2016"]
    assert rows["Newer"] == ["0.660", "–", "–", r"a\|b"]
    assert "<sup>a</sup> other split  \n<sup>b</sup> class mean\n" in text


def test_run_that_is_not_known(results):
    results["run"] = {}
    assert "Config unknown, checkpoint sha256 unknown, data unknown" in format_markdown(results)


def test_names_are_escaped_and_columns_align(results):
    names = iter(
        ["a|b", "two\nlines\u2028three", "<b>", "卓子", "snake_case", "_em_ *x* `c` [l](u)"]
    )
    results["classes"] = {key: next(names, "x") for key in results["classes"]}
    lines, rows = table(format_markdown(results))
    assert len({cell_len(line) for line in lines}) == 1
    assert [label for label in rows if label in (r"a\|b", "two lines three", r"\<b\>", "卓子")] == [
        r"a\|b",
        "two lines three",
        r"\<b\>",
        "卓子",
    ]
    assert "snake_case" in rows and r"\_em\_ \*x\* \`c\` \[l\](u)" in rows
    assert len({len(cells) for cells in rows.values()}) == 1


def test_every_score_has_a_row(results):
    lines = format_markdown(results).splitlines()
    for name, score in results["summary"]["3"]["scores"].items():
        label = find_score(name).label.replace("_", r"\_")
        (line,) = (line for line in lines if line.startswith(f"| {label} "))
        assert f"{score['mean']:.3f}" in line
