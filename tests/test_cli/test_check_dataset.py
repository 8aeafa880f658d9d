# SPDX-License-Identifier: MIT
"""Damages are planted one by one; each is found by its name, and nothing else with it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from commands import call, refusal

from voxrecon.cli import check_dataset
from voxrecon.geometry import r2n2_layout as layout
from voxrecon.geometry import read_binvox, write_binvox
from voxrecon.geometry.camera import draw_views, format_metadata, read_metadata
from voxrecon.geometry.rendering import Renderer
from voxrecon.geometry.silhouettes import ORIENTATIONS, name_orientation
from voxrecon.geometry.solids import Assembly, box
from voxrecon.geometry.voxelization import voxelize

DATA = os.environ.get("VOXRECON_TEST_DATA")
CHAIR, TABLE = "03001627", "04379243"
FIRST = f"{CHAIR}/a"


def make_surface(number):
    """Seat, back at low x, one tall arm at high z, one leg: no two of its views are alike."""
    solids = Assembly()
    for part in (
        box((0, 5, 0), (10, 6, 12)),
        box((0, 5, 0), (1, 13 - number / 2, 12)),
        box((0, 6, 11), (8 - number, 9, 12)),
        box((1 + number / 2, 0, 1), (3, 5, 3)),
    ):
        solids.add(part, lambda points: np.full(points.shape, 0.5))
    return solids.surface()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two classes of three objects, one a split, with four views each."""
    root = tmp_path_factory.mktemp("whole") / "data"
    names, rng = ["a", "b", "c"], np.random.default_rng(0)
    for number, (taxonomy, name) in enumerate((t, n) for t in (CHAIR, TABLE) for n in names):
        surface, views = make_surface(number), draw_views(rng, 4)
        path = layout.voxel_file(root, taxonomy, name, 32)
        path.parent.mkdir(parents=True)
        write_binvox(path, voxelize(surface, 32))
        renderer = Renderer(surface)
        images = [renderer(view) for view in views]
        layout.write_renderings(layout.rendering_folder(root, taxonomy, name), images, views)
    splits = {split: [name] for split, name in zip(("train", "val", "test"), names, strict=True)}
    classes = [(CHAIR, "chair", splits), (TABLE, "table", splits)]
    layout.write_taxonomy(root / "taxonomy.json", classes)
    return root


@pytest.fixture
def copy(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "data"))


def check(root, *options, workers=1):
    """Exit code and findings."""
    out = root.parent / "findings.json"
    code = 0
    try:
        call(check_dataset.main, root, "--workers", workers, "--out", out, *options)
    except SystemExit as end:
        code = end.code
    return code, json.loads(out.read_text())


def folder(root, name="a", taxonomy=CHAIR):
    return layout.rendering_folder(root, taxonomy, name)


def grid_file(root, name="a", taxonomy=CHAIR):
    return layout.voxel_file(root, taxonomy, name, 32)


def change_grid(change):
    def damage(root):
        path = grid_file(root)
        write_binvox(path, np.ascontiguousarray(change(read_binvox(path).grid)))

    return damage


def change_image(change, number=1):
    def damage(root):
        path = str(folder(root) / f"{number:02d}.png")
        cv2.imwrite(path, change(cv2.imread(path, cv2.IMREAD_UNCHANGED)))

    return damage


def change_text(name, change):
    def damage(root):
        path = folder(root) / name
        path.write_text(change(path.read_text()))

    return damage


def cut(path, part=0.5):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])


def change_splits(change):
    def damage(root):
        classes = json.loads((root / "taxonomy.json").read_text())
        change(classes)
        (root / "taxonomy.json").write_text(json.dumps(classes))

    return damage


def copy_object(root, name, of=FIRST):
    for top in ("ShapeNetRendering", "ShapeNetVox32"):
        shutil.rmtree(root / top / name)
        shutil.copytree(root / top / of, root / top / name)


def set_alpha(value):
    def change(image):
        image[..., 3] = value
        return image

    return change


def foreign_views(root):
    views = draw_views(np.random.default_rng(9), 4)
    (folder(root) / "rendering_metadata.txt").write_text(format_metadata(views))


def change_row(**changes):
    """One row of another picture; the others remain."""

    def damage(root):
        path = folder(root) / "rendering_metadata.txt"
        views = read_metadata(path.read_text(), path.name)
        views[2] = replace(views[2], **changes)
        path.write_text(format_metadata(views))

    return damage


def other_shape(grid):
    """A cube where the object is."""
    grid[:] = False
    grid[4:28, 4:28, 4:28] = True
    return grid


