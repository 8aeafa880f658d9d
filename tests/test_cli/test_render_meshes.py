# SPDX-License-Identifier: MIT
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from commands import refusal
from digests import digest
from filelock import FileLock
from meshes import CORNERS, tetrahedron

from voxrecon.cli.benchmark_rendering import measure_rendering
from voxrecon.cli.mesh_folder import parse_shard
from voxrecon.cli.render_meshes import main, split_names
from voxrecon.datasets import read_taxonomy
from voxrecon.errors import ConfigError
from voxrecon.geometry import Renderer, View, read_binvox, read_mesh, read_metadata, voxelize

DATA = os.environ.get("VOXRECON_TEST_DATA")
SMALL = ["--views", 2, "--size", 32, "--resolution", 8, "--workers", 1]
METADATA = "30 25 0 0.8 25\n200.5 -10 45 0.9 25\n100 28 0 0.7 25\n"


def render(meshes, out, *options):
    main([str(part) for part in (meshes, out, *SMALL, *options)])
    return out


def code(meshes, out, *options):
    with pytest.raises(SystemExit) as exit_:
        render(meshes, out, *options)
    return exit_.value.code


def write(path: Path, scale=(1, 1, 1)):
    path.parent.mkdir(parents=True, exist_ok=True)
    tetrahedron(CORNERS * scale).export(path)


@pytest.fixture(scope="module")
def meshes(tmp_path_factory):
    """Two classes of one way of naming each, and files that are no meshes."""
    root = tmp_path_factory.mktemp("meshes")
    for i in range(3):
        write(root / "tables" / f"t{i}.off", (1, 1, 1 + i))
    for i in range(2):
        write(root / "03001627" / f"c{i}" / "models" / "model_normalized.obj", (1 + i, 3, 1))
        (root / "03001627" / f"c{i}" / "images").mkdir()
    (root / "03001627" / "readme.txt").write_text("")
    (root / "textures").mkdir()
    return root


@pytest.fixture(scope="module")
def small(meshes, tmp_path_factory):
    return render(meshes, tmp_path_factory.mktemp("rendered") / "data")


def test_the_layout(small, meshes):
    keys = {("tables", f"t{i}") for i in range(3)} | {("03001627", f"c{i}") for i in range(2)}
    found = {p.parts[-3:-1] for p in small.glob("ShapeNetRendering/*/*/rendering")}
    assert found == keys == {p.parts[-3:-1] for p in small.glob("ShapeNetVox8/*/*/model.binvox")}
    classes = {c.id: c for c in read_taxonomy(small / "taxonomy.json")}
    assert {key: c.name for key, c in classes.items()} == {k: k for k in ("03001627", "tables")}
    assert {k: len(v) for k, v in classes["tables"].splits.items()} == dict(train=2, val=0, test=1)
    assert (small / "contact_sheet.png").is_file() and not (small / "render_errors.txt").exists()


def test_pictures_and_grids_are_those_of_the_mesh(small, meshes):
    """Front -z of the file is +x of the grid."""
    surface = read_mesh(meshes / "tables" / "t2.off", up="+y", front="-z")
    grid = read_binvox(small / "ShapeNetVox8" / "tables" / "t2" / "model.binvox").grid
    np.testing.assert_array_equal(grid, voxelize(surface, 8, fill="hidden"))
    folder = small / "ShapeNetRendering" / "tables" / "t2" / "rendering"
    views = read_metadata((folder / "rendering_metadata.txt").read_text(), "metadata")
    assert len(views) == 2
    for i, view in enumerate(views):
        image = cv2.imread(str(folder / f"{i:02d}.png"), cv2.IMREAD_UNCHANGED)
        expected = Renderer(surface)(view, size=32)
        np.testing.assert_array_equal(cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA), expected)


def test_every_object_has_its_own_views(small, meshes, tmp_path):
    def texts(root):
        return {
            p.parts[-3]: p.read_text()
            for p in root.glob("ShapeNetRendering/*/*/rendering/rendering_metadata.txt")
        }

    first = texts(small)
    assert len(set(first.values())) == 5
    other = texts(render(meshes, tmp_path / "seed", "--seed", 1))
    assert all(first[key] != other[key] for key in first)
    fewer = texts(render(meshes, tmp_path / "few", "--views", 1))
    assert all(first[key].startswith(fewer[key]) for key in first)


