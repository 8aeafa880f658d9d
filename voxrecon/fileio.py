# SPDX-License-Identifier: MIT
"""Files: read up to a limit, written so that a crash, a full disk or a second writer never leaves
half of one."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from voxrecon.errors import FileError


def read_file(path: str | os.PathLike, limit: int, name: str | None = None) -> bytes:
    """The content of a file of at most ``limit`` bytes; ``name`` stands for it in messages.

    Raises:
        FileError: it cannot be read, or is larger.
    """
    name = name or os.fspath(path)
    try:
        if stat.S_ISFIFO(os.stat(path).st_mode):  # to open one would wait for ever
            raise FileError(f"{name}: a pipe, expected a file")
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise FileError(f"{name}: {size} bytes, expected at most {limit}")
            return file.read(size)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise FileError(f"{name}: cannot be read: {reason(error)}") from error


@contextmanager
def atomic_write(
    path: str | os.PathLike, error: type[FileError] = FileError, parents: bool = True
) -> Iterator[Path]:
    """Yield a temporary file beside ``path`` that takes its name when the block ends well.

    The file is flushed to disk before it is renamed, and its folder after. When the block fails,
    the temporary file is removed and what stood at ``path`` stays. An ``OSError`` (full disk,
    read-only folder) becomes an ``error`` in one line. Missing folders are made with ``parents``.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise error(f"{path}: a device or a pipe, expected a file")
    temporary = None
    try:
        if parents:
            path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp gives 0600
        _sync(temporary)
        os.replace(temporary, path)
        temporary = None
        _sync(path.parent)
    except OSError as cause:
        raise error(f"{path}: cannot be written: {reason(cause)}") from cause
    finally:
        if temporary is not None:
            with suppress(OSError):  # of a file system that has become read-only
                temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary folder beside ``path`` that takes its name when the block ends well.

    Its files are flushed to disk before. A folder that stands at ``path`` already is replaced. When
    the block fails nothing is left behind; a killed process leaves ``.<name>.*.part``.

    Raises:
        FileError: something cannot be written.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        name = tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o777 & ~_umask())  # mkdtemp gives 0700
        for inside in (*temporary.rglob("*"), temporary):
            _sync(inside)
        if path.is_dir():
            shutil.rmtree(path)
        os.rename(temporary, path)
        temporary = None
        _sync(path.parent)
    except OSError as cause:
        raise FileError(f"{path}: cannot be written: {reason(cause)}") from cause
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def reason(cause: OSError | ValueError) -> str:
    """Why something could not be read or written."""
    if isinstance(cause, FileExistsError):  # of a parent that is a file
        return os.strerror(errno.ENOTDIR)
    return getattr(cause, "strerror", None) or str(cause)  # a ValueError: a NUL in the path


def remove_leftovers(folder: str | os.PathLike) -> None:
    """Remove the temporary files of killed trainings; no other may be at work in there."""
    for pattern in (".epoch_*.pth.*.part", ".best.pth.*.part"):
        for path in Path(folder).glob(pattern):
            with suppress(OSError):
                path.unlink()


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
