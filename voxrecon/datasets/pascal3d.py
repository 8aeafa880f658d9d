# SPDX-License-Identifier: MIT
"""Pascal 3D+: photos of ImageNet with a nearest CAD model (Xiang et al., WACV 2014)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from voxrecon.errors import FileError
from voxrecon.registry import DATASETS

from .base import Box, ViewFile, VoxelDataset
from .json_files import brief, check_box, read_json

ANNOTATIONS = "pascal3d.json"
MAX_BYTES = 2**26  # 22,000 photos take 2 MB
MAX_CAD = 99  # two digits in the files' names


@dataclass(frozen=True)
class Target:
    """The object of a photo that is to be reconstructed."""

    box: Box
    cad: int | None  # number of its model, from 1; None: it has none


def read_targets(path: str, backend_args: dict | None = None) -> dict[tuple[str, str], Target]:
    """Read ``{class: {photo: {"box": [x0, y0, x1, y1], "cad": 3}}}`` as (class, photo): target.

    Raises:
        FileError: the file is missing, too large or not of this form.
    """
    classes = read_json(path, MAX_BYTES, "annotations of Pascal 3D+", backend_args)
    targets = {}
    for taxonomy, photos in _items(classes, path):
        for name, entry in _items(photos, f"{path}: {brief(taxonomy)}"):
            where = f"{path}: {taxonomy}/{name}"
            fields = dict(_items(entry, where))
            cad = fields.get("cad")
            if cad is not None and (type(cad) is not int or not 1 <= cad <= MAX_CAD):
                raise FileError(f"{where}: cad {brief(cad)}, expected null or 1 to {MAX_CAD}")
            targets[taxonomy, name] = Target(check_box(fields.get("box"), where), cad)
    return targets


def _items(value: object, where: str):
    if not isinstance(value, dict):
        raise FileError(f"{where}: {brief(value)}, expected an object")
    return value.items()


@DATASETS.register_module()
class Pascal3DDataset(VoxelDataset):
    """Photos with the box of one object, and the grid of the CAD model that is nearest to it.

    ``Images/{class}_imagenet/{id}.JPEG``, ``CAD/{class}/01.binvox ...`` and ``pascal3d.json`` under
    ``data_root``; the latter two are made by the converter. All arguments are
    :class:`VoxelDataset`'s. Train and test share their CAD models: IoU measures recognition here.
    """

    how_to_get = (
        "download PASCAL3D+ from cvgl.stanford.edu/projects/pascal3d.html, unpack it into a folder "
        "DIR, run: voxrecon data pascal3d DIR and pass --data-root DIR"
    )
    val_is_test = True

    def check_folders(self) -> None:
        super().check_folders()
        self.require_folder("Images")
        self.require_folder("CAD")

    def list_objects(self, path: str) -> list[dict]:
        targets = read_targets(os.path.join(self.data_root, ANNOTATIONS), self.backend_args)
        samples = super().list_objects(path)
        return [{**s, "target": targets.get((s["taxonomy"], s["id"]))} for s in samples]

    def find_fault(self, sample: dict, is_listed: Callable[[str], bool]) -> str:
        if sample["target"] is None:
            return f"no such photo in {ANNOTATIONS}"
        if sample["target"].cad is None:
            return f"no object with a model in {ANNOTATIONS}"
        for path in (self._image(sample), *self.list_grids(sample)):
            if not is_listed(path):
                return f"no {path}"
        return ""

    def list_views(self, sample: dict) -> tuple[str, list[ViewFile]]:
        path = self._image(sample)
        return path, [ViewFile(0, path, sample["target"].box)]

    def list_grids(self, sample: dict) -> list[str]:
        name = f"{sample['target'].cad:02d}.binvox"
        return [os.path.join(self.data_root, "CAD", sample["taxonomy"], name)]

    def _image(self, sample: dict) -> str:
        folder = f"{sample['taxonomy']}_imagenet"
        return os.path.join(self.data_root, "Images", folder, f"{sample['id']}.JPEG")
