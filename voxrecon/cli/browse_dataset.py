# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import os

import numpy as np
from mmengine.dataset import default_collate
from torch import Tensor

from voxrecon.cli.common import (
    add_data_options,
    check_ranges,
    command_line,
    guard,
    parser,
    set_data_of,
    with_bar,
)
from voxrecon.datasets import SampleKey
from voxrecon.engine.config import load_config
from voxrecon.errors import ConfigError
from voxrecon.registry import DATASETS, MODELS
from voxrecon.visualization import write_png
from voxrecon.visualization.sample_sheet import draw_sample_sheet

VIEWS = 5  # of a sample that are shown


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon data browse``."""
    arguments = parser(
        "data browse",
        "A sheet of what the network of a config receives: views after augmentation, beside their\n"
        "ground truth. The network itself is not needed.",
        "configs/pix2voxpp_a.py --data-root data/shapes13",
    )
    arguments.add_argument(
        "config", help="a config file, or voxrecon::configs/NAME.py from any folder"
    )
    add_data_options(arguments)
    arguments.add_argument("--split", choices=["train", "val", "test"], default="train")
    arguments.add_argument(
        "--count", type=int, default=8, metavar="N", help="samples, drawn (default: 8)"
    )
    arguments.add_argument(
        "--seed", type=int, default=0, help="other samples and augmentation (default: 0)"
    )
    arguments.add_argument(
        "--out", default="samples.png", metavar="FILE", help="(default: %(default)s)"
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def browse_dataset(args: argparse.Namespace) -> None:
    """Draw as the command line says."""
    check_ranges(args, {"count": (1, 200), "seed": (0, 2**32 - 1)})
    if not args.out.endswith(".png") or os.path.isdir(args.out):
        raise ConfigError(f"--out {args.out}: expected the name of a .png file")
    cfg = load_config(args.config)
    for key in ("model", f"{args.split}_dataloader"):
        if not cfg.get(key):
            raise ConfigError(f"{args.config}: has no {key}, expected the config of a network")
    set_data_of(cfg, args)
    dataset = DATASETS.build(cfg[f"{args.split}_dataloader"].dataset)
    dataset.full_init()
    preprocessor = MODELS.build(cfg.model.data_preprocessor)

    chosen = np.random.default_rng(args.seed).permutation(len(dataset))[: args.count]
    rows = []
    for index in with_bar([int(i) for i in chosen], "loading"):
        _, views = dataset.list_views(dataset.get_data_info(index))
        key = SampleKey(index, 0, min(VIEWS, len(views)), args.seed)
        batch = preprocessor(default_collate([dataset[key]]), training=args.split == "train")
        (sample,) = batch["data_samples"]
        for text in sample.broken:
            print(f"warning: replaced: {text}")
        pictures = _pictures(preprocessor, batch["inputs"][0])
        captions = [f"view {number:02d}" for number in sample.views]
        grid = sample.gt_voxels.numpy() if "gt_voxels" in sample else None
        label = f"{sample.name} {sample.taxonomy}/{sample.id}"
        rows.append((label, list(zip(captions, pictures, strict=True)), grid))
    write_png(args.out, draw_sample_sheet(rows))
    print(f"{args.out}: {len(rows)} of {len(dataset)} samples of split {args.split!r}")
    if args.split == "train":
        data = f" --data-root {args.data_root}" if args.data_root else ""
        print(f"train on them: {command_line('train')} {args.config}{data}")


def _pictures(preprocessor, images: Tensor) -> np.ndarray:
    """Network input (V, 3, H, W) to what it shows, (V, H, W, 3) uint8 RGB."""
    images = images * preprocessor.std[:, None, None] + preprocessor.mean[:, None, None]
    if preprocessor.bgr:
        images = images.flip(1)
    return (images.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: browse_dataset(parse_args(argv)))


if __name__ == "__main__":
    main()
