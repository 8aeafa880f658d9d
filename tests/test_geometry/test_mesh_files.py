# SPDX-License-Identifier: MIT
import os
import time
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from meshes import CORNERS, FACES, colours, tetrahedron, triangles
from PIL import Image

from voxrecon.errors import FileError
from voxrecon.geometry import mesh_files, read_mesh
from voxrecon.geometry.mesh_files import GREY, frame

OBJ = "".join(f"v {x} {y} {z}\n" for x, y, z in CORNERS)
QUARTERS = np.array((((255, 0, 0), (0, 255, 0)), ((0, 0, 255), (255, 255, 255))), np.uint8)
UV = ((0.25, 0.75), (0.75, 0.75), (0.25, 0.25), (0.75, 0.25))  # red, green, blue, white


def write_textured(folder: Path, texture: str = "skin.png", uv=UV) -> Path:
    """An OBJ whose i-th face has the i-th place of a picture of four quarters."""
    lines = [f"vt {u} {v}\n" for u, v in uv]
    faces = [f"f {a + 1}/{i} {b + 1}/{i} {c + 1}/{i}\n" for i, (a, b, c) in enumerate(FACES, 1)]
    (folder / "skin.mtl").write_text(f"newmtl skin\nKd 1.0 1.0 1.0\nmap_Kd {texture}\n")
    path = folder / "mesh.obj"
    path.write_text("".join(["mtllib skin.mtl\n", OBJ, *lines, "usemtl skin\n", *faces]))
    return path


def write_skin(path: Path, size: int = 16) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(QUARTERS).resize((size, size), Image.Resampling.NEAREST).save(path)


@pytest.mark.parametrize("kind", ["obj", "off", "ply", "glb", "stl"])
def test_every_kind_keeps_its_triangles(tmp_path, kind):
    tetrahedron().export(tmp_path / f"a.{kind}")
    surface = read_mesh(tmp_path / f"a.{kind}")
    assert surface.vertices.shape == (4, 3)  # an STL repeats them for each face
    assert triangles(surface.vertices, surface.faces) == triangles(CORNERS, FACES)
    assert surface.two_sided
    np.testing.assert_allclose(colours(surface), [GREY] * 4, atol=0.01)


def test_upper_case_kinds_are_read(tmp_path):
    tetrahedron().export(tmp_path / "a.stl")
    (tmp_path / "a.stl").rename(tmp_path / "b.STL")
    assert len(read_mesh(tmp_path / "b.STL").faces) == 4


def test_polygons_become_triangles_and_lines_of_nothing_are_left_out(tmp_path):
    quad = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 9 9 9\nf 1 2 3 4\nl 1 3\n"
    (tmp_path / "a.obj").write_text(quad)
    surface = read_mesh(tmp_path / "a.obj")
    assert len(surface.faces) == 2 and len(surface.vertices) == 4  # the fifth is of no face
    np.testing.assert_allclose(surface.face_normals, [(0, 0, 1)] * 2)
    np.testing.assert_allclose(surface.bounds, [(0, 0, 0), (1, 1, 0)])


@pytest.mark.parametrize(
    ("up", "front", "rows"),
    [
        # in the file: front, up, own right
        ("+y", "+x", ((1, 0, 0), (0, 1, 0), (0, 0, 1))),
        ("+y", "-z", ((0, 0, -1), (0, 1, 0), (1, 0, 0))),  # ShapeNetCore v2
        ("+y", "+z", ((0, 0, 1), (0, 1, 0), (-1, 0, 0))),  # glTF
        ("+z", "-y", ((0, -1, 0), (0, 0, 1), (-1, 0, 0))),  # many modellers
        ("-x", "+y", ((0, 1, 0), (-1, 0, 0), (0, 0, 1))),
    ],
)
def test_up_and_front(tmp_path, up, front, rows):
    np.testing.assert_array_equal(frame(up, front), rows)
    tetrahedron(CORNERS @ np.array(rows)).export(tmp_path / "a.off")  # rows' inverse is rows.T
    surface = read_mesh(tmp_path / "a.off", up=up, front=front)
    assert triangles(surface.vertices, surface.faces) == triangles(CORNERS, FACES)


