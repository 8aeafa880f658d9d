# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from voxrecon.cli.common import (
    command_line,
    config_line,
    guard,
    one_line,
    parser,
    quote_path,
    with_bar,
)
from voxrecon.cli.grids import add_workers, make_grids, solid
from voxrecon.datasets.json_files import check_plain
from voxrecon.datasets.pascal3d import ANNOTATIONS, MAX_CAD, Target, read_targets
from voxrecon.errors import FileError
from voxrecon.evaluation import write_json
from voxrecon.fileio import read_file, reason
from voxrecon.geometry.mat_files import PARSER, read_annotation
from voxrecon.geometry.mesh_files import DIRECTIONS
from voxrecon.geometry.r2n2_layout import write_taxonomy
from voxrecon.sandbox import run_limited

SPLITS = {"train": "train", "test": "val"}  # ours: what Image_sets calls it
BENCHMARK = {"train": 11_045, "test": 10_812}
MAX_LIST = 2**22  # bytes of a file in Image_sets
NAMED = 5  # annotations that a warning names

Targets = dict[tuple[str, str], Target]


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon data pascal3d``."""
    arguments = parser(
        "data pascal3d",
        "Prepare Pascal 3D+: the annotations of the ImageNet photos as one JSON file, a grid of\n"
        "each CAD model, and the splits. Run again, it goes on where it was interrupted.",
        "data/PASCAL3D+_release1.1",
    )
    arguments.add_argument(
        "data", metavar="PASCAL_DIR", help="folder with Annotations, CAD, Images and Image_sets"
    )
    arguments.add_argument(
        "--front",
        choices=[axis for axis in DIRECTIONS if axis[1] != "z"],
        default="-y",
        help="where the CAD models look, z being up; write --front=-y (default: -y, on which the "
        "camera of azimuth 0 stands)",
    )
    add_workers(arguments)
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def pascal3d(args: argparse.Namespace) -> None:
    """Prepare the data set as the command line says."""
    root = Path(args.data)
    classes = [name.removesuffix("_imagenet") for name in _names(root / "Annotations")]
    if not classes:
        raise FileError(f"{root / 'Annotations'}: no folders named <class>_imagenet")
    splits = _read_splits(root, classes)
    path = root / ANNOTATIONS
    targets = read_targets(str(path)) if path.exists() else {}
    for name in classes:
        _annotate(root, name, targets)
        _write_targets(path, targets)
    models = {
        model.with_suffix(".binvox"): model
        for name in classes
        for number in range(1, MAX_CAD + 1)
        if (model := root / "CAD" / name / f"{number:02d}.off").exists()
    }
    make_grids(models, partial(solid, up="+z", front=args.front), args.workers)
    with_model = {key for key, target in targets.items() if target.cad is not None}
    if splits:
        write_taxonomy(root / "taxonomy.json", [(c, c, splits[c]) for c in classes])
    for split, expected in BENCHMARK.items() if splits else ():
        keys = [(c, name) for c in classes for name in splits[c][split]]
        lost = len(keys) - len(with_model.intersection(keys))
        print(
            f"{split}: {len(keys):,} photos, {lost} of them without annotation or model "
            f"({expected:,} in the published list)"
        )
    place = quote_path(args.data)
    config = config_line("configs/pix2voxpp_a_pascal3d.py")
    print(f"train on them: {command_line('train')} {config} --data-root {place}")


def _names(folder: Path) -> list[str]:
    try:
        return sorted(p.name for p in folder.iterdir() if p.name.endswith("_imagenet"))
    except OSError as error:
        raise FileError(f"{folder}: cannot be listed: {reason(error)}") from error


def _read_splits(root: Path, classes: list[str]) -> dict[str, dict[str, list[str]]]:
    """Ids by class and split; none where the data set has a taxonomy already."""
    if (root / "taxonomy.json").exists():
        print(f"{root / 'taxonomy.json'}: there already, kept")
        return {}
    splits: dict[str, dict[str, list[str]]] = {}
    for name in classes:
        splits[name] = {}
        for split, theirs in SPLITS.items():
            path = root / "Image_sets" / f"{name}_imagenet_{theirs}.txt"
            try:
                ids = read_file(path, MAX_LIST).decode(errors="replace").split()
            except FileError as error:
                raise FileError(
                    f"{error}; expected it, or the splits as {root / 'taxonomy.json'}"
                ) from error
            for photo in ids:
                check_plain(photo, str(path))
            splits[name][split] = list(dict.fromkeys(ids))
    return splits


def _annotate(root: Path, name: str, targets: Targets) -> None:
    """Add the photos of a class that ``targets`` has not yet."""
    paths = sorted((root / "Annotations" / f"{name}_imagenet").glob("*.mat"))
    problems = []
    for path in with_bar([p for p in paths if (name, p.stem) not in targets], name):
        try:
            check_plain(path.stem, str(path))
            objects = run_limited(read_annotation, str(path), name=str(path), preload=PARSER)
        except FileError as error:
            problems.append(one_line(error))
            continue
        if objects:
            targets[name, path.stem] = choose_target(objects)
    if problems:
        named = "; ".join(problems[:NAMED]) + ("; ..." if problems[NAMED:] else "")
        print(f"warning: {len(problems)} of {len(paths)} annotations left out: {named}")


def choose_target(objects: list[tuple[list[float], int | None]]) -> Target:
    """The object of the largest box, as published, among those that have a model if any has."""

    def size(item: tuple[list[float], int | None]) -> float:
        x0, y0, x1, y1 = item[0]
        return max(0.0, x1 - x0) * max(0.0, y1 - y0)

    with_model = [item for item in objects if item[1] is not None and item[1] <= MAX_CAD]
    box, cad = max(with_model or objects, key=size)
    return Target(tuple(box), cad if with_model else None)


def _write_targets(path: Path, targets: Targets) -> None:
    classes: dict[str, dict[str, dict]] = {}
    for (name, photo), target in sorted(targets.items()):
        entry = {"box": list(target.box), "cad": target.cad}
        classes.setdefault(name, {})[photo] = entry
    write_json(path, classes)


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: pascal3d(parse_args(argv)))


if __name__ == "__main__":
    main()
