# SPDX-License-Identifier: MIT
"""Things3D: ShapeNet objects rendered inside the rooms of SUNCG (Xie et al., IJCV 2020)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from voxrecon.errors import SampleError
from voxrecon.registry import DATASETS

from .base import ViewFile, VoxelDataset
from .storage import list_names

GRIDS = "ShapeNetVox"


@DATASETS.register_module()
class Things3DDataset(VoxelDataset):
    """Renderings with rooms around the object, in the layout of Pix2Vox++'s public code.

    ``{taxonomy}/{model}/{scene}/render_00_final.png ...`` and
    ``ShapeNetVox32/{taxonomy}/{model}/model.binvox`` (or ``{model}.binvox``) under ``data_root``. A
    sample is a model in a scene, its id ``{model}-{scene}``; all arguments are
    :class:`VoxelDataset`'s.
    """

    how_to_get = (
        "put the renderings as DIR/<class>/<model>/<scene>/render_00_final.png and ShapeNetVox32 "
        "into a folder DIR, run: voxrecon data things3d DIR --splits "
        "SHAPENET/taxonomy.json and pass --data-root DIR"
    )

    def check_folders(self) -> None:
        super().check_folders()
        self.require_folder(f"{GRIDS}{self.grid_size}")

    def find_fault(self, sample: dict, is_listed: Callable[[str], bool]) -> str:
        folder = self._folder(sample)
        if not is_listed(folder):
            return f"no {folder}"
        whole, flat = self.list_grids(sample)
        return "" if is_listed(os.path.dirname(whole)) or is_listed(flat) else f"no {whole}"

    def list_views(self, sample: dict) -> tuple[str, list[ViewFile]]:
        folder = self._folder(sample)
        try:
            names = list_names(folder, self.backend_args)
        except OSError as error:
            raise SampleError(f"{folder}: cannot be listed: {error.strerror or error}") from error
        return folder, sorted(
            ViewFile(number, f"{folder}/{name}")
            for name in names
            if (number := view_number(name)) is not None
        )

    def list_grids(self, sample: dict) -> list[str]:
        model, _ = split_id(sample["id"])
        stem = os.path.join(self.data_root, f"{GRIDS}{self.grid_size}", sample["taxonomy"], model)
        return [os.path.join(stem, "model.binvox"), f"{stem}.binvox"]

    def _folder(self, sample: dict) -> str:
        return os.path.join(self.data_root, sample["taxonomy"], *split_id(sample["id"]))


def split_id(name: str) -> tuple[str, str]:
    """``model-scene`` to model and scene; a model's id may hold dashes, a scene's does not."""
    model, _, scene = name.rpartition("-")
    return model, scene


def view_number(name: str) -> int | None:
    """Of ``render_07_final.png``; None for another file, such as ``render_07_clean.png``."""
    found = re.fullmatch(r"render_([0-9]{2,6})_final\.png", name)
    return int(found[1]) if found else None