def test_every_frame_is_a_rotation():
    frames = [
        frame(up, front)
        for up in mesh_files.DIRECTIONS
        for front in mesh_files.DIRECTIONS
        if up[1] != front[1]
    ]
    assert len(frames) == len({f.tobytes() for f in frames}) == 24
    assert all(np.linalg.det(f) == pytest.approx(1) for f in frames)


@pytest.mark.parametrize(
    ("up", "front", "message"),
    [
        ("+y", "-y", r"up '\+y' and front '-y', expected two different axes"),
        ("y", "-z", r"up 'y', expected one of \+x, -x, \+y, -y, \+z, -z"),
        ("+y", "north", "front 'north', expected one of"),
    ],
)
def test_directions_that_make_no_frame(tmp_path, up, front, message):
    with pytest.raises(ValueError, match=message):
        read_mesh(tmp_path / "a.obj", up=up, front=front)


@pytest.mark.parametrize("place", ["skin.png", "textures/skin.png", "../images/skin.png"])
def test_textures(tmp_path, place):
    folder = tmp_path / "models"
    folder.mkdir()
    write_skin(folder / place)
    surface = read_mesh(write_textured(folder, place))
    expected = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)]
    order = [triangles(CORNERS, [f])[0] for f in FACES]
    found = dict(zip(map(str, order), expected, strict=True))
    for face, colour in zip(surface.faces, colours(surface), strict=True):
        assert tuple(colour) == found[str(triangles(surface.vertices, [face])[0])]


def test_colours_of_a_material_without_a_texture(tmp_path):
    path = write_textured(tmp_path)
    (tmp_path / "skin.mtl").write_text("newmtl skin\nKd 0.2 0.4 0.6\n")
    np.testing.assert_allclose(colours(read_mesh(path)), [(0.2, 0.4, 0.6)] * 4, atol=0.003)


def test_colours_of_vertices(tmp_path):
    mesh = tetrahedron()
    mesh.visual.vertex_colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
    mesh.export(tmp_path / "a.ply")
    surface = read_mesh(tmp_path / "a.ply")
    expected = np.array(((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)))[FACES].mean(axis=1)
    found = [triangles(surface.vertices, [face]) for face in surface.faces]
    order = [found.index(triangles(CORNERS, [face])) for face in FACES]
    np.testing.assert_allclose(colours(surface)[order], expected, atol=1e-6)


def test_a_scene_with_transforms_and_a_texture(tmp_path):
    """Two parts in a GLB: a textured one that is turned and moved, and a plain one."""
    skin = Image.fromarray(np.full((4, 4, 3), (255, 0, 0), np.uint8))
    part = tetrahedron()
    part.visual = trimesh.visual.TextureVisuals(
        uv=np.full((4, 2), 0.5), material=trimesh.visual.material.PBRMaterial(baseColorTexture=skin)
    )
    plain = tetrahedron()
    plain.visual = trimesh.visual.TextureVisuals(
        material=trimesh.visual.material.PBRMaterial(baseColorFactor=(0, 0, 255, 255))
    )
    turn = trimesh.transformations.rotation_matrix(np.pi / 2, (0, 0, 1))
    turn[:3, 3] = (10, 20, 30)
    scene = trimesh.Scene()
    scene.add_geometry(part, transform=turn)
    scene.add_geometry(plain)
    scene.export(tmp_path / "a.glb")
    surface = read_mesh(tmp_path / "a.glb")
    moved = np.stack((-CORNERS[:, 1], CORNERS[:, 0], CORNERS[:, 2]), axis=1) + (10, 20, 30)
    expected = triangles(np.concatenate((CORNERS, moved)), np.concatenate((FACES, FACES + 4)))
    assert triangles(surface.vertices, surface.faces) == expected
    far = surface.vertices[surface.faces][:, :, 2].min(axis=1) > 5
    np.testing.assert_allclose(colours(surface)[far], [(1, 0, 0)] * 4)
    np.testing.assert_allclose(colours(surface)[~far], [(0, 0, 1)] * 4)


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("secret.png", "../../secret.png"),
        ("secret.png", "{root}/secret.png"),
        ("a/other/secret.png", "../other/secret.png"),
        ("a/images/../../secret.png", "../images/../../secret.png"),
    ],
)
def test_textures_elsewhere_are_not_read(tmp_path, place, named):
    folder = tmp_path / "a" / "models"
    folder.mkdir(parents=True)
    (tmp_path / "a" / "images").mkdir()
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "secret.png")
    (tmp_path / "a" / "other").mkdir()
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "a" / "other" / "secret.png")
    surface = read_mesh(write_textured(folder, named.format(root=tmp_path)))
    assert (np.ptp(colours(surface), axis=1) == 0).all()  # white or grey


