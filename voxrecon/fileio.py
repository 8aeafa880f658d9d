# SPDX-License-Identifier: MIT
"""Writing files so that a crash, a full disk or a second writer never leaves half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voxrecon.errors import FileError


@contextmanager
def atomic_write(path: str | Path, error: type[FileError] = FileError) -> Iterator[Path]:
    """Yield a temporary file beside ``path`` that takes its name when the block ends well.

    The file is flushed to disk before it is renamed, and its folder after. When the block fails, the temporary file is
    removed and what stood at ``path`` stays. An ``OSError`` (full disk, read-only folder) becomes an ``error`` in one
    line.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp gives 0600
        _sync(temporary)
        os.replace(temporary, path)
        temporary = None
        _sync(path.parent)
    except OSError as cause:
        raise error(f"{path}: cannot be written: {cause.strerror or cause}") from cause
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
