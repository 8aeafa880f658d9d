# SPDX-License-Identifier: MIT
"""How fast a network and its data path are on this machine. It prints, and asserts nothing."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import cv2
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from voxrecon.cli.benchmark_rendering import measure_rendering
from voxrecon.cli.common import guard, parser
from voxrecon.cli.sample_data import make_data
from voxrecon.errors import ConfigError
from voxrecon.tables import number_table

if TYPE_CHECKING:
    from voxrecon.models import VoxelReconstructor

SAMPLES, VIEWS = 16, 5  # of a batch of the data path: 80 images


def by_view(model: VoxelReconstructor, images: Tensor) -> Tensor:
    """The volume (B, X, Y, Z) of images (B, V, C, H, W), the per-view slots called view by view.

    That is the order of the original code, which scores a single view as well.
    """
    features = [model.neck(model.backbone(view)[0])[0] for view in images.unbind(1)]
    if model.feature_fusion:
        features = model.feature_fusion(torch.stack(features, 1))[0].unbind(1)
    coarse, scores = [], []
    for feature in features:
        (volume, context), _ = model.decoder(feature[:, None])
        coarse.append(volume)
        scores.append(model.volume_fusion.score(context))
    fused = model.volume_fusion.fuse(
        torch.cat(coarse, 1), None if scores[0] is None else torch.cat(scores, 1)
    )
    return model.refiner(fused)[0] if model.refiner else fused


class Stopwatch:
    """Seconds of calls, waiting for the device, and a sign of life at each round of them."""

    def __init__(self, device: torch.device, repeat: int, rounds: int) -> None:
        self.device, self.repeat = device, repeat
        console = Console(stderr=True)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        self.bar = Progress(
            *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
        )
        self.task = self.bar.add_task("", total=rounds * (repeat + 1))

    def run(self, label: str, *calls: Callable[[], object]) -> list[list[float]]:
        """The times of each call: all in turn, ``repeat`` times, after one round to warm up."""
        if self.bar.disable:
            self.bar.console.print(f"measuring: {label}", highlight=False)
        times: list[list[float]] = [[] for _ in calls]
        for i in range(self.repeat + 1):
            for call, seconds in zip(calls, times, strict=True):
                start = self.now()
                call()
                if i:
                    seconds.append(self.now() - start)
            self.bar.update(self.task, advance=1, description=label)
        return times

    def now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def measure_forward(
    model: VoxelReconstructor, views: Iterable[int], size: int, watch: Stopwatch
) -> list[dict]:
    """Evaluation of one object, views folded into the batch and view by view; a row per number."""
    model.eval()
    rows = []
    for n in views:
        x = torch.rand(1, n, model.in_chans, size, size, device=watch.device) * 2 - 1
        with torch.inference_mode():
            volume, same = model(x), by_view(model, x)
            folded, looped = watch.run(
                f"forward, views {n}", lambda x=x: model(x), lambda x=x: by_view(model, x)
            )
        rows.append(
            {
                "views": n,
                "folded_s": folded,
                "by_view_s": looped,
                "max_difference": float((volume - same).abs().max()),
                "volume_std": float(volume.std()),
            }
        )
    return rows


def measure_training(model: VoxelReconstructor, size: int, watch: Stopwatch) -> dict:
    """Forward with loss, and backward, of one object and one view; batch norm in training mode."""
    model.train()
    x = torch.rand(1, 1, model.in_chans, size, size, device=watch.device) * 2 - 1
    truth = (torch.rand(1, *[model.grid_size] * 3, device=watch.device) > 0.7).float()
    losses: list[Tensor] = []

    def forward() -> None:
        model.zero_grad(set_to_none=True)
        losses[:] = [sum(model.loss(x, truth).values())]

    forward_s, backward_s = watch.run("training", forward, lambda: losses[0].backward())
    model.zero_grad(set_to_none=True)
    model.eval()
    return {"forward_s": forward_s, "backward_s": backward_s}


def measure_data(cfg, model: VoxelReconstructor, watch: Stopwatch) -> dict:
    """Disk to a collated uint8 batch as a worker does it, and that batch to network input.

    Both on one thread of the CPU; the second on the device where that is another. With lmdb, the
    first from the same samples packed into one file as well (None without).
    """
    from voxrecon.registry import DATASETS

    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    dataset.full_init()
    with tempfile.TemporaryDirectory(prefix="voxrecon-") as folder:
        packed = _packed(cfg.train_dataloader.dataset, dataset, Path(folder))
        threads = torch.get_num_threads(), cv2.getNumThreads()
        torch.set_num_threads(1)
        cv2.setNumThreads(0)
        try:
            batch = _load(dataset)
            prepared = model.data_preprocessor(batch, training=True)["inputs"]
            loads = [partial(_load, d) for d in (dataset, packed) if d is not None]
            worker, *others = watch.run("worker path", *loads)
            (device,) = watch.run(
                "device path", lambda: model.data_preprocessor(batch, training=True)
            )
        finally:
            torch.set_num_threads(threads[0])
            cv2.setNumThreads(threads[1])
    return {
        "images": SAMPLES * VIEWS,
        "input": list(prepared.shape),
        "worker_s": worker,
        "packed_s": others[0] if others else None,
        "device_s": device,
    }


def _load(dataset) -> dict:
    """A batch of the first samples."""
    from mmengine.dataset import default_collate

    from voxrecon.datasets import SampleKey

    count = min(len(dataset), SAMPLES)
    keys = [SampleKey(i % count, i // count, VIEWS, seed=0) for i in range(SAMPLES)]
    return default_collate([dataset[key] for key in keys])


def _packed(cfg, dataset, folder: Path):
    """The samples to measure with from a packed data set; None without lmdb."""
    from voxrecon.cli.pack import pack_samples
    from voxrecon.datasets import R2N2Dataset
    from voxrecon.registry import DATASETS

    there = importlib.util.find_spec("lmdb") and os.path.isdir(dataset.data_root)
    if not there or not isinstance(dataset, R2N2Dataset):
        return None
    packed = DATASETS.build({**cfg, **pack_samples(dataset, SAMPLES, folder)})
    packed.full_init()
    return packed


def hardware(device: torch.device) -> dict:
    """What the figures depend on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    cpu = next((s.split(":", 1)[1].strip() for s in lines if s.startswith("model name")), "")
    return {
        "cpu": cpu or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "torch": torch.__version__,
    }


