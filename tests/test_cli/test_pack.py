# SPDX-License-Identifier: MIT
"""A packed data set gives the same samples, bit for bit, as the folder it was made from."""

from __future__ import annotations

import json
import os
import shutil
import sys

import pytest
import torch
from commands import call, refusal
from mmengine.dataset import DefaultSampler, default_collate
from mmengine.fileio import get_file_backend
from r2n2 import make_r2n2
from torch.utils.data import DataLoader

from voxrecon.cli import baselines, pack
from voxrecon.datasets import R2N2Dataset, SampleKey, ViewBatchSampler
from voxrecon.errors import FileError, SampleError

lmdb = pytest.importorskip("lmdb")

TEST = [{"type": t} for t in ("LoadViews", "LoadVoxels", "CropViews", "PackVoxelInputs")]
TRAIN = [*TEST[:3], {"type": "DrawAugmentation"}, TEST[3]]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The folder and its packed twin."""
    root = tmp_path_factory.mktemp("packed") / "data"
    make_r2n2(root, n=5, views=4)
    out = root.parent / "data.lmdb"
    call(pack.main, root, out)
    return root, out


def entries(path):
    """Of a copy: a process opens a file of LMDB only once."""
    copy = shutil.copy(path, path.with_suffix(".copy"))
    with (
        lmdb.open(str(copy), subdir=False, readonly=True, lock=False) as environment,
        environment.begin() as transaction,
    ):
        os.remove(copy)
        return {key.decode(): value for key, value in transaction.cursor()}


def equal(a, b):
    if isinstance(a, dict):
        return set(a) == set(b) and all(equal(a[k], b[k]) for k in a)
    return torch.equal(a, b)


def test_every_file_is_in_it(both):
    root, out = both
    files = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert entries(out) == files and len(files) == 1 + 5 * (4 + 2 + 1)
    assert {path.name for path in root.parent.iterdir()} == {"data", "data.lmdb"}


def test_what_it_says(both, tmp_path, capsys):
    call(pack.main, both[0], tmp_path / "x.lmdb")
    size = (tmp_path / "x.lmdb").stat().st_size / 1e6
    assert capsys.readouterr().out == (
        f"{tmp_path}/x.lmdb: 36 files, {size:,.1f} MB\n"
        f"train on it: voxrecon train CONFIG --data-root {tmp_path}/x.lmdb\n"
    )


def test_mmengine_reads_it_too(both):
    root, out = both
    copy = shutil.copy(out, out.parent / "copy.lmdb")
    backend = get_file_backend(
        backend_args={"backend": "lmdb", "db_path": str(copy), "subdir": False}
    )
    assert backend.get("taxonomy.json") == (root / "taxonomy.json").read_bytes()
    os.remove(copy)


@pytest.mark.parametrize("workers", [0, 2])
def test_training_samples_are_the_same(both, workers):
    batches = []
    for root in both:
        dataset = R2N2Dataset(root, pipeline=TRAIN)
        batch_sampler = ViewBatchSampler(DefaultSampler(dataset, seed=3), 2, views=(1, 3))
        loader = DataLoader(
            dataset,
            batch_sampler=batch_sampler,
            num_workers=workers,
            collate_fn=default_collate,
        )
        batches.append([*loader, *loader])
    assert len(batches[0]) == len(batches[1]) == 4
    for plain, packed in zip(*batches, strict=True):
        assert equal(plain["inputs"], packed["inputs"])
        for a, b in zip(plain["data_samples"], packed["data_samples"], strict=True):
            assert (a.taxonomy, a.id, a.views, a.broken) == (b.taxonomy, b.id, b.views, [])


@pytest.mark.parametrize("order", ["first", "azimuth"])
def test_test_samples_are_the_same(both, order):
    plain, packed = (
        R2N2Dataset(root, split="test", pipeline=TEST, test_mode=True, n_views=4, order=order)
        for root in both
    )
    assert len(plain) == len(packed) == 5
    for i in range(5):
        assert equal(plain[i]["inputs"], packed[i]["inputs"])
    asked = SampleKey(index=1, epoch=2, n_views=2, seed=9)
    assert equal(plain[asked]["inputs"], packed[asked]["inputs"])


def test_a_taxonomy_of_one_s_own(both, tmp_path):
    classes = json.loads((both[0] / "taxonomy.json").read_text())[:1]
    (tmp_path / "t.json").write_text(json.dumps(classes))
    taxonomy = str(tmp_path / "t.json")
    samples = [R2N2Dataset(r, taxonomy=taxonomy, pipeline=TEST) for r in both]
    assert [len(s) for s in samples] == [3, 3]


def test_missing_and_broken_samples(both, tmp_path):
    """Reported as those of a folder are."""
    root = shutil.copytree(both[0], tmp_path / "data")
    shutil.rmtree(root / "ShapeNetRendering" / "03001627" / "object_1")
    picture = root / "ShapeNetRendering" / "03001627" / "object_0" / "rendering" / "00.png"
    picture.write_bytes(picture.read_bytes()[:200])
    out = tmp_path / "data.lmdb"
    call(pack.main, root, out)
    messages = []
    for place in (root, out):
        dataset = R2N2Dataset(place, pipeline=TRAIN)
        assert dataset.missing == [("03001627", "object_1")]
        broken = dataset[SampleKey(0, 0, 4, 0)]["data_samples"].broken
        messages.append([text.removeprefix(str(place)) for text in broken])
        with pytest.raises(SampleError, match="1 of 5 samples of split 'test'.*object_1"):
            R2N2Dataset(place, split="test", test_mode=True)
    assert messages[0] == messages[1] and "00.png: truncated" in messages[0][0]


def test_a_damaged_pack_ends_the_command_in_one_line(both, tmp_path, capfd):
    out = tmp_path / "x.lmdb"
    out.write_bytes(both[1].read_bytes()[:30000])
    with pytest.raises(FileError, match=f"^{out}: truncated at 30000 bytes, expected"):
        R2N2Dataset(out)
    message = refusal(capfd, baselines.main, out)
    assert message.startswith(f"{out}: truncated at 30000 bytes, expected")


def test_only_what_data_sets_read_is_packed(both, tmp_path):
    root = shutil.copytree(both[0], tmp_path / "data")
    (root / ".hidden.txt").write_text("x")
    (root / "notes.pdf").write_text("x")
    (root / "photos").mkdir()
    (root / "photos" / "A.JPEG").write_text("x")
    (root / "photos" / "up").symlink_to(root)  # a loop
    os.mkfifo(root / "pipe.txt")
    linked = tmp_path / "elsewhere"
    linked.mkdir()
    (linked / "g.mat").write_text("x")
    (root / "ShapeNetVox64").symlink_to(linked)
    call(pack.main, root, tmp_path / "x.lmdb")
    assert set(entries(tmp_path / "x.lmdb")) - set(entries(both[1])) == {
        "photos/A.JPEG",
        "ShapeNetVox64/g.mat",
    }


def test_the_same_data_gives_the_same_entries_and_room_grows(both, tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "PAGE", 1)
    monkeypatch.setattr(pack, "BATCH", 7)
    grid = both[0] / "ShapeNetVox32" / "big.mat"  # beyond the first room
    grid.write_bytes(bytes(range(256)) * 2**13)
    call(pack.main, both[0], tmp_path / "x.lmdb")
    found = entries(tmp_path / "x.lmdb")
    assert found.pop("ShapeNetVox32/big.mat") == grid.read_bytes()
    grid.unlink()
    assert found == entries(both[1]) and list(found) == sorted(found)


def test_nothing_is_left_of_a_failed_one(both, tmp_path, capfd):
    root = shutil.copytree(both[0], tmp_path / "data")
    (root / ("x" * 200)).mkdir()
    (root / ("x" * 200) / ("y" * 200)).mkdir()
    (root / ("x" * 200) / ("y" * 200) / ("z" * 200 + ".txt")).write_text("x")
    message = refusal(capfd, pack.main, root, tmp_path / "x.lmdb")
    assert message.endswith("a path of 606 characters, expected at most 511")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_what_does_not_fit_is_refused(both, tmp_path, capfd, monkeypatch):
    root, out = both
    assert refusal(capfd, pack.main, root, out) == (f"{out}: is there already, expected a new file")
    new = tmp_path / "x.lmdb"
    assert refusal(capfd, pack.main, root, "x.zip") == (
        "x.zip: expected a name that ends with .lmdb"
    )
    assert refusal(capfd, pack.main, tmp_path / "no", new) == (
        f"{tmp_path / 'no'}: no such folder, expected a data set"
    )
    assert refusal(capfd, pack.main, tmp_path, new).startswith(
        f"{tmp_path}/taxonomy.json: no taxonomy file"
    )
    monkeypatch.setitem(sys.modules, "lmdb", None)
    assert refusal(capfd, pack.main, root, new) == (
        "lmdb is not installed: pip install 'voxrecon[lmdb]'"
    )
    assert not new.exists()