def test_axes_of_the_files(meshes, small, tmp_path):
    """Files of other axes, told so, give the same data set."""
    for path in meshes.glob("tables/*.off"):
        corners = read_mesh(path, front="+x").vertices  # as they are in the file
        turned = np.stack((corners[:, 0], -corners[:, 2], corners[:, 1]), axis=1)  # z is up
        mesh = tetrahedron()
        mesh.vertices, mesh.faces = turned, read_mesh(path, front="+x").faces
        (tmp_path / "z" / "tables").mkdir(parents=True, exist_ok=True)
        mesh.export(tmp_path / "z" / "tables" / path.name)
    out = render(tmp_path / "z", tmp_path / "out", "--up", "+z", "--front", "+y")
    for i in range(3):
        one, other = (
            read_binvox(r / "ShapeNetVox8" / "tables" / f"t{i}" / "model.binvox").grid
            for r in (small, out)
        )
        np.testing.assert_array_equal(one, other)
    shutil.rmtree(out)
    render(tmp_path / "z", out, "--up", "+z", "--front", "-y")  # a value with a minus is no option
    assert json.loads((out / "render_meshes.json").read_text())["front"] == "-y"


def test_interruptions_leave_no_trace(small, meshes, tmp_path, capsys):
    out = shutil.copytree(small, tmp_path / "d")
    renderings = out / "ShapeNetRendering"
    shutil.rmtree(renderings / "tables" / "t0")
    half = renderings / "03001627" / "c1"
    half.rename(half.with_name(".c1.abc.part"))
    (renderings / "tables" / "t1" / "rendering" / "01.png").unlink()
    (out / "ShapeNetVox8" / "03001627" / "c0" / "model.binvox").write_bytes(b"")
    (out / "taxonomy.json").unlink()
    render(meshes, out)
    assert digest(out) == digest(small)
    assert "1 objects are there already" in capsys.readouterr().out
    render(meshes, out)
    assert "5 objects are there already" in capsys.readouterr().out


def test_workers_and_shards_leave_no_trace(small, meshes, tmp_path, capsys):
    out = tmp_path / "d"
    render(meshes, out, "--shard", "2/2", "--workers", 2)
    assert len(list(out.glob("ShapeNetRendering/*/*/rendering"))) == 2
    assert not (out / "taxonomy.json").exists()
    assert (
        "part 2/2 is done; when all are, run once more without --shard" in capsys.readouterr().out
    )
    other = out / "ShapeNetRendering" / "03001627" / ".c0.abc.part"  # of the first part, at work
    other.mkdir(parents=True)
    render(meshes, out, "--shard", "2/2")
    assert other.exists()
    with FileLock(out / ".lock-2-of-2"):
        render(meshes, out, "--shard", "1/2")
    assert not other.exists() and not (out / "taxonomy.json").exists()
    render(meshes, out)
    found = {name: value for name, value in digest(out).items() if ".lock" not in name}
    assert found == {name: value for name, value in digest(small).items() if ".lock" not in name}


def test_views_of_a_file(meshes, tmp_path):
    (tmp_path / "views.txt").write_text(METADATA)
    out = render(meshes, tmp_path / "d", "--metadata", tmp_path / "views.txt")
    folder = out / "ShapeNetRendering" / "tables" / "t1" / "rendering"
    expected = [View(30, 25, 0.8), View(200.5, -10, 0.9, 45), View(100, 28, 0.7)]
    assert read_metadata((folder / "rendering_metadata.txt").read_text(), "m") == expected
    image = cv2.imread(str(folder / "01.png"), cv2.IMREAD_UNCHANGED)
    seen = Renderer(read_mesh(meshes / "tables" / "t1.off", front="-z"))(expected[1], size=32)
    np.testing.assert_array_equal(cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA), seen)


def test_views_of_a_file_for_each_object(meshes, tmp_path, capsys):
    for i in range(2):
        folder = tmp_path / "published" / "tables" / f"t{i}" / "rendering"
        folder.mkdir(parents=True)
        (folder / "rendering_metadata.txt").write_text(METADATA.splitlines()[i] + "\n")
    out = tmp_path / "d"
    assert code(meshes, out, "--metadata-root", tmp_path / "published") == 1
    for i in range(2):
        folder = out / "ShapeNetRendering" / "tables" / f"t{i}" / "rendering"
        (view,) = read_metadata((folder / "rendering_metadata.txt").read_text(), "m")
        assert view.azimuth == (30, 200.5)[i]
    assert "3 of 5 meshes could not be used:" in capsys.readouterr().out
    assert (
        "No such file or directory, expected the views" in (out / "render_errors.txt").read_text()
    )


