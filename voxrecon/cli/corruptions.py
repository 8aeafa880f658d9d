# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import copy
import os
import shlex

import cv2
import numpy as np
import torch
from mmengine.dataset import BaseDataset, Compose, default_collate
from rich import box
from rich.console import Console
from rich.table import Table
from torch.utils.data import ConcatDataset, DataLoader

from voxrecon.apis import init_model
from voxrecon.cli.common import (
    add_data_options,
    available_cores,
    check_ranges,
    command_line,
    guard,
    parser,
    quote_path,
    set_data_of,
    with_bar,
)
from voxrecon.datasets.transforms.corrupt import SCALES, CorruptViews
from voxrecon.engine.config import load_config
from voxrecon.errors import ConfigError
from voxrecon.evaluation import find_protocol, intersection_union, iou, write_json
from voxrecon.evaluation.intervals import table_intervals
from voxrecon.evaluation.protocols import Protocol
from voxrecon.registry import DATASETS
from voxrecon.visualization import draw_tiles, fill_background, write_png

BATCH = 8  # objects
TILE = 128  # pixels of a picture on the sheet
AFTER_CROPPING = ("DrawAugmentation", "PackVoxelInputs")  # transforms
Setting = tuple[str, int]  # kind and strength
CLEAN: Setting = ("clean", 0)


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon analyse corruptions``."""
    arguments = parser(
        "analyse corruptions",
        "How well does a network do on spoilt pictures? IoU on the test set with noise, occlusion\n"
        "and blur, and before backgrounds, of five strengths each, by the protocol of the config.",
        "configs/pix2voxpp_small.py "
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
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


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
    for key in ("model", "test_dataloader", "test_evaluator"):
        if not cfg.get(key):
            raise ConfigError(f"{args.config}: has no {key}, expected the config of a network")
    protocol = _protocol(cfg.test_evaluator, args.config)
    set_data_of(cfg, args)
    model = init_model(cfg, args.checkpoint, "cuda" if torch.cuda.is_available() else "cpu")
    clean = DATASETS.build({**cfg.test_dataloader.dataset, "n_views": args.views})
    settings = [CLEAN, *((kind, strength) for kind in kinds for strength in strengths)]
    datasets = {setting: _spoil(clean, setting) for setting in settings}
    # what does not fit shows now, not after half of the measurement
    first = {setting: dataset[0]["inputs"] for setting, dataset in datasets.items()}
    if "voxels" not in first[CLEAN]:
        raise ConfigError(f"{clean.data_root}: no grids, expected true ones to measure")
    if args.show:
        grey = 255 * model.data_preprocessor.background
        rows = [[CLEAN, *((kind, strength) for strength in strengths)] for kind in kinds]
        pictures = {setting: inputs["images"][0].numpy() for setting, inputs in first.items()}
        write_png(args.show, np.concatenate([_draw(row, pictures, grey) for row in rows]))

    scores = _measure(model, datasets, protocol)
    figures = _summarise(scores, protocol)
    print(_title(protocol, len(scores[CLEAN]), args.views))
    Console().print(_table(figures, kinds, strengths))
    if any(map(_is_same, figures.values())):
        print("~ as clean pictures: the 95 % interval of the difference, object by object, holds 0")
    if args.out:
        record = {"protocol": protocol.record(), "views": args.views, "config": args.config}
        record |= {"checkpoint": args.checkpoint, "data_root": clean.data_root}
        record["settings"] = [
            {
                "kind": kind,
                "strength": strength,
                "scale": SCALES[kind][strength - 1] if strength else None,
                **figures[kind, strength],
                "iou": scores[kind, strength],
            }
            for kind, strength in settings
        ]
        write_json(args.out, record)
        print(f"every sample: {args.out}")
    if args.show:
        print(f"what the network was shown: {args.show}")
    else:
        words = [quote_path(path) for path in (args.config, args.checkpoint)]
        words += ["--data-root", shlex.quote(args.data_root)] if args.data_root else []
        words.append("--show corruptions.png")
        print("see the pictures:", command_line("analyse corruptions"), *words)


def _protocol(evaluator: dict | None, config: str) -> Protocol:
    """Whose threshold and mean count; ConfigError unless it is one of ``VoxelIoU``."""
    if not isinstance(evaluator, dict):
        raise ConfigError(f"{config}: test_evaluator: expected one metric, a dict")
    protocol = find_protocol(evaluator.get("protocol", "pix2vox"))
    for name in (evaluator.get("type"), protocol.metric):
        if name != "VoxelIoU":
            raise ConfigError(f"{config}: test_evaluator: metric {name}, expected VoxelIoU")
    return protocol


def _spoil(dataset: BaseDataset, setting: Setting) -> BaseDataset:
    """The data set with its pictures spoilt, behind the cropping; all else is shared with it."""
    if setting == CLEAN:
        return dataset
    transforms = list(dataset.pipeline.transforms)
    names = [type(transform).__name__ for transform in transforms]
    at = next((i for i, name in enumerate(names) if name in AFTER_CROPPING), len(names))
    transforms.insert(at, CorruptViews(*setting))
    spoilt = copy.copy(dataset)
    spoilt.pipeline = Compose(transforms)
    return spoilt


def _measure(
    model, datasets: dict[Setting, BaseDataset], protocol: Protocol
) -> dict[Setting, dict[str, float]]:
    """IoU at the protocol's threshold by setting and "taxonomy/id"."""
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
            keys = [f"{sample.taxonomy}/{sample.id}" for sample in samples]
            rule = [protocol.threshold], keys, protocol.strict
            both, either = intersection_union(model(data["inputs"]), truth, *rule)
        values = iou(both, either)[:, 0].tolist()
        scores[settings[indices[0] // count]] |= dict(zip(keys, values, strict=True))
    return scores


def _summarise(scores: dict[Setting, dict[str, float]], protocol: Protocol) -> dict[Setting, dict]:
    """Mean IoU, and the 95 % interval of its difference from that of clean pictures, paired; None
    for clean ones and where there are too few objects."""
    # one that is broken may be passed over in some settings alone
    keys = [key for key in scores[CLEAN] if all(key in of for of in scores.values())]
    values = np.array([[of[key] for of in scores.values()] for key in keys])  # (N, settings)
    rows: dict[str, list[int]] = {}
    for i, key in enumerate(keys):
        rows.setdefault(key.split("/")[0], []).append(i)
    clean = values[:, [list(scores).index(CLEAN)]]
    overall, _, class_mean = table_intervals(values - clean, list(rows.values()))
    means, intervals = values.mean(0), overall
    if protocol.mean == "class":
        means = np.mean([values[places].mean(0) for places in rows.values()], axis=0)
        intervals = class_mean
    found = {}
    for setting, mean, ends in zip(scores, means.tolist(), intervals, strict=True):
        known = setting != CLEAN and not np.isnan(ends).any()
        found[setting] = {"mean": mean, "difference_interval": ends.tolist() if known else None}
    return found


def _is_same(figure: dict) -> bool:
    """Whether pictures may be as good as clean ones."""
    low, high = figure["difference_interval"] or (1, -1)
    return low <= 0 <= high


def _draw(row: list[Setting], pictures: dict[Setting, np.ndarray], grey: float) -> np.ndarray:
    """The row of one kind; pictures (H, W, 4) uint8 RGBA are shown as the preprocessor fills them:
    grey where alpha is 0, and all else in full."""
    tiles = []
    for kind, strength in row:
        picture = pictures[kind, strength]
        solid = fill_background(picture, round(grey))
        tile = cv2.resize(solid, (TILE, TILE), interpolation=cv2.INTER_AREA)
        tiles.append((f"{kind} {strength}" if strength else kind, tile))
    return draw_tiles(tiles, TILE)


def _title(protocol: Protocol, count: int, views: int) -> str:
    sign = ">" if protocol.strict else ">="
    mean = {"sample": "objects", "class": "classes"}[protocol.mean]
    return (
        f"IoU (p {sign} {protocol.threshold}, mean over {mean}) of {count} objects, "
        f"{views} view{'s' * (views > 1)}"
    )


def _table(figures: dict[Setting, dict], kinds: list[str], strengths: list[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Strength")
    for name in (*map(str, strengths), "mean"):
        table.add_column(name, justify="right")
    table.add_row("clean", *[""] * len(strengths), f"{figures[CLEAN]['mean']:.4f}")
    for kind in kinds:
        row = [figures[kind, strength] for strength in strengths]
        cells = [f"{'~' * _is_same(figure)}{figure['mean']:.4f}" for figure in row]
        table.add_row(kind, *cells, f"{np.mean([figure['mean'] for figure in row]):.4f}")
    return table


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: corruptions(parse_args(argv)))


if __name__ == "__main__":
    main()
