# SPDX-License-Identifier: MIT
"""Commands called in this process, on a network and a data set that take no time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer
from shrink import ROOT, shrink

from voxrecon.engine.config import load_config


def tiny_config(folder: Path) -> Path:
    """Pix2Vox++/F, narrow and for grids of 8, two samples a batch, one epoch a stage."""
    cfg = load_config(ROOT / "configs" / "pix2voxpp_f.py")
    cfg.model = shrink(cfg.model.to_dict())
    cfg.model.decoder.channels = [4, 2]
    cfg.model.volume_fusion.in_channels = 3
    cfg.custom_imports = dict(imports=["shrink"])
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        cfg[name].update(batch_size=2, num_workers=0, persistent_workers=False)
        cfg[name].dataset.grid_size = 8
    for stage in cfg.train_cfg.stages:
        stage["epochs"] = 1
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook["type"] != "ReconstructionHook"]
    path = folder / "tiny.py"
    cfg.dump(path)
    return path


def call(main: Callable, *argv: object) -> None:
    """Call a command; what mmengine keeps by the second of the start is forgotten before."""
    for kind in (MMLogger, MessageHub, DefaultScope, Visualizer):
        kind._instance_dict.clear()
    main([str(part) for part in argv])


def refusal(capfd, main: Callable, *argv: object) -> str:
    """The one line with which a command refuses: exit code 2, and nothing else on stderr."""
    capfd.readouterr()
    with pytest.raises(SystemExit) as exit_:
        call(main, *argv)
    assert exit_.value.code == 2
    error = capfd.readouterr().err
    assert error.startswith("error: ") and error.endswith("\n") and error.count("\n") == 1, error
    return error[len("error: ") : -1]