DAMAGES = [
    ("orientation", FIRST, "z mirrored fits better: 0.", change_grid(lambda g: g[:, :, ::-1])),
    ("orientation", FIRST, "x mirrored fits better: 0.", change_grid(lambda g: g[::-1])),
    ("orientation", FIRST, "y and z swapped fits", change_grid(lambda g: g.transpose(0, 2, 1))),
    (
        "orientation",
        FIRST,
        "axes in the order z, x, y, z mirrored fits",
        change_grid(lambda g: g[:, :, ::-1].transpose(1, 2, 0)),
    ),
    ("does not fit", FIRST, "in all pictures the voxels cover 0.", foreign_views),
    ("does not fit", FIRST, "grid, pictures and metadata do not", change_grid(other_shape)),
    ("view does not fit", FIRST, "02.png: the voxels cover 0.", change_row(distance=1.3)),
    ("view does not fit", FIRST, "metadata of another", change_row(distance=0.5)),
    ("empty grid", FIRST, "no cell is set", change_grid(np.zeros_like)),
    ("full grid", FIRST, "all cells are set", change_grid(np.ones_like)),
    ("grid size", FIRST, "16 x 16 x 16 cells", change_grid(lambda g: g[::2, ::2, ::2])),
    ("broken grid", FIRST, "model.binvox: ", lambda root: cut(grid_file(root))),
    ("no grid", FIRST, "model.binvox: no such file", lambda root: grid_file(root).unlink()),
    ("broken image", FIRST, "01.png: truncated", lambda root: cut(folder(root) / "01.png")),
    ("empty image", FIRST, "01.png: alpha is 0", change_image(set_alpha(0))),
    ("no alpha", FIRST, "01.png: alpha is 255", change_image(lambda image: image[..., :3])),
    ("image size", FIRST, "01.png: 64 x 64 pixels, expected 137 x 137", change_image(
        lambda image: cv2.resize(image, (64, 64)))),
    ("no renderings", FIRST, "rendering: No such file", lambda root: shutil.rmtree(folder(root))),
    ("too few views", FIRST, "3 views, expected 4",
        lambda root: (folder(root) / "03.png").unlink()),
    ("gaps", FIRST, "02.png where 01.png", lambda root: (folder(root) / "01.png").unlink()),
    ("metadata", FIRST, "3 rows, expected 4", change_text(
        "rendering_metadata.txt", lambda t: t[: t[:-1].rindex("\n") + 1])),
    ("metadata", FIRST, "line 1 is 'far", change_text(
        "rendering_metadata.txt", lambda t: t.replace(t.split()[0], "far", 1))),
    ("metadata", FIRST, "line 2: distance ratio 0, expected", change_text(
        "rendering_metadata.txt", lambda t: t.replace(t.split("\n")[1], "1 2 0 0 25"))),
    ("renderings.txt", FIRST, "03.png is not named", change_text(
        "renderings.txt", lambda t: t.replace("03.png\n", ""))),
    ("renderings.txt", FIRST, "04.png is named in it", change_text(
        "renderings.txt", lambda t: f"{t}04.png\n")),
    ("same object twice", f"{CHAIR}/c", f"first view as {FIRST}",
        lambda root: copy_object(root, f"{CHAIR}/c")),
    ("in two splits", FIRST, "in train and test", change_splits(
        lambda c: c[0]["test"].append("a"))),
]  # fmt: skip

NOTES = [
    ("no metadata", FIRST, "", lambda root: (folder(root) / "rendering_metadata.txt").unlink()),
    ("no renderings.txt", FIRST, "", lambda root: (folder(root) / "renderings.txt").unlink()),
    ("in two classes", f"{TABLE}/a", FIRST, lambda root: copy_object(root, f"{TABLE}/a")),
    ("in no split", f"{CHAIR}/b", "ShapeNetRendering and ShapeNetVox32", change_splits(
        lambda c: c[0]["val"].clear())),
    ("in no split", TABLE, "ShapeNetRendering and", change_splits(lambda c: c.pop())),
    ("equal splits", CHAIR, "train, val, test hold", change_splits(
        lambda c: c[0].update(dict.fromkeys(("train", "val", "test"), ["a", "b", "c"])))),
]  # fmt: skip

# what one damage brings about besides
BESIDES = {"too few views": {"metadata", "renderings.txt"}, "gaps": {"too few views"}}
BESIDES["gaps"] |= {"renderings.txt"}


def test_a_sound_set_passes(whole, capsys):
    code, record = check(whole)
    assert (code, record["findings"]) == (0, [])
    assert record["objects"] == record["held_against_voxels"] == 6
    text = capsys.readouterr().out
    rows = [line.split() for line in text.splitlines()]
    assert ["chair", "1", "1", "1", "3", "0"] in rows and ["all", "2", "2", "2", "6", "0"] in rows
    assert f"{whole}: sound" in text
    assert text.endswith(f"\nin one file: voxrecon data pack {whole} {whole}.lmdb\n")


