# SPDX-License-Identifier: MIT
"""What counts as a photo, as one object, and as many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from voxrecon.apis.inputs import find_masks, group_masks, group_photos, load_mask, load_photo
from voxrecon.errors import ConfigError, FileError


def write(path: Path, size=(8, 6), colour=(250, 10, 20, 255)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGBA", size, colour).save(path)
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in ("b/2.png", "b/10.png", "a/x.png", "b/masks/2.png"):
        write(tmp_path / "many" / name)
    (tmp_path / "many/b/notes.txt").write_text("not a photo")
    (tmp_path / "many/.cache").mkdir()
    return tmp_path / "many"


def test_one_object(folder):
    one = np.zeros((4, 5, 3), np.uint8)
    path = folder / "a/x.png"
    assert group_photos(path) == ([[path]], ["x"], False)
    assert group_photos(str(path)) == ([[str(path)]], ["x"], False)
    assert group_photos([path, one]) == ([[path, one]], ["object"], False)
    assert group_photos(one)[1:] == (["object"], False)
    stacked, _, many = group_photos(np.stack([one, one + 1, one + 2]))
    assert not many and [int(view[0, 0, 0]) for view in stacked[0]] == [0, 1, 2]
    in_b = [folder / "b/10.png", folder / "b/2.png"]
    assert group_photos(folder / "b") == ([in_b], ["b"], False)


def test_many_objects(folder):
    a, b = [folder / "a/x.png"], [folder / "b/10.png", folder / "b/2.png"]
    assert group_photos(folder) == ([a, b], ["a", "b"], True)
    assert group_photos([folder / "b", str(folder / "a")]) == ([b, a], ["b", "a"], True)
    assert group_photos([a, b]) == ([a, b], ["object_1", "object_2"], True)
    assert group_photos([a])[2]  # a list of one list is many
    assert group_photos([folder / "a", folder / "a"])[1] == ["a", "a_2"]
    for name in ("x/a_3", "y/a", "z/a", "x/chair.v2"):
        write(folder.parent / name / "1.png")
    others = [folder.parent / name for name in ("x/a_3", "y/a", "z/a", "x/chair.v2")]
    assert group_photos(others)[1] == ["a_3", "a", "a_4", "chair.v2"]


def test_refused_groups(folder, tmp_path):
    photo = folder / "a/x.png"
    (tmp_path / "empty").mkdir()
    for given, error, message in (
        ([], ConfigError, "no photos given"),
        ([photo, [photo]], ConfigError, "photos and lists of photos mixed"),
        ([[photo], [[photo]]], ConfigError, "photos and lists of photos mixed|objects inside"),
        ([[[photo]]], ConfigError, "objects inside of objects"),
        ([folder], ConfigError, "objects inside of objects"),
        ([[]], ConfigError, "no photos given"),
        (tmp_path / "empty", FileError, "empty: no photos, expected .png"),
    ):
        with pytest.raises(error, match=message):
            group_photos(given)
    write(folder / "stray.png")
    with pytest.raises(ConfigError, match="many: holds photos and folders"):
        group_photos(folder)


def test_a_photo_is_rgba_whatever_it_comes_as(tmp_path):
    path = write(tmp_path / "p.png", (8, 6), (250, 10, 20, 128))
    expected = np.full((6, 8, 4), (250, 10, 20, 128), np.uint8)
    with Image.open(path) as image:
        sources = [path, str(path), image.copy(), np.asarray(image)]
    for source in sources:
        photo = load_photo(source, 1)
        assert np.array_equal(photo.pixels, expected) and tuple(photo.size) == (8, 6)
    rgb, grey = expected[..., :3], expected[..., 0]
    assert load_photo(rgb, 2).pixels[0, 0].tolist() == [250, 10, 20, 255]
    assert load_photo(grey, 2).pixels[0, 0].tolist() == [250, 250, 250, 255]
    assert load_photo(rgb, 2).name == "photo 2"
    assert load_photo(path, 2).name == str(path)


def test_a_pil_image_is_turned_as_its_exif_says():
    image = Image.new("RGB", (8, 6), (1, 2, 3))
    image.getexif()[0x0112] = 6  # turned by 90 degrees
    assert load_photo(image, 1).pixels.shape == (8, 6, 4)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((3, 5), np.float32), r"photo 3: an array \(3, 5\) float32, expected a path"),
        (np.zeros((3, 5, 2), np.uint8), r"an array \(3, 5, 2\) uint8"),
        (np.zeros((0, 5, 3), np.uint8), r"an array \(0, 5, 3\) uint8"),
        (7, "photo 3: int, expected"),
        (None, "photo 3: NoneType, expected"),
    ],
)
def test_what_is_no_photo(source, message):
    with pytest.raises(ConfigError, match=message):
        load_photo(source, 3)


def test_pictures_in_memory_are_as_those_of_files(tmp_path):
    deep = Image.new("I;16", (8, 6), 40_000)
    with pytest.raises(ConfigError, match="photo 1: pixels of kind I;16, expected 8 bits"):
        load_photo(deep, 1)
    large = np.zeros((1000, 3000, 3), np.uint8)
    photo = load_photo(large, 1)
    assert photo.pixels.shape == (341, 1024, 4) and tuple(photo.size) == (3000, 1000)


def test_pictures_in_memory_that_move_or_are_broken(tmp_path):
    frames = [Image.new("RGB", (8, 6), (i, 0, 0)) for i in (0, 200)]
    frames[0].save(tmp_path / "moves.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(ConfigError, match="moves.gif: 2 frames, expected one that stands"):
        load_photo(Image.open(tmp_path / "moves.gif"), 1)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "short.png")
    content = (tmp_path / "short.png").read_bytes()
    (tmp_path / "short.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(FileError, match="short.png: broken: "):
        load_photo(Image.open(tmp_path / "short.png"), 1)


def test_missing_file(tmp_path):
    for name in ("nothing.png", "n" * 300 + ".png", "a\0b.png"):
        (group,), _, _ = group_photos(str(tmp_path / name))
        with pytest.raises(FileError, match="png: no such photo"):
            load_photo(*group, 1)


def test_masks_by_object(folder, tmp_path):
    groups, names, many = group_photos(folder)
    own = [[None], [None, folder / "b/masks/2.png"]]
    assert group_masks(None, folder, groups, names, many) == own
    assert group_masks(None, [folder / "a", folder / "b"], groups, names, True) == own
    assert group_masks(None, groups, groups, names, True) == [[None], [None, None]]
    write(tmp_path / "masks/a/x.PNG")
    elsewhere = group_masks(tmp_path / "masks", folder, groups, names, many)
    assert elsewhere == [[tmp_path / "masks/a/x.PNG"], [None, None]]
    mask = np.zeros((6, 8), np.uint8)
    assert group_masks([[mask], None], groups, groups, names, True) == [[mask], [None, None]]
    with pytest.raises(FileError, match="b: no folder of masks, expected some such as a"):
        group_masks(folder / "b", folder, groups, names, many)
    with pytest.raises(FileError, match="nowhere: no such mask"):
        group_masks("nowhere", folder, groups, names, many)
    with pytest.raises(ConfigError, match="masks: expected a list for each of 2 objects"):
        group_masks([[mask]], groups, groups, names, True)


def test_masks(folder, tmp_path):
    photos = [folder / "b/10.png", folder / "b/2.png"]
    assert find_masks(folder / "b/masks", photos) == [None, folder / "b/masks/2.png"]
    with pytest.raises(FileError, match="a: no mask of any photo"):
        find_masks(folder / "a", photos)
    with pytest.raises(ConfigError, match="masks: 2 is the name of several photos"):
        find_masks(folder / "b/masks", [*photos, folder / "c/2.jpg"])
    with pytest.raises(FileError, match="none: no such folder of masks"):
        find_masks(tmp_path / "none", photos)
    photo = load_photo(photos[0], 1)
    assert load_mask(np.eye(6, 8, dtype=bool), photo)[:2, :2].tolist() == [[255, 0], [0, 255]]
    white = write(tmp_path / "white.png", (8, 6), (255, 255, 255, 255))
    assert load_mask(white, photo).tolist() == [[255] * 8] * 6
    with pytest.raises(FileError, match="3 x 3 pixels, expected 8 x 6"):
        load_mask(write(tmp_path / "small.png", (3, 3)), photo)
    with pytest.raises(ConfigError, match=r"mask an array \(6, 8\) float64"):
        load_mask(np.zeros((6, 8)), photo)
