# SPDX-License-Identifier: MIT
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from voxrecon.geometry import read_binvox, view_axes
from voxrecon.visualization import draw_reconstruction, render_voxels

DATA = os.environ.get("VOXRECON_TEST_DATA")


def mask(picture, background=(255, 255, 255)):
    return (picture != background).any(-1)


def middle(picture):
    """Centre of what is drawn, right and up of the picture's middle, in widths of the picture."""
    rows, columns = np.nonzero(mask(picture))
    h, w = picture.shape[:2]
    return (columns.mean() + 0.5) / w - 0.5, 0.5 - (rows.mean() + 0.5) / h


def block(x, y, z, side=16, size=4):
    grid = np.zeros((side,) * 3, bool)
    grid[x : x + size, y : y + size, z : z + size] = True
    return grid


# a block at the end of one axis, and where it is in the picture from the front, right, back, left
PLACES = {
    "its right": (block(6, 6, 12), [(-1, 0), (0, 0), (1, 0), (0, 0)]),
    "its left": (block(6, 6, 0), [(1, 0), (0, 0), (-1, 0), (0, 0)]),
    "front": (block(12, 6, 6), [(0, 0), (1, 0), (0, 0), (-1, 0)]),
    "back": (block(0, 6, 6), [(0, 0), (-1, 0), (0, 0), (1, 0)]),
    "top": (block(6, 12, 6), [(0, 1)] * 4),
    "bottom": (block(6, 0, 6), [(0, -1)] * 4),
}


@pytest.mark.parametrize("place", PLACES)
def test_front_right_back_left(place):
    grid, expected = PLACES[place]
    for azimuth, (right, up) in zip((0, 90, 180, 270), expected, strict=True):
        found = middle(render_voxels(grid, azimuth, elevation=0, size=128))
        for value, sign in zip(found, (right, up), strict=True):
            assert (abs(value) < 0.01) if sign == 0 else (value * sign > 0.15), azimuth


def test_from_above_and_below():
    ahead, own_right = block(12, 6, 6), block(6, 6, 12)
    assert middle(render_voxels(ahead, 0, 90))[1] < -0.15  # the front is at the bottom
    assert middle(render_voxels(own_right, 0, 90))[0] < -0.15
    assert middle(render_voxels(ahead, 0, -90))[1] > 0.15


@pytest.mark.parametrize("azimuth, elevation", [(30, 25), (110, 40), (215, -20), (300, 10)])
def test_a_block_is_where_the_axes_of_the_camera_say(azimuth, elevation):
    for corner in ((12, 0, 3), (1, 11, 12), (0, 5, 0)):
        grid = block(*corner)
        offset = np.array(corner) + 2 - 8  # of the block's centre from the grid's
        right, up, _ = view_axes(azimuth, elevation) @ offset
        found = np.array(middle(render_voxels(grid, azimuth, elevation)))
        cosine = found @ (right, up) / np.linalg.norm(found) / np.hypot(right, up)
        assert cosine > 0.99


def test_a_mirrored_object_gives_the_mirrored_picture_at_the_negative_azimuth():
    rng = np.random.default_rng(1)
    grid = rng.random((12, 12, 12)) < 0.15
    picture = render_voxels(grid, 35, 20, size=128).astype(int)
    twin = render_voxels(grid[:, :, ::-1], -35, 20, size=128)[:, ::-1]
    assert np.abs(picture - twin).mean() < 4
    assert np.abs(picture - picture[:, ::-1]).mean() > 20


def face_tone(grid, azimuth, elevation, at):
    """The commonest shade in the 9 x 9 pixels around a place right and up of the middle."""
    picture = render_voxels(grid, azimuth, elevation, color=(100, 100, 100))
    row, column = int((0.5 - at[1]) * 256), int((0.5 + at[0]) * 256)
    patch = picture[row - 4 : row + 5, column - 4 : column + 5, 0]
    return int(np.bincount(patch.ravel()).argmax())


def test_each_direction_has_its_shade():
    cube = np.ones((2, 2, 2), bool)
    top = face_tone(cube, 45, 30, (0.05, 0.2))
    own_right = face_tone(cube, 45, 30, (-0.15, -0.15))  # the side towards +z is left of +x
    front = face_tone(cube, 45, 30, (0.15, -0.15))
    below = face_tone(cube, 45, -30, (0.05, -0.2))
    assert top == 100 and top > front > own_right > below > 20