@pytest.mark.parametrize(
    ("kind", "where", "text", "damage"), DAMAGES, ids=[f"{d[0]}: {d[2]}" for d in DAMAGES]
)
def test_a_damage_is_found_by_name(copy, capsys, kind, where, text, damage):
    damage(copy)
    code, record = check(copy)
    assert code == 1
    found = {(f["kind"], f["where"]) for f in record["findings"] if f["trouble"]}
    others = {(other, where) for other in BESIDES.get(kind, ())}
    assert found == {(kind, where)} | others
    assert any(text in f["text"] for f in record["findings"] if f["kind"] == kind)
    printed = capsys.readouterr().out
    assert f"\n{kind}: 1\n  {where}: " in printed and f"{copy}: {len(found)} fault" in printed


@pytest.mark.parametrize(
    ("kind", "where", "text", "change"), NOTES, ids=[f"{n[0]}: {n[2]}" for n in NOTES]
)
def test_what_is_no_trouble_is_noted(copy, capsys, kind, where, text, change):
    change(copy)
    code, record = check(copy)
    assert code == 0
    ((found, at, words, trouble),) = [
        (f["kind"], f["where"], f["text"], f["trouble"]) for f in record["findings"]
    ]
    assert (found, at, trouble) == (kind, where, False) and text in words
    assert f"note: {kind}: 1\n" in capsys.readouterr().out


def test_all_grids_mirrored(copy):
    """Found of the set as a whole as well; objects are named with the figures of both."""
    for path in copy.rglob("*.binvox"):
        write_binvox(path, np.ascontiguousarray(read_binvox(path).grid[:, :, ::-1]))
    code, record = check(copy)
    assert code == 1
    last = record["findings"][-1]
    assert (last["kind"], last["where"]) == ("orientation of all", "data set")
    assert last["text"].startswith("of all 6 objects together, z mirrored fits better: 0.")
    assert [f["kind"] for f in record["findings"][:-1]] == ["orientation"] * 6


def test_a_symmetric_object_is_not_accused(copy):
    surface = Assembly()
    surface.add(box((0, 0, 0), (10, 6, 10)), lambda points: np.full(points.shape, 0.5))
    surface = surface.surface()
    views = draw_views(np.random.default_rng(1), 4)
    write_binvox(grid_file(copy), voxelize(surface, 32)[:, :, ::-1])
    layout.write_renderings(folder(copy), [Renderer(surface)(view) for view in views], views)
    assert check(copy)[0] == 0


def test_workers_change_nothing(copy):
    DAMAGES[0][3](copy)
    assert check(copy, workers=1) == check(copy, workers=2)


def test_views_that_are_asked_for(whole):
    code, record = check(whole, "--views", 5)
    assert code == 1
    assert {(f["kind"], f["text"]) for f in record["findings"]} == {
        ("too few views", "4 views, expected 5")
    }


def test_orientations_are_what_is_done_to_the_grid():
    """Undoing a damage by its name restores the grid."""
    assert len(set(ORIENTATIONS)) == 48 and name_orientation(ORIENTATIONS[0]) == "as it is"
    grid = np.arange(27).reshape(3, 3, 3)
    for order, mirrored in ORIENTATIONS:
        name = name_orientation((order, mirrored))
        done = grid
        if "order" in name:
            done = done.transpose(
                ["xyz".index(a) for a in name.split(" order ")[1][:7].split(", ")]
            )
        elif "swapped" in name:
            done = np.swapaxes(done, "xyz".index(name[0]), "xyz".index(name[6]))
        if "mirrored" in name:
            axes = name.split(" mirrored")[0].split(", ")[-1].split(" and ")
            done = np.flip(done, ["xyz".index(axis) for axis in axes])
        np.testing.assert_array_equal(done, np.flip(grid.transpose(order), mirrored))


@pytest.mark.skipif(not DATA, reason="needs VOXRECON_TEST_DATA")
def test_real_chairs_pass_and_turned_ones_do_not(tmp_path):
    root = Path(shutil.copytree(Path(DATA, "r2n2_chairs"), tmp_path / "data"))
    code, record = check(root)
    assert (code, record["held_against_voxels"]) == (0, 6)
    assert [f["kind"] for f in record["findings"]] == ["equal splits"]
    for path in root.rglob("*.binvox"):
        write_binvox(path, np.ascontiguousarray(read_binvox(path).grid[::-1]))
    code, record = check(root)
    assert code == 1
    assert [f["kind"] for f in record["findings"] if f["trouble"]] == ["orientation"] * 6 + [
        "orientation of all"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--views", "0"], "--views 0: expected 1 to 999"),
        (["--workers", "0"], "--workers 0: expected 1 to 1024"),
        (["--resolution", "64"], "no ShapeNetVox64, expected the layout of 3D-R2N2"),
        (["--taxonomy", "no.json"], "no.json: no taxonomy file: No such file or directory"),
    ],
)
def test_what_does_not_fit_is_refused(whole, capfd, options, message):
    assert message in refusal(capfd, check_dataset.main, whole, *options)


def test_no_data_set(tmp_path, capfd):
    message = refusal(capfd, check_dataset.main, tmp_path / "no")
    assert message == f"{tmp_path / 'no'}: No such file or directory, expected a data set"
