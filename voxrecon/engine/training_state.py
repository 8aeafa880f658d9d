# SPDX-License-Identifier: MIT
"""What a training checkpoint holds beside the weights, as tensors and plain Python, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.optim import OptimWrapper

PLAIN = (bool, int, float, str, type(None))
TAIL = 1000  # values kept of each scalar of the log: more than any of its windows


def epoch_checkpoints(folder: str | Path) -> list[Path]:
    """The checkpoints ``epoch_N.pth`` of a folder, newest first."""
    found = [p for p in Path(folder).glob("epoch_*.pth") if p.stem[6:].isdecimal()]
    return sorted(found, key=epoch_of, reverse=True)


def epoch_of(path: Path) -> int:
    """The N of ``epoch_N.pth``."""
    return int(path.stem[6:])


def to_cpu(value: Any) -> Any:
    """A tree of dicts and lists with its tensors on the CPU."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu()
    if isinstance(value, dict):
        return {key: to_cpu(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_cpu(item) for item in value]
    return value


def pack(optim_wrapper: OptimWrapper, schedulers: list, hub: MessageHub) -> dict[str, Any]:
    """The entries ``optimizer``, ``param_schedulers`` and ``message_hub`` of a checkpoint."""
    scalars = {}
    for name, buffer in hub.log_scalars.items():
        values, counts = buffer.data
        scalars[name] = [[float(v) for v in values[-TAIL:]], [int(c) for c in counts[-TAIL:]]]
    # numbers alone, such as the best score; the hub also holds the config as text
    info = {
        key: value.item() if hasattr(value, "item") else value
        for key, value in hub.runtime_info.items()
    }
    return {
        "optimizer": to_cpu(optim_wrapper.state_dict()),
        "param_schedulers": [_plain(scheduler.state_dict()) for scheduler in schedulers],
        "message_hub": {
            "log_scalars": scalars,
            "runtime_info": {k: v for k, v in info.items() if isinstance(v, (int, float))},
        },
    }


def unpack_optimizer(state: dict, optim_wrapper: OptimWrapper, schedulers: list) -> None:
    """Load optimizer and schedulers; ValueError or the like if they are not those of the config."""
    optim_wrapper.load_state_dict(state["optimizer"])
    optimizer = optim_wrapper.optimizer
    for group in optimizer.param_groups:
        if not isinstance(group["lr"], float):
            raise ValueError(f"learning rate {group['lr']!r}")
    for parameter, slots in optimizer.state.items():
        for name, value in slots.items():  # a scalar counts the steps
            if isinstance(value, torch.Tensor) and value.ndim and value.shape != parameter.shape:
                raise ValueError(f"{name} of shape {tuple(value.shape)}")
    for scheduler, saved in zip(schedulers, state["param_schedulers"], strict=True):
        scheduler.load_state_dict(_plain(saved))


def unpack_hub(state: dict, hub: MessageHub) -> None:
    """Load the log's scalars and numbers; ValueError or the like if they are not such."""
    packed = state["message_hub"]
    scalars = {
        name: HistoryBuffer([float(v) for v in values], [int(c) for c in counts])
        for name, (values, counts) in packed["log_scalars"].items()
    }
    info = {str(k): v for k, v in packed["runtime_info"].items() if isinstance(v, (int, float))}
    hub.log_scalars.update(scalars)
    hub.runtime_info.update(info)


def _plain(state: dict) -> dict:
    """What of a scheduler's state is plain Python; the rest comes from the config."""
    return {
        key: value
        for key, value in state.items()
        if isinstance(value, PLAIN)
        or (isinstance(value, list) and all(isinstance(item, PLAIN) for item in value))
    }
