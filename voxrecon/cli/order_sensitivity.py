# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import math

import torch
from mmengine.dataset import default_collate
from rich import box
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.data import DataLoader

from voxrecon.apis import init_model
from voxrecon.cli.common import add_data_options, guard, parser, set_data_of, with_bar
from voxrecon.engine.config import load_config
from voxrecon.errors import ConfigError
from voxrecon.evaluation import THRESHOLD, intersection_union, iou
from voxrecon.registry import DATASETS


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of ``tools/analysis/order_sensitivity.py``."""
    arguments = parser(
        "Does the order of the views matter? IoU of the same views of each test object in several\n"
        "random orders.",
        "python tools/analysis/order_sensitivity.py projects/r2n2/configs/r2n2_small.py "
        "work_dirs/r2n2_small/best.pth --data-root data/shapes13",
    )
    arguments.add_argument("config", help="a config file, or voxrecon::projects/...")
    arguments.add_argument("checkpoint", help="safetensors or a training checkpoint")
    add_data_options(arguments)
    arguments.add_argument("--views", type=int, default=5, help="views of an object (default: 5)")
    arguments.add_argument("--orders", type=int, default=8, help="orders of them (default: 8)")
    arguments.add_argument("--seed", type=int, default=0, help="of the orders (default: 0)")
    return arguments.parse_args(argv)


def measure(args: argparse.Namespace) -> None:
    """Measure and print as the command line says."""
    for name, value in (("views", args.views), ("orders", args.orders)):
        if value < 2:
            raise ConfigError(f"--{name} {value}: expected at least 2")
    if args.orders > math.factorial(args.views):
        most = math.factorial(args.views)
        raise ConfigError(f"--orders {args.orders}: {args.views} views have {most} orders")
    cfg = load_config(args.config)
    set_data_of(cfg, args)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = init_model(cfg, args.checkpoint, device)
    dataset = DATASETS.build({**cfg.test_dataloader.dataset, "n_views": args.views})
    loader = DataLoader(dataset, batch_size=8, num_workers=1, collate_fn=default_collate)
    generator = torch.Generator().manual_seed(args.seed)
    orders: dict[tuple, None] = {}  # distinct ones, in the order in which they were drawn
    while len(orders) < args.orders:
        orders[tuple(torch.randperm(args.views, generator=generator).tolist())] = None
    scores = []
    for batch in with_bar(loader, "objects"):
        with torch.no_grad():
            data = model.data_preprocessor(batch)
            truth = torch.stack([sample.gt_voxels for sample in data["data_samples"]]).bool()
            scores.append(
                torch.stack(
                    [_iou(model(data["inputs"][:, list(order)]), truth) for order in orders], 1
                )
            )
    Console().print(_table(torch.cat(scores), args.views))


def _iou(volume: Tensor, truth: Tensor) -> Tensor:
    return iou(*intersection_union(volume, truth, [THRESHOLD]))[:, 0]  # (B,)


def _table(scores: Tensor, views: int) -> Table:
    """Of IoU (N, K): N objects in K orders."""
    count, orders = scores.shape
    title = f"IoU at {THRESHOLD} of {count} objects, {views} views in {orders} orders"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("Figure")
    table.add_column("Mean", justify="right")
    table.add_column("Largest", justify="right")
    for name, values in (
        ("IoU of an object", scores),
        ("standard deviation over the orders", scores.std(dim=1)),
        ("best minus worst order", scores.amax(dim=1) - scores.amin(dim=1)),
    ):
        table.add_row(name, f"{float(values.mean()):.4f}", f"{float(values.max()):.4f}")
    return table


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: measure(parse_args(argv)))


if __name__ == "__main__":
    main()
