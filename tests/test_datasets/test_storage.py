# SPDX-License-Identifier: MIT
"""Reading from a packed data set. How one is written: tests/test_cli/test_pack.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from voxrecon.datasets import storage
from voxrecon.datasets.storage import exists, list_names, read_bytes, split_pack
from voxrecon.errors import ConfigError, FileError, SampleError

lmdb = pytest.importorskip("lmdb")

FILES = {
    "top.txt": b"top",
    "a/1": b"one",
    "a/b/2": b"two",
    "a/b/3": b"",
    "a-b/4": b"four",  # sorts before a/
    "a.b/5": b"five",  # too
    "a0/6": b"six",  # sorts right behind a/
    "stühle/7": b"seven",
}


def write(path, entries):
    with (
        lmdb.open(str(path), subdir=False, lock=False, map_size=2**24) as environment,
        environment.begin(write=True) as transaction,
    ):
        for key, value in entries.items():
            transaction.put(key.encode(), value)
    return path


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return str(write(tmp_path_factory.mktemp("pack") / "x.lmdb", FILES))


def test_names_are_those_of_the_folder(pack, tmp_path):
    for name, data in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for folder in ("", "a", "a/b", "a-b", "a.b", "a0", "stühle"):
        for end in ("", "/"):
            expected = sorted(os.listdir(tmp_path / folder))
            assert sorted(list_names(f"{pack}/{folder}{end}")) == expected, folder
    assert sorted(list_names(pack)) == sorted(os.listdir(tmp_path))


def test_bytes(pack):
    for name, data in FILES.items():
        assert read_bytes(f"{pack}/{name}", limit=5) == data
    assert read_bytes(f"{pack}/./a//b/2", limit=3) == b"two"
    with pytest.raises(SampleError, match="a/1: 3 bytes, expected at most 2$"):
        read_bytes(f"{pack}/a/1", limit=2)


@pytest.mark.parametrize("name", ["", "a", "a/9", "a/1/2", "9", "../x.lmdb", "a" * 600])
def test_what_is_not_there(pack, name):
    with pytest.raises(FileNotFoundError, match="No such file"):
        read_bytes(f"{pack}/{name}", limit=5)
    if name not in ("", "a"):
        with pytest.raises(FileNotFoundError):
            list_names(f"{pack}/{name}")


def test_exists(pack, tmp_path):
    for name in ("", "a", "a/b", "a/b/3", "top.txt"):
        assert exists(f"{pack}/{name}")
    for name in ("b", "a/b/4", "top.tx", "top.txt/a"):
        assert not exists(f"{pack}/{name}")
    assert exists(str(tmp_path)) and not exists(f"{tmp_path}/x.lmdb/a")


def test_a_folder_may_be_called_so_too(tmp_path, pack):
    folder = tmp_path / "data.lmdb"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"a")
    assert split_pack(f"{folder}/a.txt") == (None, "")
    assert read_bytes(f"{folder}/a.txt", 1) == b"a" and list_names(str(folder)) == ["a.txt"]
    (folder / "x.lmdb").write_bytes(Path(pack).read_bytes())
    assert split_pack(f"{folder}/x.lmdb/a/1") == (f"{folder}/x.lmdb", "a/1")
    assert read_bytes(f"{folder}/x.lmdb/a/1", 3) == b"one"
    assert split_pack(f"{tmp_path}/x.lmdbs/a") == (None, "")


def test_after_a_fork(pack):
    """A child opens the file anew, and its parent reads on."""
    assert read_bytes(f"{pack}/a/1", 3) == b"one"
    key = os.stat(pack).st_dev, os.stat(pack).st_ino
    child = os.fork()
    if not child:
        fine = read_bytes(f"{pack}/a/b/2", 3) == b"two" and list_names(f"{pack}/a-b") == ["4"]
        os._exit(0 if fine and storage._opened[key][0] == os.getpid() else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert read_bytes(f"{pack}/a/b/2", 3) == b"two"


def test_a_new_file_of_that_name_is_read(tmp_path):
    path = write(tmp_path / "x.lmdb", {"a": b"old"})
    assert read_bytes(f"{path}/a", 3) == b"old"
    os.replace(write(tmp_path / "y.lmdb", {"a": b"new"}), path)
    assert read_bytes(f"{path}/a", 3) == b"new"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "0 bytes, expected a packed data set"),
        (lambda data: data[:5000], "5000 bytes, expected a packed data set"),
        (lambda data: data[:20000], "truncated at 20000 bytes, expected "),
        (lambda data: b"PK" * 50000, "MDB_INVALID: File is not an LMDB file, expected a packed"),
        (lambda data: bytes(len(data)), "MDB_INVALID: File is not an LMDB file, expected a packed"),
    ],
)
def test_damaged_ones_are_refused_before_they_are_mapped(tmp_path, damage, message):
    path = write(tmp_path / "x.lmdb", {f"{i:03d}": b"v" * 5000 for i in range(50)})
    path.write_bytes(damage(path.read_bytes()))
    for use in (lambda: read_bytes(f"{path}/001", 9999), lambda: list_names(str(path))):
        with pytest.raises(FileError) as refused:
            use()
        assert str(refused.value).startswith(f"{path}: {message}")


def test_without_lmdb(pack, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(ConfigError, match=r"^lmdb is not .*: pip install 'voxrecon\[lmdb\]'$"):
        read_bytes(f"{pack}/a/1", 3)
