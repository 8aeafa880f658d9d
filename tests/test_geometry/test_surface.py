# SPDX-License-Identifier: MIT
import numpy as np
import pytest
from meshes import CORNERS, FACES

from voxrecon.geometry import Surface
from voxrecon.geometry.materials import Plain
from voxrecon.geometry.surface import MANY, SHARP

GREY = Plain((0.5, 0.5, 0.5))


def surface(vertices, faces, **options):
    faces = np.array(faces)
    return Surface(np.array(vertices, float), faces, np.zeros(len(faces), int), (GREY,), **options)


def unit(v):
    return v / np.linalg.norm(v)


def slow_normals(s):
    """Corner by corner, as the docstring says it."""
    points = s.vertices[s.faces]
    flat = [unit(np.cross(b - a, c - a)) for a, b, c in points]
    out = np.zeros((len(s.faces), 3, 3))
    for face, corners in enumerate(s.faces):
        for k, vertex in enumerate(corners):
            for other in range(len(s.faces)):
                for j in np.flatnonzero(s.faces[other] == vertex):
                    if flat[face] @ flat[other] > np.cos(np.radians(SHARP)):
                        a, b, c = np.roll(points[other], -j, axis=0)
                        angle = np.arccos(np.clip(unit(b - a) @ unit(c - a), -1, 1))
                        out[face, k] += angle * flat[other]
            out[face, k] = unit(out[face, k])
    return out


def bumpy(n=6, height=0.5):
    """A height field, smooth in some places and sharp in others."""
    x, z = np.mgrid[:n, :n]
    y = np.random.default_rng(0).uniform(0, height, (n, n))
    i = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    faces = np.concatenate((np.stack((i, i + 1, i + n), 1), np.stack((i + 1, i + n + 1, i + n), 1)))
    return surface(np.stack((x, y, z), axis=-1).reshape(-1, 3), faces)


@pytest.mark.parametrize("height", [0.1, 0.5, 2.0])
def test_normals_against_a_slow_loop(height):
    s = bumpy(height=height)
    np.testing.assert_allclose(s.normals, slow_normals(s), atol=1e-12)


def test_normals_in_small_blocks(monkeypatch):
    expected = bumpy().normals
    monkeypatch.setattr("voxrecon.geometry.surface.BLOCK", 7)
    np.testing.assert_array_equal(bumpy().normals, expected)


def test_normals_do_not_depend_on_the_unit():
    s = bumpy()
    tiny = surface(s.vertices * 1e-12, s.faces)
    np.testing.assert_allclose(tiny.normals, s.normals, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(tiny.face_normals, axis=1), 1)


def test_outward_normals_of_a_tetrahedron():
    s = surface(CORNERS, FACES)
    expected = [(0, 0, -1), (0, -1, 0), (-1, 0, 0), unit(np.array((2, 3, 6)))]
    np.testing.assert_allclose(s.face_normals, expected, atol=1e-12)
    np.testing.assert_allclose(s.normals, np.repeat(s.face_normals[:, None], 3, 1), atol=1e-12)


def test_a_vertex_of_many_faces_is_not_smoothed():
    """Its faces' normals stay flat; those of the rim, of two faces each, are smoothed."""
    n = MANY + 2
    angle = np.arange(n) * 2 * np.pi / n
    rim = np.stack((np.cos(angle), np.zeros(n), np.sin(angle)), axis=1)
    s = surface([(0, 1, 0), *rim], [(0, 1 + (i + 1) % n, 1 + i) for i in range(n)])
    np.testing.assert_allclose(s.normals[:, 0], s.face_normals, atol=1e-12)
    between = s.face_normals + np.roll(s.face_normals, -1, axis=0)
    between /= np.linalg.norm(between, axis=1, keepdims=True)
    np.testing.assert_allclose(s.normals[:, 1], between, atol=1e-12)


def test_a_face_without_area_has_no_normal():
    s = surface([(0, 0, 0), (1, 0, 0), (2, 0, 0)], [(0, 1, 2)])
    assert (s.face_normals == 0).all() and (s.normals == 0).all()


@pytest.mark.parametrize(
    ("faces", "twins"),
    [
        ([(0, 1, 2), (0, 2, 1)], [1, 0]),
        ([(1, 2, 0), (1, 0, 2)], [1, 0]),  # whatever corner comes first
        ([(0, 1, 2), (1, 2, 0)], [0, 1]),  # the same way round
        ([(0, 1, 2), (0, 1, 3)], [0, 1]),
        ([(0, 1, 3), (2, 3, 1), (3, 1, 0), (3, 2, 1)], [2, 3, 0, 1]),
    ],
)
def test_twins(faces, twins):
    s = surface([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], faces)
    assert s.twins.tolist() == twins


def test_the_box_is_that_of_the_faces():
    s = surface([*CORNERS, (99, 99, 99)], FACES)  # the last vertex is of no face
    np.testing.assert_array_equal(s.bounds, [(0, 0, 0), (3, 2, 1)])
    assert s.center.tolist() == [1.5, 1, 0.5]
    assert s.longest_side == 3 and s.diagonal == pytest.approx(14**0.5)
