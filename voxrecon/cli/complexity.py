# SPDX-License-Identifier: MIT
"""What a network costs, counted on the meta device: nothing is allocated, nothing is measured."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from voxrecon.cli.common import command_line, guard, parser
from voxrecon.engine.memory import count_parameters, peak_memory
from voxrecon.errors import ConfigError
from voxrecon.tables import number_table

if TYPE_CHECKING:
    from voxrecon.models import VoxelReconstructor

MB = 1e6
# Xie et al. 2019, the table on complexity in the first version (GTX 1080 Ti): parameters in
# millions, milliseconds backward (one object, one view) and forward by views
PAPER = {
    "pix2vox_f": (7.41, 12.93, {1: 9.25, 2: 12.05, 4: 23.26, 8: 52.63}),
    "pix2vox_a": (114.24, 72.01, {1: 9.90, 2: 13.69, 4: 26.31, 8: 55.56}),
}


def count_flops(model: nn.Module, *inputs: Tensor) -> dict[str, int]:
    """FLOPs of one forward pass by direct submodule of ``model``, and ``"total"``.

    One multiply-accumulate is two FLOPs; convolutions (a transposed one by its input) and matrix
    products count, everything element by element does not.
    """
    with FlopCounterMode(display=False) as counter:
        model(*inputs)
    root = type(model).__name__
    # path below the root -> FLOPs, those of submodules included
    counts = {
        name.removeprefix(f"{root}."): sum(operations.values())
        for name, operations in counter.get_flop_counts().items()
        if name.startswith(f"{root}.")
    }
    flops = {name: 0 for name, _ in model.named_children()}
    for path, count in counts.items():
        above = path.split(".")[:-1]
        # a slot may be called by another method than forward: then its topmost counted parts add up
        if not any(".".join(above[:i]) in counts for i in range(1, len(above) + 1)):
            flops[path.split(".")[0]] += count
    return flops | {"total": counter.get_total_flops()}


def report(model: VoxelReconstructor, name: str, views: Sequence[int], size: int) -> Group:
    """What is printed about a network on the meta device."""
    channels = model.in_chans
    images = {v: torch.empty(1, v, channels, size, size, device="meta") for v in views}
    with torch.inference_mode():
        flops = {v: count_flops(model, x) for v, x in images.items()}
    title = f"{name}: one object, views of {size} x {size}, a grid of {model.grid_size}^3"
    slots = number_table("Slot", "Parameters", "Trained", *(f"GFLOP\n{_views(v)}" for v in views))

    def add(label: str, module: nn.Module, **options) -> None:
        numbers = [f"{n:,}" for n in count_parameters(module)]
        slots.add_row(label, *numbers, *(f"{flops[v][label] / 1e9:.2f}" for v in views), **options)

    modules = model.slots()
    for i, (slot, module) in enumerate(modules.items()):
        add(slot, module, end_section=i == len(modules) - 1)
    add("total", model, style="bold")

    memory = number_table("Memory, float32", "MB")
    weights = sum(t.nbytes for t in (*model.parameters(), *model.buffers()))
    memory.add_row("weights", f"{weights / MB:,.1f}", end_section=True)
    for v, x in images.items():
        memory.add_row(f"forward, {_views(v)}", f"{peak_memory(model, x) / MB:,.1f}")
    one = torch.empty(1, 1, channels, size, size, device="meta")
    step = peak_memory(model, one, train=True)
    memory.add_row("forward and backward, 1 view", f"{step / MB:,.1f}")
    return Group(
        Text(title),
        slots,
        Text("1 multiply-accumulate = 2 FLOPs, of convolutions and matrix products\n"),
        memory,
        Text("beside the weights; most bytes of tensors alive at once, no kernel workspaces\n"),
        *(_published(name, model) if name in PAPER else ()),
    )


def _published(name: str, model: VoxelReconstructor) -> tuple[Text, Table, Text]:
    millions, backward, forward = PAPER[name]
    table = number_table("", "Paper", "Here")
    ours = count_parameters(model)[0]
    table.add_row("parameters, millions", f"{millions:.2f}", f"{ours / 1e6:.2f}")
    for v, milliseconds in forward.items():
        table.add_row(f"forward, {_views(v)}, ms", f"{milliseconds:.2f}")
    table.add_row("backward, 1 view, ms", f"{backward:.2f}")
    title = Text("As published (first version of the paper, GTX 1080 Ti)")
    benchmark = command_line("analyse benchmark")
    return title, table, Text(f"{benchmark} measures the times of this machine")


def _views(n: int) -> str:
    return f"{n} view{'s' * (n > 1)}"


def complexity(args: argparse.Namespace) -> None:
    """Count and print as the command line says."""
    from voxrecon.engine.config import check_config, load_config
    from voxrecon.registry import MODELS

    cfg = load_config(args.config)
    check_config(cfg)
    with torch.device("meta"):
        model = MODELS.build(cfg.model).eval()
    size = args.size or getattr(model.data_preprocessor, "size", None)
    if size is None:
        raise ConfigError(f"{args.config}: its data_preprocessor has no size, give --size PIXELS")
    for option, value in (("--views", min(args.views)), ("--size", size)):
        if value < 1:
            raise ConfigError(f"{option} {value}: expected at least 1")
    Console().print(report(model, Path(args.config).stem, sorted(set(args.views)), size))


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon analyse complexity``."""
    arguments = parser(
        "analyse complexity",
        "Count parameters, FLOPs and memory of each part of a network.",
        "configs/pix2vox_a.py --views 1 8",
    )
    arguments.add_argument("config", help="a config file, or voxrecon::configs/NAME.py")
    arguments.add_argument("--views", type=int, nargs="+", default=[1, 8], metavar="N")
    arguments.add_argument("--size", type=int, metavar="PIXELS", help="of a view (default: config)")
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: complexity(parse_args(argv)))


if __name__ == "__main__":
    main()
