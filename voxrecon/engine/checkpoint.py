# SPDX-License-Identifier: MIT
"""Reading and writing of checkpoints.

Two kinds: published models are safetensors with a JSON beside them; training checkpoints are torch files of tensors
and plain Python. Both are data: nothing read from a file is ever executed.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from voxrecon.errors import CheckpointError
from voxrecon.fileio import atomic_write


def write_checkpoint(state: dict, path: str | Path) -> None:
    """Write a training checkpoint atomically. Everything in it must be readable with ``weights_only=True``."""
    with atomic_write(path, CheckpointError) as temporary:
        try:
            torch.save(state, temporary)
        except RuntimeError as error:  # torch's zip writer reports a full disk so
            raise CheckpointError(
                f"{path}: cannot be written: {str(error).splitlines()[0]}"
            ) from error


def read_checkpoint(path: str | Path, safe_globals: Sequence = ()) -> dict[str, Any]:
    """Read a torch file with ``weights_only=True``, on the CPU.

    ``safe_globals`` are further types to admit, for files of others.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint")
    try:
        with torch.serialization.safe_globals(list(safe_globals)):
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = "; ".join(
            line.strip()
            for line in str(error).splitlines()
            if "GLOBAL" in line or "Unsupported" in line
        )
        raise CheckpointError(
            f"{path}: holds more than tensors and plain values, which is refused ({reason or 'not a checkpoint'})"
        ) from None
    except (
        RuntimeError,
        EOFError,
        ValueError,
        KeyError,
        OSError,
        zipfile.BadZipFile,
        AttributeError,
        IndexError,
        TypeError,
    ) as error:
        raise CheckpointError(
            f"{path}: truncated or not a checkpoint ({type(error).__name__})"
        ) from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path}: holds a {type(state).__name__}, expected a dict")
    return state


def write_model(model: nn.Module, config: dict, path: str | Path) -> None:
    """Write the weights of a ``VoxelReconstructor`` as safetensors, and ``config`` as JSON beside it.

    The header of the safetensors file and the JSON name the network and its grid size.
    """
    path = Path(path)
    header = {"network": model.network, "grid_size": str(model.grid_size), "schema": "1"}
    with (
        atomic_write(path, CheckpointError) as weights,
        atomic_write(path.with_suffix(".json"), CheckpointError) as beside,
    ):
        state = {
            key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()
        }
        try:
            save_file(state, weights, metadata={"format": "pt", **header})
        except SafetensorError as error:
            raise CheckpointError(f"{path}: cannot be written: {error}") from error
        beside.write_text(
            json.dumps(
                {**header, "schema": 1, "grid_size": model.grid_size, "model": config}, indent=1
            )
            + "\n"
        )


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Weights and header of a published model (safetensors) or of a training checkpoint."""
    path = Path(path)
    if path.suffix == ".safetensors":
        if not path.is_file():
            raise CheckpointError(f"{path}: no such checkpoint")
        try:
            with safe_open(path, "pt") as file:
                return {key: file.get_tensor(key) for key in file.keys()}, dict(
                    file.metadata() or {}
                )  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            raise CheckpointError(
                f"{path}: truncated or not a safetensors file ({error})"
            ) from error
    state = read_checkpoint(path)
    if "encoder_state_dict" in state:
        raise CheckpointError(
            f"{path}: is in the layout of the authors; first run "
            "python tools/model_converters/convert_pix2vox.py CONFIG SRC.pth DST.safetensors"
        )
    weights = state.get("state_dict")
    if not isinstance(weights, dict) or not all(
        isinstance(value, Tensor) for value in weights.values()
    ):
        raise CheckpointError(
            f"{path}: has no state_dict of tensors, expected a checkpoint of tools/train.py"
        )
    meta = state.get("meta")
    header = meta if isinstance(meta, dict) else {}
    return weights, {key: str(header[key]) for key in ("network", "grid_size") if key in header}


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Load weights from ``path`` into a ``VoxelReconstructor``, strictly: network, grid size, keys and shapes."""
    weights, header = read_weights(path)
    for key, own in (("grid_size", str(model.grid_size)), ("network", model.network)):
        if header.get(key, own) != own:
            raise CheckpointError(f"{path}: {key} is {header[key]}, the config has {own}")
    own = model.state_dict()
    check_keys(weights, own, path)
    # assign: a model built on the meta device has no storage to copy into
    model.load_state_dict(
        {key: value.to(own[key].dtype) for key, value in weights.items()},
        assign=any(value.is_meta for value in own.values()),
    )


def check_keys(weights: dict[str, Tensor], own: dict[str, Tensor], path: str | Path) -> None:
    """Raise an error that lists the keys which are missing, left over or misshapen."""
    faults = [f"{key} is missing" for key in own if key not in weights]
    faults += [f"{key} is left over" for key in weights if key not in own]
    faults += [
        f"{key} is {tuple(weights[key].shape)} instead of {tuple(own[key].shape)}"
        for key in own
        if key in weights and weights[key].shape != own[key].shape
    ]
    if faults:
        listed = "; ".join(faults[:20]) + (
            f"; and {len(faults) - 20} more" if len(faults) > 20 else ""
        )
        raise CheckpointError(f"{path}: {len(faults)} keys do not fit the network: {listed}")
