# SPDX-License-Identifier: MIT
import cv2
import numpy as np
import pytest
from matplotlib import colormaps

from voxrecon.geometry import view_axes
from voxrecon.visualization import draw_scores, render_voxels

VIRIDIS = np.array([colormaps["viridis"](i, bytes=True)[:3] for i in range(256)])
LOW, MIDDLE, HIGH = VIRIDIS[0], VIRIDIS[128], VIRIDIS[255]
SIZE = 96


@pytest.fixture
def texts(monkeypatch):
    """The texts that are drawn: the bar's three labels, then the captions."""
    drawn, put = [], cv2.putText
    monkeypatch.setattr(
        cv2, "putText", lambda image, text, *args: (drawn.append(text), put(image, text, *args))[1]
    )
    return drawn


def slab():
    """A volume whose voxels above 0.3 are a slab with a block on it, off the middle."""
    volume = np.full((16, 16, 16), 0.1, np.float32)
    volume[2:12, 3:5, 4:14] = 0.9
    volume[3:6, 5:8, 5:7] = 0.3
    return volume


def even(count, volume):
    return np.full((count, *volume.shape), 1 / count, np.float32)


def photos(count):
    return np.random.default_rng(count).integers(0, 255, (count, SIZE, SIZE, 3)).astype(np.uint8)


