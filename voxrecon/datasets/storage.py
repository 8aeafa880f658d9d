# SPDX-License-Identifier: MIT
"""Bytes and names from the local disk or, with ``backend_args``, an mmengine file backend."""

from __future__ import annotations

import os
import stat

from mmengine.fileio import get_file_backend

from voxrecon.errors import SampleError


def list_names(folder: str, backend_args: dict | None = None) -> list[str]:
    """Names of the files and folders in ``folder``, in no order; OSError without such a folder."""
    if backend_args is None:
        return os.listdir(folder)
    backend = get_file_backend(folder, backend_args=backend_args, enable_singleton=True)
    return list(backend.list_dir_or_file(folder))


def read_bytes(path: str, limit: int, backend_args: dict | None = None) -> bytes:
    """The content of a file of at most ``limit`` bytes; a missing one is a FileNotFoundError.

    Raises:
        SampleError: the file is larger, or there but unreadable.
    """
    try:
        if backend_args is None:
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
