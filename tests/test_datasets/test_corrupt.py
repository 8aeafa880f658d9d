# SPDX-License-Identifier: MIT
from __future__ import annotations

import numpy as np
import pytest
from r2n2 import draw_view, make_grid, make_r2n2

from voxrecon.datasets import CropViews, LoadViews, R2N2Dataset
from voxrecon.datasets.transforms.corrupt import PLAIN, SCALES, CorruptViews
from voxrecon.errors import ConfigError, SampleError

EVERY = [(kind, strength) for kind in SCALES for strength in range(1, 6)]


def views(count: int = 3) -> np.ndarray:
    """An asymmetric object from several sides, (V, 64, 64, 4); alpha is partial at its edge."""
    return np.stack([draw_view(make_grid(3), view, 64) for view in range(count)])


def corrupt(images, kind, strength, name="a", first=0):
    results = {
        "images": images.copy(),
        "views": list(range(first, first + len(images))),
        "img_paths": [f"{view:02d}.png" for view in range(len(images))],
        "taxonomy": "03001627",
        "id": name,
    }
    return CorruptViews(kind, strength)(results)["images"]


def seen(images: np.ndarray) -> np.ndarray:
    """As VoxelDataPreprocessor shows them, (..., 3) float."""
    return np.where(images[..., 3:] == 0, PLAIN, images[..., :3].astype(float))


def square(colour=(128, 128, 128), side: int = 48) -> np.ndarray:
    """One view: an opaque square of one colour in a corner of nothing."""
    image = np.zeros((1, 64, 64, 4), np.uint8)
    image[0, :side, :side] = (*colour, 255)
    return image


@pytest.mark.parametrize("kind", SCALES)
def test_each_strength_changes_more(kind):
    clean = views()
    changes = [
        np.abs(seen(corrupt(clean, kind, s)) - seen(clean)).mean((1, 2, 3)) for s in range(1, 6)
    ]
    assert (np.diff([0 * changes[0], *changes], axis=0) > 0).all()  # in every view


def test_noise_has_its_deviation_and_leaves_what_is_transparent():
    clean = square()
    clean[0, 60:, :, :3] = 77  # transparent, but not black
    clean[0, 50, :, 3] = 3
    for strength, deviation in enumerate(SCALES["noise"][:3], start=1):  # 2.8 or more within 0..255
        (image,) = corrupt(clean, "noise", strength)
        change = image.astype(float) - clean[0]
        assert (change[clean[0, ..., 3] == 0] == 0).all() and (change[..., 3] == 0).all()
        # of 6912 values: the deviation is known to 0.9 %, the mean to 1.2 % of it
        values = change[:48, :48, :3]
        assert values.std() == pytest.approx(255 * deviation, rel=0.04)
        assert abs(values.mean()) < 0.06 * 255 * deviation
        assert change[50, :, :3].any()


def test_occlusion_hides_its_share():
    clean = views(24)
    count = (clean[..., 3] > 0).sum((1, 2))
    greys, filled = set(), []
    for strength, share in enumerate(SCALES["occlusion"], start=1):
        hidden = (corrupt(clean, "occlusion", strength) != clean).any(-1)
        for before, after, mask, n in zip(
            clean, corrupt(clean, "occlusion", strength), hidden, count, strict=True
        ):
            colours = np.unique(after[mask], axis=0)
            assert len(colours) == 1 and len(set(colours[0, :3])) == 1 and colours[0, 3] == 255
            greys.add(int(colours[0, 0]))
            covered = (mask & (before[..., 3] > 0)).sum()
            # a rectangle grows by a line a side at a time
            assert share * n <= covered <= share * n + 2 * sum(np.ptp(np.argwhere(mask), 0) + 1)
            box = np.ptp(np.argwhere(mask), axis=0) + 1
            filled.append(mask.sum() / box.prod())
    assert len(greys) > 15 and min(greys) >= 60 and max(greys) <= 180
    # rectangles fill their box, ellipses pi / 4 of it unless the picture cuts them
    assert sum(share == 1 for share in filled) > 20 and sum(share < 0.9 for share in filled) > 20


def test_occlusion_of_nothing():
    empty = np.zeros((1, 8, 8, 4), np.uint8)
    assert (corrupt(empty, "occlusion", 5) == 0).all()


def gaussian(values: np.ndarray, sigma: float) -> np.ndarray:
    """Slow reference: (H, W) blurred, the border repeated."""
    reach = int(6 * sigma) + 1
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    for _ in range(2):
        padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
        parts = [w * padded[i : i + len(values)] for i, w in enumerate(weights / weights.sum())]
        values = sum(parts).T
    return values


