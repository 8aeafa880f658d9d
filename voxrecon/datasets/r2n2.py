# SPDX-License-Identifier: MIT
"""ShapeNet as 3D-R2N2 rendered and voxelised it, and everything else in that layout."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from voxrecon.errors import ConfigError, FileError, SampleError
from voxrecon.geometry.camera import read_metadata
from voxrecon.registry import DATASETS

from .base import ORDERS, ViewFile, VoxelDataset
from .storage import list_names, read_bytes

MAX_METADATA = 2**16  # bytes of a rendering_metadata.txt
GRIDS = (  # the layouts of 3D-R2N2 and of Pix2Vox++
    "ShapeNetVox{size}/{taxonomy}/{id}/model.binvox",
    "ShapeNetVox{size}/{taxonomy}/{id}.binvox",
)


@DATASETS.register_module()
class R2N2Dataset(VoxelDataset):
    """Objects with renderings and a voxel grid, in the layout of 3D-R2N2 (Choy et al. 2016).

    ``{image_dir}/{taxonomy}/{id}/rendering/00.png ...`` and one of ``voxel_paths`` under
    ``data_root``.

    Args:
        order: As in :class:`VoxelDataset`, or ``"azimuth"``, which sorts the selected views by
            their azimuth in ``rendering_metadata.txt``.
        image_dir: Folder of the renderings.
        voxel_paths: Templates, the first that exists counts; empty for data without grids.
            ``{size}`` is ``grid_size``.
        kwargs: of :class:`VoxelDataset`.

    Raises:
        ConfigError: an unknown class or split, or a template that does not fit.
    """

    orders = (*ORDERS, "azimuth")
    how_to_get = (
        "register at shapenet.org, unpack ShapeNetRendering.tgz and ShapeNetVox32.tgz of 3D-R2N2 "
        "into a folder DIR, with the splits as DIR/taxonomy.json, and pass --data-root DIR; or "
        "make Shapes13 by: voxrecon data make-shapes13 data/shapes13 "
        "--per-class 60 and pass --data-root data/shapes13"
    )

    def __init__(
        self,
        data_root: str,
        *,
        image_dir: str = "ShapeNetRendering",
        voxel_paths: Sequence[str] = GRIDS,
        grid_size: int = 32,
        **kwargs: Any,
    ) -> None:
        for template in voxel_paths:
            _check_template(template)
        self.image_dir = image_dir
        self.voxel_paths = tuple(t.replace("{size}", str(grid_size)) for t in voxel_paths)
        super().__init__(data_root, grid_size=grid_size, **kwargs)

    def check_folders(self) -> None:
        super().check_folders()
        self.require_folder(self.image_dir)
        how = f"ShapeNet has grids of 32^3; those of {self.grid_size}^3 are to be made"
        grids = [os.path.dirname(template.split("{")[0]) for template in self.voxel_paths]
        self.require_folder(*grids, how=how if self.grid_size != 32 else "")

    def find_fault(self, sample: dict, is_listed: Callable[[str], bool]) -> str:
        folder = os.path.dirname(self._rendering_folder(sample))
        if not is_listed(folder):
            return f"no {folder}"
        # up to the part with the id: ".../{id}" or ".../{id}.binvox"
        grids = [self._expand(_head(t), sample) for t in self.voxel_paths]
        return f"no {grids[0]}" if grids and not any(map(is_listed, grids)) else ""

    def list_views(self, sample: dict) -> tuple[str, list[ViewFile]]:
        folder = self._rendering_folder(sample)
        try:
            names = list_names(folder, self.backend_args)
        except OSError as error:
            raise SampleError(f"{folder}: cannot be listed: {error.strerror or error}") from error
        found = [
            ViewFile(int(name[:-4]), f"{folder}/{name}")
            for name in names
            if name.endswith(".png") and name[:-4].isdecimal() and len(name) < 14
        ]
        return folder, sorted(found)

    def list_grids(self, sample: dict) -> list[str]:
        return [self._expand(template, sample) for template in self.voxel_paths]

    def arrange(
        self, views: list[ViewFile], rng: np.random.Generator
    ) -> tuple[list[ViewFile], dict]:
        if self.order != "azimuth":
            return super().arrange(views, rng)
        folder = os.path.dirname(views[0].path)
        azimuths = self._read_azimuths(folder, [view.number for view in views])
        places = sorted(range(len(views)), key=azimuths.__getitem__)
        return [views[i] for i in places], {"picks": places}

    def _expand(self, template: str, sample: dict) -> str:
        path = template.format(taxonomy=sample["taxonomy"], id=sample["id"])
        return os.path.join(self.data_root, path)

    def _rendering_folder(self, sample: dict) -> str:
        key = (sample["taxonomy"], sample["id"])
        return os.path.join(self.data_root, self.image_dir, *key, "rendering")

    def _read_azimuths(self, folder: str, numbers: Sequence[int]) -> list[float]:
        """Of views by their numbers, degrees in [0, 360)."""
        path = f"{folder}/rendering_metadata.txt"
        try:
            text = read_bytes(path, MAX_METADATA, self.backend_args).decode(errors="replace")
            views = read_metadata(text, path)
        except FileNotFoundError:
            raise SampleError(
                f"{path}: no such file, but order='azimuth' needs the azimuth of every view"
            ) from None
        except FileError as error:
            raise SampleError(str(error)) from error
        if max(numbers) >= len(views):
            raise SampleError(
                f"{path}: {len(views)} lines, expected the azimuth of view {max(numbers):02d}"
            )
        return [views[number].azimuth % 360 for number in numbers]


def _head(template: str) -> str:
    """``a/{taxonomy}/{id}/model.binvox`` to ``a/{taxonomy}/{id}``."""
    before, _, after = template.partition("{id}")
    return before + "{id}" + after.split("/")[0]


def _check_template(template: str) -> None:
    try:
        expanded = template.format(taxonomy="t", id="i", size="s")
    except (KeyError, IndexError, ValueError, AttributeError):
        expanded = ""
    if "{id}" not in template or not expanded.endswith((".binvox", ".mat")):
        raise ConfigError(
            f"voxel path {template!r}, expected a path to .binvox or .mat with {{taxonomy}}, "
            "{id} and perhaps {size}"
        )
