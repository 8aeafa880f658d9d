# SPDX-License-Identifier: MIT
from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from voxrecon.errors import FileError
from voxrecon.evaluation import build_results
from voxrecon.evaluation.comparison import compare_results
from voxrecon.evaluation.intervals import mean_interval

CLASSES = {"02": "aeroplane", "03": "chair"}
PROTOCOL = {"name": "pix2vox", "threshold": 0.3, "mean": "sample", "strict": False}


def results(counts, scores=None, views=(1,), thresholds=(0.3,), **protocol):
    """Results of samples by key, each with its voxels in the intersection, of 64 in the union, by
    threshold or at the only one."""
    records = []
    for key, both in counts.items():
        taxonomy, id_ = key.split("/")
        both = [both] * len(thresholds) if isinstance(both, int) else both
        for n in views:
            record = {"taxonomy": taxonomy, "id": id_, "name": CLASSES[taxonomy], "n_views": n}
            record |= {"intersection": both, "union": [64] * len(thresholds), "truth": f"of {key}"}
            records.append({**record, "scores": dict((scores or {}).get(key, {}))})
    return build_results(records, thresholds, protocol=PROTOCOL | protocol)


def row(rows, name="mean, samples", score="iou", n_views=1):
    (found,) = (r for r in rows if (r.name, r.score, r.n_views) == (name, score, n_views))
    return found


def drawn(n=40, seed=0):
    """Two results of n samples whose differences are noise around 4 / 64."""
    rng = np.random.default_rng(seed)
    keys = [f"{'02' if i % 4 else '03'}/{i:02d}" for i in range(n)]
    first = rng.integers(4, 40, n)
    second = first + 4 + rng.integers(-8, 9, n)
    return [results(dict(zip(keys, counts.tolist(), strict=True))) for counts in (first, second)]


def test_differences_by_hand():
    a = results({"02/a": 48, "03/a": 16, "03/b": 32})
    b = results({"02/a": 16, "03/a": 32, "03/b": 32})
    plane, chair, samples, classes = compare_results(a, b)
    assert (chair.name, chair.taxonomy, chair.n) == ("chair", "03", 2)
    assert (chair.a, chair.b, chair.difference) == (0.375, 0.5, 0.125)
    # of the draws a quarter is twice the one sample, a quarter twice the other
    assert (chair.low, chair.high, chair.verdict) == (0, 0.25, "-")
    # a single sample has no spread
    assert (plane.difference, plane.low, plane.high, plane.verdict) == (-0.5, None, None, "-")
    assert samples.difference == pytest.approx((0.25 + 0 - 0.5) / 3, abs=1e-15)
    assert (classes.a, classes.b) == (0.5625, 0.375)
    # the plane's -0.5 stays, the chairs' mean is drawn
    assert (classes.difference, classes.low, classes.high) == (-0.1875, -0.25, -0.125)
    assert (classes.verdict, classes.n, samples.n, samples.left_out) == ("A", 3, 3, 0)


def test_pairs_tell_what_the_means_alone_do_not():
    a = results({f"03/{i}": 3 * i for i in range(20)})
    b = results({f"03/{i}": 3 * i + 1 for i in range(20)})
    found = row(compare_results(a, b))
    assert (found.low, found.difference, found.high) == (1 / 64, 1 / 64, 1 / 64)
    assert found.verdict == "B"
    ends = [mean_interval(np.arange(20.0)[:, None] * 3 / 64 + c / 64)[c][0] for c in (0, 1)]
    assert ends[0] < found.b and found.a < ends[1]  # either could have the mean of the other


def test_intervals_are_those_of_a_slow_bootstrap():
    a, b = drawn()
    rows, rng = compare_results(a, b), random.Random(0)
    of_class = {key: [] for key in CLASSES}
    for first, second in zip(a["samples"], b["samples"], strict=True):
        difference = (second["intersection"][0] - first["intersection"][0]) / 64
        of_class[first["taxonomy"]].append(difference)

    def interval(parts):
        means = sorted(
            sum(sum(rng.choices(part, k=len(part))) / len(part) for part in parts) / len(parts)
            for _ in range(2000)
        )
        return means[50], means[1949], np.std(means)

    for name, parts in (
        ("chair", [of_class["03"]]),
        ("mean, samples", [of_class["02"] + of_class["03"]]),
        ("mean, classes", list(of_class.values())),
    ):
        low, high, deviation = interval(parts)
        found = row(rows, name)
        # an end of 2,000 draws has itself a deviation of 0.06 times that of the means; two have it
        assert found.low == pytest.approx(low, abs=0.3 * deviation)
        assert found.high == pytest.approx(high, abs=0.3 * deviation)
    assert row(rows).verdict == "B"


