# SPDX-License-Identifier: MIT
import numpy as np
import pytest

from voxrecon.geometry import Renderer, Surface, View
from voxrecon.geometry.materials import Checks, Plain
from voxrecon.geometry.solids import Assembly, block, box, ellipsoid

FRONT = View(0, 0, 0.8)
GREY = Plain((0.5, 0.5, 0.5))


def renderer(*parts):
    out = Assembly()
    for solid, material in parts:
        out.add(solid, material)
    return Renderer(out.surface())


def test_a_cube_from_the_front_is_a_square_of_known_size():
    image = renderer((block((1, 1, 1), (5, 5, 5)), GREY))(FRONT)
    # its front face is 1 / sqrt(3) wide and half of that in front of the middle
    side = 1 / np.sqrt(3)
    width = 137 * 35 / 32 * side / (1.4 - side / 2)
    alpha = image[..., 3] / 255
    assert alpha.sum() == pytest.approx(width**2, rel=0.003)
    np.testing.assert_array_equal(alpha, alpha[::-1])
    np.testing.assert_array_equal(alpha, alpha[:, ::-1])
    rows = np.flatnonzero(alpha.any(axis=1))
    assert rows.min() == int(68.5 - width / 2) and rows.max() == int(68.5 + width / 2)


def test_what_is_where():
    """A red part at the object's right, seen from the front: at the picture's left."""
    red, blue = Plain((1, 0, 0)), Plain((0, 0, 1))
    render = renderer(
        (box((0, 0, 0), (1, 1, 1)), red),
        (box((0, 0, -1), (1, 1, 0)), blue),
        (box((0, 1, -1), (1, 1.2, 1)), Plain((0, 1, 0))),
    )

    def colours(azimuth):
        image = render(View(azimuth, 0, 1.0))
        return [int(image[y, x, :3].argmax()) for y, x in ((75, 55), (75, 82), (46, 68))]

    assert colours(0) == [0, 2, 1]
    assert colours(180) == [2, 0, 1]
    assert colours(90) == [0, 0, 1]
    assert colours(270) == [2, 2, 1]


def test_edges_have_fractional_alpha_and_the_colour_of_what_they_show():
    image = renderer((ellipsoid((0, 0, 0), 1.0), Plain((1, 0, 0))))(FRONT)
    edge = (image[..., 3] > 0) & (image[..., 3] < 255)
    inside = image[..., 3] == 255
    radius = np.sqrt(image[..., 3].sum() / 255 / np.pi)
    assert edge.sum() > 4 * radius
    assert (image[edge][:, 0] > 40).all() and (image[edge][:, 1:3] == 0).all()
    assert (image[~edge & ~inside] == 0).all()


def test_the_lamp_lights_the_side_that_it_stands_on():
    ball = renderer((ellipsoid((0, 0, 0), 1.0), GREY))
    lit_right = ball(FRONT, lamp=-90.0)[..., 0]  # at -z: the picture's right
    lit_left = ball(FRONT, lamp=90.0)[..., 0]
    assert lit_right[68, 85] > lit_right[68, 51] + 10
    np.testing.assert_allclose(lit_left[:, ::-1], lit_right, atol=2)


def test_textures_are_fixed_to_the_object():
    """Checks on the front of a cube, 78 pixels wide, four from side to side."""
    cube = renderer((block((1, 1, 1), (0, 0, 0)), Checks((1, 1, 1), (0, 0, 0), 0.25)))
    image = cube(FRONT)[..., 0]
    z = np.array((0.375, 0.125, -0.125, -0.375))  # from the left
    for y in (0.125, -0.125):
        row = image[int(68.5 - 78 * y), (68.5 - 78 * z).astype(int)] > 100
        cells = np.floor(np.stack((np.full(4, 0.5), np.full(4, y), z)) / 0.25).sum(axis=0)
        assert row.tolist() == (cells % 2 == 0).tolist()


def test_size_scales_the_picture():
    ball = renderer((ellipsoid((0, 0, 0), 1.0), GREY))
    small, large = ball(FRONT, size=64), ball(FRONT, size=128)
    assert large.shape == (128, 128, 4)
    assert (large[..., 3].sum() / small[..., 3].sum()) == pytest.approx(4, rel=0.01)


def test_what_is_nearer_than_the_picture_is_wide_is_cut():
    image = renderer((block((1, 1, 1), (0, 0, 0)), GREY))(View(0, 0, 0.3))
    assert (image[..., 3] == 255).all()


@pytest.mark.parametrize("faces", [[], [[0, 0, 0]]])
def test_a_surface_without_extent_is_refused(faces):
    surface = Surface(
        np.zeros((1, 3)), np.array(faces, int).reshape(-1, 3), np.zeros(len(faces), int), (GREY,)
    )
    with pytest.raises(ValueError, match="without extent"):
        Renderer(surface)
