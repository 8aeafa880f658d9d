# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np

from voxrecon.cli.common import (
    command_line,
    config_line,
    guard,
    parser,
    quote_path,
)
from voxrecon.cli.grids import (
    add_workers,
    fit_grid,
    make_grids,
    solid,
)
from voxrecon.cli.recipes import write_splits
from voxrecon.datasets.json_files import brief, read_json
from voxrecon.datasets.pix3d import Photo, read_photos
from voxrecon.errors import ConfigError
from voxrecon.evaluation import write_json
from voxrecon.geometry.mat_files import PARSER, read_voxels
from voxrecon.sandbox import run_limited

UP, FRONT = "+y", "-z"  # the meshes: +x to the viewer's left, +y up, +z away from the viewer
BENCHMARK = {"chair": 2894}  # whole photos in the published list
MADE = "grids.json"  # says of what the grids were made


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon data pix3d``."""
    arguments = parser(
        "data pix3d",
        "Prepare Pix3D: a grid beside each model, and the splits: all photos whose object is not\n"
        "truncated, occluded or slightly occluded are for testing. Run again, it goes on where it\n"
        "was interrupted.",
        "data/Pix3D --categories chair",
    )
    arguments.add_argument("data", metavar="PIX3D_DIR", help="folder with pix3d.json")
    arguments.add_argument(
        "--source",
        choices=["mesh", "mat"],
        default="mesh",
        help="make grids of the meshes, or of the official voxels in .mat files (default: mesh)",
    )
    arguments.add_argument(
        "--categories", nargs="+", metavar="C", help="only these, such as chair (default: all)"
    )
    add_workers(arguments)
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def pix3d(args: argparse.Namespace) -> None:
    """Prepare the data set as the command line says."""
    root = Path(args.data)
    photos = read_photos(str(root / "pix3d.json"))
    known = sorted({photo.category for photo in photos})
    for category in args.categories or ():
        if category not in known:
            raise ConfigError(
                f"--categories {category}: no such category, expected some of {', '.join(known)}"
            )
    chosen = [p for p in photos if p.whole and p.category in (args.categories or known)]
    if not chosen:
        raise ConfigError(f"{root / 'pix3d.json'}: no whole object in {', '.join(known)}")
    _claim(root / MADE, args.source)
    if args.source == "mesh":
        models, read = _models(root, chosen, "model"), partial(solid, up=UP, front=FRONT)
    else:
        models, read = _models(root, chosen, "voxel"), official
    make_grids(models, read, args.workers)
    _split(root / "taxonomy.json", chosen)
    place = quote_path(args.data)
    config = config_line("configs/pix2voxpp_a_pix3d.py")
    print(f"test on them: {command_line('test')} {config} CKPT --data-root {place}")


def _models(root: Path, photos: list[Photo], kind: str) -> dict[Path, Path]:
    """By the grid of each model, the file of a kind that it is made of."""
    files = {photo.grids[0]: getattr(photo, kind) for photo in photos if photo.model}
    return {root / grid: root / file for grid, file in files.items() if file}


def official(path: Path) -> np.ndarray:
    """The grid of a model's official voxels."""
    grid = run_limited(read_voxels, str(path), name=str(path), preload=PARSER)
    return fit_grid(grid, str(path))


def _claim(path: Path, source: str) -> None:
    """Refuse to mix grids of two sources."""
    if path.exists():
        made = read_json(str(path), 1000, "record of the grids")
        before = made.get("source") if isinstance(made, dict) else made
        if before != source:
            raise ConfigError(
                f"{path}: the grids were made with --source {brief(before)}, expected the same; "
                "to make them anew remove this file and model/**/*.binvox"
            )
    else:
        write_json(path, {"source": source})


def _split(path: Path, photos: list[Photo]) -> None:
    ids: dict[str, list[str]] = defaultdict(list)
    models: dict[str, set[str | None]] = defaultdict(set)
    for photo in photos:
        ids[photo.category].append(photo.id)
        models[photo.category].add(photo.model)
    write_splits(path, [(c, c, {"train": [], "test": ids[c]}) for c in sorted(ids)])
    for category in sorted(ids):
        count, expected = len(ids[category]), BENCHMARK.get(category)
        note = ""
        if expected:
            same = "as" if count == expected else f"not {expected:,} as"
            note = f", {same} in the published list"
        print(f"{category}: {count:,} whole photos of {len(models[category])} models{note}")
    print(f"splits: {path}")


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: pix3d(parse_args(argv)))


if __name__ == "__main__":
    main()
