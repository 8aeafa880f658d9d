# SPDX-License-Identifier: MIT
import json
import os
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from captures import AZIMUTHS, photo, stepped, write_capture
from commands import call, refusal
from PIL import Image

from voxrecon.captures.fitting import better_turn, mask_iou, silhouette, turned
from voxrecon.captures.framing import crop, frame_view, upright, view_box
from voxrecon.captures.masks import cut_out
from voxrecon.captures.photos import read_photo
from voxrecon.captures.poses import Pose, read_poses
from voxrecon.cli import import_capture as command
from voxrecon.cli.import_capture import main
from voxrecon.datasets import R2N2Dataset
from voxrecon.geometry import Renderer, View, read_binvox, voxelize
from voxrecon.geometry.mesh_files import read_mesh

DATA = os.environ.get("VOXRECON_TEST_DATA")
CHAIR = "03001627"
AXES = ["--front", "+x", "--elevation", "10"]
COARSE = [*AXES, "--resolution", "16"]


def iou(a, b) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def grid_of(root: Path, name: str, taxonomy: str = CHAIR) -> np.ndarray:
    (path,) = root.glob(f"ShapeNetVox*/{taxonomy}/{name}/model.binvox")
    return read_binvox(path).grid


@pytest.fixture(scope="module")
def captured(tmp_path_factory):
    """A noisy capture as phones make it, imported with GrabCut's masks."""
    folder = tmp_path_factory.mktemp("capture")
    write_capture(folder / "seat", stepped(), noise=0.005)
    call(main, folder / "seat", folder / "data", "--class", "chair", *AXES)
    return folder / "data"


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """A capture that takes no time: no noise, no floor, photos that are cut out already."""
    folder = tmp_path_factory.mktemp("exact") / "seat"
    write_capture(folder, stepped(), "glb", noise=0, tilt=0, floor=False, stray=False, edge=0.1)
    render = Renderer(stepped())
    for name, azimuth in AZIMUTHS.items():
        (folder / "photos" / f"{name}.jpg").unlink()
        picture = np.zeros((200, 160, 4), np.uint8)
        picture[30:160, 20:150] = render(View(azimuth, 10, 0.9), size=130)
        Image.fromarray(picture).save(folder / "photos" / f"{name}.png")
    return folder


@pytest.fixture
def capture(exact, tmp_path):
    return Path(shutil.copytree(exact, tmp_path / "seat"))


def run(capture: Path, *options) -> Path:
    out = capture.parent / "data"
    call(main, capture, out, "--class", "chair", *COARSE, *options)
    return out


def refused(capfd, capture: Path, *options) -> str:
    out = capture.parent / "data"
    message = refusal(capfd, main, capture, out, "--class", "chair", *COARSE, *options)
    assert not out.exists()
    return message.replace(str(capture.parent) + "/", "")


# --- what comes back


def test_a_noisy_capture_comes_back(captured):
    grid, truth = grid_of(captured, "seat"), voxelize(stepped())
    assert iou(grid, truth) > 0.95
    # cells of 13 / 32 units; the box is centred: x from 1, z from 4
    assert grid[3:6, 20:31, 6:26].mean() > 0.95  # back-rest at low x
    assert not grid[24:, 20:].any()
    assert grid[9:19, 16:21, 25:27].mean() > 0.95  # arm at high z: the object's own right
    assert not grid[9:19, 18:21, :20].any()
    assert grid[17:29, 1:9, 6:12].mean() > 0.95  # drawer at low z, in front
    assert not grid[9:14, 1:8].any()  # it stands on three legs


def test_the_data_set_reads_it(captured):
    dataset = R2N2Dataset(captured, split="train", n_views=4, test_mode=True)
    assert len(dataset) == 1
    folder = captured / "ShapeNetRendering" / CHAIR / "seat" / "rendering"
    rows = np.loadtxt(folder / "rendering_metadata.txt")
    np.testing.assert_allclose(rows, [[a, 10, 0, 0.8, 25] for a in (0, 90, 180, 270)])
    assert json.loads((captured / "taxonomy.json").read_text()) == [
        {
            "taxonomy_id": CHAIR,
            "taxonomy_name": "chair",
            "train": ["seat"],
            "val": [],
            "test": [],
        }
    ]
    page = cv2.imread(str(captured / "previews" / CHAIR / "seat.png"))
    assert page.shape[0] > 600 and page.shape[1] > 1000


