# SPDX-License-Identifier: MIT
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from voxrecon.errors import FileError
from voxrecon.geometry import read_binvox, view_axes, write_binvox

DATA = os.environ.get("VOXRECON_TEST_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="needs VOXRECON_TEST_DATA")
CHAIRS = {"1a38": 3780, "1a6f": 2163, "1a74": 1523, "1a8b": 3166, "1aa0": 3115, "1ab4": 11900}


def binvox(runs, dim="2 2 2", version=1, extra="translate 1 2 3\nscale 4\n"):
    header = f"#binvox {version}\ndim {dim}\n{extra}data\n"
    return header.encode() + bytes(b for run in runs for b in run)


def decode_slowly(data: bytes) -> dict:
    """Straight from the format's text: {(x, y, z)} of the set cells of a cubic file."""
    header, body = data.split(b"\ndata\n", 1)
    side = int(header.split(b"dim ")[1].split()[0])
    values = [body[i] for i in range(0, len(body), 2) for _ in range(body[i + 1])]
    assert len(values) == side**3
    return {
        (i // side**2, i % side, i // side % side) for i, value in enumerate(values) if value > 0
    }


def refusal(data, **kwargs) -> str:
    with pytest.raises(FileError) as error:
        read_binvox(data, name="chair.binvox", **kwargs)
    message = str(error.value)
    assert message.startswith("chair.binvox: ") and "\n" not in message
    return message


def test_y_runs_fastest_then_z_then_x():
    # cells in file order: (0,0,0) (0,1,0) (0,0,1) (0,1,1) (1,0,0) (1,1,0) (1,0,1) (1,1,1)
    voxels = read_binvox(binvox([(0, 1), (1, 1), (0, 4), (1, 1), (0, 1)]))
    assert np.argwhere(voxels.grid).tolist() == [[0, 1, 0], [1, 0, 1]]
    assert voxels.grid.dtype == bool and voxels.grid.flags.c_contiguous
    assert voxels.translate == (1.0, 2.0, 3.0) and voxels.scale == 4.0


def test_dim_holds_the_extents_along_x_z_y():
    voxels = read_binvox(binvox([(0, 23), (1, 1)], dim="2 3 4"))
    assert voxels.grid.shape == (2, 4, 3)
    assert np.argwhere(voxels.grid).tolist() == [[1, 3, 2]]


def test_translate_and_scale_may_be_missing():
    voxels = read_binvox(binvox([(1, 8)], extra=""))
    assert voxels.translate == (0.0, 0.0, 0.0) and voxels.scale == 1.0


def test_version_2_any_value_is_set():
    grid = read_binvox(binvox([(0, 2), (1, 2), (7, 2), (255, 2)], version=2)).grid
    assert grid.sum() == 6 and not grid[0, :, 0].any()


def test_runs_of_no_length_and_unknown_header_lines_are_skipped():
    data = binvox([(1, 0), (0, 7), (1, 0), (1, 1)], extra="made_by hand\n")
    assert np.argwhere(read_binvox(data).grid).tolist() == [[1, 1, 1]]


def test_carriage_returns_in_the_header():
    data = b"#binvox 1\r\ndim 2 2 2\r\nscale 3\r\ndata\r\n\x00\x07\x01\x01"
    voxels = read_binvox(data)
    assert np.argwhere(voxels.grid).tolist() == [[1, 1, 1]] and voxels.scale == 3.0


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_every_kind(kind):
    assert read_binvox(kind(binvox([(1, 3), (0, 5)]))).grid.sum() == 3


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4), (32, 32, 32), (7, 1, 300)])
@pytest.mark.parametrize("density", [0.0, 0.02, 0.5, 1.0])
def test_round_trip(tmp_path, shape, density):
    grid = np.random.default_rng(3).random(shape) < density
    path = tmp_path / "a.binvox"
    write_binvox(path, grid, translate=(0.1, -2e-9, 1 / 3), scale=0.73479)
    voxels = read_binvox(path)
    assert np.array_equal(voxels.grid, grid)
    assert voxels.translate == (0.1, -2e-9, 1 / 3) and voxels.scale == 0.73479
    assert os.listdir(tmp_path) == ["a.binvox"]


def test_written_bytes(tmp_path):
    grid = np.zeros((8, 8, 8), np.uint8)
    grid[7, 7, 7] = 1
    write_binvox(tmp_path / "a.binvox", grid)
    expected = b"#binvox 1\ndim 8 8 8\ntranslate 0.0 0.0 0.0\nscale 1.0\ndata\n"
    runs = bytes([0, 255, 0, 255, 0, 1, 1, 1])  # 511 = 255 + 255 + 1
    assert (tmp_path / "a.binvox").read_bytes() == expected + runs


