# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voxrecon.captures.cutouts import Cutout
from voxrecon.choices import FORMATS, MESH_FORMATS, MeshKind
from voxrecon.errors import ConfigError, FileError, VoxreconError
from voxrecon.fileio import atomic_write
from voxrecon.geometry import meshes
from voxrecon.geometry.binvox import write_binvox
from voxrecon.visualization import (
    draw_scores,
    fill_background,
    render_voxels,
    turntable,
    write_gif,
    write_png,
)

if TYPE_CHECKING:
    from trimesh import Trimesh

ROUNDS = {"smooth": 10, "surface": 0}  # of smoothing
SUFFIXES = tuple(f".{kind}" for kind in FORMATS)


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """An object as it was reconstructed, and what can be made of it.

    Axes are the grid's (``voxrecon.geometry.grid``): y up, the front towards +x; meshes lie in the
    cube from -0.5 to 0.5.

    Attributes:
        volume: (X, Y, Z) float32, occupancy probability.
        views: The photos as the network got them.
        threshold: Occupied where the probability is at least this.
        name: Of the object.
        coarse: (V', X, Y, Z) float32, what each view alone gives, V' being V, or 1 where features
            are fused; None if not asked for.
        scores: (V, X, Y, Z) float32, the share of each view in the fused volume, which add up to 1;
            None if not asked for, or if the fusion has none.
    """

    volume: np.ndarray
    views: list[Cutout] = field(default_factory=list)
    threshold: float = 0.3
    name: str = "object"
    coarse: np.ndarray | None = None
    scores: np.ndarray | None = None

    @property
    def occupied(self) -> np.ndarray:
        """(X, Y, Z) bool."""
        return self.volume >= self.threshold

    def at(self, threshold: float) -> Reconstruction:
        """The same with another threshold; the network is not run again."""
        return replace(self, threshold=check_threshold(threshold))

    def mesh(self, kind: MeshKind = "smooth") -> Trimesh:
        """The surface: "surface", by marching cubes on the probabilities; "smooth", the same
        without the steps of the cells; or "boxes", the outer faces of the occupied cells.

        Raises:
            VoxreconError: no cell is occupied.
        """
        self.check_occupied()
        if kind == "boxes":
            return meshes.voxel_mesh(self.occupied)
        if kind not in ROUNDS:
            raise ConfigError(f"mesh {kind!r}, expected smooth, surface or boxes")
        # marching cubes ask for more than the level, a cell for as much
        level = np.nextafter(np.float32(self.threshold), np.float32(0))
        return meshes.smooth_mesh(self.volume, float(level), ROUNDS[kind])

    def picture(
        self, azimuth: float = 30.0, elevation: float = 25.0, size: int = 512
    ) -> np.ndarray:
        """The voxels, shaded, seen from an angle in degrees: (size, size, 3) uint8 RGB."""
        return render_voxels(self.volume, azimuth, elevation, size, threshold=self.threshold)

    def turntable(self, frames: int = 36, elevation: float = 25.0, size: int = 256) -> np.ndarray:
        """Pictures from all around, (F, size, size, 3) uint8 RGB."""
        return turntable(self.volume, frames, elevation, size, self.threshold)

    def scores_picture(self) -> np.ndarray:
        """The photos and the share of each in the voxels of the fused shape, (H, W, 3) uint8 RGB.

        Raises:
            VoxreconError: there are no scores, or no cell is occupied.
        """
        if self.scores is None:
            raise VoxreconError(
                f"{self.name}: no score maps, expected a network with context-aware fusion and "
                "scores=True"
            )
        self.check_occupied()
        pictures = np.stack([fill_background(view.picture) for view in self.views])
        return draw_scores(pictures, self.scores, self.volume, self.threshold)

    def save(
        self,
        path: str | os.PathLike,
        mesh: MeshKind = "smooth",
        azimuth: float = 30.0,
        elevation: float = 25.0,
    ) -> Path:
        """Write a file; the suffix says what.

        .glb .obj .ply .stl: a mesh; .binvox: the grid; .npz: ``volume``, ``occupied`` and
        ``threshold``, ``coarse`` and ``scores`` where they are there; .png: a picture from
        ``azimuth`` and ``elevation``; .gif: a turntable.

        Raises:
            FileError: another suffix, or the file cannot be written.
            VoxreconError: no cell is occupied (but .npz).
        """
        path = Path(path)
        kind = check_output(path)
        if kind == ".npz":
            self._save_npz(path)
            return path
        self.check_occupied()
        if kind[1:] in MESH_FORMATS:
            meshes.write_mesh(path, self.mesh(mesh))
        elif kind == ".binvox":
            write_binvox(path, self.occupied)
        elif kind == ".png":
            write_png(path, self.picture(azimuth, elevation))
        else:
            write_gif(path, self.turntable(elevation=elevation))
        return path

    def check_occupied(self) -> None:
        """VoxreconError, with the highest probability, unless a cell is occupied."""
        if not np.isfinite(self.volume).all():
            raise VoxreconError(
                f"{self.name}: the network gives values that are no numbers, expected "
                "probabilities: its weights are broken"
            )
        if not self.occupied.any():
            raise VoxreconError(
                f"{self.name}: nothing is occupied at threshold {self.threshold:g}, the highest "
                f"probability is {float(self.volume.max()):.3f}; expected a lower threshold"
            )

    def _save_npz(self, path: Path) -> None:
        arrays = {
            "volume": self.volume,
            "occupied": self.occupied,
            "threshold": np.float64(self.threshold),
        }
        arrays |= {
            key: value
            for key, value in (("coarse", self.coarse), ("scores", self.scores))
            if value is not None
        }
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)


def check_threshold(threshold: float) -> float:
    """ConfigError unless it is above 0 and at most 1."""
    if not isinstance(threshold, float | int | np.number) or not 0 < threshold <= 1:
        raise ConfigError(f"threshold {threshold!r}, expected above 0 and at most 1")
    return float(threshold)


def check_output(path: str | os.PathLike) -> str:
    """The suffix of a file that ``save`` can write; FileError for another one."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES or "\0" in os.fspath(path):
        raise FileError(f"{path}: expected a file of type {', '.join(SUFFIXES)}")
    return suffix
