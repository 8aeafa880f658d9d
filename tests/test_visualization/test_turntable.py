# SPDX-License-Identifier: MIT
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from voxrecon.errors import FileError
from voxrecon.geometry import read_binvox
from voxrecon.visualization import render_voxels, turntable, write_gif

DATA = os.environ.get("VOXRECON_TEST_DATA")


def corner():
    """Three arms of different lengths: no mirror symmetry, another outline from every side."""
    grid = np.zeros((12, 12, 12), bool)
    grid[1:11, 1:3, 1:3] = grid[1:3, 1:8, 1:3] = grid[1:3, 1:3, 1:6] = True
    return grid


def read_gif(path):
    """Frames (F, H, W, 3), their durations in milliseconds, and how often they repeat."""
    with Image.open(path) as image:
        frames, durations = [], []
        for i in range(image.n_frames):
            image.seek(i)
            frames.append(np.asarray(image.convert("RGB")))
            durations.append(image.info["duration"])
        return np.stack(frames), durations, image.info["loop"]


def palettes(data):
    """Colours of the global palette of a GIF, and how many frames have a palette of their own."""
    size = 2 << (data[10] & 7)
    at, own = 13 + 3 * size, 0
    while data[at] != 0x3B:
        if data[at] == 0x21:  # extension: label, sub-blocks
            at += 2
        else:
            assert data[at] == 0x2C  # image: place and size, flags, bits, sub-blocks
            flags = data[at + 9]
            own += flags >> 7
            at += 11 + (3 * (2 << (flags & 7)) if flags >> 7 else 0)
        while data[at]:
            at += data[at] + 1
        at += 1
    return size, own


def test_frames_go_once_around_to_larger_azimuths():
    grid = corner()
    frames = turntable(grid, frames=8, elevation=10, size=64)
    assert frames.shape == (8, 64, 64, 3) and frames.dtype == np.uint8
    for frame, azimuth in zip(frames, (30, 75, 120, 165, 210, 255, 300, 345), strict=True):
        assert np.array_equal(frame, render_voxels(grid, azimuth, 10, 64))
    assert len({frame.tobytes() for frame in frames}) == 8


def test_the_defaults_and_the_threshold():
    probability = np.where(corner(), 0.6, 0.2)
    frames = turntable(probability)
    assert frames.shape == (36, 256, 256, 3)
    assert np.array_equal(frames[9], render_voxels(corner(), 120, 25, 256))
    assert (turntable(probability, 2, size=32, threshold=0.7) == 255).all()
    everything = render_voxels(np.ones((12, 12, 12), bool), 30, 25, 32)
    assert np.array_equal(turntable(probability, 1, size=32, threshold=0.2)[0], everything)


def test_no_frames_and_no_grid():
    with pytest.raises(ValueError, match="^0 frames, expected at least 1$"):
        turntable(corner(), 0)
    with pytest.raises(ValueError, match=r"\(4, 4\), expected \(X, Y, Z\)"):
        turntable(np.ones((4, 4)))


def test_a_gif_holds_the_frames(tmp_path):
    frames = turntable(corner(), size=96)
    write_gif(tmp_path / "turn.gif", frames)
    read, durations, loop = read_gif(tmp_path / "turn.gif")
    assert loop == 0  # for ever
    assert len(read) == 36 and sum(durations) == 3000 and set(durations) == {80, 90}
    assert np.abs(read.astype(int) - frames).max() <= 40  # mixtures at outlines
    assert np.abs(read.astype(int) - frames).mean() < 0.5
    assert (read[(frames == 255).all(-1)] == 255).all()


def test_all_frames_share_one_small_palette(tmp_path):
    write_gif(tmp_path / "turn.gif", turntable(corner(), 6, size=48))
    assert palettes((tmp_path / "turn.gif").read_bytes()) == (32, 0)


def test_few_colours_are_exact(tmp_path):
    frames = np.random.default_rng(0).integers(0, 2, (5, 9, 17, 1)) * (250, 30, 101)
    frames = frames.astype(np.uint8)
    write_gif(tmp_path / "two.gif", frames, seconds=0.33)
    read, durations, _ = read_gif(tmp_path / "two.gif")
    assert np.array_equal(read, frames)
    assert sum(durations) == 330


def test_the_same_frames_give_the_same_bytes(tmp_path):
    frames = turntable(corner(), 6, size=48)
    write_gif(tmp_path / "a.gif", frames)
    write_gif(tmp_path / "b.gif", frames.copy())
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


@pytest.mark.parametrize("count", [1, 4])
def test_a_shape_that_looks_the_same_from_everywhere(count, tmp_path):
    write_gif(tmp_path / "empty.gif", turntable(np.zeros((4, 4, 4)), count, size=24))
    with Image.open(tmp_path / "empty.gif") as image:
        assert (np.asarray(image.convert("RGB")) == 255).all()


def test_what_cannot_be_written(tmp_path):
    frames = turntable(corner(), 2, size=24)
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError) as refused:
        write_gif(tmp_path / "file" / "turn.gif", frames)
    assert str(refused.value) == f"{tmp_path}/file/turn.gif: cannot be written: Not a directory"
    (tmp_path / "folder.gif").mkdir()
    with pytest.raises(FileError, match=r"folder\.gif: cannot be written: Is a directory$"):
        write_gif(tmp_path / "folder.gif", frames)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.gif"]


def test_frames_of_a_wrong_shape_or_too_fast(tmp_path):
    with pytest.raises(ValueError, match=r"shape \(8, 8, 3\), expected \(F, H, W, 3\)"):
        write_gif(tmp_path / "no.gif", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match=r"shape \(0, 8, 8, 3\)"):
        write_gif(tmp_path / "no.gif", np.zeros((0, 8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match=r"^36 frames in 0\.5 s, expected at least 0\.72 s$"):
        write_gif(tmp_path / "no.gif", np.zeros((36, 8, 8, 3), np.uint8), seconds=0.5)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not DATA, reason="needs VOXRECON_TEST_DATA")
def test_a_real_chair_is_small(tmp_path):
    chairs = Path(DATA, "r2n2_chairs/ShapeNetVox32/03001627").glob("*/model.binvox")
    write_gif(tmp_path / "turn.gif", turntable(read_binvox(min(chairs)).grid))
    assert (tmp_path / "turn.gif").stat().st_size < 300_000
