# SPDX-License-Identifier: MIT
"""What the web page does, without the page: uploads in, reconstructions and their files out."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np

from voxrecon.apis.inferencer import Task, VoxelInferencer
from voxrecon.apis.inputs import SUFFIXES
from voxrecon.apis.reconstruction import MeshKind, Reconstruction
from voxrecon.captures.cutouts import Background, Cutout
from voxrecon.choices import FORMATS as FORMATS
from voxrecon.errors import ConfigError, FileError, VoxreconError
from voxrecon.fileio import reason

EXAMPLES = Path(__file__).parent / "examples"
MEGABYTE = 2**20
KEPT = 4  # files of a session: one that the browser still reads is not removed by the next


@dataclass(frozen=True)
class Limits:
    """Of the uploads for one reconstruction: photos, and megabytes of each."""

    photos: int = 24
    megabytes: float = 10


@dataclass(frozen=True, eq=False)
class Session:
    """A visitor's result, and the folder with the files made of it."""

    result: Reconstruction
    folder: Path
    files: list[Path] = field(default_factory=list)

    def write(self, suffix: str, threshold: float, mesh: MeshKind) -> Path:
        """A file of the result, new each time so that no browser takes it for the last one.

        Raises:
            VoxreconError: no cell is occupied, or the session was closed.
        """
        try:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
        except OSError as error:
            raise FileError(f"{self.result.name}: cannot be written: {reason(error)}") from error
        self.files.append(folder)
        while len(self.files) > KEPT:
            shutil.rmtree(self.files.pop(0), ignore_errors=True)
        return self.result.at(threshold).save(folder / f"{self.result.name}.{suffix}", mesh)

    def close(self) -> None:
        """Remove the files."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Workshop:
    """A network that many visitors share.

    Args:
        inferencer: The network; one object at a time passes it.
        folder: Of the sessions' folders.
        limits: Of the uploads.
    """

    def __init__(self, inferencer: VoxelInferencer, folder: Path, limits: Limits) -> None:
        self.inferencer, self.folder, self.limits = inferencer, folder, limits
        self._network = Lock()

    def reconstruct(
        self,
        paths: Sequence[str | os.PathLike],
        background: Background = "auto",
        progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> Session:
        """Cut photos out and reconstruct the object; nothing is decoded before all are checked.

        Args:
            paths: Of the uploaded photos.
            background: As ``cut_photo`` takes it.
            progress: Called after each photo with their numbers, done and of all.

        Raises:
            VoxreconError: Photos that cannot be used; a message names one without its folder.
        """
        paths = [Path(path) for path in paths]
        try:
            check_uploads(paths, self.limits)
            views = []
            for number, path in enumerate(paths, start=1):
                view = self.inferencer.cut(path, number, background=background)
                views.append(Cutout(view.picture, view.source, path.name, view.cropped))
                progress(number, len(paths))
        except VoxreconError as error:
            raise type(error)(without_folders(str(error), paths)) from error
        task = Task(0, "object", views)
        with self._network:
            out = self.inferencer.forward([task])
            result = self.inferencer.postprocess(out, [task], scores=True)[0]
        return Session(result, Path(tempfile.mkdtemp(dir=self.folder)))


def check_uploads(paths: Sequence[Path], limits: Limits) -> None:
    """Refuse by number, type and size.

    Raises:
        ConfigError: no photos, or too many.
        FileError: one that is not a file, too large or empty, or of another type.
    """
    if not paths:
        raise ConfigError(f"no photos, expected 1 to {limits.photos} of one object")
    if len(paths) > limits.photos:
        raise ConfigError(f"{len(paths)} photos, expected at most {limits.photos}")
    for path in paths:
        try:
            size = path.lstat().st_size
        except (OSError, ValueError) as error:
            raise FileError(f"{path}: cannot be read: {reason(error)}") from error
        if path.is_symlink() or not path.is_file():
            raise FileError(f"{path}: not a file, expected a photo")
        if path.suffix.lower() not in SUFFIXES:
            raise FileError(f"{path}: expected a photo of type {', '.join(SUFFIXES)}")
        if size > limits.megabytes * MEGABYTE:
            raise FileError(
                f"{path}: {size / MEGABYTE:.1f} MB, expected at most {limits.megabytes:g} MB"
            )
        if not size:
            raise FileError(f"{path}: an empty file, expected a photo")


def without_folders(text: str, paths: Sequence[Path]) -> str:
    """A message in one printable line, in which uploads are named as their owner knows them."""
    for path in paths:
        text = text.replace(str(path), path.name)
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def describe(result: Reconstruction, threshold: float) -> str:
    """How much is occupied, in a line.

    Raises:
        VoxreconError: nothing is.
    """
    result = result.at(threshold)
    if not result.occupied.any():
        raise VoxreconError(
            f"Nothing is occupied at threshold {threshold:g}: the highest probability is "
            f"{float(result.volume.max()):.3f}. Lower the threshold."
        )
    count, side = int(result.occupied.sum()), len(result.volume)
    return f"{count:,} of {side}³ voxels are occupied at threshold {threshold:g}."


def describe_view(view: Cutout) -> str:
    """What removed the background of a photo, and a warning."""
    how = "background kept" if view.source == "kept" else f"background by {view.source}"
    return f"{how}; reaches the border" if view.cropped else how


def mean_shares(result: Reconstruction, threshold: float) -> list[tuple[str, float]] | None:
    """The name of each view and its mean share in the occupied voxels; None without score maps."""
    occupied = result.at(threshold).occupied
    if result.scores is None or not occupied.any():
        return None
    shares = result.scores[:, occupied].mean(axis=1, dtype=np.float64)
    return [(view.name, float(s)) for view, s in zip(result.views, shares, strict=True)]


def list_examples() -> dict[str, list[Path]]:
    """The photos of each example."""
    folders = sorted(path for path in EXAMPLES.iterdir() if path.is_dir())
    return {folder.name.replace("-", " "): sorted(folder.glob("*.png")) for folder in folders}