def test_views_that_the_data_set_holds(meshes, tmp_path):
    folder = tmp_path / "ShapeNetRendering" / "tables" / "t1" / "rendering"
    folder.mkdir(parents=True)
    (folder / "rendering_metadata.txt").write_text(METADATA)
    render(meshes, tmp_path)
    assert len(list(folder.glob("*.png"))) == 3
    assert (
        len(list((tmp_path / "ShapeNetRendering" / "tables" / "t0" / "rendering").glob("*.png")))
        == 2
    )


def test_meshes_that_cannot_be_read_are_listed(tmp_path, capsys):
    root = tmp_path / "meshes"
    for i in range(3):
        write(root / f"good{i}.ply")
    (root / "bad.obj").write_text("v 0 0 0\n")
    (root / "worse.glb").write_bytes(b"\0" * 100)
    os.mkfifo(root / "pipe.stl")
    out = tmp_path / "d"
    assert code(root, out) == 1
    printed = capsys.readouterr().out
    lines = (out / "render_errors.txt").read_text().splitlines()
    assert "3 of 6 meshes could not be used:" in printed and lines[0] in printed
    assert [line.split(": ")[0] for line in lines] == [
        str(root / name) for name in ("bad.obj", "pipe.stl", "worse.glb")
    ]
    (entry,) = read_taxonomy(out / "taxonomy.json")
    assert entry.id == "meshes" and sum(map(len, entry.splits.values())) == 3
    assert {name for part in entry.splits.values() for name in part} == {
        f"good{i}" for i in range(3)
    }
    for name in ("bad.obj", "worse.glb", "pipe.stl"):
        (root / name).unlink()
    render(root, out)
    assert not (out / "render_errors.txt").exists()


def test_no_usable_mesh_is_an_error(tmp_path, capfd):
    (tmp_path / "a.obj").write_text("v 0 0 0\n")
    message = refusal(capfd, main, tmp_path, tmp_path / "d", *SMALL)
    assert message == f"{tmp_path}: none of the meshes could be used, expected some"
    assert (tmp_path / "d" / "render_errors.txt").is_file()


def test_a_grid_that_cannot_be_written_ends_the_run(meshes, tmp_path, capfd):
    (tmp_path / "ShapeNetVox9").write_text("")
    (tmp_path / "render_meshes.json").write_text(
        '{"generation": 1, "seed": 0, "views": "2 random", "up": "+y", "front": "-z", '
        '"fill": "hidden", "size": 32}'
    )
    message = refusal(capfd, main, meshes, tmp_path, *SMALL, "--resolution", 9)
    assert "ShapeNetVox9" in message and "cannot be written: Not a directory" in message


def test_finer_grids_join_the_others(small, meshes, tmp_path):
    out = shutil.copytree(small, tmp_path / "d")
    before = digest(out)
    render(meshes, out, "--resolution", 8, 16)
    after = digest(out)
    assert {name: after[name] for name in before} == before
    fine = read_binvox(out / "ShapeNetVox16" / "tables" / "t0" / "model.binvox").grid
    assert fine.shape == (16, 16, 16)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no meshes, expected files of type obj, off, ply, glb, stl"),
        (["a.off", "b/c.off"], "meshes both directly in it and in folders, expected"),
        (["a/b.off", "a/b.stl"], "has the class and id of "),
        (["a/b.off", "a/b/models/x.off"], "has the class and id of "),
        (["a/b/1.off", "a/b/c/2.off"], "2 meshes, expected one, of that id"),
        (["a/b\n.off"], r"id 'b\n', expected a plain file name"),
        (["a/b..c.off"], "id 'b..c', expected a plain file name"),
        (["a:b/c.off"], "id 'a:b', expected a plain file name"),
    ],
)
def test_folders_that_do_not_fit_are_refused(tmp_path, capfd, names, message):
    root = tmp_path / "meshes"
    root.mkdir()
    for name in names:
        write(root / name)
    assert message in refusal(capfd, main, root, tmp_path / "d", *SMALL)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--views", 0], "--views 0: expected 1 to 999"),
        (["--size", 4], "--size 4: expected 8 to 2048"),
        (["--resolution", 8, 999], "--resolution 999: expected 4 to 512"),
        (["--up", "+z"], "--up '+z' and front '-z', expected two different axes"),
        (["--shard", "3/2"], "--shard 3/2: expected I/N with I from 1 to N, such as 1/8"),
        (["--metadata", "none.txt"], "none.txt: No such file or directory, expected the views"),
        (
            ["--metadata", "a", "--metadata-root", "b"],
            "--metadata and --metadata-root: expected one",
        ),
        (["--views", 3], "was made with views '2 random', not '3 random'"),
        (["--front", "+z"], "was made with front '-z', not '+z'"),
        (["--fill", "standing"], "was made with fill 'hidden', not 'standing'"),
        (["--size", 33], "was made with size '32', not '33'"),
    ],
)
def test_what_does_not_fit_is_refused(small, meshes, capfd, options, message):
    assert message in refusal(capfd, main, meshes, small, *SMALL, *options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 views, expected 1 to 999"),
        ("30 25 0 0 25\n", "line 1 has distance ratio 0, expected above 0"),
        ("30 25 0.8\n", "line 1 is '30 25 0.8', expected azimuth"),
        ("\xff\n", "line 1 is "),
    ],
)
def test_views_that_do_not_fit_are_refused(meshes, tmp_path, capfd, text, message):
    (tmp_path / "v.txt").write_bytes(text.encode("latin-1"))
    options = [*SMALL, "--metadata", tmp_path / "v.txt"]
    found = refusal(capfd, main, meshes, tmp_path / "d", *options)
    assert found.startswith(f"{tmp_path / 'v.txt'}: ") and message in found


