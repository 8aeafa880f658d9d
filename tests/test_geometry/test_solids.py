# SPDX-License-Identifier: MIT
import numpy as np
import pytest

from voxrecon.geometry.materials import Plain
from voxrecon.geometry.solids import (
    Assembly,
    beam,
    block,
    both_sides,
    box,
    ellipsoid,
    extrude,
    hull,
    lathe,
    loft,
    pipe,
    rod,
    rounded_box,
    union,
)

ROUND = 24 / 2 * np.sin(2 * np.pi / 24) / np.pi  # area of the polygon of a circle


def bounds(solid):
    return np.round(np.array(solid.bounding_box()), 5).tolist()  # to about float32


def test_box_takes_corners_in_any_order():
    assert bounds(box((3, 0, 1), (1, 2, 4))) == [1, 0, 1, 3, 2, 4]
    assert box((3, 0, 1), (1, 2, 4)).volume() == pytest.approx(12)


def test_block_is_about_a_point():
    assert bounds(block((2, 4, 6), (1, 1, 1))) == [0, -1, -2, 2, 3, 4]


def test_rounded_box_fills_its_box_but_the_edges():
    solid = rounded_box((0, 0, 0), (4, 2, 1), 0.2)
    assert np.allclose(solid.bounding_box(), (0, 0, 0, 4, 2, 1), atol=0.01)
    assert 7 < solid.volume() < 7.95
    assert rounded_box((0, 0, 0), (4, 2, 1), 9).volume() > 0  # the radius is cut


@pytest.mark.parametrize("end", [(0, 3, 0), (0, -3, 0), (3, 0, 0), (0, 0, 3), (1, 2, 2)])
def test_rod_joins_its_points(end):
    solid = rod((1, 1, 1), np.add((1, 1, 1), end), 0.5)
    assert solid.volume() == pytest.approx(np.pi * 0.25 * 3 * ROUND, rel=1e-4)
    np.testing.assert_allclose(
        np.reshape(solid.bounding_box(), (2, 3)).mean(axis=0), 1 + np.array(end) / 2, atol=0.02
    )


def test_a_tip_is_a_cone():
    assert rod((0, 0, 0), (0, 3, 0), 1, 0).volume() == pytest.approx(np.pi * ROUND, rel=1e-4)


def test_beam_lies_flat():
    assert bounds(beam((0, 0, 0), (4, 0, 0), width=2, height=1)) == [0, -0.5, -1, 4, 0.5, 1]
    assert bounds(beam((0, 0, 0), (0, 4, 0), width=2, height=1))[4] == 4


def test_pipe_goes_through_its_points():
    solid = pipe([(0, 0, 0), (0, 2, 0), (3, 2, 0)], 0.1)
    assert np.allclose(solid.bounding_box(), (-0.1, -0.1, -0.1, 3.1, 2.1, 0.1), atol=0.02)
    assert solid.volume() == pytest.approx(5 * np.pi * 0.01, rel=0.2)


def test_ellipsoid():
    solid = ellipsoid((1, 2, 3), (1, 2, 3))
    assert np.allclose(solid.bounding_box(), (0, 0, 0, 2, 4, 6), atol=0.05)


def test_lathe_turns_about_the_vertical():
    solid = lathe([(0, 0), (2, 0), (1, 3), (0, 3)], (5, 1, 0))
    low, high = np.reshape(solid.bounding_box(), (2, 3))
    assert (low[1], high[1]) == (1, 4)
    assert solid.volume() == pytest.approx(np.pi * (4 + 2 + 1) * ROUND, rel=1e-4)


@pytest.mark.parametrize(
    ("axis", "expected"),
    [("x", [7, 0, 0, 9, 3, 1]), ("y", [0, 7, 0, 1, 9, 3]), ("z", [0, 0, 7, 1, 3, 9])],
)
def test_extrude_is_drawn_along_an_axis(axis, expected):
    solid = extrude([(0, 0), (1, 0), (0, 3)], axis, 7, 9)
    assert bounds(solid) == expected
    assert solid.volume() == pytest.approx(3)


def test_extrude_takes_concave_outlines():
    corner = [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]
    assert extrude(corner, "z", 0, 1).volume() == pytest.approx(3)


@pytest.mark.parametrize("order", [1, -1])
def test_loft_of_a_pyramid_frustum(order):
    square = np.array([(0, -1, -1), (0, 1, -1), (0, 1, 1), (0, -1, 1)], float)
    sections = [square, square * (0, 2, 2) + (3, 0, 0)]
    assert loft(sections[::order]).volume() == pytest.approx(3 / 3 * (4 + 8 + 16))


def test_hull_union_and_both_sides():
    tetrahedron = hull([(0, 0, 1), (1, 0, 1), (0, 1, 1), (0, 0, 2)])
    assert tetrahedron.volume() == pytest.approx(1 / 6)
    assert both_sides(tetrahedron).volume() == pytest.approx(1 / 3)
    assert bounds(both_sides(tetrahedron)) == [0, 0, -2, 1, 1, 2]
    assert union([box((0, 0, 0), (2, 1, 1)), box((1, 0, 0), (3, 1, 1))]).volume() == pytest.approx(
        3
    )


def test_an_empty_part_is_refused():
    cube = box((0, 0, 0), (1, 1, 1))
    with pytest.raises(ValueError, match="an empty solid"):
        Assembly().add(cube - cube, Plain((0, 0, 0)))


def test_the_surface_of_parts():
    out = Assembly()
    out.add(box((0, 0, 0), (1, 2, 3)), Plain((1, 0, 0)))
    out.add(box((5, 0, 0), (6, 2, 3)), Plain((0, 1, 0)))
    surface = out.surface()
    assert surface.faces.shape == (24, 3)
    assert surface.material_of.tolist() == [0] * 12 + [1] * 12
    assert surface.center.tolist() == [3, 1, 1.5]
    assert surface.longest_side == 6
    assert surface.diagonal == 7


def test_normals_of_a_box_are_those_of_its_sides():
    out = Assembly()
    out.add(box((-1, -1, -1), (1, 1, 1)), Plain((1, 0, 0)))
    surface = out.surface()
    corners = surface.vertices[surface.faces]
    middle = corners.mean(axis=1)
    side = np.eye(3)[np.abs(middle).argmax(axis=1)] * np.sign(
        np.take_along_axis(middle, np.abs(middle).argmax(axis=1)[:, None], 1)
    )
    np.testing.assert_allclose(surface.normals, np.repeat(side[:, None], 3, axis=1), atol=1e-9)


def test_normals_of_a_ball_point_away_from_its_middle():
    out = Assembly()
    out.add(ellipsoid((3, 0, 0), 1.0), Plain((1, 0, 0)))
    surface = out.surface()
    away = surface.vertices[surface.faces] - (3, 0, 0)
    away /= np.linalg.norm(away, axis=2, keepdims=True)
    assert (surface.normals * away).sum(axis=2).min() > 0.99
