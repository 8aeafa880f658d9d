# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping

import numpy as np
import torch
from mmengine.dataset import default_collate
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from torch import Tensor
from torch.utils.data import DataLoader

from voxrecon.cli.common import available_cores, check_ranges, guard, parser, with_bar
from voxrecon.errors import ConfigError
from voxrecon.evaluation import write_json
from voxrecon.evaluation.baselines import (
    class_mean_iou,
    mean_grid_iou,
    oracle_iou,
    retrieval_iou,
)
from voxrecon.registry import DATASETS

MAX_BYTES = 16 << 30  # of the grids of a training set; 30,643 of 64^3 take 8 GB


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of ``tools/analysis/baselines.py``."""
    arguments = parser(
        "How hard is a data set? IoU of mean grids and of the nearest grid of the training set,\n"
        "before any network is trained. tools/test.py puts them beside those of a network.",
        "python tools/analysis/baselines.py data/shapes13",
    )
    arguments.add_argument("data", metavar="DATA", help="folder of the data set")
    arguments.add_argument(
        "--taxonomy", metavar="FILE", help="its splits (default: DATA/taxonomy.json)"
    )
    arguments.add_argument("--split", choices=["val", "test"], default="test")
    arguments.add_argument("--resolution", type=int, default=32, help="cells a side (default: 32)")
    arguments.add_argument("--out", metavar="FILE", help="write the figures as JSON")
    return arguments.parse_args(argv)


def baselines(args: argparse.Namespace) -> None:
    """Measure and print as the command line says."""
    check_ranges(args, {"resolution": (1, 512)})
    data = {
        "type": "R2N2Dataset",
        "data_root": args.data,
        "taxonomy": os.path.abspath(args.taxonomy) if args.taxonomy else "taxonomy.json",
        "grid_size": args.resolution,
        "test_mode": True,
    }
    train, test = (Grids({**data, "split": split}) for split in ("train", args.split))
    columns = of_grids(train, test)
    print(f"{args.data}: {len(train.grids)} training objects, {len(test.grids)} of {args.split}")
    Console().print(_table(columns, test))
    print("mean grid, class mean: of the training set, the latter with the class known")
    print("oracle: the training grid that is nearest to the truth")
    if args.out:
        write_json(args.out, by_sample(columns, test))
        print(f"every sample: {args.out}")


class Grids:
    """The grids of a data set: ``grids`` (N, G) bool, and of each its class and key."""

    def __init__(self, data: Mapping) -> None:
        self.data = data
        dataset = DATASETS.build({**data, "pipeline": [{"type": "LoadVoxels"}], "n_views": 1})
        self.names: dict[str, str] = {}
        self.classes: list[str] = []
        self.keys: list[str] = []
        need = len(dataset) * dataset.grid_size**3
        if need > MAX_BYTES:
            raise ConfigError(
                f"{dataset.data_root}: grids of {need / 2**30:.0f} GiB, expected at most "
                f"{MAX_BYTES >> 30} for baselines"
            )
        self.grids = torch.empty(len(dataset), dataset.grid_size**3, dtype=torch.bool)
        for index in with_bar(range(len(dataset)), f"reading {dataset.split}"):
            sample = dataset[index]
            if "voxels" not in sample:
                raise ConfigError(f"{dataset.data_root}: has no grids")
            self.names[sample["taxonomy"]] = sample["name"]
            self.classes.append(sample["taxonomy"])
            self.keys.append(f"{sample['taxonomy']}/{sample['id']}")
            self.grids[index] = torch.from_numpy(sample["voxels"].ravel())


def of_grids(train: Grids, test: Grids) -> dict[str, Tensor]:
    """IoU (N,) of the baselines that need no network, by name."""
    return {
        "mean grid": mean_grid_iou(train.grids, test.grids),
        "class mean": class_mean_iou(train.grids, train.classes, test.grids, test.classes),
        "oracle": oracle_iou(train.grids, test.grids),
    }


def of_network(
    model, train_data: Mapping, test_data: Mapping, views: int
) -> dict[str, dict[str, float | None]]:
    """IoU by baseline and sample: those of ``of_grids``, and retrieval by the network's features
    from the first ``views`` views of each training object (0: without).

    The data sets are given as in a config.
    """
    train = Grids({**train_data, "split": "train", "test_mode": True, "skip_bad": True})
    test = Grids({**test_data, "selection": "first", "order": "first"})
    columns = of_grids(train, test)
    if views:
        pipeline = test_data["pipeline"]  # the training's augments
        stored = _features(model, {**train.data, "pipeline": pipeline, "n_views": views})
        first = _features(model, {**test.data, "n_views": 1})[:, 0]
        columns["retrieval"] = retrieval_iou(train.grids, stored, test.grids, first)
    return by_sample(columns, test)


def by_sample(columns: Mapping[str, Tensor], test: Grids) -> dict[str, dict[str, float | None]]:
    """IoU by baseline and "<taxonomy>/<id>", None where it is not defined."""
    return {
        name: {
            key: None if math.isnan(value) else value
            for key, value in zip(test.keys, scores.tolist(), strict=True)
        }
        for name, scores in columns.items()
    }


def _features(model, data: Mapping) -> Tensor:
    """What the network's decoder gets, (N, V, F) float16, for the first views of each object."""
    dataset = DATASETS.build(dict(data))
    loader = DataLoader(
        dataset, batch_size=4, num_workers=min(available_cores(), 8), collate_fn=default_collate
    )
    features = []
    for batch in with_bar(loader, f"features of {dataset.split}"):
        with torch.no_grad():
            images = model.data_preprocessor(batch)["inputs"]
            features.append(model.extract_features(images)[0].flatten(2).half().cpu())
    return torch.cat(features)


def _table(columns: dict[str, Tensor], test: Grids) -> Table:
    table = Table(title="Voxel IoU", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("Class", overflow="fold", min_width=10, vertical="bottom")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True, min_width=6)
    of = np.array(test.classes)
    rows = {name: torch.from_numpy(of == taxonomy) for taxonomy, name in test.names.items()}

    def add(label: str, chosen, **options) -> None:
        means = [float(scores[chosen].nanmean()) for scores in columns.values()]
        cells = ["-" if math.isnan(mean) else f"{mean:.4f}" for mean in means]
        table.add_row(Text(label), *cells, **options)

    for name, chosen in rows.items():
        add(name, chosen)
    add("overall", slice(None), style="bold")
    return table


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: baselines(parse_args(argv)))


if __name__ == "__main__":
    main()