def test_pictures_are_those_of_the_camera(captured):
    """Against renderings of the clean object: the same place, size and side."""
    render = Renderer(stepped())
    folder = captured / "ShapeNetRendering" / CHAIR / "seat" / "rendering"
    for number, azimuth in enumerate(AZIMUTHS.values()):
        picture = cv2.imread(str(folder / f"{number:02d}.png"), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (137, 137, 4)
        truth = render(View(azimuth, 10, 0.8))[..., 3]
        # photos were taken from 0.9: a little less perspective
        assert mask_iou(picture[..., 3] > 127, truth > 127) > 0.9, azimuth
        colour = picture[..., :3][picture[..., 3] > 200].mean(axis=0)
        assert colour[0] > 1.5 * colour[2]  # blue, and no wall


@pytest.mark.parametrize("name", list(AZIMUTHS))
def test_grabcut_on_plain_backgrounds(name):
    rgb, truth = photo(Renderer(stepped()), View(AZIMUTHS[name], 10, 0.9))
    assert mask_iou(cut_out(rgb, (60, 40, 440, 340)) > 127, truth > 127) > 0.9


@pytest.mark.skipif(DATA is None, reason="VOXRECON_TEST_DATA is not set")
def test_furniture_comes_back(tmp_path):
    mesh = read_mesh(Path(DATA, "meshes", "kaykit", "armchair.obj"), front="+z")
    write_capture(tmp_path / "armchair", mesh, noise=0.005, kind="obj")
    call(main, tmp_path / "armchair", tmp_path / "data", "--class", "chair", *AXES)
    assert iou(grid_of(tmp_path / "data", "armchair"), voxelize(mesh)) > 0.9


def test_a_scan_in_other_axes(capture, capsys):
    """glTF's front is +z; what is at azimuth 90 of that is the real front."""
    truth = grid_of(run(capture), "seat")
    run(capture, "--id", "other", "--front", "+z", "--dry-run")
    assert "warning: turned, the scan fits the photos better" in capsys.readouterr().out
    # +z as front: the real front +x is at the left of it, azimuth 270
    out = run(capture, "--id", "other", "--front", "+z", "--turn", "270")
    assert "warning" not in capsys.readouterr().out
    assert iou(grid_of(out, "other"), truth) > 0.97  # cells at the border of a face may differ


def test_swapped_sides_are_said(capture, capsys):
    photos = capture / "photos"
    (photos / "left.png").rename(photos / "x.png")
    (photos / "right.png").rename(photos / "left.png")
    (photos / "x.png").rename(photos / "right.png")
    run(capture, "--dry-run")
    assert "fits the photos better" in capsys.readouterr().out
    assert not (capture.parent / "data" / "taxonomy.json").exists()


# --- geometry of photos


def test_a_picture_of_the_camera_is_its_own_frame():
    surface, view = stepped(), View(30, 20, 0.8)
    picture = Renderer(surface)(view)
    points = (surface.vertices - surface.center) / surface.diagonal
    again = crop(picture, view_box(points, frame_view(points, Pose("", 30, 20), 0.8)), 137)
    difference = np.abs(again[..., 3].astype(int) - picture[..., 3])
    assert difference.mean() < 4  # of 255: a box has whole pixels


def test_a_camera_that_is_too_near_steps_back():
    points = np.array([(x, y, z) for x in (-0.3, 0.3) for y in (-0.3, 0.3) for z in (-0.3, 0.3)])
    view = frame_view(points, Pose("", 0, 0), 0.3)
    box = view_box(points, view)
    assert 0.02 <= min(box) < 0.03 and view.distance > 0.3


def test_a_turned_camera_is_turned_back():
    photo = np.zeros((40, 60, 4), np.uint8)
    photo[:10, :10] = 255  # upper left
    # a camera turned clockwise has its upper left at the scene's upper right
    back = upright(photo, 90)
    assert back.shape == (60, 40, 4)
    assert back[2:8, -8:-2].min() == 255 and back[..., 3].sum() == photo[..., 3].sum()


def test_silhouettes_are_those_of_the_renderer():
    surface = stepped()
    grid = voxelize(surface, 64)
    for view in (View(0, 10, 0.8), View(75, 25, 0.9)):
        truth = Renderer(surface)(view)[..., 3] > 127
        assert mask_iou(silhouette(grid, view, 137), truth) > 0.93


@pytest.mark.parametrize(("turn", "mirrored"), [(90, False), (180, False), (0, True)])
def test_turned_grids_are_found(turn, mirrored):
    grid = voxelize(stepped(), 16)
    views = [View(azimuth, 20, 0.8) for azimuth in (20, 110, 200, 290)]
    photos = [np.dstack([silhouette(turned(grid, turn, mirrored), v, 96)] * 4) for v in views]
    photos = [255 * photo.astype(np.uint8) for photo in photos]
    found = better_turn(grid, photos, views)
    assert found[:2] == (turn, mirrored) and found[2] > 0.93
    assert better_turn(turned(grid, turn, mirrored), photos, views) is None


# --- photos, poses, masks


def test_exif_orientation_is_respected(tmp_path):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:5, :5] = 255  # upper left as stored
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, quality=95)
    picture, size = read_photo(tmp_path / "a.jpg", 100)
    assert picture.shape == (30, 20, 4) and size == (20, 30)
    assert picture[:4, -4:, :3].min() > 200 and picture[:4, :4, :3].max() < 60


