# SPDX-License-Identifier: MIT
"""What the web page does with uploads, without the page."""

from __future__ import annotations

import dataclasses
import io
import os
import re
import struct
import threading
import zipfile
import zlib

import numpy as np
import pytest
import trimesh
from PIL import Image

from voxrecon.errors import VoxreconError
from voxrecon.geometry.binvox import read_binvox
from voxrecon.webpage.session import (
    FORMATS,
    KEPT,
    Limits,
    Workshop,
    describe,
    describe_view,
    list_examples,
    mean_shares,
)


@pytest.fixture
def workshop(inferencer, tmp_path):
    folder = tmp_path / "sessions"
    folder.mkdir()
    return Workshop(inferencer, folder, Limits(photos=5, megabytes=0.5))


def between(volume: np.ndarray) -> float:
    """A threshold that leaves a few cells occupied."""
    return float(np.quantile(volume, 0.98))


# --- results


def test_it_is_what_the_inferencer_gives(workshop, inferencer, photos):
    seen = []
    session = workshop.reconstruct(photos[:3], progress=lambda *step: seen.append(step))
    expected = inferencer(photos[:3], scores=True)
    assert np.array_equal(session.result.volume, expected.volume)
    assert np.array_equal(session.result.scores, expected.scores)
    assert [view.name for view in session.result.views] == [f"photo{i}.png" for i in range(3)]
    assert [view.source for view in session.result.views] == ["alpha", "GrabCut", "alpha"]
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_background_is_passed_on(workshop, inferencer, photos):
    kept = workshop.reconstruct(photos[:2], "keep")
    assert [view.source for view in kept.result.views] == ["kept", "kept"]
    expected = inferencer(photos[:2], background="keep")
    assert np.array_equal(kept.result.volume, expected.volume)


def test_all_files_are_those_of_the_threshold(workshop, photos):
    session = workshop.reconstruct(photos[:2])
    threshold = between(session.result.volume)
    occupied = session.result.volume >= threshold
    assert 0 < occupied.sum() < occupied.size
    for suffix in FORMATS:
        is_mesh = suffix in ("glb", "obj", "ply", "stl")
        for mesh in ("smooth", "boxes") if is_mesh else ("smooth",):
            path = session.write(suffix, threshold, mesh)
            assert path.name == f"object.{suffix}" and path.stat().st_size > 0
            if is_mesh:
                loaded = trimesh.load(path, force="mesh")
                assert np.abs(loaded.bounds).max() <= 0.5
                low, high = np.argwhere(occupied).min(0), np.argwhere(occupied).max(0) + 1
                bounds = np.array((low, high)) / len(occupied) - 0.5
                reach = 1e-5 if mesh == "boxes" else 1 / len(occupied)
                assert np.abs(loaded.bounds - bounds).max() <= reach
            elif suffix == "binvox":
                assert np.array_equal(read_binvox(path).grid, occupied)
            elif suffix == "npz":
                assert np.array_equal(np.load(path)["occupied"], occupied)
            else:
                with Image.open(path) as image:
                    assert image.format.lower() == suffix


def test_a_session_keeps_few_files_and_removes_them(workshop, photos):
    one, other = workshop.reconstruct(photos[:1]), workshop.reconstruct(photos[1:2])
    threshold = between(one.result.volume)
    paths = [one.write("stl", threshold, "boxes") for _ in range(KEPT + 3)]
    assert len(set(paths)) == KEPT + 3
    assert [path.exists() for path in paths] == [False] * 3 + [True] * KEPT
    assert one.folder != other.folder
    one.close()
    assert list(workshop.folder.iterdir()) == [other.folder]
    with pytest.raises(VoxreconError, match="^object: cannot be written: No such file"):
        one.write("stl", threshold, "boxes")


