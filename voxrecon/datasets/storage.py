# SPDX-License-Identifier: MIT
"""Bytes and names from the local disk, a packed data set or, with ``backend_args``, an mmengine
file backend.

A packed data set is one LMDB file that ``voxrecon data pack`` writes; its keys are
the files' paths. In a path it stands where the folder would: ``data/x.lmdb/taxonomy.json``. It is
read through lmdb itself: mmengine's ``LmdbBackend`` reads such a file too, but cannot list folders,
takes ASCII keys only, and keeps what it has opened over a fork.
"""

from __future__ import annotations

import errno
import os
import stat

from mmengine.fileio import get_file_backend

from voxrecon.errors import ConfigError, FileError, SampleError

PACK = ".lmdb"  # how the name of a packed data set ends
META_BYTES = 8192  # an LMDB file starts with two pages of at least 4 kB

# what is open, with its process, by device and inode: LMDB refuses to open a file twice
_opened: dict[tuple[int, int], tuple] = {}


def list_names(folder: str, backend_args: dict | None = None) -> list[str]:
    """Names of the files and folders in ``folder``, in no order; OSError without such a folder.

    Raises:
        FileError: a packed data set that is damaged.
        ConfigError: a packed data set, but lmdb is not installed.
    """
    if backend_args is None:
        pack, key = split_pack(folder)
        return os.listdir(folder) if pack is None else _children(pack, key, folder)
    backend = get_file_backend(folder, backend_args=backend_args, enable_singleton=True)
    return list(backend.list_dir_or_file(folder))


def read_bytes(path: str, limit: int, backend_args: dict | None = None) -> bytes:
    """The content of a file of at most ``limit`` bytes; a missing one is a FileNotFoundError.

    Raises:
        SampleError: the file is larger, or there but unreadable.
        FileError: a packed data set that is damaged.
        ConfigError: a packed data set, but lmdb is not installed.
    """
    pack, key = split_pack(path) if backend_args is None else (None, "")
    try:
        if pack is not None:
            size, data = _value(pack, key, path, limit)
        elif backend_args is None:
            if stat.S_ISFIFO(os.stat(path).st_mode):  # to open one would wait for ever
                raise SampleError(f"{path}: a pipe, expected a file")
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size  # known before anything is allocated
                data = file.read(size) if size <= limit else None
        else:
            backend = get_file_backend(path, backend_args=backend_args, enable_singleton=True)
            data = backend.get(path)
            size = len(data)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SampleError(f"{path}: cannot be read: {error.strerror or error}") from error
    if size > limit:
        raise SampleError(f"{path}: {size} bytes, expected at most {limit}")
    return data


def exists(path: str) -> bool:
    """Whether there is such a file or folder, on the local disk or in a packed data set.

    Raises:
        FileError: a packed data set that is damaged.
        ConfigError: a packed data set, but lmdb is not installed.
    """
    pack, key = split_pack(path)
    if pack is None:
        return os.path.exists(path)
    try:
        _value(pack, key, path, limit=0)
    except FileNotFoundError:
        try:
            _children(pack, key, path)
        except OSError:
            return False
    return True


def split_pack(path: str) -> tuple[str | None, str]:
    """``data/x.lmdb/a/b`` to ``("data/x.lmdb", "a/b")`` where the first is a file; other paths to
    ``(None, "")``."""
    path = os.fspath(path)
    end = 0
    while (at := path.find(PACK, end)) >= 0:
        end = at + len(PACK)
        if path[end : end + 1] in ("", "/", os.sep) and os.path.isfile(path[:end]):
            parts = path[end:].replace(os.sep, "/").split("/")
            return path[:end], "/".join(part for part in parts if part not in ("", "."))
    return None, ""


def import_lmdb():
    """The module lmdb.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import lmdb
    except ImportError:
        raise ConfigError("lmdb is not installed: pip install 'voxrecon[lmdb]'") from None
    return lmdb


def _value(pack: str, key: str, path: str, limit: int) -> tuple[int, bytes | None]:
    """Size and content of a file; the content is None beyond ``limit`` bytes."""
    lmdb, environment = _open(pack)
    name = key.encode(errors="surrogateescape")
    try:
        with environment.begin(buffers=True) as transaction:
            # LMDB takes no empty key and none longer than this
            known = 0 < len(name) <= environment.max_key_size()
            value = transaction.get(name) if known else None
            if value is not None:
                size = len(value)
                return size, bytes(value) if size <= limit else None
    except lmdb.Error as error:
        raise FileError(f"{pack}: damaged: {error}") from error
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def _children(pack: str, key: str, path: str) -> list[str]:
    """The names directly below a folder: one seek each, whatever lies below them."""
    lmdb, environment = _open(pack)
    prefix = f"{key}/".encode(errors="surrogateescape") if key else b""
    names = []
    try:
        with environment.begin() as transaction, transaction.cursor() as cursor:
            found = len(prefix) <= environment.max_key_size() and (
                cursor.set_range(prefix) if prefix else cursor.first()
            )
            while found and (name := cursor.key()).startswith(prefix):
                child, slash, _ = name[len(prefix) :].partition(b"/")
                names.append(child.decode(errors="surrogateescape"))
                # "0" follows "/": behind all that lies in a folder
                found = cursor.set_range(prefix + child + b"0") if slash else cursor.next()
    except lmdb.Error as error:
        raise FileError(f"{pack}: damaged: {error}") from error
    if not names:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return names


def _open(pack: str) -> tuple:
    """The module lmdb and the environment of a packed data set, opened once in a process.

    LMDB reads by mapping the file into memory: a page beyond its end would kill the process, so the
    file must be as long as it says.
    """
    lmdb = import_lmdb()
    found = os.stat(pack)
    process, environment = _opened.get((found.st_dev, found.st_ino), (None, None))
    if process == os.getpid():
        return lmdb, environment
    if environment is not None:  # came over a fork
        environment.close()
    if found.st_size < META_BYTES:
        raise FileError(f"{pack}: {found.st_size} bytes, expected a packed data set")
    try:
        environment = lmdb.open(pack, subdir=False, readonly=True, lock=False, readahead=False)
        size = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    except lmdb.Error as error:
        reason = str(error).removeprefix(f"{pack}: ")
        raise FileError(f"{pack}: {reason}, expected a packed data set") from error
    if found.st_size < size:
        environment.close()
        raise FileError(f"{pack}: truncated at {found.st_size} bytes, expected {size}")
    _opened[found.st_dev, found.st_ino] = os.getpid(), environment
    return lmdb, environment