def test_near_blocks_hide_far_ones():
    grid = block(0, 0, 0, side=16, size=16)
    grid[15] = False
    grid[15, 5:11, 5:11] = True  # a plate in front of the wall: only shades of +x are seen
    for azimuth in (0, 20, 340):
        picture = render_voxels(grid, azimuth, 0, color=(100, 100, 100))
        patch = picture[118:138, 118:138, 0]
        assert np.bincount(patch.ravel()).argmax() == 79

    # a low wall before a high slab, each seen whole or hidden by the order of drawing alone
    wall = np.zeros((16, 16, 16), bool)
    wall[14, :, :] = True
    behind = wall.copy()
    behind[2:8, 4:12, 4:12] = True
    assert np.array_equal(render_voxels(wall, 0, 0), render_voxels(behind, 0, 0))


@pytest.mark.parametrize("azimuth, elevation", [(0, 25), (30, 25), (200, -35), (75, 80)])
def test_visible_faces_match_rays(azimuth, elevation):
    """An independent slow picture: march along the ray of a pixel until it enters a set cell."""
    grid = np.random.default_rng(2).random((6, 6, 6)) < 0.3
    size = 48
    drawn = mask(render_voxels(grid, azimuth, elevation, size=size))
    axes = view_axes(azimuth, elevation)
    camera = axes[2] * 2.5 * 6
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    rim = np.stack((np.cos(angle) * 18**0.5, np.full(64, 3.0), np.sin(angle) * 18**0.5), 1)
    seen = np.concatenate((rim, rim * (1, -1, 1))) @ axes.T
    focal = 0.49 / np.abs(seen[:, :2] / (15 - seen[:, 2:])).max()
    u, v = np.meshgrid((np.arange(size) + 0.5) / size - 0.5, 0.5 - (np.arange(size) + 0.5) / size)
    rays = np.stack((u / focal, v / focal, -np.ones_like(u)), -1) @ axes  # (H, W, 3)
    hit = np.zeros((size, size), bool)
    for depth in np.arange(9, 21, 0.02):
        cell = np.floor(camera + rays * depth + 3).astype(int)
        inside = ((cell >= 0) & (cell < 6)).all(-1)
        hit |= inside & grid[tuple(np.clip(cell, 0, 5).reshape(-1, 3).T)].reshape(size, size)
    kernel = np.ones((3, 3), np.uint8)
    assert not (hit & ~drawn).any()
    assert not (drawn & ~cv2.dilate(hit.astype(np.uint8), kernel).astype(bool)).any()


@pytest.mark.parametrize("shape", [(32, 32, 32), (8, 20, 5), (128, 128, 128)])
@pytest.mark.parametrize("elevation", [0, 25, 90])
def test_the_grid_stays_in_the_frame_and_fills_it(shape, elevation):
    covered = []
    for azimuth in (0, 45, 100, 300):
        drawn = mask(render_voxels(np.ones(shape, bool), azimuth, elevation))
        assert not (drawn[0].any() or drawn[-1].any() or drawn[:, 0].any() or drawn[:, -1].any())
        covered += [np.ptp(side.nonzero()[0]) + 1 for side in (drawn.any(0), drawn.any(1))]
    assert max(covered) >= 210


@pytest.mark.parametrize("size", [1, 31, 256])
def test_an_empty_grid_is_background(size):
    picture = render_voxels(np.zeros((32, 32, 32), bool), size=size, background=(9, 8, 7))
    assert picture.shape == (size, size, 3) and picture.dtype == np.uint8
    assert (picture == (9, 8, 7)).all()


def test_threshold_is_inclusive():
    grid = np.zeros((8, 8, 8), np.float32)
    grid[2, 2, 2], grid[5, 5, 5] = 0.5, 0.25
    one, two = grid == 0.5, grid > 0
    assert np.array_equal(render_voxels(grid, threshold=0.5), render_voxels(one))
    assert np.array_equal(render_voxels(grid, threshold=0.25), render_voxels(two))
    assert np.array_equal(render_voxels(two.astype(np.uint8)), render_voxels(two))
    assert not mask(render_voxels(grid, threshold=0.51)).any()


def test_colour_and_background():
    picture = render_voxels(np.ones((4, 4, 4), bool), 0, 90, color=(200, 100, 50))
    colours = {tuple(c) for c in picture.reshape(-1, 3).tolist()}
    assert (200, 100, 50) in colours and (255, 255, 255) in colours


def test_edges_show_the_cells_and_fade_on_fine_grids():
    coarse = render_voxels(np.ones((8, 8, 8), bool), 0, 0)[100:156, 100:156, 0]
    fine = render_voxels(np.ones((128, 128, 128), bool), 0, 0)[100:156, 100:156, 0]
    assert len(np.unique(coarse)) > 1 and len(np.unique(fine)) == 1