def test_empty_says_the_highest_probability(workshop, photos):
    session = workshop.reconstruct(photos[:1])
    highest = float(session.result.volume.max())
    assert highest < 0.99
    expected = (
        "Nothing is occupied at threshold 0.99: the highest probability is "
        f"{highest:.3f}. Lower the threshold."
    )
    for what in (
        lambda: describe(session.result, 0.99),
        lambda: describe(session.result.at(0.5), 0.99),
    ):
        with pytest.raises(VoxreconError) as caught:
            what()
        assert str(caught.value) == expected
    with pytest.raises(VoxreconError, match=f"highest probability is {highest:.3f}"):
        session.write("glb", 0.99, "smooth")
    assert mean_shares(session.result, 0.99) is None


def test_counts_and_shares(workshop, photos):
    result = workshop.reconstruct(photos[:3]).result
    threshold = between(result.volume)
    count = int((result.volume >= threshold).sum())
    assert describe(result, threshold).startswith(f"{count:,} of 32³ voxels are occupied at ")
    shares = dict(mean_shares(result, threshold))
    assert list(shares) == ["photo0.png", "photo1.png", "photo2.png"]
    assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
    second = float(result.scores[1][result.volume >= threshold].astype(float).mean())
    assert shares["photo1.png"] == pytest.approx(second, abs=1e-12)
    assert mean_shares(dataclasses.replace(result, scores=None), threshold) is None


def test_views_say_what_removed_the_background(workshop, tmp_path):
    pixels = np.zeros((60, 60, 4), np.uint8)
    pixels[20:60, 20:40] = (90, 20, 20, 255)
    Image.fromarray(pixels).save(tmp_path / "low.png")
    pixels[50:] = 0
    Image.fromarray(pixels).save(tmp_path / "inside.png")
    low, inside = workshop.reconstruct([tmp_path / "low.png", tmp_path / "inside.png"]).result.views
    assert describe_view(low) == "background by alpha; reaches the border"
    assert describe_view(inside) == "background by alpha"


def test_examples_are_small_and_can_be_used(workshop, inferencer):
    examples = list_examples()
    assert list(examples) == ["armchair", "car", "rocking chair"]
    for paths in examples.values():
        assert 3 <= len(paths) <= 5
        assert all(path.stat().st_size < 30_000 for path in paths)
        views = workshop.reconstruct(paths).result.views
        assert {view.source for view in views} == {"alpha"} and not any(v.cropped for v in views)