@pytest.mark.parametrize("strength", [1, 3, 5])
def test_blur_is_that_of_premultiplied_colours(strength):
    clean = views(1)
    (image,) = corrupt(clean, "blur", strength)
    sigma = 64 * SCALES["blur"][strength - 1]
    alpha = clean[0, ..., 3] / 255.0
    blurred = gaussian(alpha, sigma)
    clear = np.abs(255 * blurred - 0.5) > 0.05  # not within rounding
    assert ((image[..., 3] == 255) == (255 * blurred >= 0.5))[clear].all()
    assert set(np.unique(image[..., 3])) == {0, 255}
    for channel in range(3):
        colour = gaussian(clean[0, ..., channel] * alpha, sigma)
        expected = colour + (1 - blurred) * PLAIN
        # rounding, and what the shorter window leaves out
        assert np.abs(image[..., channel] - expected).max() < 1


def test_blur_has_no_halo():
    """Black that lies below transparent pixels does not show: red stays pure on its way to grey."""
    (image,) = corrupt(square((255, 0, 0), 30), "blur", 4)
    assert image[..., 0].min() >= PLAIN
    assert (np.diff(image[10, :, 1].astype(int)) >= 0).all()
    assert image[0, 0].tolist() == [255, 0, 0, 255]
    assert image[-1, -1].tolist() == [PLAIN, PLAIN, PLAIN, 0]


def test_background_is_blended_behind_the_object():
    clean = views(2)
    texture = corrupt(np.zeros_like(clean), "background", 5).astype(float)
    assert texture[..., :3].std((1, 2)).min() > 20  # in each channel of each view
    assert np.abs(texture[0] - texture[1]).mean() > 20
    images = corrupt(clean, "background", 5)
    assert (images[..., 3] == 255).all()
    alpha = clean[..., 3:] / 255
    expected = alpha * clean[..., :3] + (1 - alpha) * texture[..., :3]
    assert np.abs(images[..., :3] - expected).max() <= 1  # rounded twice
    assert ((alpha > 0) & (alpha < 1)).sum() > 20


def test_background_has_its_contrast():
    """Strengths differ by the distance from the plain grey alone."""
    empty = np.zeros((1, 32, 32, 4), np.uint8)
    full = corrupt(empty, "background", 5)[..., :3] - PLAIN
    for strength, contrast in enumerate(SCALES["background"], start=1):
        part = corrupt(empty, "background", strength)[..., :3] - PLAIN
        assert np.abs(part - contrast * full).max() <= 1


@pytest.mark.parametrize(("kind", "strength"), EVERY)
def test_a_view_depends_on_its_number_alone(kind, strength):
    clean = np.repeat(views(1), 4, axis=0)  # four times one picture
    images = corrupt(clean, kind, strength)
    assert np.array_equal(corrupt(clean[:2], kind, strength), images[:2])
    assert np.array_equal(corrupt(clean[:1], kind, strength, first=2)[0], images[2])
    as_list = corrupt(clean[0][None].copy(), kind, strength)
    assert np.array_equal(as_list[0], images[0])
    distinct = {image.tobytes() for image in (*images, *corrupt(clean[:2], kind, strength, "b"))}
    assert len(distinct) == (1 if kind == "blur" else 6)  # nothing is drawn for a blur


def test_pictures_in_a_list():
    """Without a cropping the views are a list, of any sizes."""
    clean = [views(1)[0], views(1)[0, 5:, 9:]]
    results = {"images": list(clean), "views": [0, 1], "img_paths": ["a", "b"]}
    images = CorruptViews("noise", 2)({**results, "taxonomy": "x", "id": "y"})["images"]
    assert [image.shape for image in images] == [(64, 64, 4), (59, 55, 4)]
    assert all((image != before).any() for image, before in zip(images, clean, strict=True))


def test_the_place_in_the_data_set_does_not_count(tmp_path):
    make_r2n2(tmp_path, n=4, views=3, grid=32)

    def load(classes, n_views):
        pipeline = [LoadViews(), CropViews(128), CorruptViews("noise", 3)]
        options = {"classes": classes, "n_views": n_views, "split": "test", "test_mode": True}
        data = R2N2Dataset(tmp_path, pipeline=pipeline, **options)
        samples = [data[i] for i in range(len(data))]
        return {(s["taxonomy"], s["id"]): s["images"] for s in samples}

    everything, few = load(None, 3), load(["aeroplane"], 2)
    assert len(everything) == 4 and len(few) == 2
    assert all(np.array_equal(everything[key][:2], few[key]) for key in few)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="kind 'fog', expected one of noise, occlusion"):
        CorruptViews("fog", 1)
    with pytest.raises(ConfigError, match=r"kind \['blur'\], expected one of"):
        CorruptViews(["blur"], 1)
    for strength in (0, 6, 2.0, True, "3"):
        with pytest.raises(ConfigError, match=f"strength {strength!r}, expected 1 to 5"):
            CorruptViews("blur", strength)


def test_no_room_for_a_background():
    opaque = views(2)
    opaque[1, ..., 3] = 1
    with pytest.raises(SampleError, match="^01.png: no transparent pixels, expected some"):
        corrupt(opaque, "background", 1)