def test_a_folder_of_another_data_set_is_refused(meshes, tmp_path, capfd):
    folder = tmp_path / "ShapeNetRendering" / "a" / "b" / "rendering"
    folder.mkdir(parents=True)
    (folder / "00.png").write_bytes(b"")
    message = refusal(capfd, main, meshes, tmp_path, *SMALL)
    assert message == f"{tmp_path}: holds other data (no render_meshes.json), expected a new folder"
    (tmp_path / "render_meshes.json").write_text("[1")
    assert "render_meshes.json: damaged" in refusal(capfd, main, meshes, tmp_path, *SMALL)


def test_two_runs_at_once_are_refused(meshes, tmp_path, capfd):
    for lock, options in ((".lock", []), (".lock-1-of-2", ["--shard", "1/2"])):
        with FileLock(tmp_path / lock):
            message = refusal(capfd, main, meshes, tmp_path, *SMALL, *options)
        assert message == f"{tmp_path}: another run is at work there, expected none"


def test_no_folder_of_meshes_is_one_line(tmp_path, capfd):
    message = refusal(capfd, main, tmp_path / "none", tmp_path / "d", *SMALL)
    assert message == f"{tmp_path / 'none'}: cannot be read: No such file or directory"


def test_packages_of_the_extra_are_named(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("voxrecon.cli.render_meshes.NEEDED", ("scipy", "embreexx"))
    message = refusal(capfd, main, tmp_path, tmp_path / "d")
    assert message == "embreexx not installed: pip install 'voxrecon[shapes]'"


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2", "٣/٤", ""])
def test_parts_that_are_none(text):
    with pytest.raises(ConfigError, match="expected I/N with I from 1 to N"):
        parse_shard(text)


def test_parts():
    assert parse_shard("8/8") == (8, 8) and parse_shard(None) is None


def test_splits_do_not_follow_names():
    names = [f"{kind}_{i:02d}" for kind in ("a", "b") for i in range(30)]
    parts = split_names(names)
    assert {key: len(part) for key, part in parts.items()} == dict(train=42, val=6, test=12)
    assert sorted(sum(parts.values(), [])) == names
    assert all({name[0] for name in part} == {"a", "b"} for part in parts.values())
    assert split_names(names[::-1]) == parts


def test_the_measurement_gives_seconds_of_each_mesh():
    measured = measure_rendering(1)
    assert (measured["faces"], measured["views"]) == (5120, 24)
    assert len(measured["wall_s"]) == len(measured["cpu_s"]) == 1
    assert 0 < measured["cpu_s"][0] < 60 and measured["wall_s"][0] > 0


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="VOXRECON_TEST_DATA is not set")
def test_real_furniture(tmp_path):
    """53 textured OBJ files, none of them watertight."""
    main([str(Path(DATA, "meshes", "kaykit")), str(tmp_path), "--front", "+z", "--views", "2"])
    (entry,) = read_taxonomy(tmp_path / "taxonomy.json")
    assert sum(map(len, entry.splits.values())) == 53
    chair = read_binvox(tmp_path / "ShapeNetVox32" / "kaykit" / "chair_A" / "model.binvox").grid
    x, y, _ = np.nonzero(chair)
    assert x[y > 24].max() < 16 and y.min() == 0 and y.max() == 31  # the back-rest is at low x