def test_links_to_elsewhere_are_not_followed(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "secret.png")
    (folder / "skin.png").symlink_to(tmp_path / "secret.png")
    assert (np.ptp(colours(read_mesh(write_textured(folder))), axis=1) == 0).all()


def test_materials_elsewhere_are_not_read(tmp_path):
    folder = tmp_path / "a" / "models"
    folder.mkdir(parents=True)
    path = write_textured(folder)
    (tmp_path / "secret.mtl").write_text("newmtl skin\nKd 1 0 0\n")
    path.write_text(path.read_text().replace("skin.mtl", "../../secret.mtl"))
    assert (np.ptp(colours(read_mesh(path)), axis=1) == 0).all()


@pytest.mark.parametrize("damage", ["missing", "broken", "huge", "folder", "pipe", "large file"])
def test_a_texture_that_cannot_be_read_leaves_the_colour(tmp_path, damage):
    skin = tmp_path / "skin.png"
    if damage == "broken":
        skin.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    elif damage == "huge":
        Image.new("1", (20_000, 20_000)).save(skin)
    elif damage == "folder":
        skin.mkdir()
    elif damage == "pipe":
        os.mkfifo(skin)
    elif damage == "large file":
        with open(skin, "wb") as file:
            file.truncate(mesh_files.MAX_TEXTURE_BYTES + 1)
    found = colours(read_mesh(write_textured(tmp_path), seconds=10, megabytes=300))
    np.testing.assert_allclose(found, [found[0]] * 4)
    assert np.ptp(found[0]) == 0 and found[0][0] >= 0.5


def test_coordinates_that_are_no_numbers_are_drawn(tmp_path):
    write_skin(tmp_path / "skin.png")
    uv = (("nan", 0), ("inf", "-inf"), ("1e300", "-1e300"), (1e30, 0.5))
    surface = read_mesh(write_textured(tmp_path, uv=uv))
    assert np.abs(surface.coordinates).max() <= 1e4
    found = colours(surface)
    assert found.min() >= 0 and found.max() <= 1  # not true of what is no number


@pytest.mark.parametrize("colour", ["nan 0 0", "1", "1e300 0 0", "-1 0 0", "a b c", ""])
def test_colours_that_are_no_colours(tmp_path, colour):
    path = write_textured(tmp_path)
    (tmp_path / "skin.mtl").write_text(f"newmtl skin\nKd {colour}\n")
    found = colours(read_mesh(path))
    assert found.shape == (4, 3) and found.min() >= 0 and found.max() <= 1


