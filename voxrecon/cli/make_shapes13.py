# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from voxrecon.cli.common import (
    available_cores,
    check_ranges,
    command_line,
    config_line,
    guard,
    parser,
    quote_path,
    require_packages,
)
from voxrecon.cli.first_views import draw_first_views
from voxrecon.cli.recipes import claim, write_splits
from voxrecon.cli.workers import run_tasks
from voxrecon.errors import ConfigError, FileError
from voxrecon.fileio import reason
from voxrecon.geometry import r2n2_layout as layout
from voxrecon.geometry.binvox import write_binvox
from voxrecon.geometry.camera import LAMP, View, draw_views
from voxrecon.visualization import write_png

GENERATION = 1  # counted up when a shape or a picture changes: old and new ones are not mixed
CONFIGS = {  # networks for the grids of a resolution
    32: "configs/pix2voxpp_f.py",
    64: "configs/pix2voxpp_a_64.py",
    128: "configs/pix2voxpp_a_128.py",
}
NEEDED = ("embreex", "manifold3d")  # packages of the extra "shapes"


@dataclass(frozen=True)
class Recipe:
    """What all objects of a data set have in common."""

    seed: int
    views: int
    lighting: str
    resolution: int


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon data make-shapes13``."""
    arguments = parser(
        "data make-shapes13",
        "Make Shapes13: procedural objects of the 13 ShapeNet classes, rendered and voxelised in\n"
        "the layout that every config reads. Run again, it goes on where it was interrupted.",
        "data/shapes13 --per-class 60",
    )
    arguments.add_argument("out", metavar="OUT", help="folder of the data set")
    arguments.add_argument(
        "--per-class", type=int, required=True, metavar="N", help="objects of each class"
    )
    arguments.add_argument(
        "--views", type=int, default=24, metavar="V", help="views of each (default: 24)"
    )
    arguments.add_argument("--seed", type=int, default=0, help="other objects (default: 0)")
    arguments.add_argument(
        "--workers",
        type=int,
        default=available_cores(),
        metavar="W",
        help="processes (default: one a core)",
    )
    arguments.add_argument(
        "--lighting",
        choices=["fixed", "turn"],
        default="fixed",
        help="the lamp stays with the object, or goes once around the camera while the camera goes "
        "once around the object: neighbours in azimuth are lit alike (default: fixed)",
    )
    arguments.add_argument(
        "--resolution", type=int, default=32, metavar="R", help="cells a side (default: 32)"
    )
    arguments.add_argument(
        "--classes", nargs="+", metavar="C", help="only these, by name or id (default: all)"
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def make_shapes13(args: argparse.Namespace) -> None:
    """Make the data set as the command line says."""
    require_packages(NEEDED)
    check_ranges(
        args,
        {
            "per_class": (1, 10**5),
            "views": (1, 999),
            "seed": (0, 2**32 - 1),
            "workers": (1, 1024),
            "resolution": (4, 512),
        },
    )
    if not args.out:
        raise ConfigError("OUT is empty, expected a folder")
    classes = select_classes(args.classes)
    recipe = Recipe(args.seed, args.views, args.lighting, args.resolution)
    root = Path(args.out)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".lock", timeout=0):
            _make(root, recipe, classes, args)
    except Timeout:
        raise ConfigError(f"{root}: another run is at work there, expected none") from None
    except OSError as error:
        raise FileError(f"{error.filename or root}: cannot be written: {reason(error)}") from error


def _make(root: Path, recipe: Recipe, classes: list, args: argparse.Namespace) -> None:
    ours = {key: getattr(recipe, key) for key in ("seed", "views", "lighting")}
    claim(root / "shapes13.json", {"generation": GENERATION, **ours})
    names = [name_of(args.seed, number) for number in range(args.per_class)]
    layout.remove_leftovers(root, {(c.taxonomy, name) for c in classes for name in names})
    tasks = [
        (root, recipe, c, number)
        for number in range(args.per_class)
        for c in classes
        if not _is_done(root, recipe, c, number)
    ]
    done = args.per_class * len(classes) - len(tasks)
    if done:
        print(f"{root}: {done} objects are there already")
    for _ in run_tasks(make_object, tasks, args.workers, "shapes13", "objects"):
        pass

    splits = layout.split(names)
    write_splits(root / "taxonomy.json", [(c.taxonomy, c.name, splits) for c in classes])
    sheet = draw_first_views(root, [(c.name, c.taxonomy, names) for c in classes])
    write_png(root / "contact_sheet.png", sheet)
    if args.per_class == 1:
        print("warning: the one object of a class is in train, val and test: for trying only")
    elif args.per_class < 10:
        print(
            f"warning: no val split with {args.per_class} objects a class, expected at least 10; "
            "train with --cfg-options val_dataloader.dataset.split=test"
        )
    print(f"{root}: {len(names) * len(classes)} objects, {args.views} views each")
    print(f"look at them: {root / 'contact_sheet.png'}")
    if args.resolution in CONFIGS:
        place = quote_path(args.out)
        config = config_line(CONFIGS[args.resolution])
        print(f"train on them: {command_line('train')} {config} --data-root {place}")


def select_classes(wanted: list[str] | None):
    """The classes of Shapes13 with these names or ids, None for all."""
    from voxrecon.geometry.shapes13 import CLASSES

    known = {key for c in CLASSES for key in (c.name, c.taxonomy)}
    for key in wanted or ():
        if key not in known:
            names = ", ".join(c.name for c in CLASSES)
            raise ConfigError(f"--classes {key}: no such class, expected some of {names}")
    return [c for c in CLASSES if not wanted or {c.name, c.taxonomy} & set(wanted)]


def name_of(seed: int, number: int) -> str:
    """The id of an object."""
    return f"s{seed}-{number:05d}"


def make_object(root: Path, recipe: Recipe, shape_class, number: int) -> None:
    """Make what is missing of one object: it depends on the recipe, its class and number only."""
    from voxrecon.geometry.rendering import Renderer
    from voxrecon.geometry.shapes13 import make_shape, view_generator
    from voxrecon.geometry.voxelization import voxelize

    pictures, grid = _places(root, recipe, shape_class, number)
    surface = make_shape(shape_class, recipe.seed, number)
    if not layout.is_filled(grid):
        grid.parent.mkdir(parents=True, exist_ok=True)
        write_binvox(grid, voxelize(surface, recipe.resolution))
    if not layout.is_complete(pictures, recipe.views):
        views = draw_views(view_generator(shape_class, recipe.seed, number), recipe.views)
        renderer = Renderer(surface)
        images = [renderer(view, lamp_azimuth(view, recipe.lighting)) for view in views]
        layout.write_renderings(pictures, images, views)


def lamp_azimuth(view: View, lighting: str) -> float:
    """Where the lamp stands for a view, in degrees."""
    return LAMP + (2 * view.azimuth if lighting == "turn" else 0.0)


def _places(root: Path, recipe: Recipe, shape_class, number: int) -> tuple[Path, Path]:
    key = shape_class.taxonomy, name_of(recipe.seed, number)
    return layout.rendering_folder(root, *key), layout.voxel_file(root, *key, recipe.resolution)


def _is_done(root: Path, recipe: Recipe, shape_class, number: int) -> bool:
    pictures, grid = _places(root, recipe, shape_class, number)
    return layout.is_complete(pictures, recipe.views) and layout.is_filled(grid)


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: make_shapes13(parse_args(argv)))


if __name__ == "__main__":
    main()
