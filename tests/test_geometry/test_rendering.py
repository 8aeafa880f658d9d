# SPDX-License-Identifier: MIT
import numpy as np
import pytest

from voxrecon.geometry import Renderer, Surface, View
from voxrecon.geometry.materials import Checks, Plain
from voxrecon.geometry.solids import Assembly, block, box, ellipsoid
from voxrecon.geometry.textures import OwnColours

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


def wall(**options):
    """A square across the x axis, seen red from the front (+x) and blue from the back."""
    vertices = np.array(((0, -1, -1), (0, -1, 1), (0, 1, 1), (0, 1, -1)), float)
    front = [(0, 2, 1), (0, 3, 2)]
    faces = np.array((*front, *(face[::-1] for face in front)))
    materials = Plain((1, 0, 0)), Plain((0, 0, 1))
    return Surface(vertices, faces, np.array((0, 0, 1, 1)), materials, **options)


def test_the_two_sides_of_a_wall_have_their_own_colours():
    render = Renderer(wall(two_sided=True))
    front, back = (render(View(azimuth, 0, 0.8))[68, 68, :3] for azimuth in (0, 180))
    assert front[0] > 60 and front[1:].max() == 0
    assert back[2] > 60 and back[:2].max() == 0


def test_a_two_sided_face_is_lit_from_where_it_is_seen():
    """Either winding gives the same picture; with one-sided faces the light differs."""
    one, other = wall(two_sided=True), wall(two_sided=True)
    one = Surface(one.vertices, one.faces[:2], np.zeros(2, int), (GREY,), two_sided=True)
    other = Surface(other.vertices, other.faces[2:], np.zeros(2, int), (GREY,), two_sided=True)
    view = View(30, 20, 0.8)
    np.testing.assert_array_equal(Renderer(one)(view), Renderer(other)(view))
    lit, dark = (
        Renderer(Surface(s.vertices, s.faces, s.material_of, (GREY,))) for s in (one, other)
    )
    assert lit(view)[68, 68, 0] > dark(view)[68, 68, 0] + 20


def test_colours_at_corners_are_mixed_inside():
    """Own colours at the corners of a triangle that is symmetric about the picture's middle."""
    vertices = np.array(((0, -1, 1), (0, -1, -1), (0, 1, 0)), float)
    coordinates = np.zeros((1, 3, 5), np.float32)
    coordinates[0, :, 2:] = np.eye(3)  # red at the picture's left, green right, blue above
    surface = Surface(
        vertices, np.array([(0, 1, 2)]), np.zeros(1, int), (OwnColours(),), coordinates, True
    )
    image = Renderer(surface)(FRONT)[..., :3].astype(int)
    assert image[90, 40].argmax() == 0 and image[90, 96].argmax() == 1
    assert image[35, 68].argmax() == 2
    left, right = image[90, 68, 0], image[90, 68, 1]
    assert abs(left - right) <= 1


def test_depth_of_a_cube():
    render = renderer((block((1, 1, 1), (5, 5, 5)), GREY))
    depth = render.depth(FRONT)
    assert depth.shape == (137, 137) and depth.dtype == np.float32
    near = 1.4 - 0.5 / np.sqrt(3)  # the front face is square to the axis: the same all over
    np.testing.assert_allclose(depth[np.isfinite(depth)], near, atol=1e-6)
    assert np.isinf(depth[0, 0])
    np.testing.assert_array_equal(render.mask(FRONT), np.isfinite(depth))


@pytest.mark.parametrize("view", [View(33, 27, 0.8), View(200, -40, 1.2, in_plane=50)])
def test_depth_leads_back_to_the_surface(view):
    """Of an ellipsoid in a box of sides 2, 4, 6."""
    render = renderer((ellipsoid((7, 8, 9), (1.0, 2.0, 3.0)), GREY))
    size = 64
    depth = render.depth(view, size)
    rows, columns = np.nonzero(np.isfinite(depth))
    pixels = np.stack((columns + 0.5, rows + 0.5), axis=1) / size
    points = view.position + depth[rows, columns, None] * view.rays(pixels)
    radius = np.linalg.norm(points * np.linalg.norm((2, 4, 6)) / (1, 2, 3), axis=1)
    # the ellipsoid is a polyhedron, whose faces lie up to 2.3 % within
    assert radius.min() > 0.97 and radius.max() < 1 + 1e-4
    assert ((points @ view.axes[2]) > 0).mean() > 0.9  # the near side
    np.testing.assert_allclose(view.project(points), pixels, atol=1e-6)


def test_the_mask_is_where_a_pixels_middle_hits():
    render = renderer((ellipsoid((0, 0, 0), 1.0), GREY), (box((0, 0, 0), (1, 2, 0.3)), GREY))
    view = View(40, 28, 0.7)
    alpha, mask = render(view)[..., 3], render.mask(view)
    assert mask[alpha == 255].all() and not mask[alpha == 0].any()
    assert (mask ^ (alpha > 127)).sum() < 0.02 * mask.sum()


def test_an_in_plane_rotation_turns_the_picture_counter_clockwise():
    """By a right angle: pixel for pixel, but for rounding at edges."""
    render = renderer((box((0, 0, 0), (1, 3, 2)), GREY), (box((0, 0, 0), (3, 1, 0.5)), GREY))
    upright = render(View(20, 30, 0.8)).astype(int)
    turned = render(View(20, 30, 0.8, in_plane=90)).astype(int)
    assert (np.abs(np.rot90(upright) - turned) > 3).mean() < 0.005
    assert (np.abs(np.rot90(upright, -1) - turned) > 3).mean() > 0.05


def test_a_camera_within_the_box():
    """Between two walls: the one behind it does not appear, the other one fills the picture."""
    render = renderer(
        (box((-5, -5, -5), (-4, 5, 5)), Plain((1, 0, 0))),
        (box((4, -5, -5), (5, 5, 5)), Plain((0, 0, 1))),
    )
    image = render(View(0, 0, 0.02))
    assert (image[..., 3] == 255).all() and image[..., 0].min() > 0 and image[..., 2].max() == 0
