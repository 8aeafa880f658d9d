# SPDX-License-Identifier: MIT
import numpy as np
import pytest
import torch

from voxrecon.errors import ConfigError
from voxrecon.evaluation.chamfer import ChamferDistance, chamfer
from voxrecon.evaluation.surfaces import surface, surface_points
from voxrecon.registry import METRICS

KEY = "03001627/ab12"


def box(low, high, size=32):
    grid = np.zeros((size,) * 3, bool)
    grid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return grid


def ball(radius, size=48):
    middles = np.arange(size) + 0.5 - size / 2
    x, y, z = np.meshgrid(middles, middles, middles, indexing="ij")
    return x**2 + y**2 + z**2 <= radius**2


def score(measure, prediction, truth, key=KEY):
    """The scores of one binary grid against another."""
    (result,) = measure(torch.from_numpy(prediction)[None].float(), torch.from_numpy(truth), key)
    assert set(result) == {"scores"} and list(result["scores"]) == ["chamfer", "chamfer_floor"]
    return result["scores"]


def test_equals_a_slow_sum_on_the_same_points():
    meshes = [surface(box((2, 2, 2), high), 0.5) for high in ((9, 7, 5), (8, 12, 5))]
    a, b = (surface_points(m, 500, 0, "k", f"{i}") for i, m in enumerate(meshes))
    slow = np.linalg.norm(a.data[:, None] - b.data[None], axis=2)
    expected = (slow.min(1).mean() + slow.min(0).mean()) / 32
    assert chamfer(a, b, 32) == pytest.approx(expected, rel=1e-12)
    assert chamfer(b, a, 32) == pytest.approx(expected, rel=1e-12)
    assert chamfer(a, a, 32) == 0  # what shared points would make of equal grids


@pytest.mark.parametrize("k", [5, 12, 20])
def test_parallel_plates(k):
    """From a plate one cell thick, half of the surface is k and half is k - 1 cells away."""
    truth, prediction = (box((0, y, 0), (32, y + 1, 32)) for y in (4, 4 + k))
    # points of the other plate are half a cell to the side of the nearest place: k^2 + 0.5^2
    expected = (2 * k - 1) / 32
    assert score(ChamferDistance(), prediction, truth)["chamfer"] == pytest.approx(
        expected, rel=0.01
    )


@pytest.mark.parametrize(("inner", "outer"), [(8, 14), (10, 20)])
def test_concentric_balls(inner, outer):
    """Each point is the difference of the radii away, or a quarter less: cells are rough."""
    scores = score(ChamferDistance(), ball(inner), ball(outer))
    assert scores["chamfer"] * 48 == pytest.approx(2 * (outer - inner), abs=0.5)


@pytest.mark.parametrize("k", [2, 4, 6])
def test_a_moved_cube(k):
    """Of 24 cells, by k along z."""
    s = 24
    truth = box((4, 3, 1), (28, 27, 25))
    moved = score(ChamferDistance(), np.roll(truth, k, 2), truth)
    # per direction: one end is k away from the other's; the opposite one is inside of it, k away
    # from its end or less from its sides; the four sides stand out by k; the rest is as far away
    # as random points on one surface are
    inside = s / 6 * (1 - (1 - 2 * k / s) ** 3)
    rest = 4 * s * (s - k) / (6 * s**2) * moved["chamfer_floor"] * 32
    expected = 2 * (s**2 * k + s**2 * inside + 4 * s * k * k / 2) / (6 * s**2) + rest
    assert moved["chamfer"] * 32 == pytest.approx(expected, rel=0.03)  # bevelled, points are finite


def test_equal_grids_reach_the_floor_and_not_0():
    full = np.ones((32, 32, 32), bool)
    scores = score(ChamferDistance(), full, full)
    # with n points per unit area the nearest is 1 / (2 sqrt(n)) away in the mean
    area = 6 * 31**2 + 6 * 31 * 2**0.5 + 3**0.5
    assert scores["chamfer_floor"] == pytest.approx((area / 8192) ** 0.5 / 32, rel=0.02)
    assert scores["chamfer"] == pytest.approx(scores["chamfer_floor"], rel=0.02)
    assert scores["chamfer"] != scores["chamfer_floor"]  # of other points
    few = score(ChamferDistance(points=512), full, full)
    assert few["chamfer_floor"] == pytest.approx(4 * scores["chamfer_floor"], rel=0.06)


def test_units_are_sides_of_the_cube():
    one = score(
        ChamferDistance(), box((0, 3, 0), (16, 4, 16), 16), box((0, 9, 0), (16, 10, 16), 16)
    )
    two = score(
        ChamferDistance(), box((0, 6, 0), (32, 8, 32)), box((0, 18, 0), (32, 20, 32))
    )  # twice as fine
    assert one["chamfer"] == pytest.approx(11 / 16, rel=0.01)
    assert two["chamfer"] == pytest.approx(22 / 32, rel=0.01)


def test_one_cell():
    truth, prediction = (box((3, 4, z), (4, 5, z + 1), size=8) for z in (1, 6))
    scores = score(ChamferDistance(), prediction, truth)
    # octahedra whose middles are 5 apart and whose nearest corner is 0.5 nearer
    assert scores["chamfer"] == pytest.approx(2 * 4.5 / 8, rel=0.01)
    assert scores["chamfer_floor"] == pytest.approx((3**0.5 / 8192) ** 0.5 / 8, rel=0.05)


def test_empty_grids():
    empty, cube = np.zeros((16, 16, 16), bool), box((2, 2, 2), (6, 6, 6), size=16)
    measure = ChamferDistance(points=500)
    assert score(measure, empty, empty) == {"chamfer": 0, "chamfer_floor": 0}
    assert score(measure, cube, empty) == {"chamfer": None, "chamfer_floor": 0}
    floor = score(measure, cube, cube)["chamfer_floor"]
    assert score(measure, empty, cube) == {"chamfer": None, "chamfer_floor": floor}


def test_the_number_of_view_counts_changes_nothing():
    truth = torch.from_numpy(box((2, 2, 2), (9, 7, 5), size=16))
    predictions = torch.rand(3, 16, 16, 16, generator=torch.Generator().manual_seed(0)) * truth
    measure = METRICS.build({"type": "ChamferDistance", "threshold": 0.4, "points": 500})
    together = measure(predictions, truth, KEY)
    assert together == [measure(p[None], truth, KEY)[0] for p in predictions]
    assert len({r["scores"]["chamfer"] for r in together}) == 3
    assert len({r["scores"]["chamfer_floor"] for r in together}) == 1


def test_threshold():
    truth = box((2, 2, 2), (9, 7, 5), size=16)
    prediction = torch.from_numpy(truth).float()[None] * torch.tensor(0.3)
    for strict, expected in ((False, True), (True, False)):
        measure = ChamferDistance(threshold=0.3, strict=strict, points=200)
        (result,) = measure(prediction, torch.from_numpy(truth), KEY)
        assert (result["scores"]["chamfer"] is not None) is expected


def test_options():
    with pytest.raises(ConfigError, match="^threshold -1: expected a number in"):
        ChamferDistance(threshold=-1)
    with pytest.raises(ConfigError, match="^points 0: expected a whole number from 1"):
        ChamferDistance(points=0)
