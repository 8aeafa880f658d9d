# SPDX-License-Identifier: MIT
"""What all data sets share: samples of a taxonomy, views drawn from a key, broken ones replaced."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from voxrecon.errors import ConfigError, FileError, SampleError
from voxrecon.registry import TRANSFORMS

from .sampler import SampleKey
from .storage import exists, list_names
from .taxonomy import SPLITS, list_samples, read_taxonomy, select_classes

ORDERS = SELECTIONS = ("first", "random")
MAX_ATTEMPTS = 20  # samples tried for one item before the data set counts as broken

Box = tuple[float, float, float, float]


class ViewFile(NamedTuple):
    """A picture of an object: its number, its file and the object's box in it, where one is known
    (x0, y0, x1, y1 in pixels, the first row and column being 0)."""

    number: int
    path: str
    box: Box | None = None


class VoxelDataset(BaseDataset):
    """Base of the data sets: objects with views and a voxel grid.

    A sample's key is (taxonomy, id), since ids repeat across classes. Items are asked for by a
    :class:`SampleKey`: views and augmentation follow from its (seed, epoch, index), whatever the
    worker. A plain int means epoch 0, seed 0 and the first ``n_views`` views. A subclass says where
    things are: ``list_views``, ``list_grids`` and ``find_fault``, perhaps more.

    Args:
        data_root: Folder of the data.
        taxonomy: Taxonomy JSON, relative to ``data_root`` (or, where there is none, to the current
            folder).
        split: ``"train"``, ``"val"`` or ``"test"``.
        pipeline: Transforms; they get ``taxonomy``, ``id``, ``name``, ``views``, ``img_paths``,
            ``boxes`` (one a view, where they are known), ``voxel_paths``, ``grid_size``, ``rng``
            (the Generator to draw from), ``broken`` and ``backend_args``.
        n_views: Views for a plain int; in test mode every sample must have as many.
        grid_size: Cells on each side of a grid.
        classes: Ids or names of the classes to keep; None for all.
        test_mode: The first views in place of random ones, and no sample is passed over silently.
        selection: Of the views in test mode: ``"first"``, or ``"random"`` ones, always the same of
            an object, as LegoFormer's evaluation draws them.
        order: Of the selected views: ``"first"`` leaves them as they were selected, ``"random"``
            shuffles them and tells as which one each was selected (``picks``).
        skip_bad: In test mode, leave out missing samples (listed in ``missing``) and replace broken
            ones.
        backend_args: For another file backend of mmengine than the local disk; it must be able to
            list folders.
        indices: mmengine's: the first so many samples, or a list of positions.
        lazy_init: mmengine's: leave the disk alone until ``full_init()``.

    Raises:
        FileError: no data folder, no taxonomy, or a malformed one.
        ConfigError: an unknown class or split, or another argument that does not fit.
        SampleError: no sample on disk; in test mode without ``skip_bad``, any sample missing or
            short of views.
    """

    how_to_get = ""  # ends the message on a missing folder
    orders: tuple[str, ...] = ORDERS
    val_is_test = False  # the test split stands in where a taxonomy has no split val, as published

    def __init__(
        self,
        data_root: str,
        taxonomy: str = "taxonomy.json",
        split: str = "train",
        pipeline: Sequence[dict | Callable] = (),
        n_views: int = 1,
        grid_size: int = 32,
        classes: str | Sequence[str] | None = None,
        test_mode: bool = False,
        selection: str = "first",
        order: str = "first",
        skip_bad: bool = False,
        backend_args: dict | None = None,
        indices: int | Sequence[int] | None = None,
        lazy_init: bool = False,
    ) -> None:
        if split not in SPLITS:
            raise ConfigError(f"split {split!r}, expected one of {', '.join(SPLITS)}")
        if not isinstance(n_views, int) or n_views < 1:
            raise ConfigError(f"n_views {n_views!r}, expected an integer from 1")
        if selection not in SELECTIONS:
            raise ConfigError(f"selection {selection!r}, expected one of {', '.join(SELECTIONS)}")
        if order not in self.orders:
            raise ConfigError(f"order {order!r}, expected one of {', '.join(self.orders)}")
        self.selection, self.order = selection, order
        self.taxonomy, self.split, self.n_views = os.fspath(taxonomy), split, n_views
        self.grid_size, self.classes = grid_size, classes
        self.skip_bad, self.backend_args = skip_bad, backend_args
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

    # ---- what a data set says of itself

    def list_views(self, sample: dict) -> tuple[str, list[ViewFile]]:
        """Where the views of a sample are, for messages, and all of them in order."""
        raise NotImplementedError

    def list_grids(self, sample: dict) -> list[str]:
        """Paths of the grid; the first that exists counts. Empty for data without grids."""
        raise NotImplementedError

    def find_fault(self, sample: dict, is_listed: Callable[[str], bool]) -> str:
        """What is missing of a sample on disk, "" for nothing."""
        raise NotImplementedError

    def check_folders(self) -> None:
        """FileError, with how to get the data, where its folders are not."""
        self.require_folder("")

    def list_objects(self, path: str) -> list[dict]:
        """The samples of the split in the taxonomy ``path``: each its taxonomy, id and name."""
        classes = select_classes(read_taxonomy(path), self.classes)
        self._metainfo["classes"] = {c.id: c.name for c in classes}
        split = self.split
        if split == "val" and self.val_is_test and not any(c.splits.get("val") for c in classes):
            split = "test"
        return [
            {"taxonomy": c.id, "id": name, "name": c.name}
            for c, name in list_samples(classes, split, path)
        ]

    def arrange(
        self, views: list[ViewFile], rng: np.random.Generator
    ) -> tuple[list[ViewFile], dict]:
        """The chosen views in the order for the network, and further entries for the pipeline."""
        if self.order != "random":
            return views, {}
        places = rng.permutation(len(views)).tolist()
        return [views[i] for i in places], {"picks": places}

    # ---- what there is

    def load_data_list(self) -> list[dict]:
        """The samples of the split that are on disk, in the order of the taxonomy."""
        self.check_folders()
        path = self.find_taxonomy()
        samples = self.list_objects(path)
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

    def find_taxonomy(self) -> str:
        """Path of the taxonomy."""
        path = os.path.join(self.data_root, self.taxonomy)
        if not exists(path) and os.path.exists(self.taxonomy):
            return self.taxonomy
        return path

    def require_folder(self, *names: str, how: str = "") -> None:
        """FileError unless one of these folders is there; ``how`` in place of ``how_to_get``."""
        folders = [os.path.join(self.data_root, name) if name else self.data_root for name in names]
        if folders and all(self._list(folder) is None for folder in folders):
            raise FileError(f"{folders[0]}: no such data folder; {how or self.how_to_get}")

    def _list(self, folder: str) -> set[str] | None:
        try:
            return set(list_names(folder, self.backend_args))
        except OSError:
            return None

    def _divide(self, samples: Sequence[dict]) -> tuple[list[dict], dict[tuple[str, str], str]]:
        """The samples on disk, and for the others (by key) what is amiss.

        One listing per folder: a stat per sample takes minutes on a network disk.
        """
        listed: dict[str, set[str]] = {}

        def is_listed(path: str) -> bool:
            folder, name = os.path.split(path)
            if folder not in listed:
                listed[folder] = self._list(folder) or set()
            return name in listed[folder]

        there, reasons = [], {}
        for sample in samples:
            reason = self.find_fault(sample, is_listed)
            if not reason and self.test_mode:
                try:
                    self._list_views(sample, self.n_views)
                except SampleError as error:
                    reason = str(error)
            if reason:
                reasons[sample["taxonomy"], sample["id"]] = reason
            else:
                there.append(sample)
        return there, reasons

    def _list_views(self, sample: dict, n_views: int) -> list[ViewFile]:
        """All views; SampleError if below ``n_views``."""
        where, found = self.list_views(sample)
        if len(found) < n_views:
            raise SampleError(f"{where}: {len(found)} renderings, {n_views} views asked for")
        return found

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
        in_order = (plain or self.test_mode) and self.selection == "first"
        index, rng = asked, self._generator(seed, epoch, asked)
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

    def _generator(self, seed: int, epoch: int, index: int) -> np.random.Generator:
        if not self.test_mode:
            return np.random.default_rng((seed, epoch, index))
        # of the object, so that its draws do not depend on which others are tested
        sample = self.get_data_info(index)
        key = hashlib.sha256(f"{sample['taxonomy']}/{sample['id']}".encode()).digest()
        return np.random.default_rng((seed, epoch, *np.frombuffer(key, np.uint32).tolist()))

    def prepare(
        self, index: int, n_views: int, rng: np.random.Generator, in_order: bool, broken: list[str]
    ) -> dict:
        """Choose the views of sample ``index``, run the pipeline; FileError if it is broken."""
        sample = self.get_data_info(index)
        found = self._list_views(sample, n_views)
        if not in_order:
            # without replacement, in random order
            found = [found[i] for i in rng.permutation(len(found))[:n_views]]
        found, further = self.arrange(found[:n_views], rng)
        if all(view.box for view in found):
            further["boxes"] = [view.box for view in found]
        return self.pipeline(
            {
                **further,
                "taxonomy": sample["taxonomy"],
                "id": sample["id"],
                "name": sample["name"],
                "views": [view.number for view in found],
                "img_paths": [view.path for view in found],
                "grid_size": self.grid_size,
                "voxel_paths": self.list_grids(sample),
                "rng": rng,
                "broken": list(broken),
                "backend_args": self.backend_args,
            }
        )
