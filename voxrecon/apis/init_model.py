# SPDX-License-Identifier: MIT
from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config

from voxrecon.engine.checkpoint import load_weights
from voxrecon.engine.config import check_config, load_config
from voxrecon.errors import ConfigError
from voxrecon.models import VoxelReconstructor
from voxrecon.registry import MODELS


def init_model(
    config: str | Path | Config, checkpoint: str | Path | None = None, device: str = "cpu"
) -> VoxelReconstructor:
    """Build the network of a config, in eval mode on ``device``. Never downloads.

    Args:
        config: A config, its file, or ``"voxrecon::configs/pix2voxpp_a.py"`` from any folder.
        checkpoint: Weights: safetensors as published or converted, or a training checkpoint.
            Without one the weights are random.
        device: As torch names it.

    Raises:
        ConfigError: The config does not fit.
        CheckpointError: The checkpoint is broken or of another network or grid size.
    """
    cfg = config if isinstance(config, Config) else load_config(config)
    check_config(cfg)
    # weights that are about to be loaded need no storage and no initialisation before
    with torch.device("meta" if checkpoint else "cpu"):
        model = MODELS.build(cfg.model)
    if checkpoint:
        model = fill(model, cfg, checkpoint)
    return move(model, device)


def fill(model: VoxelReconstructor, cfg: Config, checkpoint: str | Path) -> VoxelReconstructor:
    """The network of a config, built on the meta device, with the weights of a checkpoint."""
    load_weights(model, checkpoint)
    if any(buffer.is_meta for buffer in model.buffers()):  # one that no checkpoint holds
        model = MODELS.build(cfg.model)
        load_weights(model, checkpoint)
    return model


def move(model: VoxelReconstructor, device: str) -> VoxelReconstructor:
    """The network on a device, in eval mode; ConfigError where there is none such."""
    try:
        if torch.device(device).type == "meta":
            raise RuntimeError("computes nothing")
        return model.to(device).eval()
    except (RuntimeError, AssertionError) as error:  # torch built without it, or no such GPU
        raise ConfigError(f"device {device!r}: {str(error).splitlines()[0]}") from error