def test_no_grid():
    with pytest.raises(ValueError, match=r"\(4, 4\), expected \(X, Y, Z\)"):
        render_voxels(np.ones((4, 4), bool))
    with pytest.raises(ValueError, match=r"\(0, 4, 4\)"):
        render_voxels(np.ones((0, 4, 4), bool))


def tiles(row, size):
    """The tiles of a drawn row without captions, and the captions."""
    gap = max(size // 32, 1)
    count, rest = divmod(row.shape[1] - gap, size + gap)
    assert rest == 0 and row.shape[0] == size + size // 8 and row.dtype == np.uint8
    columns = [gap + i * (size + gap) for i in range(count)]
    return (
        [row[size // 8 :, c : c + size] for c in columns],
        [row[: size // 8, c : c + size] for c in columns],
    )


def test_a_row_has_inputs_prediction_and_truth():
    images = np.zeros((2, 30, 60, 3), np.uint8)
    images[0], images[1] = (250, 10, 20), (10, 250, 20)
    truth = block(2, 2, 2)
    prediction = np.where(truth, 0.6, 0.1)
    prediction[2:4] = 0.0  # half of it is missed
    pictures, captions = tiles(draw_reconstruction(images, prediction, truth, size=96), 96)
    assert len(pictures) == 4
    assert (pictures[0][48, 48] == (250, 10, 20)).all()
    assert (pictures[1][48, 48] == (10, 250, 20)).all()
    assert mask(pictures[0]).sum() == 96 * 48  # twice as wide as high, on white
    assert np.array_equal(pictures[2], render_voxels(prediction >= 0.3, size=96))
    assert np.array_equal(pictures[3], render_voxels(truth, size=96))
    assert all(mask(caption).any() for caption in captions)


def test_the_truth_is_optional_and_adds_the_iou():
    images, truth = np.zeros((1, 8, 8, 3), np.uint8), block(2, 2, 2)
    without, plain = tiles(draw_reconstruction(images, truth), 224)
    exact, with_iou = tiles(draw_reconstruction(images, truth, truth), 224)
    _, worse = tiles(draw_reconstruction(images, truth, block(2, 2, 4)), 224)
    assert len(without) == 2 and len(exact) == 3
    width = [np.ptp(mask(c[1]).any(0).nonzero()[0]) for c in (plain, with_iou)]
    assert width[1] > width[0] + 20
    assert not np.array_equal(with_iou[1], worse[1])


def test_many_inputs_none_and_a_threshold():
    prediction = np.where(block(2, 2, 2), 0.6, 0.0)
    many, _ = tiles(draw_reconstruction(np.zeros((24, 8, 8, 3), np.uint8), prediction), 224)
    assert len(many) == 6
    alone, _ = tiles(
        draw_reconstruction(np.zeros((0, 8, 8, 3), np.uint8), prediction, threshold=0.7), 224
    )
    assert len(alone) == 1 and not mask(alone[0]).any()


def fitted(drawn):
    """A mask's bounding box enlarged into a square of 128 pixels: what is left is the outline."""
    rows, columns = np.nonzero(drawn)
    box = drawn[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].astype(np.uint8)
    factor = 128 / max(box.shape)
    box = cv2.resize(box, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)[:128, :128]
    square = np.zeros((128, 128), bool)
    top, left = (128 - box.shape[0]) // 2, (128 - box.shape[1]) // 2
    square[top : top + box.shape[0], left : left + box.shape[1]] = box
    return square


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.mark.skipif(not DATA, reason="needs VOXRECON_TEST_DATA")
def test_real_chairs_look_like_their_renderings():
    root = Path(DATA, "r2n2_chairs")
    scores = []
    for folder in sorted((root / "ShapeNetRendering/03001627").glob("*/rendering")):
        grid = read_binvox(
            root / "ShapeNetVox32/03001627" / folder.parent.name / "model.binvox"
        ).grid
        rows = np.loadtxt(folder / "rendering_metadata.txt")
        for view in (0, 4, 8, 12, 16, 20):
            alpha = cv2.imread(str(folder / f"{view:02d}.png"), cv2.IMREAD_UNCHANGED)[..., 3] > 127
            azimuth, elevation = rows[view, :2]

            drawn = mask(render_voxels(grid, azimuth, elevation))
            other_way = mask(render_voxels(grid, -azimuth, elevation))
            behind = mask(render_voxels(grid, azimuth + 180, elevation))
            candidates = (drawn, drawn[:, ::-1], other_way, behind)
            scores.append([iou(fitted(c), fitted(alpha)) for c in candidates])
    right, mirrored, other_way, behind = np.mean(scores, axis=0)
    assert right > 0.8
    assert right > max(mirrored, other_way, behind) + 0.2
