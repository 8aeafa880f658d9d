# SPDX-License-Identifier: MIT
import io
import struct
import zlib

import cv2
import numpy as np
import pytest

from voxrecon.datasets import LoadViews, LoadVoxels
from voxrecon.datasets.transforms import decode_image, loading
from voxrecon.errors import FileError, SampleError
from voxrecon.geometry.binvox import write_binvox
from voxrecon.geometry.mat_files import read_mat

RGBA = np.random.default_rng(0).integers(0, 256, (7, 5, 4), np.uint8)
BGRA = RGBA[..., [2, 1, 0, 3]]


def encode(image, kind=".png"):
    return cv2.imencode(kind, image)[1].tobytes()


def png(width, height, bits, colour, rows, extra=b""):
    """A PNG written by hand, for what OpenCV does not write."""

    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + header + extra + data + chunk(b"IEND", b""), chunk


def test_png_kinds_become_rgba():
    assert (decode_image(encode(BGRA), "x") == RGBA).all()
    opaque = np.dstack([RGBA[..., :3], np.full((7, 5), 255)])
    assert (decode_image(encode(BGRA[..., :3]), "x") == opaque).all()
    grey = RGBA[..., 0]
    expected = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
    assert (decode_image(encode(grey), "x") == expected).all()


def test_grey_with_alpha_and_palette():
    grey_alpha, chunk = png(2, 1, 8, 4, b"\x00" + bytes([70, 0, 90, 255]))
    assert decode_image(grey_alpha, "x").tolist() == [[[70, 70, 70, 0], [90, 90, 90, 255]]]
    palette = chunk(b"PLTE", bytes([1, 2, 3, 200, 10, 20])) + chunk(b"tRNS", bytes([0, 128]))
    indexed, _ = png(2, 1, 8, 3, b"\x00\x01\x00", palette)
    assert decode_image(indexed, "x").tolist() == [[[200, 10, 20, 128], [1, 2, 3, 0]]]


def test_jpeg():
    image = np.full((16, 24, 3), (200, 30, 90), np.uint8)  # BGR
    decoded = decode_image(encode(image, ".jpg"), "x")
    assert decoded.shape == (16, 24, 4) and (decoded[..., 3] == 255).all()
    assert np.abs(decoded[..., :3].astype(int) - (90, 30, 200)).max() <= 4
    grey = decode_image(encode(image[..., 0], ".jpg"), "x")
    assert np.abs(grey[..., :3].astype(int) - 200).max() <= 4


def huge(width, height):
    return png(width, height, 8, 6, b"\x00")[0]


