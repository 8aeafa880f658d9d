# SPDX-License-Identifier: MIT
import numpy as np
import pytest

from voxrecon.geometry.textures import OwnColours, Texture

# red, green above blue, white
PICTURE = np.array((((255, 0, 0), (0, 255, 0)), ((0, 0, 255), (255, 255, 255))), np.uint8)


def at(texture, u, v):
    return texture(np.array(((u, v, 0, 0, 0),), np.float32))[0].tolist()


@pytest.mark.parametrize(
    ("u", "v", "colour"),
    [
        (0.25, 0.75, (1, 0, 0)),  # v goes up, rows go down
        (0.75, 0.75, (0, 1, 0)),
        (0.25, 0.25, (0, 0, 1)),
        (0.75, 0.25, (1, 1, 1)),
        (0.5, 0.75, (0.5, 0.5, 0)),  # half way between two pixels
        (0.5, 0.5, (0.5, 0.5, 0.5)),
        (0, 0.75, (0.5, 0.5, 0)),  # the left border is mixed with the right one
        (0.25, 1, (0.5, 0, 0.5)),
    ],
)
def test_the_colour_at_a_place(u, v, colour):
    assert at(Texture(PICTURE), u, v) == pytest.approx(colour, abs=1e-6)


def test_it_is_repeated():
    texture = Texture(PICTURE)
    for u, v in ((1.25, 0.75), (-0.75, 0.75), (0.25, -5.25), (100.25, 12.75)):
        assert at(texture, u, v) == pytest.approx((1, 0, 0), abs=1e-4)


def test_the_tint_is_multiplied():
    assert at(Texture(PICTURE, (0.5, 0.25, 1)), 0.75, 0.25) == pytest.approx((0.5, 0.25, 1))


def test_a_single_pixel():
    assert at(Texture(np.full((1, 1, 3), 51, np.uint8)), 0.9, 0.1) == pytest.approx((0.2,) * 3)


def test_against_a_slow_loop():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (5, 7, 3), np.uint8)
    places = rng.uniform(-2, 2, (50, 5))
    for (u, v), found in zip(places[:, :2], Texture(picture)(places), strict=True):
        expected = np.zeros(3)
        x, y = u * 7 - 0.5, (1 - v) * 5 - 0.5
        for i in (np.floor(x), np.floor(x) + 1):
            for j in (np.floor(y), np.floor(y) + 1):
                share = (1 - abs(x - i)) * (1 - abs(y - j))
                expected += share * picture[int(j) % 5, int(i) % 7] / 255
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_own_colours_are_those_of_the_corners():
    values = np.arange(10, dtype=np.float32).reshape(2, 5)
    assert OwnColours()(values).tolist() == [[2, 3, 4], [7, 8, 9]]