def test_poses_with_defaults(tmp_path):
    default = Pose("", 0.0, 15.0, 0.0, None, 60.0)
    rows = "file,azimuth,elevation,distance\na.jpg, -90 ,,2.5\nb.png,30,5,\n"
    (tmp_path / "p.csv").write_text(rows)
    expected = [Pose("a.jpg", 270, 15, 0, 2.5, 60), Pose("b.png", 30, 5, 0, None, 60)]
    assert read_poses(tmp_path / "p.csv", default) == expected
    objects = [
        {"file": "a.jpg", "azimuth": -90, "distance": 2.5},
        {"file": "b.png", "azimuth": 30, "elevation": 5, "distance": None},
    ]
    (tmp_path / "p.json").write_text(json.dumps(objects))
    assert read_poses(tmp_path / "p.json", default) == expected


def test_distances_become_ratios(capture):
    """A scan of longest side 1: its diagonal is |(12, 13, 10)| / 13."""
    diagonal = np.linalg.norm((12, 13, 10)) / 13
    (capture / "poses.csv").write_text(
        f"file,azimuth,elevation,distance\nfront.png,0,10,{0.9 * 1.75 * diagonal}\n"
    )
    # the photos of 130 pixels were set into 200: their focal length is 130 * 35 / 32 pixels
    fov = 2 * np.degrees(np.arctan(100 / (130 * 35 / 32)))
    (capture / "fov.json").write_text(
        json.dumps([{"file": "front.png", "azimuth": 0, "elevation": 10, "fov": fov}])
    )
    run(capture)
    out = run(capture, "--id", "b", "--poses", capture / "fov.json")
    for name, tolerance in (("seat", 1e-3), ("b", 0.02)):
        folder = out / "ShapeNetRendering" / CHAIR / name / "rendering"
        ratio = np.loadtxt(folder / "rendering_metadata.txt")[3]
        assert ratio == pytest.approx(0.9, abs=tolerance)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("file,azimuth,roll\na.jpg,0,1\n", "row 1: column 'roll', expected some of file, azimuth"),
        ("file,azimuth\na.jpg,0\nb.jpg,nan\n", "row 2: azimuth 'nan', expected a number, -360"),
        ("file,azimuth\na.jpg,0\nb.jpg,\n", "row 2: no azimuth, expected degrees"),
        ("file,azimuth\na.jpg,0,1\n", "row 1 has 3 cells, expected 2 as the header"),
        ("file,azimuth\na.jpg,0\na.jpg,1\n", "row 2: 'a.jpg' is there twice, expected once"),
        ("file,azimuth\n../a.jpg,0\n", "row 1: id '../a.jpg', expected a plain file name"),
        ("file,azimuth,fov\na.jpg,0,180\n", "row 1: fov '180', expected a number, 1 to 170"),
        ("file,azimuth\n", "0 rows, expected 1 to 999"),
        ("file,azimuth\ngone.jpg,0\n", "photos/gone.jpg: no such photo: No such file"),
        ("file,azimuth,distance\nfront.png,0,0.5\n", "distance 0.5, expected more than 0.78"),
    ],
)
def test_bad_poses(capture, capfd, rows, message):
    (capture / "poses.csv").write_text(rows)
    assert message in refused(capfd, capture)


