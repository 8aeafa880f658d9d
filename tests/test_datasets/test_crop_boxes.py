# SPDX-License-Identifier: MIT
import cv2
import numpy as np
import pytest

from voxrecon.datasets import CropBoxes
from voxrecon.datasets.transforms.crop_boxes import crop
from voxrecon.errors import ConfigError, SampleError

IMAGE = np.random.default_rng(0).integers(0, 256, (30, 40, 4), np.uint8)


def reference(image, left, right, top, bottom, size):
    """Published: pad the edge, cut both ends included, resize."""
    pad = 100
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="edge").astype(np.float32)
    part = padded[top + pad : bottom + pad + 1, left + pad : right + pad + 1]
    return cv2.resize(part, (size, size))


def transform(images, boxes, **kwargs):
    rng = np.random.default_rng(3)
    results = {"images": images, "boxes": boxes, "img_paths": ["a", "b"][: len(images)], "rng": rng}
    return CropBoxes(**kwargs)(results)["images"]


@pytest.mark.parametrize(
    ("box", "ends"),
    [
        ((10, 5, 30, 25), (10, 30, 5, 25)),
        ((10, 5, 30, 13), (10, 30, -1, 19)),  # 20 wide: a square about (20, 9)
        ((12, 2, 15, 29), (0, 27, 2, 29)),
        ((-10, 5, 20, 45), (-15, 25, 5, 45)),  # beyond the border
        ((5.2, 5.7, 30.9, 20.1), (5, 30, 0, 25)),
    ],
)
def test_a_square_of_the_larger_side_with_its_edge_repeated(box, ends):
    for size in (8, 21, 64):
        crops = transform([IMAGE], [box], size=size)
        assert crops.shape == (1, size, size, 4) and crops.dtype == np.uint8
        # cv2 rounds the places of its samples
        assert np.abs(crops[0] - reference(IMAGE, *ends, size)).max() < 0.51 + 255 / 2048


def test_no_resizing_copies_pixels():
    crops = transform([IMAGE], [(10, 5, 30, 25)], size=21)
    assert (crops[0] == IMAGE[5:26, 10:31]).all()


def test_every_view_has_its_own_box():
    """The public code would cut the second view by a box scaled twice."""
    boxes = [(10, 5, 30, 25), (0, 0, 9, 9)]
    both = transform([IMAGE, IMAGE[:, ::-1]], boxes, size=16)
    assert (both[0] == transform([IMAGE], boxes[:1], size=16)[0]).all()
    assert (both[1] == transform([IMAGE[:, ::-1]], boxes[1:], size=16)[0]).all()
    with pytest.raises(ValueError, match="zip"):
        transform([IMAGE, IMAGE], boxes[:1])


def test_jitter_follows_from_the_generator():
    boxes = [(10, 5, 30, 25), (4, 4, 10, 28)]
    crops = transform([IMAGE, IMAGE], boxes, size=32, jitter=True)
    rng = np.random.default_rng(3)
    for image, (x0, y0, x1, y1) in zip(crops, boxes, strict=True):
        side = max(x1 - x0, y1 - y0) * rng.uniform(0.8, 1.2)
        left, right, top, bottom = rng.uniform(0.4, 0.6, 4) * side
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        ends = int(x - left), int(x + right), int(y - top), int(y + bottom)
        assert (image == crop(IMAGE, *ends, 32)).all()
    again = transform([IMAGE, IMAGE], boxes, size=32, jitter=True)
    assert (crops == again).all() and (crops != transform([IMAGE, IMAGE], boxes, size=32)).any()


def test_a_huge_box_costs_no_memory():
    crops = transform([IMAGE], [(-1e6, -1e6, 1e6, 1e6)], size=16)
    assert (crops[0, 0, 0] == IMAGE[0, 0]).all() and (crops[0, -1, -1] == IMAGE[-1, -1]).all()


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((5, 5, 5, 9), r"^a: box \(5, 5, 5, 9\), expected x0 < x1 and y0 < y1$"),
        ((9, 5, 5, 9), "expected x0 < x1"),
        ((40, 5, 50, 9), r"^a: box \(40, 5, 50, 9\), outside the 40 x 30 pixels$"),
        ((5, -9, 9, 0), "outside the 40 x 30 pixels"),
    ],
)
def test_boxes_without_content(box, message):
    with pytest.raises(SampleError, match=message):
        transform([IMAGE], [box])


def test_no_boxes_and_no_size():
    with pytest.raises(SampleError, match="^a: no box, expected one a view"):
        CropBoxes()({"images": [IMAGE], "img_paths": ["a"]})
    with pytest.raises(ConfigError, match="CropBoxes size 0, expected an integer from 1"):
        CropBoxes(size=0)
