# SPDX-License-Identifier: MIT
"""Whole runs in seconds: a narrow network on a few made-up objects."""

from __future__ import annotations

from pathlib import Path

from r2n2 import make_r2n2
from shrink import ROOT, shrink

from voxrecon.engine import VoxelRunner
from voxrecon.engine.config import load_config, set_data

STAGES = (
    {"epochs": 2, "views": 1},
    {"epochs": 2, "views": (1, 3), "frozen": ["backbone", "neck", "decoder"]},
)


def tiny_config(
    folder: Path, base: str = "configs/pix2voxpp_a.py", objects: int = 5, workers: int = 0
):
    """A config whose data and output lie in ``folder``: 2 batches an epoch, 2+2 epochs."""
    data = folder / "data"
    if not data.exists():
        make_r2n2(data, n=objects, views=4)
    cfg = load_config(ROOT / base)
    cfg.model = shrink(cfg.model)
    set_data(cfg, data)
    cfg.custom_imports = {"imports": ["shrink"]}
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        cfg[name].num_workers = workers
        cfg[name].batch_size = 2
    cfg.train_cfg.stages = [dict(stage) for stage in STAGES]
    cfg.param_scheduler = [{"type": "MultiStepLR", "milestones": [1], "gamma": 0.5}]
    cfg.default_hooks.logger.interval = 1
    for hook in cfg.custom_hooks:
        if hook.type == "ReconstructionHook":
            hook.interval = 1
    cfg.work_dir = str(folder / "work")
    return cfg


def write_config(cfg, path: Path) -> Path:
    """For runs in processes of their own; they need tests/helpers on PYTHONPATH."""
    cfg.dump(path)
    return path


def run(cfg, resume: bool = False, hooks=()) -> VoxelRunner:
    """Train in this process."""
    cfg = cfg.copy()
    cfg.resume = resume
    runner = VoxelRunner.from_cfg(cfg)
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    return runner
