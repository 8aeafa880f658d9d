# SPDX-License-Identifier: MIT
from __future__ import annotations

import copy
import io
import time
from datetime import timedelta
from pathlib import Path

import torch
from mmengine.dist import get_world_size, master_only
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper
from rich.console import Console, RenderableType
from rich.table import Table

from voxrecon.engine.memory import TrainingMemory, training_memory
from voxrecon.engine.training_state import epoch_checkpoints
from voxrecon.errors import VoxreconError
from voxrecon.registry import HOOKS, MODELS
from voxrecon.tables import number_table

from .epoch_checkpoint import EpochCheckpointHook

MB = 1e6
WIDTH = 80  # of the tables in the log
MEMORY_NOTE = (
    "memory of a process in float32; the whole step with its activations, but without\n"
    "workspaces of kernels, what torch takes itself, and the workers of the data"
)


@HOOKS.register_module()
class SummaryHook(Hook):
    """Say before a training what is going to be trained on what, and after it what came out.

    Before: objects, classes and views of the data, parameters by slot and stage, steps, and the
    memory that a step takes. After: the best epoch of each stage, the time, and where things are.
    On the terminal and in the log, by the main process. The network that is trained is not touched.
    """

    def __init__(self) -> None:
        self.start: float | None = None
        self.epochs = 0

    @master_only
    def before_train(self, runner) -> None:
        """Data, network and memory."""
        self.start, self.epochs = time.monotonic(), 0
        try:
            memory, note = estimate_memory(runner), MEMORY_NOTE
        except Exception as error:  # a part of a plug-in may need numbers; the training shall begin
            reason = " ".join(str(error).split())
            memory, note = [], f"memory not estimated: {type(error).__name__}: {reason}"
        show(runner, [data_table(runner), stage_table(runner, memory)], [note])

    def after_epoch(self, runner) -> None:
        """Note the best of the stage where the checkpoint of the epoch finds it."""
        self.epochs += 1
        info = runner.message_hub.runtime_info
        if "best_stage" in info:
            number = info["best_stage"] + 1
            runner.message_hub.update_info(f"stage{number}_best_score", info["best_score"])
            runner.message_hub.update_info(f"stage{number}_best_epoch", info["best_epoch"])

    @master_only
    def after_run(self, runner) -> None:
        """The best of each stage, the time, and where things are."""
        if self.start is None:  # a test
            return
        taken = timedelta(seconds=round(time.monotonic() - self.start))
        folder, log = Path(runner.work_dir), Path(runner.log_dir)
        places = {
            "checkpoint": epoch_checkpoints(folder)[0] if epoch_checkpoints(folder) else None,
            "log": log / f"{runner.timestamp}.log",
            "pictures": log / "vis_data" / "vis_image",
        }
        lines = [f"{self.epochs} epochs in {taken}"]
        lines += [f"{name + ':':<12}{path}" for name, path in places.items() if path]
        best = best_table(runner)
        show(runner, [best] if best.row_count else [], lines)


def data_table(runner) -> Table:
    """Objects, classes and views of the data sets of training and validation."""
    table = number_table("Data", "Objects", "Classes", "Views of the first")
    loaders = {"train": runner.train_dataloader}
    if runner.val_loop is not None:
        loaders["val"] = runner.val_dataloader
    for name, loader in loaders.items():
        dataset = loader.dataset
        classes = getattr(dataset, "metainfo", {}).get("classes")
        count = "-" if classes is None else f"{len(classes)}"
        table.add_row(name, f"{len(dataset):,}", count, _count_views(dataset))
    return table


