# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import cv2
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from voxrecon.cli.common import guard, parser
from voxrecon.errors import ConfigError, FileError
from voxrecon.fileio import atomic_write
from voxrecon.geometry import r2n2_layout as layout
from voxrecon.geometry.camera import View, draw_views
from voxrecon.visualization.contact_sheet import draw_contact_sheet

GENERATION = 1  # counted up when a shape or a picture changes: old and new ones are not mixed
LAMP = 45.0  # degrees of azimuth
SHEET = 10  # objects of a class in the contact sheet


@dataclass(frozen=True)
class Recipe:
    """What all objects of a data set have in common."""

    seed: int
    views: int
    lighting: str
    resolution: int


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of ``tools/dataset_converters/make_shapes13.py``."""
    arguments = parser(
        "Make Shapes13: procedural objects of the 13 ShapeNet classes, rendered and voxelised in\n"
        "the layout that every config reads. Run again, it goes on where it was interrupted.",
        "python tools/dataset_converters/make_shapes13.py data/shapes13 --per-class 60",
    )
    arguments.add_argument("out", metavar="OUT", help="folder of the data set")
    arguments.add_argument("--per-class", type=int, required=True, metavar="N", help="objects")
    arguments.add_argument("--views", type=int, default=24, metavar="V", help="(default: 24)")
    arguments.add_argument("--seed", type=int, default=0, help="another one: other objects")
    arguments.add_argument(
        "--workers", type=int, default=os.cpu_count(), metavar="W", help="(default: all cores)"
    )
    arguments.add_argument(
        "--lighting",
        choices=["fixed", "turn"],
        default="fixed",
        help="the lamp stays with the object, or goes once around the camera while the camera goes "
        "once around the object: neighbours in azimuth are lit alike",
    )
    arguments.add_argument(
        "--resolution", type=int, default=32, metavar="R", help="cells a side (default: 32)"
    )
    arguments.add_argument(
        "--classes", nargs="+", metavar="C", help="only these, by name or id (default: all)"
    )
    return arguments.parse_args(argv)


def make_shapes13(args: argparse.Namespace) -> None:
    """Make the data set as the command line says."""
    for option, low, high in (
        ("per_class", 1, 10**6),
        ("views", 1, 999),
        ("seed", 0, 2**32 - 1),
        ("workers", 1, 1024),
        ("resolution", 4, 512),
    ):
        value = getattr(args, option)
        if not low <= value <= high:
            name = option.replace("_", "-")
            raise ConfigError(f"--{name} {value}: expected {low} to {high}")
    classes = select_classes(args.classes)
    recipe = Recipe(args.seed, args.views, args.lighting, args.resolution)
    root = Path(args.out)
    _claim(root, recipe)

    tasks = [
        (root, recipe, c, number)
        for number in range(args.per_class)
        for c in classes
        if not _is_done(root, recipe, c, number)
    ]
    done = args.per_class * len(classes) - len(tasks)
    if done:
        print(f"{root}: {done} objects are there already")
    _run(tasks, args.workers)

    names = [name_of(args.seed, number) for number in range(args.per_class)]
    layout.write_taxonomy(
        root / "taxonomy.json", [(c.taxonomy, c.name, layout.split(names)) for c in classes]
    )
    with atomic_write(root / "contact_sheet.png") as path:
        _, data = cv2.imencode(".png", _sheet(root, classes, names)[..., ::-1])
        path.write_bytes(data)
    if args.per_class == 1:
        print("warning: the one object of a class is in train, val and test: for trying only")
    elif args.per_class < 10:
        print(
            f"warning: no val split with {args.per_class} objects a class, expected at least 10; "
            "train with --cfg-options val_dataloader.dataset.split=test"
        )
    print(f"{root}: {len(names) * len(classes)} objects, {args.views} views each")
    print(f"look at them: {root / 'contact_sheet.png'}")
    config = "configs/pix2voxpp_f.py" if args.resolution == 32 else "CONFIG"
    print(f"train on them: python tools/train.py {config} --data-root {shlex.quote(args.out)}")


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
    if not grid.is_file():
        layout.write_voxels(grid, voxelize(surface, recipe.resolution))
    if not pictures.is_dir():
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
    return pictures.is_dir() and grid.is_file()


def _claim(root: Path, recipe: Recipe) -> None:
    """Refuse a folder that holds something else; note in ``shapes13.json`` what it will hold."""
    path = root / "shapes13.json"
    ours = {
        "generation": GENERATION,
        "seed": recipe.seed,
        "views": recipe.views,
        "lighting": recipe.lighting,
    }
    try:
        text = path.read_text()
    except FileNotFoundError:
        if any(root.glob("ShapeNet*")) or (root / "taxonomy.json").exists():
            raise ConfigError(f"{root}: holds another data set, expected a new folder") from None
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(ours) + "\n")
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path}: cannot be read: {reason}") from error
    try:
        theirs = json.loads(text)
        theirs = {key: theirs[key] for key in ours}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FileError(f"{path}: damaged, expected {json.dumps(ours)}") from error
    for key, value in ours.items():
        if theirs[key] != value:
            raise ConfigError(
                f"{root}: was made with {key} {theirs[key]!r}, not {value!r}: "
                "expected the same, or another folder"
            )


def _run(tasks: list[tuple], workers: int) -> None:
    """Make objects in processes, with a bar."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    pool = ProcessPoolExecutor(min(workers, len(tasks)) or 1, initializer=_quiet)
    try:
        with Progress(*columns) as progress:
            bar = progress.add_task("shapes13", total=len(tasks), rate="")
            for future in as_completed([pool.submit(make_object, *task) for task in tasks]):
                future.result()
                speed = progress.tasks[bar].speed
                rate = f"{speed:.1f} objects/s" if speed else ""
                progress.update(bar, advance=1, rate=rate)
    except BrokenProcessPool as error:
        raise FileError(
            "a worker was killed (out of memory?); the command goes on if run again"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _quiet() -> None:
    """In a worker: one thread, and the parent alone answers Ctrl-C."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _sheet(root: Path, classes, names: list[str]):
    """The first view of the first objects; of a single class, several rows of them."""
    if len(classes) == 1:
        parts = [names[i : i + SHEET] for i in range(0, min(len(names), 6 * SHEET), SHEET)]
        rows = [(classes[0].name if i == 0 else "", classes[0], p) for i, p in enumerate(parts)]
    else:
        rows = [(c.name, c, names[:SHEET]) for c in classes]
    return draw_contact_sheet(
        [(label, [_first_view(root, c.taxonomy, name) for name in part]) for label, c, part in rows]
    )


def _first_view(root: Path, taxonomy: str, name: str):
    path = layout.rendering_folder(root, taxonomy, name) / "00.png"
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise FileError(f"{path}: cannot be read")
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: make_shapes13(parse_args(argv)))


if __name__ == "__main__":
    main()