def tile(picture, row, column):
    """A tile without its caption."""
    gap, high = SIZE // 32, SIZE + SIZE // 8
    left = gap + column * (SIZE + gap)
    return picture[row * high + SIZE // 8 : (row + 1) * high, left : left + SIZE]


def where(picture, colour):
    """The pixels of a colour, to 2 of 255."""
    return (np.abs(picture.astype(int) - colour) <= 2).all(-1)


def test_each_voxel_has_its_colour():
    grid = np.ones((3, 1, 4), bool)
    color = np.random.default_rng(0).integers(0, 256, (3, 1, 4, 3))
    picture = render_voxels(grid, 0, 90, size=200, color=color)
    axes = view_axes(0, 90)
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    rim = np.stack((np.cos(angle) * 2.5, np.full(64, 0.5), np.sin(angle) * 2.5), 1) @ axes.T
    focal = 0.49 / np.abs(rim[:, :2] / (10 - rim[:, 2:])).max()
    for x, y, z in np.argwhere(grid):
        right, up, near = axes @ (np.array((x, y, z)) + (0.5, 1, 0.5) - (1.5, 0.5, 2))
        row = int((0.5 - up / (10 - near) * focal) * 200)
        column = int((0.5 + right / (10 - near) * focal) * 200)
        assert (picture[row, column] == color[x, y, z]).all()  # seen from above: lit in full


def test_equal_colours_differ_from_one_colour_in_shading_alone():
    grid = slab() >= 0.3
    one = render_voxels(grid, color=(90, 90, 90), size=SIZE)
    each = render_voxels(grid, color=np.full((16, 16, 16, 3), 90), size=SIZE)
    assert np.array_equal((one == 255).all(-1), (each == 255).all(-1))
    assert each.min() > one.min() and (each >= one).all()


def test_a_map_shows_where_a_view_counts():
    volume = slab()
    scores = np.full((2, 16, 16, 16), 0.1)
    scores[0, :, :, 9:] = scores[1, :, :, :9] = 0.9  # the first counts at its own right
    picture = draw_scores(photos(2), scores, volume, size=SIZE)
    for column, sign in ((0, -1), (1, 1)):  # which the picture has on the left
        shown = tile(picture, 1, column)
        high, low = where(shown, HIGH), where(shown, LOW)
        assert high.sum() > 100 and low.sum() > 100 and not where(shown, MIDDLE).any()
        assert sign * (high.nonzero()[1].mean() - low.nonzero()[1].mean()) > 15


def test_tiles_are_inputs_reconstruction_maps_and_bar():
    volume, views = slab(), photos(3)
    scores = even(3, volume)
    scores[:, 5, 4, 6] = 0.5, 0.3, 0.2
    picture = draw_scores(views, scores, volume, size=SIZE)
    assert picture.shape == (2 * (SIZE + SIZE // 8), 4 * SIZE + 5 * (SIZE // 32), 3)
    assert picture.dtype == np.uint8
    for column in range(3):
        assert np.array_equal(tile(picture, 0, column), views[column])
    # the frame is that of the voxels, 10 x 5 x 10, not that of the grid
    expected = render_voxels(volume[2:12, 3:8, 4:14] >= 0.3, size=SIZE)
    assert np.array_equal(tile(picture, 0, 3), expected)
    bar = tile(picture, 1, 3)
    ramp = bar[:, SIZE // 8 + 2][SIZE // 10 + 2 : -(SIZE // 10) - 2]
    luminance = ramp @ (0.2126, 0.7152, 0.0722)
    middle = len(ramp) // 2
    assert (np.diff(luminance[: middle - 2]) <= 0.5).all()  # bright at the top
    assert (np.diff(luminance[middle + 3 :]) <= 0.5).all()
    assert np.abs(ramp[middle + 3] - MIDDLE.astype(int)).max() < 20


def test_the_middle_colour_is_a_view_like_all_others(texts):
    volume = slab()
    picture = draw_scores(photos(5), even(5, volume), volume, size=SIZE)
    for column in range(5):
        shown = tile(picture, 1, column)
        assert where(shown, MIDDLE).sum() > 500
        assert not (where(shown, HIGH) | where(shown, LOW)).any()
    # 0.51 of the way: 0.51 / (4 - 3 * 0.51)
    assert texts[:3] == ["0.194", "0.200 = 1/5", "0.206"]


def test_the_bar_goes_equally_far_down_and_up(texts):
    volume = slab()
    scores = np.full((4, 16, 16, 16), 0.1)
    scores[2] = 0.7  # 7 times the mean of the others: 0.875 of the way from 0 to 1
    picture = draw_scores(photos(4), scores, volume, size=SIZE)
    assert texts[3:8] == ["input 1", "input 2", "input 3", "input 4", "reconstruction, t = 0.3"]
    assert texts[8:] == [
        *("mean score 0.100", "mean score 0.100", "mean score 0.700", "mean score 0.100"),
        "score of a view",
    ]
    # 0.125 of the way is 1/7 of the mean of the others: 1 / (1 + 3 * 7)
    assert texts[:3] == ["0.045", "0.250 = 1/4", "0.700"]
    assert where(tile(picture, 1, 2), HIGH).sum() > 500
    # 0.1 is a third of the mean of the others: 0.25 of the way, a sixth of the bar
    assert where(tile(picture, 1, 0), VIRIDIS[round(255 / 6)]).sum() > 500


def test_rare_scores_beyond_the_bar(texts):
    volume = slab()  # 218 voxels
    scores = even(2, volume)
    scores[:, 4:10, 4, 4:13] = np.array((0.6, 0.4))[:, None, None]
    scores[:, 11, 4, 13] = 1.0, 0.0
    picture = draw_scores(photos(2), scores, volume, size=SIZE)
    assert texts[:3] == ["0.400 or less", "0.500 = 1/2", "0.600 or more"]
    assert where(tile(picture, 1, 0), HIGH).any() and where(tile(picture, 1, 1), LOW).any()


def test_what_is_not_drawn_does_not_count(texts):
    volume = slab()
    scores = even(2, volume)
    scores[:, volume < 0.3] = np.array((0.99, 0.01))[:, None]
    draw_scores(photos(2), scores, volume, size=SIZE)
    assert texts[6:8] == ["mean score 0.500"] * 2
    assert texts[:3] == ["0.490", "0.500 = 1/2", "0.510"]


def test_a_single_view_has_it_all(texts):
    volume = slab()
    picture = draw_scores(photos(1), np.ones((1, 16, 16, 16)), volume, size=SIZE)
    assert texts == [
        *("0.000", "0.500", "1.000"),
        *("input 1", "reconstruction, t = 0.3", "mean score 1.000", "score of a view"),
    ]
    assert where(tile(picture, 1, 0), HIGH).sum() > 500


def test_many_views_share_the_scale_of_all(texts):
    volume = slab()
    scores = np.full((20, 16, 16, 16), 0.9 / 19)
    scores[19] = 0.1
    picture = draw_scores(photos(20), scores, volume, 0.5, SIZE)
    assert picture.shape[1] == 9 * SIZE + 10 * (SIZE // 32)
    assert texts[9:12] == ["input 7", "input 8 of 20", "reconstruction, t = 0.5"]
    assert texts[12:20] == ["mean score 0.0474"] * 8
    assert texts[1:3] == ["0.0500 = 1/20", "0.1000"]


def test_eight_views_are_all_shown(texts):
    volume = slab()
    draw_scores(photos(8), even(8, volume), volume, size=SIZE)
    assert texts[10:12] == ["input 8", "reconstruction, t = 0.3"]


def test_an_empty_shape(texts):
    volume = slab()
    picture = draw_scores(photos(2), even(2, volume), volume, 0.95, SIZE)
    assert texts[5:8] == ["reconstruction, t = 0.95", "no voxels", "no voxels"]
    assert (tile(picture, 0, 2) == 255).all() and (tile(picture, 1, 0) == 255).all()


def test_half_precision():
    volume = slab()
    scores = np.random.default_rng(0).dirichlet((1, 1, 1), volume.shape).transpose(3, 0, 1, 2)
    whole = draw_scores(photos(3), scores.astype(np.float32), volume, size=SIZE)
    half = draw_scores(photos(3), scores.astype(np.float16), volume.astype(np.float16), size=SIZE)
    # 0.3 is 0.30005 in half precision; a colour may be the next
    assert np.abs(whole.astype(int) - half).mean() < 0.5


def test_shapes_and_scores_that_do_not_fit():
    volume = slab()
    with pytest.raises(
        ValueError, match=r"^scores of shape \(2, 16, 16, 16\), expected \(3, 16, 16, 16\)"
    ):
        draw_scores(photos(3), even(2, volume), volume)
    with pytest.raises(ValueError, match=r"expected \(2, 16, 16, 8\)"):
        draw_scores(photos(2), even(2, volume), volume[..., :8])
    with pytest.raises(ValueError, match="expected .* of at least one view"):
        draw_scores(photos(0), even(1, volume)[:0], volume)
    for wrong in (-0.5, 1.5, np.nan):
        scores = even(2, volume)
        scores[0, 3, 3, 3] = wrong
        with pytest.raises(ValueError, match="^scores from .*, expected 0 to 1$"):
            draw_scores(photos(2), scores, volume)