def stage_table(runner, memory: list[TrainingMemory]) -> Table:
    """What each stage trains, its steps, and its memory where that could be estimated."""
    network, loop = runner.network, runner.train_loop
    stages = loop.stages
    table = number_table("", "Parameters", *(f"Stage {i + 1}" for i in range(len(stages))))
    sizes = [(name, name.split(".")[0], p.numel()) for name, p in network.named_parameters()]
    for row in (*network.slots(), "in all"):
        of_row = [part for part in sizes if row in (part[1], "in all")]
        cells = []
        for stage in stages:
            fixed = {*stage.frozen, *network.fixed}
            trained = sum(n for name, slot, n in of_row if not {name, slot} & fixed)
            cells.append(f"{trained:,}" if trained else "frozen")
        table.add_row(row, f"{sum(n for *_, n in of_row):,}", *cells)
    table.add_section()
    objects = loop.dataloader.batch_sampler.batch_size * get_world_size()
    table.add_row("epochs", "", *(f"{stage.epochs:,}" for stage in stages))
    table.add_row("steps an epoch", "", *[f"{len(loop.dataloader):,}"] * len(stages))
    table.add_row("objects a step", "", *[f"{objects:,}"] * len(stages))
    views = [
        f"{s.views}" if isinstance(s.views, int) else f"{s.views[0]} to {s.views[1]}"
        for s in stages
    ]
    table.add_row("views an object", "", *views, end_section=True)
    for label, key in (
        ("weights, MB", "weights"),
        ("gradients, MB", "gradients"),
        ("optimizer, MB", "optimizer"),
        ("whole step, MB", "peak"),
    ):
        if memory:
            table.add_row(label, "", *(f"{getattr(of, key) / MB:,.1f}" for of in memory))
    return table


def best_table(runner) -> Table:
    """The best epoch of each stage that was validated, and its weights."""
    hook = next((h for h in runner.hooks if isinstance(h, EpochCheckpointHook)), None)
    metric = hook and hook.best
    table = number_table(
        "Stage", "Best epoch", "IoU" if metric == "iou" else str(metric), "Weights"
    )
    info = runner.message_hub.runtime_info
    for number in range(1, len(runner.train_loop.stages) + 1):
        if f"stage{number}_best_epoch" not in info:
            continue
        last = number == info["best_stage"] + 1
        name = "best.pth" if last else f"best_stage{number}.pth"
        path = Path(runner.work_dir) / name
        table.add_row(
            f"{number}",
            f"{info[f'stage{number}_best_epoch']}",
            f"{info[f'stage{number}_best_score']:.4f}",
            name if path.exists() else "-",
        )
    return table


def estimate_memory(runner) -> list[TrainingMemory]:
    """The memory of a step in each stage, with its most views.

    A second network of the config, on the meta device, does a step: nothing is computed.
    """
    level = runner.logger.level
    runner.logger.setLevel("ERROR")  # mmengine prints several lines for every parameter
    try:
        with torch.device("meta"):
            model = MODELS.build(runner.cfg.model)
        size = model.data_preprocessor.size
        shape = (model.in_chans, size, size)
        objects = runner.train_dataloader.batch_sampler.batch_size
        estimates = []
        for stage in runner.train_loop.stages:
            model.freeze(stage.frozen)
            cfg = copy.deepcopy(stage.optim_wrapper or runner.cfg.optim_wrapper)
            optimizer = build_optim_wrapper(model, cfg).optimizer
            images = torch.empty(objects, stage.most_views, *shape, device="meta")
            estimates.append(training_memory(model, images, optimizer))
    finally:
        runner.logger.setLevel(level)
    return estimates


def show(runner, tables: list[Table], lines: list[str]) -> None:
    """Print, and write the same into the log file (whose console takes single lines only)."""
    text = io.StringIO()
    for console in (Console(), Console(file=text, width=WIDTH)):
        for part in (*tables, *lines):
            _print(console, part)
    rows = [line.rstrip() for line in text.getvalue().splitlines()]
    runner.logger.info("\n".join(["", *filter(None, rows)]))


def _print(console: Console, part: RenderableType) -> None:
    # a path is neither broken into lines nor taken for markup
    console.print(part, soft_wrap=isinstance(part, str), markup=False, highlight=False)


def _count_views(dataset) -> str:
    try:
        return f"{len(dataset.list_views(dataset.get_data_info(0))[1])}"
    except (AttributeError, VoxreconError):  # of another package; a sample without views
        return "-"
