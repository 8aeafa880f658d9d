# SPDX-License-Identifier: MIT
"""Damaged files at the doors of data sets: read, or refused in one line that names the file."""

from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import MEGABYTES, SECONDS, fuzz, mutations, with_checksums, within_limits
from r2n2 import draw_view, make_grid

from voxrecon.datasets import read_taxonomy
from voxrecon.datasets.pascal3d import read_targets
from voxrecon.datasets.pix3d import read_photos
from voxrecon.datasets.transforms import decode_image
from voxrecon.errors import FileError
from voxrecon.geometry import read_binvox, read_metadata, write_binvox
from voxrecon.geometry.mat_files import PARSER, read_annotation, read_mat, read_voxels
from voxrecon.sandbox import run_limited

pytestmark = pytest.mark.slow


def refused(read, data, name: str, kind: type = FileError) -> None:
    """Whatever is in ``data``: a result, or the project's own error in one line with the name."""

    def door() -> None:
        try:
            read(data)
        except kind as error:
            assert str(error).startswith(name) and "\n" not in str(error)

    within_limits(door)


@pytest.fixture(scope="module")
def binvox(tmp_path_factory):
    path = tmp_path_factory.mktemp("binvox") / "model.binvox"
    write_binvox(path, make_grid(0))
    return path.read_bytes()


def test_binvox(binvox):
    @fuzz
    @given(mutations([binvox, binvox.replace(b"#binvox 1", b"#binvox 2")]))
    def check(data):
        refused(lambda d: read_binvox(d, name="model.binvox"), data, "model.binvox")

    check()


def png(image) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def test_png():
    view = draw_view(make_grid(1), 0)
    seeds = [png(view), png(view[..., :3]), png(view[..., 0])]

    @fuzz
    @given(mutations(seeds), st.booleans())
    def check(data, whole):
        data = with_checksums(data) if whole else data
        refused(lambda d: decode_image(d, "00.png"), data, "00.png")

    check()


def mat(**content) -> list[bytes]:
    """Of both kinds: plain, and compressed."""
    from scipy.io import savemat

    files = []
    for compressed in (False, True):
        file = io.BytesIO()
        savemat(file, content, do_compression=compressed)
        files.append(file.getvalue())
    return files


def test_mat_of_a_sample():
    seeds = mat(Volume=make_grid(2).astype(np.uint8)) + mat(Volume=make_grid(2).astype(float))

    @fuzz
    @given(mutations(seeds))
    def check(data):
        refused(lambda d: read_mat(d, "model.mat"), data, "model.mat")

    check()


def test_mat_of_converters(tmp_path):
    """In the process with limits, as the commands read them."""
    record = {"imgsize": [10, 8, 3], "objects": {"bbox": [1.0, 2.0, 8.0, 7.0], "cad_index": 3}}
    path = tmp_path / "a.mat"

    @fuzz
    @given(
        st.one_of(
            st.tuples(st.just(read_annotation), mutations(mat(record=record))),
            st.tuples(st.just(read_voxels), mutations(mat(voxel=make_grid(3).astype(np.uint8)))),
        )
    )
    def check(read_and_data):
        read, data = read_and_data
        path.write_bytes(data)
        limits = {"seconds": SECONDS, "megabytes": MEGABYTES, "preload": PARSER}
        refused(lambda _: run_limited(read, str(path), name=str(path), **limits), data, str(path))

    check()


SPLITS = [
    {"taxonomy_id": "03001627", "taxonomy_name": "chair", "train": ["a", "b"], "test": ["c"]},
    {"taxonomy_id": "02691156", "taxonomy_name": "aeroplane", "val": ["a"]},
]
PHOTOS = [
    {
        "img": "img/chair/0001.png",
        "category": "chair",
        "model": "model/chair/x/model.obj",
        "voxel": "model/chair/x/voxel.mat",
        "bbox": [10, 20, 110, 120],
        "truncated": False,
        "occluded": False,
        "slightly_occluded": True,
    }
]
TARGETS = {"chair": {"n1_1": {"box": [1, 2.5, 30, 40], "cad": 3}, "n1_2": {"box": [0, 0, 1, 1]}}}


@pytest.mark.parametrize(
    ("read", "content"),
    [(read_taxonomy, SPLITS), (read_photos, PHOTOS), (read_targets, TARGETS)],
)
def test_json(read, content, tmp_path):
    path = tmp_path / "a.json"

    @fuzz
    @given(mutations([json.dumps(content).encode(), json.dumps(content, indent=1).encode()]))
    def check(data):
        path.write_bytes(data)
        refused(lambda _: read(str(path)), data, str(path))

    check()


def test_metadata():
    text = b"12.5 25 0 0.8 25\n" * 24

    @fuzz
    @given(mutations([text]))
    def check(data):
        refused(lambda d: read_metadata(d.decode(errors="replace"), "m.txt"), data, "m.txt")

    check()
