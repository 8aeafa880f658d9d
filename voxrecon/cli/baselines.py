# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import math
import os

import numpy as np
import torch
from mmengine.dataset import default_collate
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from torch import Tensor
from torch.utils.data import DataLoader

from voxrecon.apis import init_model
from voxrecon.cli.common import available_cores, guard, parser, with_bar
from voxrecon.datasets import LoadVoxels, R2N2Dataset
from voxrecon.engine.config import load_config
from voxrecon.errors import ConfigError
from voxrecon.evaluation import THRESHOLD, iou, read_results, write_json
from voxrecon.evaluation.baselines import (
    class_mean_iou,
    mean_grid_iou,
    oracle_iou,
    retrieval_iou,
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of ``tools/analysis/baselines.py``."""
    arguments = parser(
        "How hard is a data set? IoU of mean grids and of retrieval from the training set, beside\n"
        "the results of networks.",
        "python tools/analysis/baselines.py data/shapes13 --results work_dirs/f/results.json",
    )
    arguments.add_argument("data", metavar="DATA", help="folder of the data set")
    arguments.add_argument(
        "--taxonomy", metavar="FILE", help="its splits (default: DATA/taxonomy.json)"
    )
    arguments.add_argument("--split", choices=["val", "test"], default="test")
    arguments.add_argument("--resolution", type=int, default=32, help="cells a side (default: 32)")
    arguments.add_argument(
        "--network",
        nargs=2,
        metavar=("CONFIG", "CKPT"),
        help="retrieve by this network's features as well",
    )
    arguments.add_argument(
        "--network-views",
        type=int,
        metavar="V",
        help="views of a training object to retrieve from (default: as many as the first one has)",
    )
    arguments.add_argument("--results", metavar="FILE", help="results.json of tools/test.py")
    arguments.add_argument("--out", metavar="FILE", help="write the figures as JSON")
    return arguments.parse_args(argv)


def baselines(args: argparse.Namespace) -> None:
    """Measure and print as the command line says."""
    for name, value in (("network-views", args.network_views), ("resolution", args.resolution)):
        if value is not None and value < 1:
            raise ConfigError(f"--{name} {value}: expected at least 1")
    results = read_results(args.results) if args.results else None
    if args.network:
        cfg = load_config(args.network[0])
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = init_model(cfg, args.network[1], device)
    train, test = (_read(args, split) for split in ("train", args.split))
    known, asked = train.grids, test.grids
    columns = {
        "mean grid": mean_grid_iou(known, asked),
        "class mean": class_mean_iou(known, train.classes, asked, test.classes),
        "oracle": oracle_iou(known, asked),
    }
    if args.network:
        pipeline = cfg.test_dataloader.dataset.pipeline
        views = args.network_views or train.views
        stored = _features(model, pipeline, train.dataset, views)
        first = _features(model, pipeline, test.dataset, 1)[:, 0]
        columns["retrieval"] = retrieval_iou(known, stored, asked, first)
    if results:
        columns |= _of_results(results, args.results, test)

    print(f"{args.data}: {len(known)} training objects, {len(asked)} of {args.split}")
    Console().print(_table(columns, test))
    print("mean grid, class mean: of the training set, the latter with the class known")
    print("oracle: the training grid that is nearest to the truth")
    if args.network:
        print("retrieval: the training object whose view has the nearest features")
    if results:
        print(f"views: the network at t = {THRESHOLD}")
    if args.out:
        keys = ["/".join(key) for key in test.keys]
        figures = {
            name: {
                k: None if math.isnan(v) else v for k, v in zip(keys, scores.tolist(), strict=True)
            }
            for name, scores in columns.items()
        }
        write_json(args.out, figures)
        print(f"every sample: {args.out}")


class Grids:
    """The grids of a split: ``grids`` (N, G) bool, and of each its class and (taxonomy, id)."""

    def __init__(self, dataset) -> None:
        self.dataset = dataset
        self.names: dict[str, str] = {}
        self.classes: list[str] = []
        self.keys: list[tuple[str, str]] = []
        _, views = dataset.list_views(dataset.get_data_info(0))
        self.views = len(views)  # of the first object
        self.grids = torch.empty(len(dataset), dataset.grid_size**3, dtype=torch.bool)
        for index in with_bar(range(len(dataset)), f"reading {dataset.split}"):
            sample = dataset[index]
            self.names[sample["taxonomy"]] = sample["name"]
            self.classes.append(sample["taxonomy"])
            self.keys.append((sample["taxonomy"], sample["id"]))
            self.grids[index] = torch.from_numpy(sample["voxels"].ravel())


def _read(args: argparse.Namespace, split: str) -> Grids:
    return Grids(
        R2N2Dataset(
            args.data,
            taxonomy=os.path.abspath(args.taxonomy) if args.taxonomy else "taxonomy.json",
            split=split,
            pipeline=[LoadVoxels()],
            grid_size=args.resolution,
            test_mode=True,
        )
    )


def _features(model, pipeline: list, dataset, n_views: int) -> Tensor:
    """What the network's decoder gets, (N, V, F) float16, for the first views of each object."""
    views = R2N2Dataset(
        dataset.data_root,
        taxonomy=dataset.taxonomy,
        split=dataset.split,
        pipeline=pipeline,
        grid_size=dataset.grid_size,
        n_views=n_views,
        test_mode=True,
    )
    loader = DataLoader(
        views, batch_size=4, num_workers=min(available_cores(), 8), collate_fn=default_collate
    )
    features = []
    for batch in with_bar(loader, f"features of {dataset.split}"):
        with torch.no_grad():
            images = model.data_preprocessor(batch)["inputs"]
            features.append(model.extract_features(images)[0].flatten(2).half().cpu())
    return torch.cat(features)


def _of_results(results: dict, path: str, test: Grids) -> dict[str, Tensor]:
    """IoU (N,) by "<n> views" at ``THRESHOLD``, of results on just these samples."""
    if THRESHOLD not in results["thresholds"]:
        raise ConfigError(f"{path}: thresholds {results['thresholds']}, expected {THRESHOLD} too")
    at = results["thresholds"].index(THRESHOLD)
    columns = {}
    for views in results["views"]:
        counts = {
            (s["taxonomy"], s["id"]): (s["intersection"][at], s["union"][at])
            for s in results["samples"]
            if s["n_views"] == views
        }
        if counts.keys() != set(test.keys):
            odd = "/".join(min(counts.keys() ^ set(test.keys)))
            raise ConfigError(
                f"{path}: not the results of this split: {odd} is in one of them only"
            )
        both, either = torch.tensor([counts[key] for key in test.keys]).T
        columns[f"{views} view{'s' * (views > 1)}"] = iou(both, either)
    return columns


def _table(columns: dict[str, Tensor], test: Grids) -> Table:
    table = Table(title="Voxel IoU", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("Class", overflow="fold", min_width=10, vertical="bottom")
    for name in columns:
        header = name.replace(" ", "\n")  # seven columns fit into 80 characters
        table.add_column(header, justify="right", no_wrap=True, min_width=6)
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
