# SPDX-License-Identifier: MIT
"""From photos to what a network sees."""

from __future__ import annotations

import numpy as np
import pytest

from voxrecon.captures.cutouts import FILL, SIZE, cut_photo
from voxrecon.captures.framing import mask_box
from voxrecon.errors import ConfigError, FileError

RED, GREEN = (200, 30, 30), (40, 160, 60)


def photo(height=300, width=400, box=(100, 60, 220, 260), alpha=False) -> np.ndarray:
    """A red rectangle on green, or on nothing; the lower left quarter of it is missing."""
    image = np.zeros((height, width, 4), np.uint8)
    image[..., :3], image[..., 3] = GREEN, 0 if alpha else 255
    left, top, right, bottom = box
    image[top:bottom, left:right] = (*RED, 255)
    image[(top + bottom) // 2 : bottom, left : (left + right) // 2] = (*GREEN, 0 if alpha else 255)
    return image


def mask_of(image: np.ndarray) -> np.ndarray:
    return np.where((image[..., :3] == RED).all(-1), 255, 0).astype(np.uint8)


def shape_iou(a: np.ndarray, b: np.ndarray) -> float:
    return np.logical_and(a > 127, b > 127).sum() / np.logical_or(a > 127, b > 127).sum()


def test_object_is_centred_and_fills_its_share():
    cut = cut_photo(photo(alpha=True), "a")
    assert cut.picture.shape == (SIZE, SIZE, 4) and cut.source == "alpha" and not cut.cropped
    left, top, right, bottom = mask_box(cut.picture[..., 3])
    # 120 x 200 pixels become 0.42 x 0.7 of the crop, within a pixel
    assert bottom - top == pytest.approx(FILL * SIZE, abs=1)
    assert right - left == pytest.approx(0.6 * FILL * SIZE, abs=1)
    assert (left + right) / 2 == pytest.approx(SIZE / 2, abs=1)
    assert (top + bottom) / 2 == pytest.approx(SIZE / 2, abs=1)
    middle = cut.picture[SIZE // 2 - 10, SIZE // 2]
    assert middle.tolist() == [*RED, 255]
    # neither mirrored nor turned: the missing quarter is lower left
    assert cut.picture[SIZE // 2 + 20, SIZE // 2 - 10, 3] == 0
    assert cut.picture[SIZE // 2 + 20, SIZE // 2 + 10, 3] == 255


def test_colours_at_the_edge_are_those_of_the_object():
    picture = cut_photo(photo(alpha=True), "a").picture
    seen = picture[picture[..., 3] > 0][:, :3]
    assert np.abs(seen.astype(int) - RED).max() <= 1


def test_mask_alpha_and_grabcut_agree_and_say_who_they_are():
    opaque, clear = photo(), photo(alpha=True)
    by_alpha = cut_photo(clear, "a")
    by_mask = cut_photo(opaque, "a", mask=mask_of(opaque))
    by_grabcut = cut_photo(opaque, "a")
    assert [c.source for c in (by_alpha, by_mask, by_grabcut)] == ["alpha", "mask", "GrabCut"]
    assert np.array_equal(by_alpha.picture[..., 3], by_mask.picture[..., 3])
    assert shape_iou(by_alpha.picture[..., 3], by_grabcut.picture[..., 3]) > 0.93


def studio(noise: float) -> tuple[np.ndarray, np.ndarray]:
    """The object before a wall that gets darker, on a floor with a shadow; and where it is."""
    image, rng = photo(), np.random.default_rng(0)
    mask = mask_of(image)
    y, x = np.mgrid[0:1:300j, 0:1:400j]
    wall = np.stack((210 - 40 * x, 205 - 40 * x, 200 - 40 * x - 20 * y), axis=-1)
    wall[240:280, 80:260] *= 0.75
    wall += rng.normal(0, noise, wall.shape)
    image[..., :3] = np.where(mask[..., None] > 0, image[..., :3], wall.clip(0, 255))
    return image, mask


def test_plain_background_and_shadow_are_left_out():
    image, mask = studio(noise=3)
    cut = cut_photo(image, "a", framing="whole", background="grabcut")
    truth = cut_photo(image, "a", mask=mask, framing="whole")
    assert shape_iou(cut.picture[..., 3], truth.picture[..., 3]) > 0.97


def test_before_a_busy_background_the_box_says_where_the_object_is():
    image, mask = photo(), mask_of(photo())
    rng = np.random.default_rng(0)
    tiles = rng.integers(60, 255, (15, 20, 1)) * np.array((0.2, 1.0, 0.4))
    busy = np.kron(tiles, np.ones((20, 20, 1)))  # greens and nothing red
    image[..., :3] = np.where(mask[..., None] > 0, image[..., :3], busy)
    cut = cut_photo(image, "a", framing="whole", box=(90, 50, 230, 270))
    truth = cut_photo(image, "a", mask=mask, framing="whole")
    assert shape_iou(cut.picture[..., 3], truth.picture[..., 3]) > 0.9


def test_mask_goes_before_alpha():
    image = photo(alpha=True)
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[60:160, 100:220] = 255  # the upper half alone
    cut = cut_photo(image, "a", mask=mask)
    left, top, right, bottom = mask_box(cut.picture[..., 3])
    assert cut.source == "mask" and (right - left) / (bottom - top) == pytest.approx(1.2, abs=0.05)


def test_box_leaves_out_what_is_outside():
    image = photo(alpha=True)
    image[10:40, 300:380] = (*RED, 255)  # something else
    whole, boxed = cut_photo(image, "a"), cut_photo(image, "a", box=(90, 50, 230, 270))
    alone = cut_photo(photo(alpha=True), "a")
    assert np.array_equal(boxed.picture, alone.picture)
    assert not np.array_equal(whole.picture[..., 3], alone.picture[..., 3])


def test_kept_background_is_part_of_the_picture():
    cut = cut_photo(photo(), "a", background="keep", framing="whole")
    assert cut.source == "kept" and not cut.cropped
    # 400 x 300 in a square: margins of an eighth above and below
    assert (cut.picture[:15, :, 3] == 0).all() and (cut.picture[17:111, 1:-1, 3] == 255).all()
    assert cut.picture[64, 5].tolist() == [*GREEN, 255]


def test_kept_transparent_pixels_become_white():
    cut = cut_photo(photo(alpha=True), "a", background="keep")
    assert cut.picture[64, 5].tolist() == [255] * 4  # not the green beneath
    whole = cut_photo(photo(alpha=True), "a", background="keep", framing="whole")
    assert np.array_equal(cut.picture, whole.picture)  # the photo is the object


def test_nothing_of_the_background_is_seen_at_edges():
    cut = cut_photo(photo(alpha=True), "a", framing="whole").picture
    seen = cut[cut[..., 3] > 0][:, :3]
    assert np.abs(seen.astype(int) - RED).max() <= 1


def test_a_rendering_is_cut_as_in_testing():
    image = np.random.default_rng(0).integers(1, 255, (137, 137, 4), np.uint8)
    cut = cut_photo(image, "a", framing="rendering")
    assert np.array_equal(cut.picture, image[4:132, 4:132])


def test_object_at_the_border_is_noticed():
    assert cut_photo(photo(box=(0, 60, 220, 260), alpha=True), "a").cropped
    assert cut_photo(photo(box=(100, 60, 220, 300), alpha=True), "a").cropped
    assert not cut_photo(photo(box=(1, 60, 220, 299), alpha=True), "a").cropped
    # GrabCut never takes the outermost pixels
    assert cut_photo(photo(box=(100, 60, 220, 300)), "a").cropped
    assert cut_photo(photo(box=(280, 60, 400, 200)), "a").cropped
    assert not cut_photo(photo(), "a").cropped


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"background": "magic"}, ConfigError, "background 'magic', expected of auto, alpha"),
        ({"framing": "x"}, ConfigError, "framing 'x', expected of object, whole, rendering"),
        (
            {"mask": np.zeros((3, 5), np.uint8)},
            ConfigError,
            "a: mask of 5 x 3 pixels, expected",
        ),
        ({"mask": np.zeros((300, 400), np.uint8)}, FileError, "a: no object found by mask"),
        ({"box": (10, 10, 5, 20)}, ConfigError, r"a: box \(10, 10, 5, 20\), expected left, top"),
        ({"box": (0, 0, 500, 20)}, ConfigError, "within 400 x 300 pixels"),
        ({"box": (float("nan"), 0, 5, 20)}, ConfigError, "a: box"),
        ({"box": (0, 0, 50, 40)}, FileError, "a: no object found by alpha"),
    ],
)
def test_refusals(options, error, message):
    with pytest.raises(error, match=message):
        cut_photo(photo(alpha=True), "a", **options)


def test_a_photo_of_one_colour_has_no_object():
    plain = np.full((200, 200, 4), 255, np.uint8)
    with pytest.raises(FileError, match="a: no object found by GrabCut, expected a plain backgr"):
        cut_photo(plain, "a")
    with pytest.raises(FileError, match="a: no transparent pixel, expected some for"):
        cut_photo(plain, "a", background="alpha")
    with pytest.raises(FileError, match="a: no object found by alpha"):
        cut_photo(plain * np.array((1, 1, 1, 0), np.uint8), "a")
    with pytest.raises(ConfigError, match="a: 100 x 100 pixels, expected at least 128"):
        cut_photo(plain[:100, :100], "a", background="keep", framing="rendering")
