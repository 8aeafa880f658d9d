# SPDX-License-Identifier: MIT
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial import ConvexHull

from voxrecon.errors import ConfigError
from voxrecon.evaluation.fscore import FScore, f_score
from voxrecon.evaluation.surfaces import surface, surface_points
from voxrecon.geometry import read_binvox
from voxrecon.registry import METRICS

DATA = os.environ.get("VOXRECON_TEST_DATA")
KEY = "03001627/ab12"


def box(low, high, size=32):
    grid = np.zeros((size,) * 3, bool)
    grid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return grid


def score(measure, prediction, truth, key=KEY):
    """The scores of one binary grid against another."""
    (result,) = measure(torch.from_numpy(prediction)[None].float(), torch.from_numpy(truth), key)
    assert set(result) == {"scores"}
    return result["scores"]


def slow_points(grid, level, points, rng):
    """By another way, for boxes: the hull of where the surface crosses the lines from occupied to
    empty middles; divided by the padded number of cells less one."""
    padded = np.pad(grid, 1)
    corners = []
    for cell in np.argwhere(padded):
        for step in np.concatenate((np.eye(3, dtype=int), -np.eye(3, dtype=int))):
            if not padded[tuple(cell + step)]:
                corners.append(cell + (1 - level) * step)
    hull = ConvexHull(np.array(corners) / (len(padded) - 1))
    triangles = hull.points[hull.simplices]
    areas = [np.linalg.norm(np.cross(b - a, c - a)) for a, b, c in triangles]
    chosen = rng.choice(len(triangles), points, p=np.array(areas) / sum(areas))
    return (triangles[chosen] * rng.dirichlet((1, 1, 1), points)[..., None]).sum(1)


def slow_share(start, end, distance=0.01):
    """|a - b|^2 = |a|^2 + |b|^2 - 2 a b, of all pairs."""
    near = 0
    for part in np.split(start, 8):
        squares = (part**2).sum(1)[:, None] + (end**2).sum(1) - 2 * part @ end.T
        near += int((squares.min(1) < distance**2).sum())
    return near / len(start)


def test_equals_a_slow_reference():
    """Two boxes with sides in common; different random points, so the shares differ by chance."""
    prediction, truth = box((4, 2, 6), (13, 9, 17)), box((4, 2, 4), (12, 9, 15))
    points, rng = 2048, np.random.default_rng(0)
    scores = score(FScore(points=points), prediction, truth)
    p, t, again = (slow_points(g, 0, points, rng) for g in (prediction, truth, truth))
    expected = [slow_share(p, t), slow_share(t, p), slow_share(again, t)]
    got = [scores[name] for name in ("precision", "recall", "ceiling")]
    assert min(expected) > 0.2 and max(expected) < 0.9
    # a share of 2048 points has a standard deviation of at most 0.011, that of the points on the
    # other side adds as much; a difference of two such: 0.022; three times that
    assert np.abs(np.subtract(got, expected)).max() < 0.066


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_equals_a_slow_count_on_the_same_points(level):
    grids = {"prediction": box((2, 2, 2), (9, 7, 5), 16)}
    grids["truth"] = grids["truth again"] = box((2, 2, 2), (8, 8, 5), 16)
    trees = {
        side: surface_points(surface(grid, level), 800, 3, KEY, side)
        for side, grid in grids.items()
    }
    p, t, again = (tree.data / (16 + 2 - 1) for tree in trees.values())
    precision, recall = slow_share(p, t, 0.02), slow_share(t, p, 0.02)
    there, back = slow_share(again, t, 0.02), slow_share(t, again, 0.02)
    measure = FScore(level=level, points=800, distance=0.02, seed=3)
    assert list(score(measure, grids["prediction"], grids["truth"]).values()) == [
        2 * precision * recall / (precision + recall),
        precision,
        recall,
        2 * there * back / (there + back),
    ]
    assert precision != recall
    assert f_score(trees["truth"], trees["truth"], 0.34) == (1, 1, 1)  # what shared points give


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_equal_grids_reach_the_ceiling_and_not_1(level):
    full = np.ones((32, 32, 32), bool)
    scores = list(score(FScore(level=level), full, full).values())
    # points of density n per unit area: one is near with probability 1 - exp(-n pi d^2)
    out = 1 - level
    area = 6 * 31**2 + 12 * 31 * out * 2**0.5 + 4 * 3**0.5 * out**2
    expected = 1 - math.exp(-8192 / area * math.pi * 0.33**2)
    assert 0.33 < expected < 0.38
    # twice over, from both sets of points: sqrt(0.36 * 0.64 * 2 / 8192) = 0.0075; three times that
    assert scores == pytest.approx([expected] * 4, abs=0.023)
    assert scores[0] != scores[3]  # of other points


def test_names():
    grid = box((2, 2, 2), (5, 6, 7))
    assert list(score(FScore(points=50), grid, grid)) == [
        "fscore",
        "precision",
        "recall",
        "ceiling",
    ]
    mid = list(score(FScore(points=50, level=0.5), grid, grid))
    assert mid == ["fscore_mid", "precision_mid", "recall_mid", "ceiling_mid"]
    assert list(score(FScore(points=50, level=0), grid, grid))[0] == "fscore"
    assert isinstance(METRICS.build({"type": "FScore", "threshold": 0.4}), FScore)


def test_precision_is_the_share_of_the_prediction():
    """The prediction is one of the truth's two equal boxes, far from each other."""
    one, other = box((2, 2, 2), (7, 5, 4)), box((20, 20, 20), (25, 23, 22))
    scores = score(FScore(), one, one | other)
    assert scores["precision"] > 0.99  # 110 points a squared cell
    assert scores["recall"] == pytest.approx(0.5, abs=0.025)  # 4 * sqrt(1 / 4 / 8192)
    assert scores["fscore"] == pytest.approx(2 / 3, abs=0.03)
    assert score(FScore(), one | other, one)["recall"] > 0.99


