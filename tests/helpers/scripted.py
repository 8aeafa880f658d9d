# SPDX-License-Identifier: MIT
"""Trainings whose scores are written beforehand."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.hooks import Hook

from voxrecon.engine.config import load_config, set_data

STAGES = (
    {"epochs": 4, "views": 1, "frozen": ["volume_fusion"]},
    {"epochs": 5, "views": (1, 2), "frozen": ["backbone", "neck", "decoder"]},
)
SCORES = (0.5, 0.4, 0.5, 0.9, 0.1, 0.2, 0.2, 0.1, 0.9)  # of the validation of each epoch


def scripted_config(made: Path, work: Path, patience: int | None = None, stages=STAGES):
    cfg = load_config(made / "tiny.py")
    set_data(cfg, made / "data")
    cfg.work_dir = str(work)
    cfg.train_cfg.stages = [dict(stage) for stage in stages]
    cfg.default_hooks.early_stopping.patience = patience
    return cfg


class Script(Hook):
    """Scores as wanted; losses, objects and numbers of views of each epoch."""

    priority = "HIGHEST"

    def __init__(self) -> None:
        self.losses, self.batches = {}, {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        epoch, views = runner.epoch + 1, data_batch["inputs"]["images"].shape[1]
        names = [(sample.taxonomy, sample.id) for sample in data_batch["data_samples"]]
        self.losses.setdefault(epoch, []).append(outputs["loss"].item())
        self.batches.setdefault(epoch, []).append((names, views))

    def after_val_epoch(self, runner, metrics=None) -> None:
        metrics["iou"] = SCORES[runner.epoch - 1]


class Interrupt(Hook):
    """What a Ctrl-C after the checkpoint of an epoch does."""

    priority = "LOWEST"

    def __init__(self, after: int) -> None:
        self.after, self.epochs = after, 0

    def after_epoch(self, runner) -> None:
        self.epochs += 1
        if self.epochs == self.after:
            raise KeyboardInterrupt


def log_of(folder: Path) -> str:
    return "".join(path.read_text() for path in sorted(folder.rglob("*.log")))


def weights(path: Path) -> dict:
    return torch.load(path, weights_only=True)["state_dict"]