def test_a_large_texture_is_made_smaller(tmp_path):
    write_skin(tmp_path / "skin.png", size=3000)
    surface = read_mesh(write_textured(tmp_path))
    assert surface.materials[0].image.shape == (1024, 1024, 3)
    assert {tuple(c) for c in colours(surface).round(2)} == {
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (1, 1, 1),
    }


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.obj", OBJ, "no triangles|cannot be parsed"),
        ("a.obj", "", "a.obj: .*(no triangles|cannot be parsed)"),
        ("a.obj", OBJ + "f 1 2 9\n", "a.obj: .*(vertex 8|cannot be parsed)"),
        (
            "a.obj",
            "v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n",
            "a vertex that is not finite, expected",
        ),
        (
            "a.obj",
            "v inf 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n",
            "a vertex that is not finite, expected",
        ),
        ("a.obj", "v 2 2 2\nv 2 2 2\nv 2 2 2\nf 1 2 3\n", "an object 0 long, expected between"),
        ("a.obj", "v 1e99 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "an object 1e.99 long, expected"),
        ("a.obj", "v 0 0\nv 1 0\nv 0 1\nf 1 2 3\n", "vertices of 2 numbers, expected 3"),
        ("a.off", "OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n", "a.off: .*(vertex 7|cannot be)"),
        ("a.off", "OFF\n999999999 999999999 0\n", "a.off: .*(no triangles|cannot be)"),
        ("a.ply", "ply\nformat ascii 1.0\nend_header\n", "a.ply: .*(no triangles|cannot be)"),
        ("a.glb", "glTF" + "\0" * 20, "a.glb: cannot be parsed"),
        ("a.stl", "solid\n" * 3, "a.stl: .*(no triangles|cannot be)"),
        ("a.fbx", "Kaydara", "a.fbx: expected a file of type obj, off, ply, glb, stl"),
        ("a", OBJ, "a: expected a file of type obj"),
    ],
)
def test_what_is_no_mesh_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(FileError, match=message) as error:
        read_mesh(tmp_path / name)
    assert str(error.value).startswith(str(tmp_path / name)) and "\n" not in str(error.value)


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "folder.obj").mkdir()
    os.mkfifo(tmp_path / "pipe.obj")
    for name, message in (
        ("folder.obj", "not a file, expected a mesh"),
        ("pipe.obj", "not a file, expected a mesh"),
        ("none.obj", "cannot be read: No such file or directory"),
        ("\0.obj", "cannot be read: embedded null"),
    ):
        with pytest.raises(FileError, match=message):
            read_mesh(tmp_path / name)


def test_a_file_over_the_limit_is_refused(tmp_path):
    with open(tmp_path / "a.obj", "wb") as file:
        file.truncate(512 * 2**20 + 1)
    with pytest.raises(FileError, match="a.obj: 536870913 bytes, expected at most 536870912"):
        read_mesh(tmp_path / "a.obj")


SEED = (
    "mtllib a.mtl\n" + OBJ + "vt 0 0\nvn 0 0 1\nusemtl a\ng b\ns 1\n" + "f 1/1/1 2/1/1 3/1/1\n" * 3
).encode()
HOSTILE = [b"nan", b"1e999", b"-1", b"0", b"99999999999", b"/", b"//", b"\n", b"\\\n", b"f", b"v",
           b"vt", b"f 1 2 3 4 5", b"\x00", b"\xff\xfe", b"v 0x7", b"mtllib ../../../etc/passwd",
           b" " * 1000, b"f " + b"1 " * 500, b"usemtl " + b"a" * 500, b"#"]  # fmt: skip
mutations = st.lists(
    st.tuples(st.integers(0, len(SEED)), st.integers(0, 8), st.sampled_from(HOSTILE)),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def parser(tmp_path_factory):
    """At work already: to start it takes longer than to read a mesh."""
    path = tmp_path_factory.mktemp("parser") / "a.off"
    tetrahedron().export(path)
    read_mesh(path)


@settings(
    max_examples=500,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(edits=mutations)
def test_mutated_files_are_read_or_refused(parser, tmp_path_factory, edits):
    path = tmp_path_factory.getbasetemp() / "fuzz.obj"
    data = SEED
    for place, removed, added in edits:
        data = data[:place] + added + data[place + removed :]
    path.write_bytes(data)
    start = time.perf_counter()
    try:
        surface = read_mesh(path, seconds=2, megabytes=300)
    except FileError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
    else:
        assert np.isfinite(surface.vertices).all() and surface.longest_side > 0
        assert surface.faces.min() >= 0 and surface.faces.max() < len(surface.vertices)
    assert time.perf_counter() - start < 4  # the limit of 2 s, and a busy machine


def test_a_mesh_without_area(tmp_path):
    path = tmp_path / "line.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n")
    with pytest.raises(FileError, match="line.obj: no triangle has an area, expected an object"):
        read_mesh(path)
