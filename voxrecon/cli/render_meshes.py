# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from filelock import FileLock, Timeout

from voxrecon.cli.common import (
    available_cores,
    check_ranges,
    command_line,
    config_line,
    guard,
    one_line,
    parser,
    quote_path,
    require_packages,
    with_bar,
)
from voxrecon.cli.first_views import draw_first_views
from voxrecon.cli.make_shapes13 import CONFIGS
from voxrecon.cli.mesh_folder import MeshFile, find_meshes, parse_shard
from voxrecon.cli.mesh_rendering import Recipe, is_done, render_mesh
from voxrecon.cli.mesh_views import MAX_VIEWS, ViewSource, read_views
from voxrecon.cli.recipes import claim, write_splits
from voxrecon.cli.workers import run_tasks
from voxrecon.errors import ConfigError, FileError
from voxrecon.fileio import atomic_write, reason
from voxrecon.geometry import r2n2_layout as layout
from voxrecon.geometry.mesh_files import DIRECTIONS, frame
from voxrecon.geometry.voxelization import FILLS
from voxrecon.visualization import write_png

GENERATION = 1  # counted up when pictures or grids change: old and new ones are not mixed
NEEDED = ("embreex",)  # packages of the extra "shapes"
SHOWN = 10  # meshes that could not be used


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon data render-meshes``."""
    arguments = parser(
        "data render-meshes",
        "Render and voxelise meshes (OBJ, OFF, PLY, GLB, STL) into the layout that every config\n"
        "reads. MESH_DIR holds <class>/<id>.obj, <class>/<id>/models/model_normalized.obj, or\n"
        "<id>.obj of one class. Run again, it goes on where it was interrupted.\n"
        "Exit code 0: all meshes are there; 1: some could not be used, see render_errors.txt.",
        "data/ShapeNetCore.v2 data/rendered",
    )
    arguments.add_argument("meshes", metavar="MESH_DIR", help="folder of the meshes")
    arguments.add_argument("out", metavar="OUT", help="folder of the data set")
    for option, default, what in (("up", "+y", "up is"), ("front", "-z", "the front looks")):
        arguments.add_argument(
            f"--{option}",
            default=default,
            choices=list(DIRECTIONS),
            help=f"where {what} in the files (default: {default} as in ShapeNetCore v2; "
            f"{'+y' if option == 'up' else '+z'} in glTF)",
        )
    arguments.add_argument(
        "--views", type=int, default=24, metavar="V", help="random views of each (default: 24)"
    )
    arguments.add_argument(
        "--metadata", metavar="FILE", help="a rendering_metadata.txt: its views for all objects"
    )
    arguments.add_argument(
        "--metadata-root",
        metavar="DIR",
        help="folder of DIR/<class>/<id>/rendering/rendering_metadata.txt: its views for each "
        "object, such as the published ones of ShapeNetRendering",
    )
    arguments.add_argument(
        "--resolution",
        type=int,
        nargs="+",
        default=[32],
        metavar="R",
        help="cells a side, such as 32 64 128 (default: 32)",
    )
    arguments.add_argument(
        "--fill",
        default="hidden",
        choices=sorted(FILLS),
        help="cells inside: those that are seen along no axis, those that cannot be reached from "
        "outside (for watertight meshes), or those that are not seen from above and the sides "
        "(for meshes without an underside) (default: hidden)",
    )
    arguments.add_argument(
        "--size", type=int, default=137, metavar="S", help="pixels a side (default: 137)"
    )
    arguments.add_argument("--seed", type=int, default=0, help="other views (default: 0)")
    arguments.add_argument(
        "--workers",
        type=int,
        default=available_cores(),
        metavar="W",
        help="processes (default: one a core)",
    )
    arguments.add_argument(
        "--shard",
        metavar="I/N",
        help="only part I (from 1) of N, for machines that write into one OUT; a run without it "
        "after the last of them writes the splits",
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    words: list[str] = []
    for word in sys.argv[1:] if argv is None else argv:
        if word in DIRECTIONS and words and words[-1] in ("--up", "--front"):
            words[-1] += f"={word}"  # a -z that stands alone would be an option
        else:
            words.append(word)
    return build_parser().parse_args(words)


def render_meshes(args: argparse.Namespace) -> None:
    """Make the data set as the command line says; SystemExit with 1 if some meshes are unusable."""
    require_packages(NEEDED)
    check_ranges(
        args,
        {
            "views": (1, MAX_VIEWS),
            "size": (8, 2048),
            "seed": (0, 2**32 - 1),
            "workers": (1, 1024),
            "resolution": (4, 512),
        },
    )
    if not args.out:
        raise ConfigError("OUT is empty, expected a folder")
    if args.metadata and args.metadata_root:
        raise ConfigError("--metadata and --metadata-root: expected one of them")
    try:
        frame(args.up, args.front)
    except ValueError as error:
        raise ConfigError(f"--{error}") from error
    shard = parse_shard(args.shard)
    root = Path(args.out)
    source = ViewSource(
        root,
        args.seed,
        args.views,
        fixed=read_views(Path(args.metadata)) if args.metadata else None,
        folder=Path(args.metadata_root) if args.metadata_root else None,
    )
    meshes = find_meshes(Path(args.meshes))
    lock = ".lock" if shard is None else f".lock-{shard[0]}-of-{shard[1]}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / lock, timeout=0):
            _make(root, meshes, source, shard, args)
    except Timeout:
        raise ConfigError(f"{root}: another run is at work there, expected none") from None
    except OSError as error:
        raise FileError(f"{error.filename or root}: cannot be written: {reason(error)}") from error


def _make(
    root: Path,
    meshes: list[MeshFile],
    source: ViewSource,
    shard: tuple[int, int] | None,
    args: argparse.Namespace,
) -> None:
    recipe = Recipe(args.up, args.front, args.fill, args.size, tuple(args.resolution))
    ours = {"generation": GENERATION, "seed": args.seed, "views": source.label}
    ours |= {key: getattr(recipe, key) for key in ("up", "front", "fill", "size")}
    claim(root / "render_meshes.json", ours)
    if shard is not None:
        meshes = meshes[shard[0] - 1 :: shard[1]]
    layout.remove_leftovers(root, {(mesh.taxonomy, mesh.name) for mesh in meshes})

    problems: dict[MeshFile, str] = {}
    tasks = []
    for mesh in with_bar(meshes, "looking for what is there"):
        try:
            views = source(mesh)
        except FileError as error:
            problems[mesh] = one_line(error)
        else:
            if not is_done(root, mesh, recipe, len(views)):
                tasks.append((root, mesh, recipe, views))
    done = len(meshes) - len(tasks) - len(problems)
    if done:
        print(f"{root}: {done} objects are there already")
    for (_, mesh, *_), problem in _results(tasks, args.workers):
        if problem is not None:
            problems[mesh] = problem

    part = "" if shard is None else f"-{shard[0]}-of-{shard[1]}"
    _report(root / f"render_errors{part}.txt", problems, len(meshes))
    if shard is None:
        _finish(root, [mesh for mesh in meshes if mesh not in problems], args)
    else:
        print(f"{root}: part {args.shard} is done; when all are, run once more without --shard:")
        print("it finds everything there and writes the splits")
    if problems:
        sys.exit(1)


def _results(tasks: list[tuple], workers: int) -> Iterator[tuple[tuple, str | None]]:
    if workers == 1 or len(tasks) == 1:
        return ((task, render_mesh(*task)) for task in with_bar(tasks, "meshes"))
    return run_tasks(render_mesh, tasks, workers, "meshes", "objects")


def _report(path: Path, problems: dict[MeshFile, str], count: int) -> None:
    """Say what could not be used, and write it all to a file."""
    if not problems:
        path.unlink(missing_ok=True)
        return
    lines = [problems[mesh] for mesh in sorted(problems)]
    with atomic_write(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines))
    print(f"{len(lines)} of {count} meshes could not be used:")
    for line in lines[:SHOWN]:
        print(f"  {line}")
    print(f"  {'... ' if lines[SHOWN:] else ''}all in {path}")


def _finish(root: Path, meshes: list[MeshFile], args: argparse.Namespace) -> None:
    """Splits, contact sheet, and what to do next."""
    if not meshes:
        raise FileError(f"{args.meshes}: none of the meshes could be used, expected some")
    names = {
        taxonomy: [mesh.name for mesh in part]
        for taxonomy, part in groupby(meshes, key=lambda mesh: mesh.taxonomy)
    }
    write_splits(root / "taxonomy.json", [(c, c, split_names(names[c])) for c in names])
    write_png(root / "contact_sheet.png", draw_first_views(root, [(c, c, names[c]) for c in names]))
    few = [taxonomy for taxonomy in names if len(names[taxonomy]) < 10]
    if few:
        print(
            f"warning: {len(few)} of {len(names)} classes have fewer than 10 objects and thus none "
            "for validation (a single one is in all splits)"
        )
    print(f"{root}: {len(meshes)} objects of {len(names)} classes")
    print(f"look at them: {root / 'contact_sheet.png'}")
    place = quote_path(args.out)
    first = args.resolution[0]
    option = f" --resolution {first}" if first != 32 else ""
    print(f"check them: {command_line('data check')} {place}{option}")
    if first in CONFIGS:
        config = config_line(CONFIGS[first])
        print(f"train on them: {command_line('train')} {config} --data-root {place}")


def split_names(names: Sequence[str]) -> dict[str, list[str]]:
    """Names by split, dealt by their hash: neighbours by name are often variants of one thing."""
    dealt = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
    return {key: sorted(part) for key, part in layout.split(dealt).items()}


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: render_meshes(parse_args(argv)))


if __name__ == "__main__":
    main()
