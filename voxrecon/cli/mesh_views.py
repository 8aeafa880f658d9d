# SPDX-License-Identifier: MIT
"""From where the meshes of a folder are seen."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxrecon.cli.mesh_folder import MeshFile
from voxrecon.errors import FileError
from voxrecon.geometry import View, draw_views, read_metadata
from voxrecon.geometry import r2n2_layout as layout

METADATA = "rendering_metadata.txt"
MAX_BYTES = 2**20
MAX_VIEWS = 999


@dataclass(frozen=True)
class ViewSource:
    """Views for each mesh: ``fixed`` ones, those of a file for each in ``folder``, those that the
    data set ``out`` holds already, or ``count`` random ones."""

    out: Path
    seed: int
    count: int
    fixed: tuple[View, ...] | None = None
    folder: Path | None = None

    def __call__(self, mesh: MeshFile) -> Sequence[View]:
        """The views of a mesh.

        Raises:
            FileError: the file with its views is missing or broken.
        """
        if self.fixed is not None:
            return self.fixed
        if self.folder is not None:
            return read_views(self.folder / mesh.taxonomy / mesh.name / "rendering" / METADATA)
        path = layout.rendering_folder(self.out, mesh.taxonomy, mesh.name) / METADATA
        if layout.is_filled(path):
            return read_views(path)
        key = f"{self.seed}/{mesh.taxonomy}/{mesh.name}".encode()
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest(), "big"))
        return draw_views(rng, self.count)

    @property
    def label(self) -> str:
        """What is noted in the data set."""
        if self.fixed is not None:
            digest = hashlib.sha256(repr(self.fixed).encode()).hexdigest()
            return f"{len(self.fixed)} of a file ({digest[:12]})"
        return f"{self.count} random" if self.folder is None else "of a file for each object"


def read_views(path: Path) -> tuple[View, ...]:
    """The views of a ``rendering_metadata.txt``.

    Raises:
        FileError: it is missing, too large or broken, has no view or one from within the object.
    """
    from voxrecon.datasets.storage import read_bytes

    try:
        text = read_bytes(str(path), MAX_BYTES).decode("ascii", errors="replace")
    except FileNotFoundError as error:
        raise FileError(f"{path}: {error.strerror}, expected the views") from error
    views = tuple(read_metadata(text, str(path)))
    if not 1 <= len(views) <= MAX_VIEWS:
        raise FileError(f"{path}: {len(views)} views, expected 1 to {MAX_VIEWS}")
    for number, view in enumerate(views):
        if not view.distance > 0:
            raise FileError(
                f"{path}: line {number + 1} has distance ratio {view.distance:g}, expected above 0"
            )
    return views