def test_visitors_at_once_get_their_own(workshop, inferencer, photos):
    expected = [inferencer(photo).volume for photo in photos[:8]]
    assert len({volume.tobytes() for volume in expected}) == 8
    found = [None] * 8

    def visit(index: int) -> None:
        found[index] = workshop.reconstruct([photos[index]]).result.volume

    threads = [threading.Thread(target=visit, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(map(np.array_equal, found, expected))


# --- bad uploads


def test_number_and_size_are_checked_before_anything_is_read(workshop, photos, monkeypatch):
    monkeypatch.setattr(workshop.inferencer, "cut", None)
    for count, message in (
        (0, "no photos, expected 1 to 5 of one object"),
        (6, "6 photos, expected at most 5"),
    ):
        with pytest.raises(VoxreconError) as caught:
            workshop.reconstruct(photos[:count])
        assert str(caught.value) == message
    large = photos[0].with_name("large.jpg")
    with large.open("wb") as file:
        file.truncate(2**20)
    with pytest.raises(VoxreconError) as caught:
        workshop.reconstruct([photos[0], large])
    assert str(caught.value) == "large.jpg: 1.0 MB, expected at most 0.5 MB"


def picture(mode: str = "RGB", size: tuple[int, int] = (60, 50)) -> Image.Image:
    """A step on grey."""
    width, height = size
    pixels = np.full((height, width, 3), 200, np.uint8)
    pixels[height // 4 : -height // 4, width // 4 : width // 2] = (150, 30, 20)
    pixels[height // 2 : -height // 4, width // 4 : -width // 4] = (150, 30, 20)
    return Image.fromarray(pixels).convert(mode, dither=Image.Dither.NONE)


def encode(kind: str, image: Image.Image | None = None, **options) -> bytes:
    out = io.BytesIO()
    (image or picture()).save(out, kind, **options)
    return out.getvalue()


def frames(kind: str) -> bytes:
    return encode(kind, save_all=True, append_images=[picture().rotate(90 * i) for i in (1, 2)])


def png(width: int, height: int, data: bytes = b"\0\0", *chunks: tuple[bytes, bytes]) -> bytes:
    """A grey PNG file that says it has this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.png", encode("PNG"))
    return out.getvalue()


def changed(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def large_jpeg() -> bytes:
    """The start of a frame says 65535 x 65535."""
    data = encode("JPEG")
    return changed(data, data.index(b"\xff\xc0") + 5, b"\xff\xff\xff\xff")


PNG, JPEG, WEBP = encode("PNG"), encode("JPEG"), encode("WEBP", lossless=True)
NOISE = np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
FOREIGN = r"^{}: not a picture, expected a JPEG, PNG or WEBP file$"
BROKEN = r"^{}: (cannot be parsed: .+|not a picture, expected a JPEG, PNG or WEBP file)$"
TYPE = r"^{}: expected a photo of type \.png, \.jpg, \.jpeg, \.webp, \.heic, \.heif$"
UPLOADS = {  # name: content, message
    "text.png": (b"hello", FOREIGN),
    "text.jpg": (b"hello" * 1000, FOREIGN),
    "nothing.png": (b"", r"^{}: an empty file, expected a photo$"),
    "zero.png": (bytes(5000), FOREIGN),
    "noise.webp": (NOISE, FOREIGN),
    "page.png": (b"<!DOCTYPE html><script>alert(1)</script>", FOREIGN),
    "page.html": (b"<!DOCTYPE html>", TYPE),
    "drawing.svg": (SVG, TYPE),
    "svg.png": (SVG, FOREIGN),
    "archive.zip": (archive(), TYPE),
    "zip.png": (archive(), FOREIGN),
    "moves.gif": (frames("GIF"), TYPE),
    "gif.png": (frames("GIF"), FOREIGN),
    "still.jpg": (encode("GIF"), FOREIGN),
    "tiff.png": (encode("TIFF"), FOREIGN),
    "bmp.jpg": (encode("BMP"), FOREIGN),
    "pdf.jpg": (encode("PDF"), FOREIGN),
    "eps.png": (encode("EPS"), FOREIGN),
    "noext": (PNG, TYPE),
    ".png": (PNG, TYPE),
    "program.png": (b"\x7fELF" + NOISE, FOREIGN),
    "moves.png": (frames("PNG"), r"^{}: 3 frames, expected a picture that stands still$"),
    "moves.webp": (frames("WEBP"), r"^{}: 3 frames, expected a picture that stands still$"),
    "deep.png": (encode("PNG", picture("I;16")), r"^{}: pixels of kind I;16, expected 8 bits"),
    **{f"png_{n}.png": (PNG[:n], BROKEN) for n in (4, 8, 12, 30, 45, len(PNG) // 2)},
    **{f"jpeg_{n}.jpg": (JPEG[:n], BROKEN) for n in (1, 2, 3, 20, 100, 400, len(JPEG) // 2)},
    **{f"webp_{n}.webp": (WEBP[:n], BROKEN) for n in (4, 12, 20, len(WEBP) // 2)},
    "crc.png": (changed(PNG, 29, b"\0\0\0\0"), BROKEN),
    "chunk.png": (changed(PNG, 37, b"IDOT"), BROKEN),
    "length.png": (changed(PNG, 33, b"\x7f\xff\xff\xff"), BROKEN),
    "zlib.png": (png(40, 40, NOISE[:40])[:-30] + NOISE[:30], BROKEN),
    "short.png": (png(400, 400, bytes(50)), BROKEN),
    "flat.png": (png(0, 10), BROKEN),
    "bomb.png": (png(30000, 30000), r"^{}: 30000 x 30000 pixels, expected at most 64 million$"),
    "wide.png": (png(2**31 - 1, 1), r"^{}: 2147483647 x 1 pixels, expected at most 64 million$"),
    "large.jpg": (large_jpeg(), r"^{}: 65535 x 65535 pixels, expected at most 64 million$"),
    "comment.png": (
        png(1, 1, b"\0\0", (b"zTXt", b"a\0\0" + zlib.compress(bytes(2**26)))),
        r"^{}: (cannot be parsed: .+|no object found by GrabCut, .+)$",
    ),
    "line.png": (png(20000, 1, bytes(20001)), r"^{}: no object found by GrabCut, expected"),
    "dot.png": (png(1, 1), r"^{}: no object found by GrabCut, expected"),
    "clear.png": (
        encode("PNG", Image.new("RGBA", (50, 50))),
        r"^{}: no object found by alpha, expected an object that is not transparent$",
    ),
    "exif.jpg": (encode("JPEG", exif=b"Exif\0\0" + NOISE[:500]), BROKEN),
    "photo.heic": (b"hello", r"^{}: (HEIC needs pillow-heif|not a picture, expected a HEIF file)"),
    "<img src=x onerror=alert(1)>.png": (b"hello", FOREIGN),
    "q'\"`$(touch x).png": (b"hello", FOREIGN),
    "Stuhl – vorne 椅子.jpg": (b"hello", FOREIGN),
    f"{'x' * 250}.png": (b"hello", FOREIGN),
}


UNUSUAL = {
    "cmyk.jpg": encode("JPEG", picture("CMYK")),
    "grey.jpg": encode("JPEG", picture("L")),
    "bits.png": encode("PNG", picture("1")),
    "palette.png": encode("PNG", picture("P")),
    "grey_alpha.png": encode("PNG", picture("LA")),
    "progressive.jpeg": encode("JPEG", progressive=True),
    "lossless.webp": WEBP,
    "upper.JPG": JPEG,
    "webp.png": WEBP,
    "two.jpg": encode("MPO", save_all=True, append_images=[picture()]),
    "polyglot.jpg": JPEG + archive(),
    "turned.jpg": encode("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\3\0\0\0\1\0c\0\0"),
    "<b>.png": PNG,
}


def message_of(workshop: Workshop, path: str | os.PathLike) -> str:
    """What a visitor reads: one line, without our folders; nothing is left of it."""
    with pytest.raises(VoxreconError) as caught:
        workshop.reconstruct([path])
    text = str(caught.value)
    assert text.isprintable() and str(workshop.folder.parent) not in text and len(text) < 600
    assert not list(workshop.folder.iterdir())
    return text


@pytest.mark.parametrize("name", UPLOADS)
def test_bad_uploads(name, workshop, tmp_path):
    content, expected = UPLOADS[name]
    path = tmp_path / name
    path.write_bytes(content)
    text = message_of(workshop, path)
    assert text.startswith(f"{name}: ")
    assert re.search(expected.format(re.escape(name)), text), text


def test_there_are_many():
    assert len(UPLOADS) >= 50


def test_names_cannot_break_a_line(workshop, tmp_path):
    path = tmp_path / "a\n\x1b[31mb\u2028.png"
    path.write_bytes(b"hello")
    assert message_of(workshop, path).startswith("a ?[31mb .png: not a picture")


def test_what_is_no_file(workshop, tmp_path, photos):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to(photos[0])
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("folder", "link", "dangling", "pipe"):
        text = message_of(workshop, tmp_path / f"{name}.png")
        assert text == f"{name}.png: not a file, expected a photo"
    assert message_of(workshop, tmp_path / "gone.png") == (
        "gone.png: cannot be read: No such file or directory"
    )
    assert message_of(workshop, "a\0.png").endswith("embedded null byte")


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_photos_are_answered(name, workshop, tmp_path):
    path = tmp_path / name
    path.write_bytes(UNUSUAL[name])
    (view,) = workshop.reconstruct([path]).result.views
    assert (view.name, view.source, view.picture.shape) == (name, "GrabCut", (128, 128, 4))
