# SPDX-License-Identifier: MIT
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from voxrecon.errors import FileError
from voxrecon.geometry import (
    Renderer,
    View,
    draw_views,
    format_metadata,
    read_mesh,
    read_metadata,
    view_axes,
)

DATA = os.environ.get("VOXRECON_TEST_DATA")
CHAIRS = ["1a6f615e8b1b5ae4dbbc9440457e303e", "1a74a83fa6d24b3cacd67ce2c72c02e"]
CHAIRS += ["1a8bbf2994788e2743e99e0cae970928"]


def test_the_middle_of_the_object_is_the_middle_of_the_picture():
    np.testing.assert_allclose(View(37, 28, 0.8).project(np.zeros(3)), (0.5, 0.5))


def test_a_projection_by_hand():
    # from the front at distance 1.75: right of the picture is -z, and 0.25 in front is 1.5 away
    x, y = View(0, 0).project(np.array((0.25, 0.3, -0.15)))
    assert x == pytest.approx(0.5 + 35 / 32 * 0.15 / 1.5)
    assert y == pytest.approx(0.5 - 35 / 32 * 0.3 / 1.5)


@pytest.mark.parametrize(
    ("azimuth", "axis"), [(0, (1, 0, 0)), (90, (0, 0, 1)), (180, (-1, 0, 0)), (270, (0, 0, -1))]
)
def test_where_the_camera_stands(azimuth, axis):
    np.testing.assert_allclose(
        View(azimuth, 0, 0.8).position, 1.4 * np.array(axis), rtol=0, atol=1e-12
    )


def test_rays_go_through_what_projects_onto_them():
    view = View(77, 26, 0.7)
    points = np.random.default_rng(0).uniform(-0.4, 0.4, (20, 3))
    rays = view.rays(view.project(points))
    along = points - view.position
    np.testing.assert_allclose(np.cross(rays, along), 0, atol=1e-12)
    assert ((rays * along).sum(axis=1) > 0).all()


def test_drawn_views_are_those_of_the_renderings():
    views = draw_views(np.random.default_rng(0), 500)
    azimuth, elevation, distance = np.array([(v.azimuth, v.elevation, v.distance) for v in views]).T
    assert azimuth.min() < 5 and azimuth.max() > 355
    assert 25 <= elevation.min() < 25.1 and 29.9 < elevation.max() <= 30
    assert 0.65 <= distance.min() < 0.66 and 0.94 < distance.max() <= 0.95


def test_the_first_views_are_the_same_whatever_their_number():
    few, many = (draw_views(np.random.default_rng(0), n) for n in (3, 24))
    assert few == many[:3]


def test_the_metadata_tells_exactly_how_a_picture_was_made():
    views = draw_views(np.random.default_rng(0), 3)
    text = format_metadata(views)
    assert read_metadata(text, "metadata") == views
    assert {tuple(line.split()[2::2]) for line in text.splitlines()} == {("0", "25")}


@pytest.mark.parametrize(
    "row", ["", "30 0 0.8 25", "front 30 0 0.8 25", "nan 30 0 0.8 25", "0 30 inf 0.8 25", "\x00"]
)
def test_a_view_without_its_camera_is_named(row):
    with pytest.raises(FileError, match="a.txt: line 2 is .*, expected azimuth"):
        read_metadata(f"90 30 0 0.8 25\n{row}\n0 30 0 0.8 25\n", "a.txt")


def test_an_in_plane_rotation_turns_the_picture_counter_clockwise():
    point = View(30, 20).axes[0] * 0.1  # right of the middle
    for angle, (x, y) in ((0, (1, 0)), (90, (0, -1)), (180, (-1, 0)), (-90, (0, 1))):
        seen = View(30, 20, 1.0, angle).project(point) - 0.5  # y goes down
        np.testing.assert_allclose(seen, 35 / 32 * 0.1 / 1.75 * np.array((x, y)), atol=1e-12)


def test_an_in_plane_rotation_keeps_the_camera_where_it_is():
    for angle in (0.0, 17.0):
        view = View(77, 26, 0.7, angle)
        np.testing.assert_allclose(view.axes @ view.axes.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(view.position, View(77, 26, 0.7).position)
        points = np.random.default_rng(0).uniform(-0.4, 0.4, (20, 3))
        along = points - view.position
        np.testing.assert_allclose(np.cross(view.rays(view.project(points)), along), 0, atol=1e-12)
    assert (View(77, 26, 0.7).axes == view_axes(77, 26)).all()  # to the last bit


def test_an_in_plane_rotation_is_kept_in_the_file():
    views = [View(10.5, 27.0, 0.8, 12.25), View(10.5, 27.0, 0.8)]
    text = format_metadata(views)
    assert text == "10.5 27.0 12.25 0.8 25\n10.5 27.0 0 0.8 25\n"
    assert read_metadata(text, "metadata") == views


@pytest.mark.skipif(DATA is None, reason="VOXRECON_TEST_DATA is not set")
@pytest.mark.parametrize("chair", CHAIRS)
def test_silhouettes_of_real_chairs(chair):
    """The published renderings and the mesh of the same object; measured: 0.997, 0.993, 0.998."""
    mesh = Path(DATA, "meshes", "shapenet_chairs", chair, "models", "model_normalized.obj")
    folder = Path(DATA, "r2n2_chairs", "ShapeNetRendering", "03001627", chair, "rendering")
    renderer, ious = Renderer(read_mesh(mesh, front="-z")), []
    views = read_metadata((folder / "rendering_metadata.txt").read_text(), chair)
    for i, view in enumerate(views):
        ours = renderer(view)[..., 3] > 127
        real = cv2.imread(str(folder / f"{i:02d}.png"), cv2.IMREAD_UNCHANGED)[..., 3] > 127
        ious.append((ours & real).sum() / (ours | real).sum())
    assert len(ious) == 24 and np.mean(ious) >= 0.99
