# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from filelock import FileLock

from voxrecon.captures.fitting import better_turn, mask_iou, silhouette
from voxrecon.captures.framing import crop, touches_border, view_box
from voxrecon.captures.masks import load_matting
from voxrecon.captures.poses import RANGES, Pose, find_file, name_poses, read_poses
from voxrecon.captures.record import check_free, find_class, write_object
from voxrecon.captures.shots import Body, MaskSource, shoot
from voxrecon.cli.common import (
    check_ranges,
    command_line,
    config_line,
    guard,
    parser,
    quote_path,
    require_packages,
    with_bar,
)
from voxrecon.datasets.json_files import check_plain
from voxrecon.datasets.taxonomy import SPLITS
from voxrecon.errors import ConfigError, FileError
from voxrecon.geometry.camera import View
from voxrecon.geometry.mesh_files import DIRECTIONS, read_mesh
from voxrecon.geometry.scans import clean_scan, turn
from voxrecon.geometry.voxelization import voxelize
from voxrecon.visualization import write_png

NEEDED = ("embreex",)  # packages of the extra "shapes"
SCANS = (".ply", ".glb", ".obj")
CONFIG = "projects/pix2vox_lstm/configs/pix2vox_lstm_captured.py"
DETAIL = 8  # pixels of a photo's longer side for each of the picture's
LOST = 0.1  # of the scan's area in parts that are left out, from which on it is said
POOR = 0.7  # IoU of silhouette and mask, below which it is said


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon data import-capture``."""
    arguments = parser(
        "data import-capture",
        "Put a captured object, a scan and photos of it, into a data set in the R2N2 layout.\n\n"
        "CAPTURE_DIR holds\n"
        "  scan.ply, .glb or .obj          of the object on its floor\n"
        "  photos/                         JPEG, PNG or HEIC (or in CAPTURE_DIR itself)\n"
        "  poses.csv or poses.json         file, azimuth, elevation, rotation, distance, fov;\n"
        "                                  without it: front, right, back and left.jpg\n"
        "  masks/                          optional: <name of the photo>.png",
        "captures/stool data/captured --class chair",
    )
    arguments.add_argument("capture", metavar="CAPTURE_DIR", help="folder of the capture")
    arguments.add_argument("out", metavar="OUT", help="folder of the data set; made if missing")
    arguments.add_argument(
        "--class", dest="label", required=True, metavar="NAME", help="class, by name or id"
    )
    arguments.add_argument("--id", metavar="ID", help="of the object (default: CAPTURE_DIR's name)")
    arguments.add_argument("--split", choices=SPLITS, default="train", help="(default: train)")
    arguments.add_argument("--overwrite", action="store_true", help="replace an object of this id")
    arguments.add_argument("--dry-run", action="store_true", help="write the preview only")
    arguments.add_argument("--scan", metavar="FILE", help="instead of CAPTURE_DIR/scan.*")
    arguments.add_argument("--photos", metavar="DIR", help="instead of CAPTURE_DIR/photos")
    arguments.add_argument("--poses", metavar="FILE", help="instead of CAPTURE_DIR/poses.*")
    arguments.add_argument("--masks", metavar="DIR", help="instead of CAPTURE_DIR/masks")
    arguments.add_argument(
        "--matting",
        metavar="MODULE:FUNCTION",
        help="make masks: RGB (H, W, 3) uint8 -> alpha (H, W) uint8",
    )
    for name, default, what in (("up", "+y", "up is"), ("front", "+z", "the front looks")):
        arguments.add_argument(
            f"--{name}",
            choices=DIRECTIONS,
            default=default,
            metavar="AXIS",
            help=f"where {what} in the scan, such as {default} (default)",
        )
    arguments.add_argument(
        "--turn",
        type=float,
        default=0.0,
        metavar="DEG",
        help="the real front is what --front has at this azimuth (default: 0)",
    )
    for name, what in (
        ("elevation", "degrees above the horizon (default: 0)"),
        ("distance", "to the middle of the object, in units of the scan"),
        ("fov", "degrees across the longer side"),
    ):
        arguments.add_argument(
            f"--{name}", type=float, metavar="N", help=f"of photos that have none: {what}"
        )
    arguments.add_argument("--resolution", type=int, default=32, help="cells a side (default: 32)")
    arguments.add_argument(
        "--size", type=int, default=137, help="pixels of a picture's side (default: 137)"
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def import_capture(args: argparse.Namespace) -> None:
    """Import the object as the command line says."""
    _check_options(args)
    root, folder = Path(args.out), Path(args.capture)
    if not folder.is_dir():
        raise FileError(f"{folder}: no such folder, expected a capture")
    taxonomy, label = find_class(root, args.label)
    name = folder.resolve().name if args.id is None else args.id
    check_plain(name, "--id")
    if not (args.overwrite or args.dry_run):
        check_free(root, taxonomy, name)
    matting = load_matting(args.matting) if args.matting else None

    default = Pose("", 0.0, args.elevation or 0.0, 0.0, args.distance, args.fov)
    photos = Path(args.photos) if args.photos else folder / "photos"
    if not args.photos and not photos.is_dir():
        photos = folder
    poses_file = args.poses or find_file(folder, "poses", (".csv", ".json"))
    poses = read_poses(poses_file, default) if poses_file else name_poses(photos, default)
    body = _read_scan(args, folder)

    masks = Path(args.masks) if args.masks else folder / "masks"
    source = MaskSource(matting, masks, needed=args.masks is not None)
    longest = DETAIL * args.size
    shots = [
        shoot(photos / pose.file, pose, body, longest, source) for pose in with_bar(poses, "photos")
    ]
    for pose, (photo, _) in zip(poses, shots, strict=True):
        if touches_border(photo):
            print(f"warning: {photos / pose.file}: the object touches the border of the photo")
    whole, views = zip(*shots, strict=True)
    pictures = [crop(photo, view_box(body.corners, view), args.size) for photo, view in shots]
    preview = root / "previews" / taxonomy / f"{name}.png"
    page = _page(body, poses, pictures, views)
    _warn_of_turns(args, body, whole, views)
    write_png(preview, page)
    if not args.dry_run:
        with FileLock(root / ".lock"):
            if not args.overwrite:
                check_free(root, taxonomy, name)
            key = taxonomy, label, name
            counts = write_object(root, key, args.split, pictures, views, body.grid)
    print(f"look at it: {preview}")
    if not args.dry_run:
        _end(args, counts, f"{taxonomy}/{name}", len(poses))


def _check_options(args: argparse.Namespace) -> None:
    if not args.out:
        raise ConfigError("OUT is empty, expected a folder")
    require_packages(NEEDED)
    check_ranges(
        args,
        {
            "turn": (-360, 360),
            **{key: RANGES[key] for key in ("elevation", "distance", "fov")},
            "resolution": (8, 512),
            "size": (32, 1024),
        },
    )
    if args.up[1] == args.front[1]:
        raise ConfigError(f"--up {args.up} --front {args.front}: expected two different axes")


def _read_scan(args: argparse.Namespace, folder: Path) -> Body:
    path = Path(args.scan) if args.scan else find_file(folder, "scan", SCANS)
    if path is None:
        kinds = ", ".join(kind[1:] for kind in SCANS)
        raise FileError(f"{folder / 'scan'}: no such file ({kinds}), expected it or --scan")
    surface = read_mesh(path, args.up, args.front)
    try:
        scan = clean_scan(surface)
    except ValueError as error:
        raise FileError(f"{path}: {error}") from error
    surface = turn(scan.surface, args.turn)
    low, high = surface.bounds
    size = " x ".join(f"{side:.3g}" for side in high - low)
    floor = "no floor found"
    if scan.tilt is not None:
        floor = f"floor removed, {scan.tilt:.1f} degrees out of level, noise {scan.noise:.2g}"
    print(f"{path}: {size} (x, y, z), {floor}")
    if scan.left_out > LOST:
        print(f"warning: {path}: {scan.left_out:.0%} of the surface is in other parts: left out")

    from scipy.spatial import ConvexHull, QhullError

    points = (surface.vertices[np.unique(surface.faces)] - surface.center) / surface.diagonal
    try:
        corners = points[ConvexHull(points).vertices]
    except QhullError:
        raise FileError(f"{path}: a flat surface, expected an object with a volume") from None
    return Body(surface, voxelize(surface, args.resolution, fill="standing"), corners)


def _page(body: Body, poses: list[Pose], pictures: list, views: list[View]) -> np.ndarray:
    """The preview; prints how well silhouettes and masks agree."""
    from voxrecon.visualization.capture_page import Shot, draw_capture_page, name_side

    shots = []
    for pose, picture, view in zip(poses, pictures, views, strict=True):
        seen = silhouette(body.grid, view, len(picture))
        score = mask_iou(seen, picture[..., 3] > 127)
        shots.append(Shot(pose.file, picture, view, seen, score))
        note = "" if score >= POOR else ": poor, look at the preview"
        print(f"{pose.file}: {name_side(view)}, silhouette and mask have IoU {score:.3f}{note}")
    return draw_capture_page(body.surface, body.grid, shots)


def _warn_of_turns(args, body: Body, photos: list[np.ndarray], views: list[View]) -> None:
    found = better_turn(body.grid, photos, views)
    if found is None:
        return
    degrees, mirrored, best, now = found
    scores = f"IoU {best:.2f}, as it is {now:.2f}"
    if mirrored:
        print(
            f"warning: mirrored, the scan fits the photos better ({scores}): expected azimuth 90 "
            "for the object's own right side, which is at the left of who sees its front"
        )
    else:
        print(
            f"warning: turned, the scan fits the photos better ({scores}): "
            f"try --turn {(args.turn + degrees) % 360:g}"
        )


def _end(args: argparse.Namespace, counts: dict[str, int], key: str, views: int) -> None:
    print(
        f"{args.out}: {key} is in {args.split}; {', '.join(f'{n} {s}' for s, n in counts.items())}"
    )
    for split in ("train", "val"):
        if not counts[split]:
            print(f"for training, --split {split} is needed too")
    place = quote_path(args.out)
    print(f"check it: {command_line('data check')} {place} --views {views}")
    print(f"train on it: {command_line('train')} {config_line(CONFIG)} --data-root {place}")


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: import_capture(parse_args(argv)))


if __name__ == "__main__":
    main()
