# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import math
import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from mmengine.dataset import default_collate
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from torch import Tensor
from torch.utils.data import DataLoader

from voxrecon.cli.common import available_cores, check_ranges, command_line, guard, parser, with_bar
from voxrecon.errors import ConfigError, VoxreconError
from voxrecon.evaluation import sample_key, write_json
from voxrecon.evaluation.baselines import (
    class_mean_iou,
    mean_grid_iou,
    oracle_iou,
    retrieval_iou,
)
from voxrecon.registry import DATASETS

MAX_BYTES = 16 << 30  # of the grids of a training set; 30,643 of 64^3 take 8 GB


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon analyse baselines``."""
    arguments = parser(
        "analyse baselines",
        "How hard is a data set? IoU of mean grids and of the nearest grid of the training set,\n"
        "before any network is trained.\n"
        f"{command_line('test')} puts them beside those of a network.",
        "data/shapes13",
    )
    arguments.add_argument("data", metavar="DATA", help="folder of the data set")
    arguments.add_argument(
        "--taxonomy", metavar="FILE", help="its splits (default: DATA/taxonomy.json)"
    )
    arguments.add_argument("--split", choices=["val", "test"], default="test")
    arguments.add_argument("--resolution", type=int, default=32, help="cells a side (default: 32)")
    arguments.add_argument("--out", metavar="FILE", help="write the figures as JSON")
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


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
        write_json(args.out, by_sample(columns, test.keys))
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
        grids = torch.empty(len(dataset), dataset.grid_size**3, dtype=torch.bool)
        seen: set[str] = set()
        for index in with_bar(range(len(dataset)), f"reading {dataset.split}"):
            sample = dataset[index]
            if "voxels" not in sample:
                raise ConfigError(f"{dataset.data_root}: has no grids")
            key = sample_key(sample)
            if key in seen:  # stands in for a broken one
                continue
            seen.add(key)
            grids[len(self.keys)] = torch.from_numpy(sample["voxels"].ravel())
            self.names[sample["taxonomy"]] = sample["name"]
            self.classes.append(sample["taxonomy"])
            self.keys.append(key)
        self.grids = grids[: len(self.keys)]

    def of(self, keys: Sequence[str]) -> Tensor:
        """The grids (M, G) of some samples."""
        places = {key: place for place, key in enumerate(self.keys)}
        return self.grids[[places[key] for key in keys]]


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
    found = by_sample(of_grids(train, test), test.keys)
    if views:
        pipeline = test_data["pipeline"]  # the training's augments
        known, stored = _features(model, {**train.data, "pipeline": pipeline, "n_views": views})
        asked, first = _features(model, {**test.data, "n_views": 1})
        scores = retrieval_iou(train.of(known), stored, test.of(asked), first[:, 0])
        found["retrieval"] = by_sample({"retrieval": scores}, asked)["retrieval"]
    return found


def find_leaks(train_data: Mapping, samples: Iterable[Mapping]) -> dict[str, list[str]]:
    """The samples of a test whose id stands in train under another class, as 263 ids of the split
    of Pix2Vox stand under two: names of the other classes by "<taxonomy>/<id>".

    Args:
        train_data: data set of the training as in a config; its taxonomy alone is read.
    """
    try:
        dataset = DATASETS.build({**train_data, "split": "train", "lazy_init": True})
        trained = dataset.list_objects(dataset.find_taxonomy())
    except VoxreconError:
        return {}  # trained elsewhere, as far as one can tell
    classes: dict[str, dict[str, str]] = {}
    for known in trained:
        classes.setdefault(known["id"], {})[known["taxonomy"]] = known["name"]
    found = {}
    for sample in samples:
        others = {**classes.get(sample["id"], {})}
        others.pop(sample["taxonomy"], None)
        if others:
            found[sample_key(sample)] = list(others.values())
    return found


def by_sample(
    columns: Mapping[str, Tensor], keys: Sequence[str]
) -> dict[str, dict[str, float | None]]:
    """IoU by baseline and "<taxonomy>/<id>", None where it is not defined."""
    return {
        name: {
            key: None if math.isnan(value) else value
            for key, value in zip(keys, scores.tolist(), strict=True)
        }
        for name, scores in columns.items()
    }


def _features(model, data: Mapping) -> tuple[list[str], Tensor]:
    """Keys of the objects that have as many views, and what their feature fusion gets, (N, V, F)
    float16, for the first views of each."""
    dataset = DATASETS.build(dict(data))
    loader = DataLoader(
        dataset, batch_size=4, num_workers=min(available_cores(), 8), collate_fn=default_collate
    )
    features: dict[str, Tensor] = {}
    for batch in with_bar(loader, f"features of {dataset.split}"):
        with torch.no_grad():
            images = model.data_preprocessor(batch)["inputs"]
            found = model.extract_features(images)[0].flatten(2).half().cpu()  # (B, V, F)
        need = 2 * len(dataset) * found[0].numel()
        if need > MAX_BYTES:
            raise ConfigError(
                f"--retrieval-views {found.shape[1]}: features of {need / 2**30:.0f} GiB, expected "
                f"at most {MAX_BYTES >> 30}; fewer views or 0"
            )
        for sample, of_sample in zip(batch["data_samples"], found, strict=True):
            features.setdefault(f"{sample.taxonomy}/{sample.id}", of_sample)
    return list(features), torch.stack(list(features.values()))


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
