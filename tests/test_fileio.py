# SPDX-License-Identifier: MIT
import os

import pytest

from voxrecon.errors import FileError
from voxrecon.fileio import atomic_folder, atomic_write


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_a_folder_appears_as_a_whole(tmp_path):
    with atomic_folder(tmp_path / "new" / "object") as folder:
        (folder / "inside").mkdir()
        (folder / "inside" / "a").write_text("a")
        assert not (tmp_path / "new" / "object").exists()
    assert names(tmp_path) == ["a", "inside", "new", "object"]
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "new" / "object").stat().st_mode & 0o777 == 0o777 & ~umask


def test_a_folder_replaces_the_one_before(tmp_path):
    (tmp_path / "object" / "rendering").mkdir(parents=True)
    (tmp_path / "object" / "foreign").write_text("")
    with atomic_folder(tmp_path / "object") as folder:
        (folder / "a").write_text("a")
    assert names(tmp_path) == ["a", "object"]


def test_a_block_that_fails_leaves_what_stood_there(tmp_path):
    (tmp_path / "object").mkdir()
    (tmp_path / "object" / "old").write_text("")
    with pytest.raises(KeyError), atomic_folder(tmp_path / "object") as folder:
        (folder / "a").write_text("a")
        raise KeyError
    assert names(tmp_path) == ["object", "old"]


def test_a_folder_where_a_file_stands_is_an_error(tmp_path):
    (tmp_path / "object").write_text("")
    with (
        pytest.raises(FileError, match="object: cannot be written: Not a directory"),
        atomic_folder(tmp_path / "object") as folder,
    ):
        (folder / "a").write_text("a")
    assert names(tmp_path) == ["object"]


def test_devices_and_pipes_are_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    message = "pipe: a device or a pipe, expected a file"
    with pytest.raises(FileError, match=message), atomic_write(tmp_path / "pipe"):
        pass
    assert names(tmp_path) == ["pipe"]
