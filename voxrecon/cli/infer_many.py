# SPDX-License-Identifier: MIT
"""Many objects: each is written as soon as it is there, and one that fails does not stop them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from voxrecon.apis import Reconstruction, VoxelInferencer
from voxrecon.apis.inputs import find_masks, group_photos, list_objects
from voxrecon.cli.common import one_line, say, with_bar
from voxrecon.cli.infer import describe, suggest_turntable
from voxrecon.errors import FileError, VoxreconError


@dataclass(frozen=True)
class _Object:
    """A folder of photos, and the masks of ``--masks``."""

    name: str
    folder: Path
    masks: list[Path | None] | None


def find_objects(photos: Sequence[str]) -> list[Path]:
    """The folders of many objects, given as they are or inside of one; none of a single object."""
    folders = [Path(path) for path in photos if os.path.isdir(path)]
    if len(photos) == 1:
        return [path for folder in folders for path in list_objects(folder)]
    return folders if len(folders) == len(photos) else []


def infer_many(inferencer: VoxelInferencer, folders: list[Path], args: argparse.Namespace) -> None:
    """Reconstruct the objects as ``voxrecon infer`` says, ``--batch-size`` at once.

    Raises:
        FileError: output cannot be written, or there are no masks.
        VoxreconError: some objects failed; a line of each is on stderr, all others are written.
    """
    failures: list[VoxreconError] = []
    formats, out = args.formats or ["glb"], Path(args.out[0])
    written: list[str] = []
    try:
        objects = _read_folders(folders, args.masks, failures)
        batches = [
            objects[start : start + args.batch_size]
            for start in range(0, len(objects), args.batch_size)
        ]
        for batch in with_bar(batches, "reconstructing"):
            for result in _reconstruct(inferencer, batch, args, failures):
                describe(result, many=True)
                if set(formats) != {"npz"}:  # the only one that an empty volume can be
                    try:
                        result.check_occupied()
                    except VoxreconError as error:
                        failures.append(error)
                        continue
                for kind in formats:
                    path = out / f"{result.name}.{kind}"
                    result.save(path, args.mesh, args.azimuth, args.elevation)
                written.append(result.name)
    finally:
        for error in failures:  # after the bar, also when Ctrl-C ends it
            print(one_line(error), file=sys.stderr)
    count = len(written)
    say(f"{count * len(formats)} files of {count} objects: {out}")
    if written and "gif" not in formats:
        first = next(each for each in objects if each.name == written[0])
        given = first.masks and str(Path(args.masks, first.name))
        one = argparse.Namespace(**{**vars(args), "photos": [str(first.folder)], "masks": given})
        suggest_turntable(one, out / f"{first.name}.{formats[0]}")
    if failures:
        others = f"the others are written: {out}" if count else "none is written"
        raise VoxreconError(f"{len(failures)} of {len(folders)} objects failed, {others}")


def _read_folders(
    folders: list[Path], masks: str | None, failures: list[VoxreconError]
) -> list[_Object]:
    """The objects that have photos, with names that differ."""
    full = []
    for folder in folders:
        try:
            group_photos([folder])
        except VoxreconError as error:
            failures.append(error)
        else:
            full.append(folder)
    if not full:
        return []
    groups, names, _ = group_photos(full)
    if masks is not None and not any(Path(masks, name).is_dir() for name in names):
        raise FileError(f"{masks}: no folder of masks, expected some such as {names[0]}")
    objects = []
    for name, folder, photos in zip(names, full, groups, strict=True):
        try:
            given = masks is not None and Path(masks, name).is_dir()
            found = find_masks(Path(masks, name), photos) if given else None
            objects.append(_Object(name, folder, found))
        except VoxreconError as error:
            failures.append(error)
    return objects


def _reconstruct(
    inferencer: VoxelInferencer,
    batch: list[_Object],
    args: argparse.Namespace,
    failures: list[VoxreconError],
) -> Iterator[Reconstruction]:
    """All at once; where that fails, one by one."""
    try:
        results = inferencer(
            [each.folder for each in batch],
            None if args.masks is None else [each.masks for each in batch],
            None,
            args.background,
            args.framing,
            args.threshold,
            len(batch),
            progress=False,
        )
    except VoxreconError as error:
        if len(batch) == 1:
            failures.append(error)
            return
        for each in batch:
            yield from _reconstruct(inferencer, [each], args, failures)
    else:
        for each, result in zip(batch, results, strict=True):
            yield replace(result, name=each.name)
