# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import os
import shlex

import cv2
import numpy as np
import torch
from mmengine.dataset import default_collate
from rich import box
from rich.console import Console
from rich.table import Table
from torch.utils.data import ConcatDataset, DataLoader, Dataset

from voxrecon.apis import init_model
from voxrecon.cli.common import (
    add_data_options,
    available_cores,
    check_ranges,
    guard,
    parser,
    quote_path,
    set_data_of,
    with_bar,
)
from voxrecon.datasets.transforms.corrupt import SCALES
from voxrecon.engine.config import load_config
from voxrecon.errors import ConfigError
from voxrecon.evaluation import THRESHOLD, intersection_union, iou, write_json
from voxrecon.registry import DATASETS
from voxrecon.visualization import draw_tiles, write_png

BATCH = 8  # objects
TILE = 128  # pixels of a picture on the sheet
AFTER_CROPPING = ("DrawAugmentation", "PackVoxelInputs")  # transforms
Setting = tuple[str, int]  # kind and strength
CLEAN: Setting = ("clean", 0)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of ``tools/analysis/corruptions.py``."""
    arguments = parser(
        "How well does a network do on spoilt pictures? IoU on the test set with noise, occlusion\n"
        "and blur, and before backgrounds, of five strengths each.",
        "python tools/analysis/corruptions.py configs/pix2voxpp_small.py "
        "work_dirs/pix2voxpp_small/best.pth --data-root data/shapes13 --show corruptions.png",
    )
    arguments.add_argument("config", help="a config file, or voxrecon::projects/...")
    arguments.add_argument("checkpoint", help="safetensors or a training checkpoint")
    add_data_options(arguments)
    arguments.add_argument(
        "--views", type=int, default=1, metavar="N", help="views of an object (default: 1)"
    )
    arguments.add_argument(
        "--kinds", nargs="+", choices=list(SCALES), default=list(SCALES), help="default: all"
    )
    arguments.add_argument(
        "--strengths",
        type=int,
        nargs="+",
        default=[1, 2, 3, 4, 5],
        metavar="N",
        help="default: 1 2 3 4 5",
    )
    arguments.add_argument("--out", metavar="FILE", help="write the IoU of every sample as JSON")
    arguments.add_argument(
        "--show", metavar="FILE", help="draw the first object's first view, spoilt, as .png"
    )
    return arguments.parse_args(argv)


def corruptions(args: argparse.Namespace) -> None:
    """Measure and print as the command line says."""
    check_ranges(args, {"views": (1, 1000), "strengths": (1, 5)})
    kinds = [kind for kind in SCALES if kind in args.kinds]
    strengths = sorted(set(args.strengths))
    for option, path in (("out", args.out), ("show", args.show)):
        if path is not None and (not path or os.path.isdir(path)):
            raise ConfigError(f"--{option} {path}: expected the name of a file")
    if args.show and not args.show.endswith(".png"):
        raise ConfigError(f"--show {args.show}: expected the name of a .png file")
    cfg = load_config(args.config)
    for key in ("model", "test_dataloader"):
        if not cfg.get(key):
            raise ConfigError(f"{args.config}: has no {key}, expected the config of a network")
    set_data_of(cfg, args)
    model = init_model(cfg, args.checkpoint, "cuda" if torch.cuda.is_available() else "cpu")
    source = {**cfg.test_dataloader.dataset, "n_views": args.views}
    settings = [CLEAN, *((kind, strength) for kind in kinds for strength in strengths)]
    datasets = {setting: DATASETS.build(_spoil(source, setting)) for setting in settings}
    # what does not fit shows now, not after half of the measurement
    first = {setting: dataset[0]["inputs"] for setting, dataset in datasets.items()}
    if "voxels" not in first[CLEAN]:
        raise ConfigError(f"{datasets[CLEAN].data_root}: no grids, expected true ones to measure")
    if args.show:
        grey = 255 * model.data_preprocessor.background
        rows = [[CLEAN, *((kind, strength) for strength in strengths)] for kind in kinds]
        pictures = {setting: inputs["images"][0].numpy() for setting, inputs in first.items()}
        write_png(args.show, np.concatenate([_draw(row, pictures, grey) for row in rows]))

    scores = _measure(model, datasets)
    means = {setting: float(np.mean(list(of.values()))) for setting, of in scores.items()}
    Console().print(_table(means, kinds, strengths, len(scores[CLEAN]), args.views))
    if args.out:
        figures = {"threshold": THRESHOLD, "views": args.views, "config": args.config}
        figures |= {"checkpoint": args.checkpoint, "data_root": datasets[CLEAN].data_root}
        figures["settings"] = [
            {
                "kind": kind,
                "strength": strength,
                "scale": SCALES[kind][strength - 1] if strength else None,
                "mean": means[kind, strength],
                "iou": scores[kind, strength],
            }
            for kind, strength in settings
        ]
        write_json(args.out, figures)
        print(f"every sample: {args.out}")
    if args.show:
        print(f"what the network was shown: {args.show}")
    else:
        words = [quote_path(path) for path in (args.config, args.checkpoint)]
        words += ["--data-root", shlex.quote(args.data_root)] if args.data_root else []
        words.append("--show corruptions.png")
        print(f"see the pictures: python tools/analysis/corruptions.py {' '.join(words)}")


def _spoil(source: dict, setting: Setting) -> dict:
    """The config of a data set with its pictures spoilt, behind the cropping."""
    if setting == CLEAN:
        return dict(source)
    pipeline = list(source["pipeline"])
    names = [transform["type"] for transform in pipeline]
    at = next((i for i, name in enumerate(names) if name in AFTER_CROPPING), len(names))
    pipeline.insert(at, {"type": "CorruptViews", "kind": setting[0], "strength": setting[1]})
    return {**source, "pipeline": pipeline}


def _measure(model, datasets: dict[Setting, Dataset]) -> dict[Setting, dict[str, float]]:
    """IoU at ``THRESHOLD`` by setting and "taxonomy/id"."""
    count = len(datasets[CLEAN])
    # no batch mixes settings: each gives the same numbers, whichever others are asked for
    batches = [
        range(start + first, start + min(first + BATCH, count))
        for start in range(0, count * len(datasets), count)
        for first in range(0, count, BATCH)
    ]
    loader = DataLoader(
        ConcatDataset(datasets.values()),
        batch_sampler=batches,
        num_workers=min(available_cores(), 8),
        collate_fn=default_collate,
    )
    settings = list(datasets)
    scores: dict[Setting, dict] = {setting: {} for setting in settings}
    for indices, batch in zip(batches, with_bar(loader, "objects"), strict=True):
        with torch.no_grad():
            data = model.data_preprocessor(batch)
            samples = data["data_samples"]
            truth = torch.stack([sample.gt_voxels for sample in samples]).bool()
            both, either = intersection_union(model(data["inputs"]), truth, [THRESHOLD])
        values = iou(both, either)[:, 0].tolist()
        keys = [f"{sample.taxonomy}/{sample.id}" for sample in samples]
        scores[settings[indices[0] // count]] |= dict(zip(keys, values, strict=True))
    return scores


def _draw(row: list[Setting], pictures: dict[Setting, np.ndarray], grey: float) -> np.ndarray:
    """The row of one kind; pictures (H, W, 4) uint8 RGBA are shown as the preprocessor fills them:
    grey where alpha is 0, and all else in full."""
    tiles = []
    for kind, strength in row:
        picture = pictures[kind, strength]
        solid = np.where(picture[..., 3:] == 0, np.uint8(round(grey)), picture[..., :3])
        tile = cv2.resize(solid, (TILE, TILE), interpolation=cv2.INTER_AREA)
        tiles.append((f"{kind} {strength}" if strength else kind, tile))
    return draw_tiles(tiles, TILE)


def _table(
    means: dict[Setting, float], kinds: list[str], strengths: list[int], count: int, views: int
) -> Table:
    title = f"IoU at {THRESHOLD} of {count} objects, {views} view{'s' * (views > 1)}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("Strength")
    for name in (*map(str, strengths), "mean"):
        table.add_column(name, justify="right")
    table.add_row("clean", *[""] * len(strengths), f"{means[CLEAN]:.4f}")
    for kind in kinds:
        row = [means[kind, strength] for strength in strengths]
        table.add_row(kind, *(f"{value:.4f}" for value in (*row, np.mean(row))))
    return table


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: corruptions(parse_args(argv)))


if __name__ == "__main__":
    main()