PNG, JPEG = encode(BGRA), encode(np.zeros((16, 16, 3), np.uint8), ".jpg")
FLIPPED = bytearray(PNG)
FLIPPED[60] ^= 0xFF
# the thumbnail in a JPEG's header has an end marker, the picture itself none
THUMBNAIL = b"\xff\xd8\xff\xe1\x00\x06\xff\xd9\xff\xd9" + JPEG[2:-2]
BAD_IMAGES = {
    "empty": (b"", "0 bytes"),
    "text": (b"<html>", "starts with b'<html>' \\(6 bytes\\), expected a PNG or JPEG"),
    "gif": (b"GIF89a" + bytes(50), "expected a PNG or JPEG"),
    "header_only": (PNG[:20], "expected a PNG or JPEG"),
    "half": (PNG[: len(PNG) // 2], "truncated after"),
    "almost": (PNG[:-1], "truncated after"),
    "no_pixels_left": (PNG[:45] + PNG[-12:], "corrupt"),
    "flipped_bits": (bytes(FLIPPED), "corrupt"),
    "sixteen_bits": (encode(RGBA.astype(np.uint16) * 257), "16 bits per channel, expected 8"),
    "huge": (huge(100_000, 100_000), "100000 x 100000 pixels, expected 1 to 4096"),
    "wide": (huge(4097, 1), "4097 x 1 pixels"),
    "zero": (huge(0, 5), "0 x 5 pixels"),
    "half_jpeg": (JPEG[:-2], "truncated after"),
    "thumbnail": (THUMBNAIL, "truncated after"),
    "jpeg_header": (JPEG[:30], "without a scan"),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_bad_image_is_named(case, tmp_path):
    data, message = BAD_IMAGES[case]
    path = tmp_path / "00.png"
    path.write_bytes(data)
    with pytest.raises(SampleError, match=message) as caught:
        LoadViews()({"img_paths": [str(path)]})
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_the_header_is_judged_before_decoding(monkeypatch):
    monkeypatch.setattr(loading, "imfrombytes", lambda *a, **k: pytest.fail("decoded"))
    for data in (huge(60_000, 60_000), PNG[:-1], encode(RGBA.astype(np.uint16))):
        with pytest.raises(SampleError):
            decode_image(data, "x")


def test_views_in_order_and_missing_file(tmp_path):
    paths = [str(tmp_path / f"{i}.png") for i in range(3)]
    for i, path in enumerate(paths):
        cv2.imwrite(path, np.full((4, 4 + i), i, np.uint8))
    images = LoadViews()({"img_paths": paths[::-1]})["images"]
    assert [image.shape for image in images] == [(4, 6, 4), (4, 5, 4), (4, 4, 4)]
    assert [image[0, 0, 0] for image in images] == [2, 1, 0]
    with pytest.raises(SampleError, match="9.png: no such rendering"):
        LoadViews()({"img_paths": [str(tmp_path / "9.png")]})
    with pytest.raises(SampleError, match="cannot be read"):
        LoadViews()({"img_paths": [str(tmp_path)]})


def test_file_size_limit(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(PNG)
    monkeypatch.setattr(loading, "MAX_IMAGE_BYTES", 10)
    with pytest.raises(SampleError, match=f"{len(PNG)} bytes, expected at most 10"):
        LoadViews()({"img_paths": [str(tmp_path / "a.png")]})


def test_backend(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    results = {"img_paths": [str(tmp_path / "a.png")], "backend_args": {"backend": "local"}}
    assert (LoadViews()(results)["images"][0] == RGBA).all()


GRID = np.random.default_rng(1).random((4, 4, 4)) < 0.4


def test_first_grid_that_exists_counts(tmp_path):
    first, second = tmp_path / "o" / "model.binvox", tmp_path / "o.binvox"
    write_binvox(second, GRID)
    results = {"voxel_paths": [str(first), str(second)]}
    voxels = LoadVoxels()(results)["voxels"]
    assert voxels.dtype == np.uint8 and (voxels == GRID).all()
    first.parent.mkdir()
    write_binvox(first, ~GRID)
    assert (LoadVoxels()(results | {"grid_size": 4})["voxels"] == ~GRID).all()
    with pytest.raises(SampleError, match="model.binvox: a grid of 4 x 4 x 4 cells, expected 32"):
        LoadVoxels()(results | {"grid_size": 32})


def test_no_grid(tmp_path):
    assert "voxels" not in LoadVoxels()({"voxel_paths": []})
    with pytest.raises(SampleError, match="a.binvox: no such grid, nor .*b.binvox"):
        LoadVoxels()({"voxel_paths": [str(tmp_path / "a.binvox"), str(tmp_path / "b.binvox")]})


def test_broken_binvox_is_a_broken_sample(tmp_path):
    path = tmp_path / "a.binvox"
    path.write_bytes(b"#binvox 1\ndim 2 2 2\ndata\n\x01\x07")
    with pytest.raises(SampleError, match="a.binvox: the runs hold 7 voxels, expected"):
        LoadVoxels()({"voxel_paths": [str(path)]})


def test_mat(tmp_path):
    io = pytest.importorskip("scipy.io")
    path = tmp_path / "a.mat"

    def load(**variables):
        io.savemat(path, variables, do_compression=True)
        return LoadVoxels()({"voxel_paths": [str(path)]})["voxels"]

    voxels = load(Volume=GRID * 3.0)
    assert voxels.dtype == np.uint8 and (voxels == GRID).all()
    with pytest.raises(
        SampleError, match=r"a.mat: 'Volume' is missing of shape \(\), expected num"
    ):
        load(Other=GRID)
    with pytest.raises(SampleError, match="on three axes of 1 to 512"):
        load(Volume=np.zeros((600, 1, 2)))
    with pytest.raises(SampleError, match="'Volume' is cell of shape"):
        load(Volume=np.full((2, 2, 2), "x", object))
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(SampleError, match="a.mat: not a MATLAB file"):
        LoadVoxels()({"voxel_paths": [str(path)]})


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_a_pixel(bits):
    """Grey spans 0 to 255, a palette has its colours, each row begins with its filter."""
    last = 2**bits - 1
    row = bytes([0, last << (8 - bits)])  # the first pixel is the last value, the second is 0
    grey, chunk = png(2, 1, bits, 0, row)
    assert decode_image(grey, "x").tolist() == [[[255] * 4, [0, 0, 0, 255]]]
    colours = bytes([1, 2, 3]) + bytes(3 * (last - 1)) + bytes([200, 10, 20])
    indexed, _ = png(2, 1, bits, 3, row, chunk(b"PLTE", colours))
    assert decode_image(indexed, "x").tolist() == [[[200, 10, 20, 255], [1, 2, 3, 255]]]


def test_a_mat_that_would_take_much_memory():
    matlab = pytest.importorskip("scipy.io")
    file = io.BytesIO()
    matlab.savemat(file, {"Volume": np.zeros((210, 210, 210))}, do_compression=True)
    with pytest.raises(FileError, match=r"a.mat: \(210, 210, 210\) numbers of kind double"):
        read_mat(file.getvalue(), "a.mat")


def test_a_jpeg_of_endless_scans():
    data = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    with pytest.raises(SampleError, match="a.jpg: more than 200 scans of a JPEG"):
        decode_image(data[:-2] + b"\xff\xda" * 200 + data[-2:], "a.jpg")