def test_masks_of_files(capture):
    masks = capture / "masks"
    masks.mkdir()
    mask = np.zeros((200, 160), np.uint8)
    mask[50:100, 40:120] = 255
    Image.fromarray(mask).save(masks / "front.png")
    out = run(capture)  # the others have their own alpha
    folder = out / "ShapeNetRendering" / CHAIR / "seat" / "rendering"
    alpha = cv2.imread(str(folder / "00.png"), cv2.IMREAD_UNCHANGED)[..., 3]
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    assert np.ptp(columns) / np.ptp(rows) == pytest.approx(80 / 50, abs=0.05)
    assert (alpha[rows[2] : rows[-2], columns[2] : columns[-2]] == 255).all()


def test_bad_masks(capture, capfd):
    masks = capture / "masks"
    masks.mkdir()
    Image.fromarray(np.zeros((20, 16), np.uint8)).save(masks / "front.png")
    expected = "seat/masks/front.png: 16 x 20 pixels, expected 160 x 200 as the photo"
    assert refused(capfd, capture) == expected
    Image.fromarray(np.zeros((200, 160), np.uint8)).save(masks / "front.png")
    expected = "seat/masks/front.png: no object in the mask, expected one"
    assert refused(capfd, capture) == expected
    (masks / "front.png").unlink()
    expected = "seat/masks/front.png: no such mask, expected one a photo"
    assert refused(capfd, capture, "--masks", masks) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("None", "returned NoneType, expected an array (200, 160) uint8"),
        (
            "rgb / 255",
            "returned an array (200, 160, 3) float64, expected an array (200, 160) uint8",
        ),
        ("rgb[5]", "returned an array (160, 3) uint8, expected an array (200, 160) uint8"),
        ("1 / 0", "ZeroDivisionError: division by zero, expected an array (200, 160) uint8"),
        ("rgb[..., 0] * 0", "seat/photos/front.png: no object in the mask, expected one"),
    ],
)
def test_hooks_that_return_nonsense(capture, capfd, monkeypatch, body, message):
    (capture / "my_matting.py").write_text(f"def alpha(rgb):\n    return {body}\n")
    monkeypatch.syspath_prepend(capture)
    monkeypatch.delitem(sys.modules, "my_matting", raising=False)
    told = refused(capfd, capture, "--matting", "my_matting:alpha")
    assert told.removeprefix("--matting my_matting:alpha: ") == message
    told = refused(capfd, capture, "--matting", "my_matting:beta")
    assert "AttributeError" in told and "expected package.module:function" in told


def test_a_hook(capture, monkeypatch):
    text = "def cut(rgb):\n    return (255 * (rgb.max(axis=2) > 0)).astype('uint8')\n"
    (capture / "cutting.py").write_text(text)
    monkeypatch.syspath_prepend(capture)
    out = run(capture, "--matting", "cutting:cut")
    truth = grid_of(out, "seat")
    picture = out / "ShapeNetRendering" / CHAIR / "seat" / "rendering" / "01.png"
    alpha = cv2.imread(str(picture), cv2.IMREAD_UNCHANGED)[..., 3]
    assert mask_iou(alpha > 127, silhouette(truth, View(90, 10, 0.8), 137)) > 0.8  # of 16 cells


def test_bad_photos_and_scans(capture, capfd):
    front = capture / "photos" / "front.png"
    whole = front.read_bytes()
    front.write_bytes(whole[:300])
    assert refused(capfd, capture).startswith("seat/photos/front.png: cannot be parsed: ")
    front.write_bytes(b"GIF89a" + bytes(100))
    expected = "seat/photos/front.png: not a picture, expected a JPEG, PNG or WEBP file"
    assert refused(capfd, capture) == expected
    front.rename(front.with_name("photo.png"))
    expected = "seat/photos/front: no such photo (jpg, jpeg, png, heic, heif), expected it or"
    assert refused(capfd, capture).startswith(expected)
    front.with_name("photo.png").rename(front.with_name("front.heic"))
    if "pillow_heif" not in sys.modules:
        assert "HEIC needs pillow-heif (pip install pillow-heif)" in refused(capfd, capture)
    (capture / "scan.glb").unlink()
    expected = "seat/scan: no such file (ply, glb, obj), expected it or --scan"
    assert refused(capfd, capture) == expected
    floor = "".join(f"v {x} 0 {z}\n" for x in range(9) for z in range(9))
    floor += "".join(f"f {i} {i + 1} {i + 10}\n" for i in range(1, 72) if i % 9)
    (capture / "scan.obj").write_text(floor)
    expected = "seat/scan.obj: nothing but a floor, expected an object on it"
    assert refused(capfd, capture) == expected