@pytest.mark.parametrize(("level", "cells"), [(0.0, 2), (0.5, 1)])
def test_a_moved_plate(level, cells):
    """A sheet of cells has an upper and a lower surface; moved by their distance, one meets."""
    truth, prediction = (box((0, y, 0), (32, y + 1, 32)) for y in (10, 10 + cells))
    suffix = "_mid" if level else ""
    scores = score(FScore(level=level), prediction, truth)
    ceiling = scores["ceiling" + suffix]
    out = 1 - level
    area = 2 * 31**2 + 8 * 31 * out * 2**0.5 + 4 * 3**0.5 * out**2  # with its bevelled rim
    expected = 31**2 / area * ceiling
    for name in ("precision" + suffix, "recall" + suffix):
        assert scores[name] == pytest.approx(expected, abs=0.03)
    assert score(FScore(level=level), np.roll(truth, cells + 2, 1), truth)["fscore" + suffix] == 0


def test_one_cell():
    truth = box((3, 4, 5), (4, 5, 6), size=8)
    # 8,192 points on 7 squared cells: all are near each other
    assert set(score(FScore(), truth, truth).values()) == {1}
    far = score(FScore(), box((3, 4, 1), (4, 5, 2), size=8), truth)
    assert far == {"fscore": 0, "precision": 0, "recall": 0, "ceiling": 1}


def test_empty_grids():
    empty, cube = np.zeros((16, 16, 16), bool), box((2, 2, 2), (6, 6, 6), size=16)
    names = ("fscore", "precision", "recall", "ceiling")
    assert score(FScore(), empty, empty) == dict.fromkeys(names, 1)
    assert score(FScore(), cube, empty) == {**dict.fromkeys(names, 0), "ceiling": 1}
    ceiling = score(FScore(), cube, cube)["ceiling"]
    assert score(FScore(), empty, cube) == {**dict.fromkeys(names, 0), "ceiling": ceiling}


def test_the_number_of_view_counts_changes_nothing():
    truth = torch.from_numpy(box((2, 2, 2), (9, 7, 5), size=16))
    predictions = torch.rand(3, 16, 16, 16, generator=torch.Generator().manual_seed(0)) * truth
    measure = FScore(threshold=0.4, points=500)
    together = measure(predictions, truth, KEY)
    assert together == [measure(p[None], truth, KEY)[0] for p in predictions]
    assert together[::-1] == measure(predictions.flip(0), truth, KEY)
    assert len({r["scores"]["fscore"] for r in together}) == 3
    assert len({r["scores"]["ceiling"] for r in together}) == 1


def test_keys_and_seeds_draw_other_points():
    grid = box((2, 2, 2), (20, 17, 25))
    values = {score(FScore(), grid, grid)["fscore"], score(FScore(), grid, grid)["fscore"]}
    values |= {score(FScore(seed=1), grid, grid)["fscore"]}
    values |= {score(FScore(), grid, grid, "04256520/ab12")["fscore"]}
    assert len(values) == 3


def test_threshold():
    truth = box((2, 2, 2), (9, 7, 5), size=16)
    prediction = torch.from_numpy(truth).float()[None] * torch.tensor(0.3)
    for strict, expected in ((False, True), (True, False)):
        measure = FScore(threshold=0.3, strict=strict, points=200)
        (result,) = measure(prediction, torch.from_numpy(truth), KEY)
        assert (result["scores"]["fscore"] > 0) is expected


def test_options():
    for level in (0.3, 1, -0.0001, "0", [0]):
        with pytest.raises(ConfigError, match="^level .*: expected 0 or 0.5$"):
            FScore(level=level)
    for distance in (0, -1, math.inf, math.nan, "1%"):
        with pytest.raises(ConfigError, match="^distance .*: expected a number above 0$"):
            FScore(distance=distance)
    with pytest.raises(ConfigError, match="^threshold 30: expected a number in"):
        FScore(threshold=30)
    with pytest.raises(ConfigError, match="^points 0: expected a whole number from 1"):
        FScore(points=0)


# F-scores of two draws of points by PyMCubes and the common recipe, means of four: at 0 and at 0.5
CEILINGS = {
    "1a38407b3036795d19fb4103277a6b93": (0.7435, 0.7754),
    "1a6f615e8b1b5ae4dbbc9440457e303e": (0.6541, 0.7082),
    "1a74a83fa6d24b3cacd67ce2c72c02e": (0.6609, 0.7314),
    "1a8bbf2994788e2743e99e0cae970928": (0.6537, 0.6946),
    "1aa07508b731af79814e2be0234da26c": (0.6019, 0.6484),
    "1ab4c6ef68073113cf004563556ddb36": (0.4726, 0.4854),
}


@pytest.mark.skipif(not DATA, reason="needs VOXRECON_TEST_DATA")
@pytest.mark.parametrize("name", CEILINGS)
def test_ceilings_of_real_chairs(name):
    path = Path(DATA, "r2n2_chairs", "ShapeNetVox32", "03001627", name, "model.binvox")
    grid = read_binvox(path).grid
    for level, suffix, expected in zip((0, 0.5), ("", "_mid"), CEILINGS[name], strict=True):
        scores = score(FScore(level=level), grid, grid, f"03001627/{name}")
        # both sides' points vary: a draw has a standard deviation of up to 0.007
        assert scores["ceiling" + suffix] == pytest.approx(expected, abs=0.025)
        assert scores["fscore" + suffix] == pytest.approx(expected, abs=0.025)