def test_written_files_follow_the_text_of_the_format(tmp_path):
    grid = np.random.default_rng(5).random((9, 9, 9)) < 0.3
    write_binvox(tmp_path / "a.binvox", grid)
    cells = decode_slowly((tmp_path / "a.binvox").read_bytes())
    assert cells == {tuple(cell) for cell in np.argwhere(grid).tolist()}


def test_write_refuses_what_is_no_occupancy(tmp_path):
    path = tmp_path / "a.binvox"
    with pytest.raises(TypeError, match="float64.*threshold"):
        write_binvox(path, np.full((2, 2, 2), 0.4))
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        write_binvox(path, np.ones((2, 2), bool))
    with pytest.raises(ValueError, match=r"\(2, 0, 2\)"):
        write_binvox(path, np.ones((2, 0, 2), bool))
    with pytest.raises(ValueError, match="nan"):
        write_binvox(path, np.ones((2, 2, 2), bool), scale=float("nan"))
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.binvox"
    write_binvox(path, np.ones((2, 2, 2), bool))
    before = path.read_bytes()

    def no_replace(source, target):
        assert Path(source).exists()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_replace)
    with pytest.raises(FileError, match="a.binvox: cannot be written: No space left"):
        write_binvox(path, np.zeros((2, 2, 2), bool))
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.binvox"]


def test_write_below_a_missing_folder_or_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    for parent in ("missing", "file"):
        with pytest.raises(FileError, match=f"{parent}.a.binvox: cannot be written"):
            write_binvox(tmp_path / parent / "a.binvox", np.ones((2, 2, 2), bool))


@pytest.mark.parametrize("path", ["missing.binvox", ".", "nul\0.binvox"])
def test_files_that_cannot_be_read(tmp_path, path):
    with pytest.raises(FileError, match="cannot be read: "):
        read_binvox(tmp_path / path)


def test_a_file_too_large_for_any_grid_is_not_read(tmp_path):
    path = tmp_path / "a.binvox"
    path.write_bytes(binvox([(1, 8)]) + bytes(2000))
    with pytest.raises(FileError, match=r"a.binvox: \d+ bytes, expected at most 1040"):
        read_binvox(path, max_dim=2)