# --- the data set


def test_objects_are_added_to_what_is_there(capture, capfd):
    out = capture.parent / "data"
    out.mkdir()
    before = [{"taxonomy_id": "t1", "taxonomy_name": "foot", "note": 1, "train": ["a"]}]
    (out / "taxonomy.json").write_text(json.dumps(before))
    call(main, capture, out, "--class", "foot", "--split", "val", *COARSE)
    call(main, capture, out, "--class", "hand", "--id", "left hand", *COARSE)
    hand = {"taxonomy_id": "hand", "taxonomy_name": "hand", "val": [], "test": []}
    foot = {**before[0], "val": ["seat"]}
    expected = [foot, {**hand, "train": ["left hand"]}]
    assert json.loads((out / "taxonomy.json").read_text()) == expected
    told = refusal(capfd, main, capture, out, "--class", "t1", *COARSE)
    assert told.endswith(
        "t1/seat is there already, expected another --id, or --overwrite"
    ) and told.startswith(str(out / "taxonomy.json"))
    call(main, capture, out, "--class", "t1", "--split", "test", "--overwrite", *COARSE)
    foot = {**before[0], "val": [], "test": ["seat"]}
    expected[0] = foot
    assert json.loads((out / "taxonomy.json").read_text()) == expected
    assert grid_of(out, "seat", "t1").shape == (16, 16, 16)


def test_an_interrupted_import_leaves_its_preview_alone(capture, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("voxrecon.captures.record._append", interrupt)
    out = capture.parent / "data"
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        run(capture)
    left = {path.name for path in out.rglob("*") if path.is_file()} - {".lock", "seat.png"}
    assert left == set()


def test_bad_options(capture, capfd):
    assert "id 'a/b', expected a plain file name" in refused(capfd, capture, "--id", "a/b")
    assert refused(capfd, capture, "--size", "9") == "--size 9: expected 32 to 1024"
    assert refused(capfd, capture, "--fov", "nan") == "--fov nan: expected 1 to 170"
    told = refused(capfd, capture, "--up", "+x")
    assert told == "--up +x --front +x: expected two different axes"
    told = refusal(capfd, main, capture / "x", capture.parent / "data", "--class", "a/b")
    assert told.endswith("no such folder, expected a capture")
    told = refusal(capfd, main, capture, capture.parent / "data", "--class", "a/b")
    assert told == "--class: id 'a/b', expected a plain file name"


def test_the_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        command.parse_args(["--help"])
    assert "example:\n  voxrecon data import-capture captures/stool" in capsys.readouterr().out


def test_a_flat_scan(capture, capfd):
    for scan in capture.glob("scan.*"):
        scan.unlink()
    rows = [f"v {x} {0.5 * x + 0.8 * z} {z}\n" for x, z in ((0, 0), (1, 0), (0, 1), (1, 1))]
    (capture / "scan.obj").write_text("".join(rows) + "f 1 2 3\nf 2 4 3\n")
    assert "scan.obj: a flat surface, expected an object" in refused(capfd, capture)


def test_a_mask_that_is_lost_in_small():
    grid = np.zeros((8, 8, 8), bool)
    grid[2:6, :, 3:5] = True
    photo = np.zeros((1200, 1100, 4), np.uint8)
    photo[100:1100, 500:502, 3] = 255
    photo[:, :3] = 0
    sliver = np.zeros((3, 5000, 4), np.uint8)
    views = [View(0, 0, 0.8), View(90, 0, 0.8)]
    assert better_turn(grid, [photo, sliver], views) is None  # no score, so no better one


def test_a_preview_that_cannot_be_written_leaves_nothing(capture, capfd):
    out = capture.parent / "out"
    out.mkdir()
    (out / "previews").write_text("")
    message = refusal(capfd, main, capture, out, "--class", "chair", *COARSE)
    assert message.startswith(f"{out}/previews/")
    assert [path.name for path in out.iterdir()] == ["previews"]


def test_grids_of_the_scan_before_go_with_it(capture):
    out = run(capture)
    (coarse,) = out.glob("ShapeNetVox*/*/seat/model.binvox")
    call(
        main, capture, out, "--class", "chair", "--overwrite", "--resolution", "24", "--size", "64"
    )
    assert not coarse.exists()
    assert [path.parts[-4] for path in out.glob("ShapeNetVox*/*/seat/model.binvox")] == [
        "ShapeNetVox24"
    ]
