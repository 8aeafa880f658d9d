# SPDX-License-Identifier: MIT
"""Pix3D: photos of furniture, each with its model (Sun et al., CVPR 2018)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voxrecon.errors import ConfigError, FileError
from voxrecon.registry import DATASETS

from .base import Box, ViewFile, VoxelDataset
from .json_files import brief, check_box, check_path, check_plain, read_json

MAX_BYTES = 2**26  # pix3d.json has some tens of MB, most of it keypoints
GROUPS = (None, "model")
HIDDEN = ("truncated", "occluded", "slightly_occluded")


@dataclass(frozen=True)
class Photo:
    """An entry of ``pix3d.json``; paths are relative to its folder."""

    category: str
    id: str  # the stem of the image's name
    image: str
    model: str | None
    voxel: str | None  # the official grid, a MATLAB file
    box: Box
    whole: bool  # not truncated, not occluded, not slightly occluded

    @property
    def grids(self) -> list[str]:
        """Paths that the grid may have: ours beside the model, and Pix2Vox's beside the .mat."""
        if self.model is None:
            return []
        grids = [os.path.splitext(self.model)[0] + ".binvox"]
        if self.voxel is not None:
            folder, name = os.path.split(self.voxel)
            stem = os.path.splitext(name)[0].replace("voxel", "model")
            grids.append(os.path.join(folder, f"{stem}.binvox"))
        return list(dict.fromkeys(grids))

    @property
    def object_name(self) -> str:
        """The model's, within its category: ``model/chair/IKEA_URBAN/model.obj`` is IKEA_URBAN."""
        *folders, name = os.path.splitext(self.model)[0].split("/")
        if folders[:2] == ["model", self.category]:
            folders = folders[2:]
        return "-".join(folders if folders and name == "model" else [*folders, name])


def read_photos(path: str, backend_args: dict | None = None) -> list[Photo]:
    """Read ``pix3d.json``: a list of ``{img, category, model, voxel, bbox, truncated, ...}``.

    Raises:
        FileError: the file is missing, too large or not of this form, an image is there twice, or
            a path leads out of the folder.
    """
    entries = read_json(path, MAX_BYTES, "annotations of Pix3D", backend_args)
    if not isinstance(entries, list) or not entries:
        raise FileError(f"{path}: {brief(entries)}, expected a list of photos")
    photos = [_parse(entry, f"{path}: entry {i}") for i, entry in enumerate(entries)]
    keys: set[tuple[str, str]] = set()
    for photo in photos:
        key = photo.category, photo.id
        if key in keys:
            raise FileError(f"{path}: photo {'/'.join(key)!r} is there twice, expected once")
        keys.add(key)
    return photos


def _parse(entry: object, where: str) -> Photo:
    if not isinstance(entry, dict):
        raise FileError(f"{where}: {brief(entry)}, expected an object")
    check_plain(entry.get("category"), f"{where}: category")
    image = check_path(entry.get("img"), f"{where}: img")
    paths = {
        key: str(check_path(entry[key], f"{where}: {key}")) if entry.get(key) else None
        for key in ("model", "voxel")
    }
    for key in HIDDEN:
        if not isinstance(entry.get(key), bool):
            raise FileError(f"{where}: {key} is {brief(entry.get(key))}, expected true or false")
    return Photo(
        category=entry["category"],
        id=image.stem,
        image=str(image),
        **paths,
        box=check_box(entry.get("bbox"), where),
        whole=not any(entry[key] for key in HIDDEN),
    )


@DATASETS.register_module()
class Pix3DDataset(VoxelDataset):
    """Photos with boxes, and the grids of their models.

    ``pix3d.json``, the folders ``img`` and ``model``, and a ``.binvox`` beside each model under
    ``data_root``. A sample is a photo, its key (category, stem of the image's name).

    Args:
        group: ``"model"``: all photos of a model in a split are views of one object, which has the
            model's name for an id. None: every photo is an object of one view.
        kwargs: of :class:`VoxelDataset`.

    Raises:
        ConfigError: another group, or an argument of ``VoxelDataset`` that does not fit.
    """

    how_to_get = (
        "download pix3d.zip from pix3d.csail.mit.edu, unpack it into a folder DIR, run: "
        "voxrecon data pix3d DIR and pass --data-root DIR in a test, in a training "
        "--cfg-options val_dataloader.dataset.data_root=DIR test_dataloader.dataset.data_root=DIR"
    )
    val_is_test = True

    def __init__(self, data_root: str, *, group: str | None = None, **kwargs: Any) -> None:
        if group not in GROUPS:
            raise ConfigError(f"group {group!r}, expected None or 'model'")
        self.group = group
        super().__init__(data_root, **kwargs)

    def check_folders(self) -> None:
        super().check_folders()
        self.require_folder("img")

    def list_objects(self, path: str) -> list[dict]:
        photos = read_photos(os.path.join(self.data_root, "pix3d.json"), self.backend_args)
        known = {(photo.category, photo.id): photo for photo in photos}
        objects: dict[tuple[str, str], dict] = {}
        for sample in super().list_objects(path):
            photo = known.get((sample["taxonomy"], sample["id"]))
            if self.group and photo and photo.model:
                sample["id"] = photo.object_name
            key = sample["taxonomy"], sample["id"]
            whole = objects.setdefault(key, {**sample, "photos": [], "grids": []})
            if photo:
                whole["photos"].append((photo.image, photo.box))
                whole["grids"] = photo.grids
        return list(objects.values())

    def find_fault(self, sample: dict, is_listed: Callable[[str], bool]) -> str:
        if not sample["photos"]:
            return "no such photo in pix3d.json"
        if not sample["grids"]:
            return "has no model in pix3d.json"
        for image, _ in sample["photos"]:
            if not is_listed(path := os.path.join(self.data_root, image)):
                return f"no {path}"
        grids = self.list_grids(sample)
        if not any(map(is_listed, grids)):
            return f"no {grids[0]}: run voxrecon data pix3d {self.data_root}"
        return ""

    def list_views(self, sample: dict) -> tuple[str, list[ViewFile]]:
        views = [
            ViewFile(number, os.path.join(self.data_root, image), box)
            for number, (image, box) in enumerate(sample["photos"])
        ]
        return views[0].path, views

    def list_grids(self, sample: dict) -> list[str]:
        return [os.path.join(self.data_root, grid) for grid in sample["grids"]]
