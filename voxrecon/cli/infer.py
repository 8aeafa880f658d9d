# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from voxrecon.choices import BACKGROUNDS, FORMATS, FRAMINGS, MESH_KINDS
from voxrecon.cli.common import (
    add_model_options,
    check_ranges,
    command_line,
    guard,
    parser,
    quote_path,
    say,
)
from voxrecon.cli.infer_outputs import check_outputs
from voxrecon.errors import ConfigError, FileError

LISTED = 8  # photos that are named one by one
# options that a turntable of the same volume needs as well
OF_MODEL = ("model", "weights", "backend", "device")
OF_VOLUME = ("masks", "boxes", "background", "framing", "threshold", "elevation")


def build_parser() -> argparse.ArgumentParser:
    """The options of ``voxrecon infer``."""
    arguments = parser(
        "infer",
        "Reconstruct an object from photos of it, or many objects. Photos, or a folder of photos,\n"
        "are one object; a folder of folders, or several, are many: each is written as soon as it\n"
        "is there, and those that cannot be reconstructed are named at the end.\n\n"
        "What is not the object is removed: by a given mask, else by alpha where any pixel is\n"
        "transparent, else by GrabCut. A mesh keeps the grid's axes, y up and the front towards\n"
        "+x, and lies in the cube from -0.5 to 0.5.",
        "photo1.jpg photo2.jpg -o chair.glb",
    )
    arguments.add_argument(
        "photos", nargs="*", metavar="PHOTO", help="photos of one object, or a folder"
    )
    arguments.add_argument(
        "-o",
        "--out",
        nargs="+",
        required=True,
        metavar="FILE",
        help=f"files to write, the suffix says what: {', '.join(FORMATS)}; "
        "for many objects a folder",
    )
    arguments.add_argument(
        "--formats",
        nargs="+",
        choices=FORMATS,
        metavar="F",
        help="of many objects: which files of each (default: glb)",
    )
    add_model_options(arguments)
    arguments.add_argument(
        "--threshold",
        type=float,
        default=0.3,
        metavar="T",
        help="occupied from this probability on (default: 0.3)",
    )
    arguments.add_argument(
        "--masks",
        metavar="DIR",
        help="masks with the photos' names, white where the object is; for many objects in folders "
        "with the objects' names",
    )
    arguments.add_argument(
        "--boxes",
        nargs="+",
        metavar="L,T,R,B",
        help="a box around the object in each photo, in pixels",
    )
    arguments.add_argument(
        "--background", choices=BACKGROUNDS, default="auto", help="how to remove it (default: auto)"
    )
    arguments.add_argument(
        "--framing",
        choices=FRAMINGS,
        default="object",
        help="centre the object, take the whole photo, or treat it as a rendering of a data set "
        "(default: object)",
    )
    arguments.add_argument(
        "--mesh",
        choices=MESH_KINDS,
        default="smooth",
        help="marching cubes, smoothed or as they are, or the faces of the voxels "
        "(default: smooth)",
    )
    arguments.add_argument(
        "--azimuth", type=float, default=30.0, metavar="DEG", help="of a picture (default: 30)"
    )
    arguments.add_argument(
        "--elevation",
        type=float,
        default=25.0,
        metavar="DEG",
        help="of pictures and turntables (default: 25)",
    )
    arguments.add_argument(
        "--show-scores", metavar="PNG", help="draw the share of each photo in the fused volume"
    )
    arguments.add_argument(
        "--show-inputs", metavar="PNG", help="draw what the network sees of each photo"
    )
    arguments.add_argument(
        "--batch-size", type=int, default=8, metavar="N", help="objects at once (default: 8)"
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of ``voxrecon infer``."""
    return build_parser().parse_args(argv)


def infer(args: argparse.Namespace) -> None:
    """Reconstruct as the command line says."""
    from voxrecon.apis import VoxelInferencer
    from voxrecon.apis.inputs import group_photos
    from voxrecon.apis.reconstruction import check_threshold
    from voxrecon.cli.infer_many import find_objects, infer_many

    if not args.photos:
        raise ConfigError(
            f"no photos, and --out {' '.join(args.out)}: expected the photos first, then -o FILE"
        )
    check_ranges(args, {"batch_size": (1, 4096), "elevation": (-90, 90), "azimuth": (-3600, 3600)})
    check_threshold(args.threshold)
    inputs = args.photos[0] if len(args.photos) == 1 else args.photos
    folders = find_objects(args.photos)
    try:
        group_photos(inputs)
    except FileError:
        if not folders:  # of many objects one may be empty
            raise
    boxes = _read_boxes(args.boxes)
    check_outputs(args, bool(folders))
    inferencer = VoxelInferencer(args.model, args.weights, args.device, args.backend)
    if folders:
        infer_many(inferencer, folders, args)
        return
    result = inferencer(
        inputs,
        args.masks,
        boxes,
        args.background,
        args.framing,
        args.threshold,
        scores=args.show_scores is not None,
    )
    if any(Path(path).suffix.lower() != ".npz" for path in args.out):
        result.check_occupied()
    written = [result.save(path, args.mesh, args.azimuth, args.elevation) for path in args.out]
    _draw(result, args, written)
    describe(result, many=False)
    say(f"written: {', '.join(quote_path(str(path)) for path in written)}")
    if not any(path.suffix == ".gif" for path in written):
        suggest_turntable(args, written[0])


def suggest_turntable(args: argparse.Namespace, written: Path) -> None:
    """The command that draws one, of the object of which a file is ``written``."""
    turned = quote_path(str(written.with_suffix(".gif")))
    words = [*map(quote_path, args.photos), *_repeat_options(args), "-o", turned]
    say(f"next: {command_line('infer')} {' '.join(words)}")


def _repeat_options(args: argparse.Namespace) -> list[str]:
    """The words of the options that make the volume, where they are not the defaults."""
    arguments, words = build_parser(), []
    for name in (*OF_MODEL, *OF_VOLUME):
        given = getattr(args, name)
        if given != arguments.get_default(name):
            values = given if isinstance(given, list) else [given]
            words.append(f"--{name}")
            words += [f"{x:.10g}" if isinstance(x, float) else quote_path(x) for x in values]
    return words


def _read_boxes(words: list[str] | None) -> list[tuple[float, ...]] | None:
    if words is None:
        return None
    boxes = []
    for word in words:
        try:
            left, top, right, bottom = map(float, word.split(","))
        except ValueError:
            raise ConfigError(f"--boxes {word}: expected left,top,right,bottom") from None
        boxes.append((left, top, right, bottom))
    return boxes


def describe(result, many: bool) -> None:
    """Which photos were cut out by what, and how much is occupied."""
    if many or len(result.views) > LISTED:
        sources = Counter(view.source for view in result.views)
        found = ", ".join(f"{count} by {source}" for source, count in sources.items())
        say(f"{result.name}: {len(result.views)} photos, background: {found}")
    else:
        for view in result.views:
            say(f"{view.name}: background by {view.source}")
    for view in result.views:
        if view.cropped:
            say(f"{view.name}: the object reaches the border; what is beyond is not seen")
    count = int(result.occupied.sum())
    say(
        f"{result.name}: {count:,} of {len(result.volume)}^3 voxels occupied "
        f"at threshold {result.threshold:g}"
    )


def _draw(result, args: argparse.Namespace, written: list[Path]) -> None:
    from voxrecon.visualization import draw_tiles, fill_background, write_png

    if args.show_scores:
        write_png(args.show_scores, result.scores_picture())
        written.append(Path(args.show_scores))
    if args.show_inputs:
        tiles = [(view.source, fill_background(view.picture)) for view in result.views]
        write_png(args.show_inputs, draw_tiles(tiles, result.views[0].picture.shape[0]))
        written.append(Path(args.show_inputs))


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: infer(parse_args(argv)))


if __name__ == "__main__":
    main()
