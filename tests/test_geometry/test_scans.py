# SPDX-License-Identifier: MIT
import os
from pathlib import Path

import numpy as np
import pytest
import trimesh
from captures import scan, stepped

from voxrecon.geometry import Surface, voxelize
from voxrecon.geometry.materials import Plain
from voxrecon.geometry.mesh_files import read_mesh
from voxrecon.geometry.scans import clean_scan, turn
from voxrecon.geometry.shapes13 import CLASSES, make_shape

DATA = os.environ.get("VOXRECON_TEST_DATA")
SOFA = next(c for c in CLASSES if c.name == "sofa")


def surface(mesh: trimesh.Trimesh) -> Surface:
    faces = np.asarray(mesh.faces)
    grey = (Plain((0.5, 0.5, 0.5)),)
    return Surface(np.asarray(mesh.vertices), faces, np.zeros(len(faces), int), grey)


def grid_of(mesh: trimesh.Trimesh) -> np.ndarray:
    return voxelize(clean_scan(surface(mesh)).surface, fill="standing")


def iou(a, b) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


@pytest.mark.parametrize("noise", [0.0, 0.005])
def test_the_object_comes_back(noise):
    truth = voxelize(stepped())
    assert iou(grid_of(scan(stepped(), noise)), truth) > 0.96


def test_a_procedural_sofa_comes_back():
    sofa = make_shape(SOFA, 0, 1)
    assert iou(grid_of(scan(sofa, 0.005)), voxelize(sofa)) > 0.93


@pytest.mark.skipif(DATA is None, reason="VOXRECON_TEST_DATA is not set")
def test_furniture_comes_back():
    mesh = read_mesh(Path(DATA, "meshes", "kaykit", "chair_A.obj"), front="+z")
    assert iou(grid_of(scan(mesh, 0.005)), voxelize(mesh)) > 0.95


def test_what_was_found_is_said():
    found = clean_scan(surface(scan(stepped(), 0.004, tilt=5)))
    assert found.tilt == pytest.approx(5, abs=0.2)
    assert 0.0005 < found.noise < 0.004  # of the smoothed floor
    ball = 4 * np.pi * 0.06**2
    assert ball / 10 < found.left_out < ball  # of an object of area 3 or so, and crumbs of floor
    low, high = found.surface.bounds
    assert low[1] == 0  # on the floor
    assert high - low == pytest.approx(np.array((12, 13, 10)) / 13, abs=0.015)


def test_the_same_scan_gives_the_same_object():
    one, two = (clean_scan(surface(scan(stepped()))).surface for _ in range(2))
    np.testing.assert_array_equal(one.vertices, two.vertices)
    np.testing.assert_array_equal(one.faces, two.faces)


def test_a_scan_without_a_floor_keeps_its_legs():
    found = clean_scan(surface(scan(stepped(), 0.0, tilt=0, floor=False, stray=False)))
    assert found.tilt is None and found.left_out == 0
    assert iou(voxelize(found.surface, fill="standing"), voxelize(stepped())) > 0.98


def test_torn_surfaces_are_one_part():
    mesh = scan(stepped(), 0.0, floor=False, stray=False)
    corners = mesh.triangles.reshape(-1, 3)  # no two faces share a vertex
    torn = trimesh.Trimesh(corners, np.arange(len(corners)).reshape(-1, 3), process=False)
    assert clean_scan(surface(torn)).left_out == 0


def test_overlapping_shells_that_share_no_vertex_are_one_part():
    post = trimesh.creation.box(bounds=((-0.1, 0, -0.1), (0.1, 1, 0.1)))
    plate = trimesh.creation.box(bounds=((-0.5, 0.45, -0.5), (0.5, 0.5, 0.5)))
    assert clean_scan(surface(trimesh.util.concatenate((post, plate)))).left_out == 0


def test_nothing_but_a_floor_is_refused():
    floor = trimesh.creation.box(bounds=((-1, -0.1, -1), (1, 0, 1)))
    floor.update_faces(floor.face_normals[:, 1] > 0.9)
    floor = floor.subdivide_to_size(0.1)
    for noise in (0.0, 0.005):
        moved = floor.vertices + np.random.default_rng(0).normal(0, noise, floor.vertices.shape)
        bare = trimesh.Trimesh(moved, floor.faces, process=False)
        with pytest.raises(ValueError, match="nothing but a floor, expected an object on it"):
            clean_scan(surface(bare))


@pytest.mark.parametrize("azimuth", [0, 90, 180, 270])
def test_what_is_seen_from_an_azimuth_becomes_the_front(azimuth):
    a = np.radians(azimuth)
    mark = np.array((np.cos(a), 0, np.sin(a)))
    ends = surface(trimesh.Trimesh(np.stack((mark, mark * 2, (0, 1, 0))), [[0, 1, 2]]))
    turned = turn(ends, azimuth).vertices
    assert sorted(turned.round(9).tolist()) == [[0, 1, 0], [1, 0, 0], [2, 0, 0]]