def test_order_of_samples_does_not_matter():
    a, b = drawn()
    rows = compare_results(a, b)
    b["samples"] = b["samples"][::-1]
    assert compare_results(a, b) == rows
    a["samples"] = a["samples"][7:] + a["samples"][:7]
    assert compare_results(a, b) == rows


def test_a_and_b_swapped():
    a, b = drawn()
    swapped = {"A": "B", "B": "A", "-": "-"}
    for there, back in zip(compare_results(a, b), compare_results(b, a), strict=True):
        assert (back.a, back.b, back.difference) == (there.b, there.a, -there.difference)
        assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-15)
        assert back == replace(
            there,
            **{key: getattr(back, key) for key in ("a", "b", "difference", "low", "high")},
            verdict=swapped[there.verdict],
        )


def test_the_same_results_are_equal():
    a, _ = drawn()
    for found in compare_results(a, a):
        assert (found.difference, found.low, found.high, found.verdict) == (0, 0, 0, "equal")
    one = results({"03/a": 20})
    assert row(compare_results(one, one)).low == 0


def test_further_scores():
    keys = [f"03/{k}" for k in "abcdef"]
    counts = dict.fromkeys(keys, 32)
    scores = [
        {
            key: {"chamfer": 0.25 - c / 64, "ceiling": c / 2, "fscore": 0.5 + c * i / 8, "iou": c}
            for i, key in enumerate(keys)
        }
        for c in (0, 1)
    ]
    scores[0]["03/a"]["chamfer"] = None
    scores[1]["03/b"] |= {"chamfer": None}
    del scores[1]["03/c"]["chamfer"]
    scores[1]["03/d"]["brier"] = 0.5
    a, b = (results(counts, of) for of in scores)
    rows = compare_results(a, b)
    assert list(dict.fromkeys(r.score for r in rows)) == ["iou", "chamfer", "fscore"]
    chamfer = row(rows, score="chamfer")
    assert (chamfer.n, chamfer.left_out, chamfer.difference) == (3, 3, -1 / 64)
    assert chamfer.a == 0.25 and chamfer.verdict == "B"  # less is better
    assert row(compare_results(b, a), score="chamfer").verdict == "A"
    fscore = row(rows, "chair", "fscore")
    assert (fscore.n, fscore.left_out, fscore.difference) == (6, 0, 15 / 6 / 8)
    assert row(rows, "chair").verdict == "equal"


def test_a_class_without_a_score():
    counts = {"02/a": 1, "03/a": 1, "03/b": 1}
    there, none = {"fscore": 0.5}, {"fscore": None}
    a = results(counts, {"02/a": none, "03/a": there, "03/b": there})
    b = results(counts, dict.fromkeys(counts, {"fscore": 0.75}))
    plane, chair, samples, classes = compare_results(a, b)[4:]
    assert (plane.n, plane.left_out, plane.a, plane.low, plane.verdict) == (0, 1, None, None, "-")
    for found in (chair, samples, classes):
        assert (found.n, found.difference, found.verdict) == (2, 0.25, "B")
    nowhere = results(counts, dict.fromkeys(counts, none))
    assert [(r.n, r.b) for r in compare_results(a, nowhere)[4:]] == [(0, None)] * 4


def test_views_and_thresholds():
    options = {"thresholds": (0.3, 0.5), "views": (1, 3, 5)}
    a = results({"03/a": [16, 32], "03/b": [16, 32]}, **options)
    b = results({"03/a": [32, 32], "03/b": [32, 48]}, **options | {"views": (3, 5, 8)})
    b["data_sha256"] = a["data_sha256"]
    assert list(dict.fromkeys(r.n_views for r in compare_results(a, b))) == [3, 5]
    (found,) = (r for r in compare_results(a, b, views=[5]) if r.name == "chair")
    assert (found.a, found.b, found.n_views) == (0.25, 0.5, 5)
    found = row(compare_results(a, b, threshold=0.5), n_views=3)
    assert (found.a, found.b) == (0.5, 0.625)


def test_each_at_its_best_threshold_where_the_protocol_has_none():
    a = results({"03/a": [16, 32]}, thresholds=(0.1, 0.2), threshold=None)
    b = results({"03/a": [48, 32]}, thresholds=(0.1, 0.2), threshold=None)
    found = row(compare_results(a, b))
    assert (found.a, found.b) == (0.5, 0.75)