@pytest.mark.parametrize(
    "data, expected",
    [
        (b"", "'', expected '#binvox 1'"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (binvox([(1, 8)], version=3), "'#binvox 3', expected '#binvox 1' or '#binvox 2'"),
        (b"#binvox 1\ndim 2 2 2\n", "no line 'data' in the first 20 bytes"),
        (binvox([(1, 8)], extra="x" * 2000 + "\n"), "no line 'data' in the first 1024 bytes"),
        (b"#binvox 1\ndata\n\x01\x08", "no line 'dim'"),
        (binvox([(1, 8)], dim="2 2"), "'dim 2 2' in the header, expected"),
        (binvox([(1, 8)], dim="2 2 2 2"), "'dim 2 2 2 2'"),
        (binvox([(1, 8)], dim="-2 -2 2"), "'dim -2 -2 2'"),
        (binvox([(1, 8)], dim="2.0 2 2"), "'dim 2.0 2 2'"),
        (binvox([], dim="0 2 2"), "'dim 0 2 2' in the header, expected"),
        (binvox([(1, 8)], dim="99999999999999999999 2 2"), "three integers from 1 to 512"),
        (binvox([(1, 8)], extra="dim 2 2 2\n"), "second line 'dim 2 2 2'"),
        (binvox([(1, 8)], extra="translate 1 2\n"), "'translate 1 2'"),
        (binvox([(1, 8)], extra="translate 1 2 nan\n"), "'translate 1 2 nan'"),
        (binvox([(1, 8)], extra="scale inf\n"), "'scale inf'"),
        (binvox([(1, 8)], extra="scale 0\n"), "'scale 0'"),
        (binvox([(1, 8)], extra="scale big\n"), "'scale big'"),
        (binvox([]), "runs hold 0 voxels, expected 2 x 2 x 2 = 8"),
        (binvox([(1, 7)]), "runs hold 7 voxels, expected 2 x 2 x 2 = 8"),
        (binvox([(1, 8), (0, 1)]), "runs hold 9 voxels, expected 2 x 2 x 2 = 8"),
        (binvox([(1, 8)]) + b"\0", "3 bytes of runs, expected an even number"),
        (binvox([(1, 8)])[:-1], "1 bytes of runs, expected an even number"),
        (binvox([(1, 8)] + [(0, 0)] * 8), "18 bytes of runs, expected at most 16"),
    ],
)
def test_bad_files(data, expected):
    assert expected in refusal(data)


def test_max_dim():
    data = binvox([(1, 27)], dim="3 3 3")
    assert read_binvox(data, max_dim=3).grid.all()
    assert "expected 'dim' and three integers from 1 to 2" in refusal(data, max_dim=2)


def test_a_large_claim_allocates_nothing():
    data = binvox([(1, 255)], dim="512 512 512")
    tracemalloc.start()
    message = refusal(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "255 voxels, expected 512 x 512 x 512 = 134217728" in message and peak < 1_000_000


def test_mutated_files_are_refused_or_whole(tmp_path):
    rng = np.random.default_rng(0)
    grid = rng.random((6, 6, 6)) < 0.2
    write_binvox(tmp_path / "a.binvox", grid, translate=(0.5, 0.25, -1))
    original = (tmp_path / "a.binvox").read_bytes()
    refused = 0
    for _ in range(500):
        data = bytearray(original)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(data)))
            match rng.integers(4):
                case 0:
                    data[at] = int(rng.integers(256))
                case 1:
                    del data[at:]
                case 2:
                    del data[at : at + int(rng.integers(1, 9))]
                case 3:
                    data[at:at] = rng.bytes(int(rng.integers(1, 9)))
            data = data or bytearray(b"#")
        try:
            voxels = read_binvox(bytes(data), max_dim=64)
        except FileError as error:
            assert str(error).startswith("<bytes>: ") and "\n" not in str(error)
            refused += 1
        else:
            assert voxels.grid.dtype == bool and voxels.grid.ndim == 3
            assert all(1 <= d <= 64 for d in voxels.grid.shape)
            assert np.isfinite([*voxels.translate, voxels.scale]).all()
    assert 300 < refused < 500


@needs_data
def test_real_chairs():
    found = {}
    for path in Path(DATA, "r2n2_chairs/ShapeNetVox32/03001627").glob("*/model.binvox"):
        grid = read_binvox(path).grid
        found[path.parent.name[:4]] = int(grid.sum())
        assert {tuple(cell) for cell in np.argwhere(grid).tolist()} == decode_slowly(
            path.read_bytes()
        )
    assert found == CHAIRS


@needs_data
def test_real_chairs_stand_on_legs_and_face_plus_x():
    (path,) = Path(DATA, "r2n2_chairs/ShapeNetVox32/03001627").glob("1a8b*/model.binvox")
    cells = np.argwhere(read_binvox(path).grid)  # (N, 3)
    low, high = np.percentile(cells[:, 1], (10, 90))
    legs, back = cells[cells[:, 1] <= low], cells[cells[:, 1] >= high]
    assert np.ptp(legs[:, 0]) > np.ptp(back[:, 0])  # legs in front and behind, the back-rest behind
    assert back[:, 0].max() < cells[:, 0].mean()


@needs_data
def test_a_real_truncated_file():
    with pytest.raises(FileError) as error:
        read_binvox(Path(DATA, "bad/truncated_150.binvox"))
    assert str(error.value).endswith(
        "truncated_150.binvox: the runs hold 3374999 voxels, expected 150 x 150 x 150 = 3375000"
    )


@pytest.mark.parametrize("azimuth, elevation", [(0, 0), (30, 25), (123, -40), (359, 90)])
def test_view_axes_are_right_handed_and_orthonormal(azimuth, elevation):
    axes = view_axes(azimuth, elevation)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.cross(axes[0], axes[1]), axes[2], atol=1e-12)


def test_cameras_stand_where_the_drawing_has_them():
    towards = [view_axes(azimuth, 0)[2] for azimuth in (0, 90, 180, 270)]  # front right back left
    expected = [(1, 0, 0), (0, 0, 1), (-1, 0, 0), (0, 0, -1)]
    np.testing.assert_allclose(towards, expected, atol=1e-12)
    np.testing.assert_allclose(view_axes(70, 90)[2], (0, 1, 0), atol=1e-12)
    np.testing.assert_allclose(view_axes(0, 90)[1], (-1, 0, 0), atol=1e-12)  # the back is up
