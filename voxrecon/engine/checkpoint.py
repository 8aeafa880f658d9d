# SPDX-License-Identifier: MIT
"""Reading and writing of checkpoints.

Two kinds: published models are safetensors with a JSON beside them; training checkpoints are torch
files of tensors and plain Python. Both are data: nothing read from a file is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import warnings
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

LISTED = 20  # keys named in one message


class _Ignored:
    """Stands for numpy's scalars in files of others, such as ``best_iou``: none of numpy runs."""

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


# the names of numpy 1 and 2
STAND_INS = [
    (_Ignored, "numpy.dtype"),
    (_Ignored, "numpy.core.multiarray.scalar"),
    (_Ignored, "numpy._core.multiarray.scalar"),
]


def write_checkpoint(state: dict, path: str | Path) -> None:
    """Write a training checkpoint atomically; ``weights_only=True`` must suffice to read it."""
    with atomic_write(path, CheckpointError) as temporary, temporary.open("wb") as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:
            # a full disk: torch's zip writer stumbles while it handles the OSError
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def hash_file(path: str | Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a torch file with ``weights_only=True``, on the CPU.

    Raises:
        CheckpointError: There is none, it is broken, or holds more than tensors and plain Python.
    """
    path = _existing(path)
    if path.suffix == ".safetensors":
        raise CheckpointError(f"{path}: safetensors hold weights alone, expected a torch file")
    _refuse_bomb(path)
    try:
        with (
            # an open file: by its name torch would choose another reader
            path.open("rb") as file,
            torch.serialization.safe_globals(STAND_INS),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # about pickles and archives that are then refused
            state = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        lines = (line.strip() for line in str(error).splitlines())
        reason = "; ".join(line for line in lines if "GLOBAL" in line or "Unsupported" in line)
        raise CheckpointError(
            f"{path}: holds more than tensors and plain values, which is refused "
            f"({reason or 'not a checkpoint'})"
        ) from None
    except Exception as error:  # a broken file makes torch raise anything
        raise CheckpointError(
            f"{path}: truncated or not a checkpoint ({type(error).__name__})"
        ) from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path}: holds a {type(state).__name__}, expected a dict")
    return state


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint")
    return path


def _refuse_bomb(path: Path) -> None:
    """torch stores its tensors as they are: what unpacks to more than the file is an attack."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # a file of torch before 1.6, or a broken one: torch will say
    if unpacked > path.stat().st_size:
        raise CheckpointError(
            f"{path}: unpacks to {unpacked} bytes, expected at most its own {path.stat().st_size}"
        )


def write_model(model: nn.Module, config: dict, path: str | Path) -> None:
    """Write the weights of a ``VoxelReconstructor`` as safetensors, ``config`` as JSON beside it.

    The header of the safetensors file and the JSON name the network and its grid size.
    """
    path, beside = Path(path), Path(path).with_suffix(".json")
    for target in (path, beside):  # two files cannot be renamed at once: look before
        if target.is_dir():
            raise CheckpointError(f"{target}: cannot be written: Is a directory")
    if beside.exists() and '"network"' not in beside.read_text(errors="replace")[:1000]:
        raise CheckpointError(f"{beside}: is another file, expected none or that of a model")
    with (
        atomic_write(beside, CheckpointError) as description,
        atomic_write(path, CheckpointError) as weights,
    ):
        description.write_text(describe_model(model, config))
        save_weights(model, weights, path)


def describe_model(model: nn.Module, config: dict) -> str:
    """The JSON that stands beside the weights of a ``VoxelReconstructor``."""
    described = {
        "schema": 1,
        "network": model.network,
        "grid_size": model.grid_size,
        "model": config,
    }
    return json.dumps(described, indent=1) + "\n"


def save_weights(model: nn.Module, target: Path, path: str | Path, half: bool = False) -> None:
    """Write weights as safetensors to ``target``, which will be called ``path``.

    Args:
        half: Floating-point numbers as float16.

    Raises:
        CheckpointError: ``target`` cannot be written, or float16 cannot hold a number.
    """
    header = {"network": model.network, "grid_size": str(model.grid_size), "schema": "1"}
    # cloned: tensors of a foreign file may be views of one buffer, which safetensors refuse
    state = {
        key: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for key, value in model.state_dict().items()
    }
    if half:
        for key in [key for key, value in state.items() if value.is_floating_point()]:
            value = state[key]
            state[key] = value.half()
            if state[key].isinf().sum() > value.isinf().sum():
                raise CheckpointError(
                    f"{path}: {key} reaches {value.abs().max():.3g}, expected at most "
                    f"{torch.finfo(torch.half).max:.0f} of weights in float16"
                )
    try:
        save_file(state, target, metadata={"format": "pt", **header})
    except SafetensorError as error:
        raise CheckpointError(f"{path}: cannot be written: {error}") from error
    _sort_header(target)


def _sort_header(path: Path) -> None:
    """Put the entries of a safetensors file's header, which come in any order, into one: the same
    weights are the same bytes."""
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        ordered = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        file.seek(8)
        file.write(ordered.ljust(size))


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Weights and header of a published model (safetensors) or of a training checkpoint."""
    path = Path(path)
    if path.suffix == ".safetensors":
        try:
            with safe_open(_existing(path), "pt") as file:
                weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
                return weights, dict(file.metadata() or {})
        except CheckpointError:
            raise
        except Exception as error:  # a broken file makes the reader raise anything
            raise CheckpointError(
                f"{path}: truncated or not a safetensors file ({error})"
            ) from error
    return weights_of(read_checkpoint(path), path)


def weights_of(state: dict, path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Weights and header of a training checkpoint that ``read_checkpoint`` has read."""
    if "encoder_state_dict" in state:
        raise CheckpointError(
            f"{path}: is in the layout of the authors; first run "
            "voxrecon convert CONFIG SRC.pth DST.safetensors"
        )
    weights = state.get("state_dict")
    if not isinstance(weights, dict) or not all(is_dense(value) for value in weights.values()):
        raise CheckpointError(
            f"{path}: has no state_dict of tensors, expected a checkpoint of voxrecon train"
        )
    meta = state.get("meta")
    header = meta if isinstance(meta, dict) else {}
    known = {key: header[key] for key in ("network", "grid_size") if key in header}
    # text of anything else may have no end: nested lists can share their parts
    kinds = {
        key: value if type(value) in (int, str) else type(value) for key, value in known.items()
    }
    return weights, {key: str(value)[:200] for key, value in kinds.items()}


def is_dense(value: Any) -> bool:
    """A tensor with numbers in it: not sparse, quantised, nested or on the meta device."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and not (value.is_meta or value.is_quantized or value.is_nested)
    )


def load_weights(model: nn.Module, path: str | Path, state: dict | None = None) -> None:
    """Load weights into a ``VoxelReconstructor``, strictly: network, grid size, keys and shapes.

    Args:
        state: What ``read_checkpoint`` has read from ``path``, if it has.

    Raises:
        CheckpointError: The file is broken or of another network or grid size.
    """
    weights, header = read_weights(path) if state is None else weights_of(state, path)
    for key, own in (("grid_size", str(model.grid_size)), ("network", model.network)):
        # a training checkpoint of elsewhere may have no header; a published model must
        given = header.get(key, "missing" if Path(path).suffix == ".safetensors" else own)
        if given != own:
            raise CheckpointError(f"{path}: {key} is {given}, the config has {own}")
    own = model.state_dict()
    check_keys(weights, own, path)
    # assign: a model built on the meta device has no storage to copy into. Copied all the same: the
    # tensors of a file need not be aligned, and kernels may round otherwise where they are not
    model.load_state_dict(
        {key: value.contiguous().to(own[key].dtype, copy=True) for key, value in weights.items()},
        assign=any(value.is_meta for value in own.values()),
    )


def check_keys(weights: dict[str, Tensor], own: dict[str, Tensor], path: str | Path) -> None:
    """Raise an error that lists the keys which are missing, left over, misshapen or mistyped."""
    faults = [f"{key} is missing" for key in own if key not in weights]
    faults += [f"{key} is left over" for key in weights if key not in own]
    for key in (key for key in own if key in weights):
        given, expected = weights[key], own[key]
        if given.shape != expected.shape:
            faults.append(f"{key} is {tuple(given.shape)} instead of {tuple(expected.shape)}")
        elif given.is_floating_point() != expected.is_floating_point():
            faults.append(f"{key} is {given.dtype} instead of {expected.dtype}")
    if faults:
        raise CheckpointError(
            f"{path}: {len(faults)} keys do not fit the network: {listed(faults)}"
        )


def listed(entries: Sequence[str]) -> str:
    """The first of many in one line."""
    more = [f"and {len(entries) - LISTED} more"] if len(entries) > LISTED else []
    return "; ".join([*entries[:LISTED], *more])
