# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import os
from pathlib import Path

from voxrecon.cli.common import command_line, config_line, guard, parser, quote_path, with_bar
from voxrecon.cli.grids import RESOLUTION
from voxrecon.cli.recipes import write_splits
from voxrecon.datasets.json_files import is_plain
from voxrecon.datasets.taxonomy import SPLITS, TaxonomyClass, read_taxonomy
from voxrecon.datasets.things3d import GRIDS, view_number
from voxrecon.errors import ConfigError, FileError
from voxrecon.fileio import reason


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon data things3d``."""
    arguments = parser(
        "data things3d",
        "Prepare Things3D: check what is there, and write the splits: a model in a room is where\n"
        "the model is in ShapeNet's, so that no model is both trained and tested on.",
        "data/Things3D --splits data/ShapeNet/taxonomy.json",
    )
    arguments.add_argument(
        "data", metavar="DIR", help="folder with <class>/<model>/<scene> and ShapeNetVox32"
    )
    arguments.add_argument(
        "--splits", metavar="FILE", required=True, help="the taxonomy JSON of ShapeNet"
    )
    arguments.add_argument(
        "--views", type=int, default=1, metavar="V", help="leave out scenes with less (default: 1)"
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def things3d(args: argparse.Namespace) -> None:
    """Check the data set and write its splits as the command line says."""
    if args.views < 1:
        raise ConfigError(f"--views {args.views}: expected at least 1")
    root = Path(args.data)
    there = _list(root)
    known = read_taxonomy(args.splits)
    grids = f"{GRIDS}{RESOLUTION}"
    if grids not in there:
        raise FileError(f"{root / grids}: no such folder; link it there: ln -s SHAPENET/{grids}")
    classes = [c for c in known if c.id in there]
    if not classes:
        named = ", ".join(c.id for c in known[:3])
        raise FileError(f"{root}: no folder of a class of {args.splits}, expected {named}, ...")
    found = [_Found(root, c, args.views) for c in classes]
    if not any(ids for part in found for ids in part.splits.values()):
        raise FileError(
            f"{root}: no rendering render_00_final.png in <class>/<model>/<scene> of a model of "
            f"{args.splits} with a grid"
        )
    write_splits(
        root / "taxonomy.json",
        [(c.id, c.name, part.splits) for c, part in zip(classes, found, strict=True)],
    )
    for c, part in zip(classes, found, strict=True):
        counts = ", ".join(f"{split} {len(ids):,}" for split, ids in part.splits.items())
        print(f"{c.name}: {counts}")
    for text, lost in (
        ("models in no split", sum(part.unknown for part in found)),
        ("models without a grid", sum(part.without_grid for part in found)),
        (f"scenes of less than {args.views} views", sum(part.short for part in found)),
        ("scenes whose names have dashes or are odd", sum(part.odd for part in found)),
    ):
        if lost:
            print(f"left out: {lost:,} {text}")
    place = quote_path(args.data)
    config = config_line("configs/pix2voxpp_a_things3d.py")
    print(f"train on them: {command_line('train')} {config} --data-root {place}")


class _Found:
    """What is there of a class: ids ``model-scene`` by split, and numbers of what is left out."""

    def __init__(self, root: Path, c: TaxonomyClass, views: int) -> None:
        self.unknown = self.without_grid = self.short = self.odd = 0
        self.splits: dict[str, list[str]] = {split: [] for split in SPLITS}
        of = {name: split for split, names in c.splits.items() for name in names}
        folder = root / f"{GRIDS}{RESOLUTION}" / c.id
        grids = {name.removesuffix(".binvox") for name in _list(folder)}
        for model in with_bar(sorted(_list(root / c.id)), c.name):
            if model not in of:
                self.unknown += 1
            elif model not in grids:
                self.without_grid += 1
            else:
                self._add(root / c.id / model, of[model], views)

    def _add(self, folder: Path, split: str, views: int) -> None:
        for scene in sorted(_list(folder)):
            names = _list(folder / scene) if (folder / scene).is_dir() else ()
            if not is_plain(scene) or "-" in scene:  # no id could be made of it
                self.odd += 1
            elif sum(view_number(name) is not None for name in names) < views:
                self.short += 1
            else:
                self.splits[split].append(f"{folder.name}-{scene}")


def _list(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError as error:
        raise FileError(f"{folder}: cannot be listed: {reason(error)}") from error


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: things3d(parse_args(argv)))


if __name__ == "__main__":
    main()