COUNTS = {"02/a": 1, "03/a": 2}


def other_truth(b):
    b["samples"][1]["truth"] = "another"


def other_data(b):
    b["data_sha256"] = "0" * 64


@pytest.mark.parametrize(
    ("b", "change", "message"),
    [
        ({"02/a": 1}, None, "b.json: no sample 03/a of 1 view, expected as in a.json"),
        ({**COUNTS, "03/c": 1}, None, "a.json: no sample 03/c of 1 view, expected as in b.json"),
        (
            COUNTS,
            other_truth,
            "b.json: sample 03/a has the true grid 'another', expected 'of 03/a'",
        ),
        (COUNTS, other_data, "b.json: data_sha256 000000000000, expected "),
    ],
)
def test_other_data_is_refused(b, change, message):
    a, b = results(COUNTS), results(b)
    if change:
        change(b)
    with pytest.raises(FileError) as error:
        compare_results(a, b, ("a.json", "b.json"))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        ({"threshold": 0.4}, "B: threshold 0.4 in its protocol, expected 0.3 as in A"),
        ({"mean": "class"}, "B: mean 'class' in its protocol, expected 'sample' as in A"),
        ({"strict": True}, "B: strict True in its protocol, expected False as in A"),
        (
            {"metric": "Pix3DIoU"},
            "B: metric 'Pix3DIoU' in its protocol, expected None as in A",
        ),
        (
            {"view_selection": "random"},
            "B: view_selection 'random' in its protocol, expected None as in A",
        ),
    ],
)
def test_other_protocols_are_refused(protocol, message):
    both = [results(COUNTS, thresholds=(0.3, 0.4), **p) for p in ({}, protocol)]
    with pytest.raises(FileError) as error:
        compare_results(*both)
    assert str(error.value) == message


def measured(measures, score="fscore"):
    made = results(COUNTS, dict.fromkeys(COUNTS, {score: 0.5}))
    return made | {"measures": measures}


FSCORE = {"type": "FScore", "level": 0.0, "points": 8192, "seed": 0}


@pytest.mark.parametrize(
    ("score", "a", "b", "message"),
    [
        ("fscore", FSCORE, {**FSCORE, "points": 64}, "FScore points 64, expected 8192"),
        ("recall_mid", {**FSCORE, "level": 0.5, "points": 1}, {**FSCORE, "level": 0.5, "points": 2},
         "FScore points 2, expected 1"),
        ("brier", {"type": "Calibration"}, {"type": "Calibration", "bins": 5},
         "Calibration bins 5, expected None"),
        ("own", {"type": "Own", "k": 1}, {"type": "Own", "k": 2}, "Own k 2, expected 1"),
    ],
)  # fmt: skip
def test_a_score_of_other_measures_is_refused(score, a, b, message):
    with pytest.raises(FileError) as error:
        compare_results(measured([a], score), measured([b], score))
    assert str(error.value) == f"B: {message} as in A to compare {score}"


def test_measures_that_do_not_matter_are_not_refused():
    a = measured([FSCORE])
    for others in (
        [{**FSCORE, "seed": 5}],
        [FSCORE, {**FSCORE, "level": 0.5, "points": 1}, {"type": "ChamferDistance", "points": 1}],
        [{"type": "Own", "k": 2}, FSCORE],
    ):
        assert row(compare_results(a, measured(others)), score="fscore").verdict == "equal"
    alone = results(COUNTS) | {"measures": [{**FSCORE, "points": 64}]}
    assert {r.score for r in compare_results(a, alone)} == {"iou"}


def test_another_order_of_views_is_not_refused():
    both = [results(COUNTS, view_order=order) for order in ("first", "random")]
    assert row(compare_results(*both)).verdict == "equal"


def test_what_one_has_not_is_refused():
    a, b = results(COUNTS, views=(1, 3)), results(COUNTS, views=(5,), thresholds=(0.3, 0.5))
    with pytest.raises(FileError, match=r"^B: results of 5 views, expected some of 1, 3 as in A$"):
        compare_results(a, b)
    with pytest.raises(FileError, match=r"^B: no results of 1 view, expected one of 5$"):
        compare_results(a, b, views=[1])
    with pytest.raises(FileError, match=r"^A: no threshold 0.5, expected one of 0.3$"):
        compare_results(a, results(COUNTS, views=(1,), thresholds=(0.3, 0.5)), threshold=0.5)
