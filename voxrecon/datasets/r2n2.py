# SPDX-License-Identifier: MIT
"""ShapeNet as 3D-R2N2 rendered and voxelised it, and everything else in that layout."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from voxrecon.errors import ConfigError, FileError, SampleError
from voxrecon.geometry.camera import read_metadata
from voxrecon.registry import DATASETS, TRANSFORMS

from .sampler import SampleKey
from .storage import list_names, read_bytes
from .taxonomy import SPLITS, list_samples, read_taxonomy, select_classes

ORDERS = ("first", "azimuth")
MAX_METADATA = 2**16  # bytes of a rendering_metadata.txt
MAX_ATTEMPTS = 20  # samples tried for one item before the data set counts as broken
HOW_TO_GET = (
    "register at shapenet.org, unpack ShapeNetRendering.tgz and ShapeNetVox32.tgz of 3D-R2N2 "
    "into a folder DIR, with the splits as DIR/taxonomy.json, and pass --data-root DIR; or make "
    "Shapes13 by: python tools/dataset_converters/make_shapes13.py data/shapes13 --per-class 60 "
    "and pass --data-root data/shapes13"
)


@DATASETS.register_module()
class R2N2Dataset(BaseDataset):
    """Objects with renderings and a voxel grid, in the layout of 3D-R2N2 (Choy et al. 2016).

    ``{image_dir}/{taxonomy}/{id}/rendering/00.png ...`` and one of ``voxel_paths`` under
    ``data_root``. A sample's key is (taxonomy, id), since ids repeat across classes. Items are
    asked for by a :class:`SampleKey`: views and augmentation follow from its (seed, epoch, index),
    whatever the worker. A plain int means epoch 0, seed 0 and the first ``n_views`` views.

    Args:
        data_root: Folder of the data.
        taxonomy: Taxonomy JSON, relative to ``data_root`` (or, where there is none, to the current
            folder).
        split: ``"train"``, ``"val"`` or ``"test"``.
        pipeline: Transforms; they get ``taxonomy``, ``id``, ``name``, ``views``, ``img_paths``,
            ``voxel_paths``, ``grid_size``, ``rng`` (the Generator to draw from), ``broken`` and
            ``backend_args``.
        n_views: Views for a plain int; in test mode every sample must have as many.
        order: Of the selected views: ``"first"`` leaves them as they were selected, ``"azimuth"``
            sorts them by their azimuth in ``rendering_metadata.txt`` and tells as which one each
            was selected (``picks``).
        image_dir: Folder of the renderings.
        voxel_paths: Templates, the first that exists counts; empty for data without grids.
        grid_size: Cells on each side of a grid, ``{size}`` of the templates.
        classes: Ids or names of the classes to keep; None for all.
        test_mode: The first views in place of random ones, and no sample is passed over silently.
        skip_bad: In test mode, leave out missing samples (listed in ``missing``) and replace broken
            ones.
        backend_args: For another file backend of mmengine than the local disk; it must be able to
            list folders.
        indices: mmengine's: the first so many samples, or a list of positions.
        lazy_init: mmengine's: leave the disk alone until ``full_init()``.

    Raises:
        FileError: no data folder, no taxonomy, or a malformed one.
        ConfigError: an unknown class or split, or a template that does not fit.
        SampleError: no sample on disk; in test mode without ``skip_bad``, any sample missing or
            short of views.
    """

    def __init__(
        self,
        data_root: str,
        taxonomy: str = "taxonomy.json",
        split: str = "train",
        pipeline: Sequence[dict | Callable] = (),
        n_views: int = 1,
        order: str = "first",
        image_dir: str = "ShapeNetRendering",
        voxel_paths: Sequence[str] = (
            "ShapeNetVox{size}/{taxonomy}/{id}/model.binvox",
            "ShapeNetVox{size}/{taxonomy}/{id}.binvox",
        ),
        grid_size: int = 32,
        classes: str | Sequence[str] | None = None,
        test_mode: bool = False,
        skip_bad: bool = False,
        backend_args: dict | None = None,
        indices: int | Sequence[int] | None = None,
        lazy_init: bool = False,
    ) -> None:
        if split not in SPLITS:
            raise ConfigError(f"split {split!r}, expected one of {', '.join(SPLITS)}")
        if not isinstance(n_views, int) or n_views < 1:
            raise ConfigError(f"n_views {n_views!r}, expected an integer from 1")
        if order not in ORDERS:
            raise ConfigError(f"order {order!r}, expected one of {', '.join(ORDERS)}")
        for template in voxel_paths:
            _check_template(template)
        self.taxonomy, self.split, self.n_views = os.fspath(taxonomy), split, n_views
        self.order, self.image_dir, self.grid_size = order, image_dir, grid_size
        self.voxel_paths = tuple(t.replace("{size}", str(grid_size)) for t in voxel_paths)
        self.classes, self.skip_bad, self.backend_args = classes, skip_bad, backend_args
        self.missing: list[tuple[str, str]] = []
        super().__init__(
            data_root=os.fspath(data_root),
            data_prefix={},
            # built here, not by mmengine's Compose: that needs a default scope
            pipeline=[TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline],
            test_mode=test_mode,
            indices=indices,
            lazy_init=lazy_init,
        )

    # ---- what there is

    def load_data_list(self) -> list[dict]:
        """The samples of the split that are on disk, in the order of the taxonomy."""
        self._check_folders()
        path = os.path.join(self.data_root, self.taxonomy)
        if not os.path.exists(path) and os.path.exists(self.taxonomy):
            path = self.taxonomy
        classes = select_classes(read_taxonomy(path), self.classes)
        self._metainfo["classes"] = {c.id: c.name for c in classes}
        samples = [
            {"taxonomy": c.id, "id": name, "name": c.name}
            for c, name in list_samples(classes, self.split, path)
        ]
        there, reasons = self._divide(samples)
        if not reasons:
            return there
        self.missing = list(reasons)
        self._metainfo["missing"] = [f"{t}/{i}: {why}" for (t, i), why in reasons.items()]
        keys = [f"{taxonomy}/{name}" for taxonomy, name in self.missing]
        named = ", ".join(keys[:3]) + (", ..." if keys[3:] else "")
        text = (
            f"{self.data_root}: {len(keys)} of {len(samples)} samples of split {self.split!r} "
            f"in {path} are missing or incomplete: {named} ({next(iter(reasons.values()))})"
        )
        if not there or (self.test_mode and not self.skip_bad):
            raise SampleError(text)
        print_log(f"{text}; left out", logger="current", level=logging.WARNING)
        return there

    def _check_folders(self) -> None:
        grids = [os.path.dirname(template.split("{")[0]) for template in self.voxel_paths]
        for tops in ([""], [self.image_dir], grids):  # one of each must be there
            folders = [os.path.join(self.data_root, top) if top else self.data_root for top in tops]
            if folders and all(self._list(folder) is None for folder in folders):
                how = HOW_TO_GET
                if tops is grids and self.grid_size != 32:
                    how = f"ShapeNet has grids of 32^3; those of {self.grid_size}^3 are to be made"
                raise FileError(f"{folders[0]}: no such data folder; {how}")

    def _list(self, folder: str) -> set[str] | None:
        try:
            return set(list_names(folder, self.backend_args))
        except OSError:
            return None

    def _divide(self, samples: Iterable[dict]) -> tuple[list[dict], dict[tuple[str, str], str]]:
        """The samples on disk, and for the others (by key) what is amiss.

        One listing per class and folder: a stat per sample takes minutes on a network disk.
        """
        listed: dict[str, set[str]] = {}

        def is_listed(path: str) -> bool:
            folder, name = os.path.split(path)
            if folder not in listed:
                listed[folder] = self._list(folder) or set()
            return name in listed[folder]

        there, reasons = [], {}
        for sample in samples:
            folder = os.path.dirname(self._rendering_folder(sample))
            # up to the part with the id: ".../{id}" or ".../{id}.binvox"
            grids = [self._expand(_head(t), sample) for t in self.voxel_paths]
            reason = ""
            if not is_listed(folder):
                reason = f"no {folder}"
            elif grids and not any(map(is_listed, grids)):
                reason = f"no {grids[0]}"
            elif self.test_mode:
                try:
                    self._list_views(sample, self.n_views)
                except SampleError as error:
                    reason = str(error)
            if reason:
                reasons[sample["taxonomy"], sample["id"]] = reason
            else:
                there.append(sample)
        return there, reasons

    def _expand(self, template: str, sample: dict) -> str:
        path = template.format(taxonomy=sample["taxonomy"], id=sample["id"])
        return os.path.join(self.data_root, path)

    def _rendering_folder(self, sample: dict) -> str:
        key = (sample["taxonomy"], sample["id"])
        return os.path.join(self.data_root, self.image_dir, *key, "rendering")

    def _list_views(self, sample: dict, n_views: int) -> tuple[str, list[tuple[int, str]]]:
        """The folder and its (number, file name) in order; SampleError if below ``n_views``."""
        folder = self._rendering_folder(sample)
        try:
            names = list_names(folder, self.backend_args)
        except OSError as error:
            raise SampleError(f"{folder}: cannot be listed: {error.strerror or error}") from error
        found = [
            (int(name[:-4]), name)
            for name in names
            if name.endswith(".png") and name[:-4].isdecimal() and len(name) < 14
        ]
        if len(found) < n_views:
            raise SampleError(f"{folder}: {len(found)} renderings, {n_views} views asked for")
        found.sort()
        return folder, found

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

    # ---- items

    def __getitem__(self, key: int | SampleKey) -> dict:
        """One packed sample.

        In training and with ``skip_bad`` a broken one is replaced, and named in ``broken``.
        """
        if not self._fully_initialized:
            self.full_init()
        plain = not isinstance(key, tuple)
        asked, epoch, n_views, seed = (int(key), 0, self.n_views, 0) if plain else key
        if asked < 0:
            asked += len(self)
        if not 0 <= asked < len(self):
            raise IndexError(f"sample {asked} of {len(self)}")
        in_order = plain or self.test_mode
        index, rng = asked, np.random.default_rng((seed, epoch, asked))
        broken: list[str] = []
        while True:
            try:
                return self.prepare(index, n_views, rng, in_order, broken)
            except FileError as error:
                if self.test_mode and not self.skip_bad:
                    raise
                broken.append(str(error))
            if len(broken) == (len(self) if self.test_mode else MAX_ATTEMPTS):
                raise SampleError(
                    f"{self.data_root}: {len(broken)} samples in a row broken, last: {broken[-1]}"
                )
            if self.test_mode:  # any whole one will do: the test counts each once
                index = (index + 1) % len(self)
                continue
            # attempts count from 1: a seed sequence ignores trailing zeros
            rng = np.random.default_rng((seed, epoch, asked, len(broken)))
            index = int(rng.integers(len(self)))

    def prepare(
        self, index: int, n_views: int, rng: np.random.Generator, in_order: bool, broken: list[str]
    ) -> dict:
        """Choose the views of sample ``index``, run the pipeline; FileError if it is broken."""
        sample = self.get_data_info(index)
        folder, found = self._list_views(sample, n_views)
        if not in_order:
            # without replacement, in random order
            found = [found[i] for i in rng.permutation(len(found))[:n_views]]
        found, picks = found[:n_views], {}
        if self.order == "azimuth":
            azimuths = self._read_azimuths(folder, [number for number, _ in found])
            places = sorted(range(len(found)), key=azimuths.__getitem__)
            found, picks = [found[i] for i in places], {"picks": places}
        return self.pipeline(
            {
                **picks,
                "taxonomy": sample["taxonomy"],
                "id": sample["id"],
                "name": sample["name"],
                "views": [number for number, _ in found],
                "img_paths": [f"{folder}/{name}" for _, name in found],
                "grid_size": self.grid_size,
                "voxel_paths": [self._expand(template, sample) for template in self.voxel_paths],
                "rng": rng,
                "broken": list(broken),
                "backend_args": self.backend_args,
            }
        )


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