def show(results: dict, console: Console) -> None:
    """Print the tables."""
    machine = results["hardware"]
    for line in (
        f"{results['config']} with random weights",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads",
        *([machine["gpu"]] if machine["gpu"] else []),
        f"torch {machine['torch']}, medians of {results['repeat']}",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    table = number_table(
        *("Views", "Folded\nms", "View by view\nms", "Ratio", "Greatest\ndifference", "Volume\nstd")
    )
    for row in results["forward"]:
        folded, looped = median(row["folded_s"]), median(row["by_view_s"])
        table.add_row(
            f"{row['views']:>5}",
            *(f"{1e3 * folded:,.1f}", f"{1e3 * looped:,.1f}", f"{looped / folded:.2f}"),
            *(f"{row['max_difference']:.1e}", f"{row['volume_std']:.2f}"),
        )
    console.print("\nForward, one object, evaluation", table, sep="\n")
    training = results["training"]
    table = number_table("", "ms")
    forward, backward = (1e3 * median(training[key]) for key in ("forward_s", "backward_s"))
    table.add_row("forward with loss", f"{forward:,.1f}")
    table.add_row("backward", f"{backward:,.1f}")
    table.add_row("both", f"{forward + backward:,.1f}")
    console.print("Training, one object, one view", table, sep="\n")
    data = results["data"]
    table = number_table("", "images/s")
    where = "on the GPU" if machine["gpu"] else "per core"
    for key, label in (
        ("worker_s", "worker, disk to uint8 batch, per core"),
        ("packed_s", "the same from one packed file"),
        ("device_s", f"data_preprocessor with augmentation, {where}"),
    ):
        if data[key]:
            table.add_row(label, f"{data['images'] / median(data[key]):,.0f}")
    title = f"Data path, {SAMPLES} samples of {VIEWS} views, data set: {results['data_set']}"
    console.print(title, table, sep="\n", markup=False, highlight=False)
    made = results["rendering"]
    if made:
        table = number_table("", "meshes/s")
        table.add_row("mesh file to pictures and grid", f"{1 / median(made['wall_s']):.2f}")
        title = f"Rendering, {made['faces']:,} faces, {made['views']} views, per core"
        console.print(title, table, sep="\n", markup=False, highlight=False)


def benchmark(args: argparse.Namespace) -> None:
    """Measure and print as the command line says."""
    from voxrecon.apis import init_model
    from voxrecon.engine.config import load_config, set_data
    from voxrecon.evaluation import write_json

    cfg = load_config(args.config)
    for name in ("repeat", "threads"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ConfigError(f"--{name} {value}: expected at least 1")
    if min(args.views) < 1:
        raise ConfigError(f"--views {min(args.views)}: expected at least 1")
    if args.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("--device cuda: no GPU found, expected one that torch can use")
    if args.threads:
        torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    with ExitStack() as stack:
        root = args.data_root
        if not root:
            root = stack.enter_context(tempfile.TemporaryDirectory(prefix="voxrecon-"))
            make_data(Path(root))
        set_data(cfg, root)
        torch.manual_seed(0)
        if cfg.model.backbone.type == "TimmBackbone":
            cfg.model.backbone.weights = "random"  # nothing is downloaded
        model = init_model(cfg)
        model.init_weights()
        model.to(device)
        views = sorted(set(args.views))
        size = model.data_preprocessor.size
        watch = Stopwatch(device, args.repeat, rounds=len(views) + 3)
        with watch.bar:
            results = {
                "config": args.config,
                "hardware": hardware(device),
                "repeat": args.repeat,
                "data_set": args.data_root or "generated",
                # the broken data set shows before the long measurements
                "data": measure_data(cfg, model, watch),
                "rendering": measure_rendering() if importlib.util.find_spec("embreex") else None,
                "forward": measure_forward(model, views, size, watch),
                "training": measure_training(model, size, watch),
            }
    show(results, Console())
    if args.out:
        write_json(args.out, results)
        print(f"all times: {args.out}")


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon analyse benchmark``."""
    arguments = parser(
        "analyse benchmark",
        "Measure a network with random weights: views folded into the batch against view by view, "
        "a training step, the data path.",
        "configs/pix2vox_a.py --views 1 3 8 --threads 2",
    )
    add = arguments.add_argument
    add("config", nargs="?", default="configs/pix2vox_a.py", help="(default: %(default)s)")
    add("--views", type=int, nargs="+", default=[1, 2, 3, 4, 8, 20], metavar="N")
    add("--threads", type=int, metavar="N", help="of torch on the CPU (default: as torch chooses)")
    add("--repeat", type=int, default=5, metavar="R", help="medians of R times (default: 5)")
    add("--device", choices=["cpu", "cuda"], default="cpu")
    add("--data-root", metavar="DIR", help="a data set; without one, a small one is generated")
    add("--out", metavar="FILE", help="all times, as JSON")
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: benchmark(parse_args(argv)))


if __name__ == "__main__":
    main()
