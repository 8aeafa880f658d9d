# SPDX-License-Identifier: MIT
"""A model as a folder of files: weights, config and card. They are data, and read as such."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from voxrecon.engine.checkpoint import describe_model, save_weights
from voxrecon.engine.config import check_config
from voxrecon.errors import CheckpointError, ConfigError
from voxrecon.fileio import atomic_write, read_file
from voxrecon.models import VoxelReconstructor
from voxrecon.registry import MODELS

from .init_model import fill, move

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
ONNX, OPENVINO = "model.onnx", ("openvino.xml", "openvino.bin")
FILES = (WEIGHTS, CONFIG, CARD, ONNX, *OPENVINO)
SCHEMA = 1
MAX_CONFIG = 1 << 16  # bytes
MAX_CARD = 1 << 20  # bytes
MAX_HEADER = 1 << 20  # bytes of the safetensors file beside its weights
MAX_MODULES = 5_000  # some networks build as many as a number says; ResNet-152 has 600
MAX_SIDE = 4096  # pixels of an input
BRIEF = 300  # characters of a value in a message
# what would make a builder look elsewhere: for code (mmengine), for weights (timm)
FORBIDDEN = ("_scope_", "checkpoint_path", "pretrained", "cache_dir")


def write_model_folder(
    folder: str | Path, model: VoxelReconstructor, config: dict, card: str, half: bool = False
) -> None:
    """Write ``model.safetensors``, ``config.json`` and ``README.md``.

    What was exported from older weights in ``folder`` is removed.

    Args:
        config: What the network is built from, ``cfg.model``.
        card: The text of the README.
        half: Weights as float16; computed with them is in float32 all the same.

    Raises:
        CheckpointError: The folder holds other things or cannot be written, or the config is not
            plain data; what was there stays.
    """
    folder = Path(folder)
    if folder.exists():
        _refuse_foreign(folder)
    try:
        description = describe_model(model, config)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{folder / CONFIG}: expected a config of plain data: {error}") from (
            error
        )
    with ExitStack() as files:
        paths = {
            name: files.enter_context(atomic_write(folder / name, CheckpointError))
            for name in (CONFIG, CARD)
        }
        # what is entered last ends first: weights appear, exports of the old ones go, then the rest
        files.enter_context(_remove_exports(folder))
        paths[WEIGHTS] = files.enter_context(atomic_write(folder / WEIGHTS, CheckpointError))
        paths[CONFIG].write_text(description, encoding="utf-8")
        paths[CARD].write_text(card, encoding="utf-8")
        save_weights(model, paths[WEIGHTS], folder / WEIGHTS, half)


def write_card_file(folder: str | Path, card: str) -> Path:
    """Replace the README of a model folder, and nothing else.

    Raises:
        CheckpointError: It cannot be written.
    """
    path = Path(folder) / CARD
    with atomic_write(path, CheckpointError) as temporary:
        temporary.write_text(card, encoding="utf-8")
    return path


@contextmanager
def _remove_exports(folder: Path) -> Iterator[None]:
    """When the block ends well."""
    yield
    for name in (ONNX, *OPENVINO):
        (folder / name).unlink(missing_ok=True)


def _refuse_foreign(folder: Path) -> None:
    """Into a folder of something else nothing is written."""
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: a file, expected a folder")
    for name in FILES:
        if (folder / name).is_dir():
            raise CheckpointError(f"{folder / name}: a folder, expected a file or none")
    seen = any(not path.name.startswith(".") for path in folder.iterdir())
    config = folder / CONFIG
    if seen and not (config.is_file() and b'"network"' in read_file(config, MAX_CONFIG)):
        raise CheckpointError(f"{folder}: holds other files, expected a new folder or a model's")


def read_model_folder(folder: str | Path, device: str = "cpu") -> VoxelReconstructor:
    """The network of a model folder with its weights, in eval mode on ``device``.

    Nothing in the folder is executed, and nothing is downloaded. Of the config's parts each has to
    be one that voxrecon or an installed plug-in registers. Files may be links, as in the hub's
    cache. The card need not be there.

    Raises:
        CheckpointError: A file is missing, broken, or does not fit the others.
        ConfigError: There is no such device.
    """
    folder = Path(folder)
    described = read_model_config(folder)
    where = folder / CONFIG
    cfg = Config({"model": described["model"]})
    try:
        check_config(cfg)
        with limit_modules(MAX_MODULES), torch.device("meta"), torch.inference_mode():
            model = MODELS.build(cfg.model).eval()
            side = model.data_preprocessor.size
            model(torch.empty(1, 1, model.in_chans, side, side))  # they fit
        _check_size(model, folder / WEIGHTS)
        model = fill(model, cfg, folder / WEIGHTS)
    except CheckpointError:
        raise
    except Exception as error:  # arguments of any kind reach the constructors
        reason = brief(" ".join(str(error).split()) or type(error).__name__)
        raise CheckpointError(f"{where}: no network can be built of it: {reason}") from error
    for key in ("network", "grid_size"):
        if described[key] != getattr(model, key):
            raise CheckpointError(
                f"{where}: {key} is {brief(described[key])}, expected {getattr(model, key)} as of "
                "its model"
            )
    return move(model, device)


def read_model_config(folder: str | Path) -> dict[str, Any]:
    """``config.json`` of a model folder, its entries and the types in it checked.

    Raises:
        CheckpointError: There is none, or it is not as ``write_model_folder`` writes it.
    """
    path = Path(folder) / CONFIG
    if not path.is_file():
        raise CheckpointError(f"{folder}: has no file {CONFIG}, expected a model folder")
    try:
        described = json.loads(read_file(path, MAX_CONFIG))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not JSON: {brief(str(error))}") from error
    if not isinstance(described, dict) or not {"schema", "model"} <= set(described):
        raise CheckpointError(f"{path}: expected schema, network, grid_size and model")
    for key, expected in (("schema", int), ("network", str), ("grid_size", int), ("model", dict)):
        if type(described.get(key)) is not expected:
            raise CheckpointError(
                f"{path}: {key} is {brief(described.get(key))}, expected {expected.__name__}"
            )
    if described["schema"] != SCHEMA:
        raise CheckpointError(f"{path}: schema {described['schema']}, expected {SCHEMA}")
    MODELS.import_from_location()
    model = described["model"]
    model.pop("init_cfg", None)  # weights are loaded, not drawn
    _check_parts(model, "model", path)
    if model.get("type") != "VoxelReconstructor":
        raise CheckpointError(
            f"{path}: model.type is {brief(model.get('type'))}, expected VoxelReconstructor"
        )
    preprocessor = model.get("data_preprocessor")
    size = preprocessor.get("size", 1) if isinstance(preprocessor, dict) else 1
    if type(size) is not int or not 1 <= size <= MAX_SIDE:
        raise CheckpointError(
            f"{path}: model.data_preprocessor.size is {brief(size)}, expected 1 to {MAX_SIDE}"
        )
    return described


def read_card(folder: str | Path) -> str | None:
    """The card of a model folder, None where it has none."""
    path = Path(folder) / CARD
    return read_file(path, MAX_CARD).decode(errors="replace") if path.is_file() else None


def _check_parts(value: Any, where: str, path: Path) -> None:
    """Every type is one of our registry: others mmengine would import by their dotted names."""
    if len(where) > BRIEF:
        raise CheckpointError(f"{path}: {where[:80]}... is nested too deeply for a model")
    if isinstance(value, list):
        for index, item in enumerate(value):
            _check_parts(item, f"{where}.{index}", path)
    elif isinstance(value, dict):
        kind = value.get("type", "VoxelReconstructor")
        if not isinstance(kind, str) or kind not in MODELS.module_dict:
            raise CheckpointError(
                f"{path}: {where}.type is {brief(kind)}, expected a part that voxrecon or an "
                "installed plug-in registers"
            )
        for key, item in value.items():
            if key.startswith(FORBIDDEN):
                raise CheckpointError(f"{path}: {where}.{brief(key)} may not stand in a model")
            _check_parts(item, f"{where}.{key}", path)


def _check_size(model: nn.Module, path: Path) -> None:
    """A file that is larger than its weights is not read."""
    expected = sum(value.numel() * value.itemsize for value in model.state_dict().values())
    if path.is_file() and path.stat().st_size > expected + MAX_HEADER:
        raise CheckpointError(
            f"{path}: {path.stat().st_size} bytes, expected at most {expected + MAX_HEADER} of "
            "this network"
        )


@contextmanager
def limit_modules(most: int) -> Iterator[None]:
    """ConfigError as soon as this thread has put more than ``most`` modules into others."""
    count, thread = 0, threading.get_ident()

    def registered(*_: object) -> None:
        nonlocal count
        count += threading.get_ident() == thread
        if count > most:
            raise ConfigError(f"more than {most} layers")

    handle = register_module_module_registration_hook(registered)
    try:
        yield
    finally:
        handle.remove()


def brief(value: Any) -> str:
    """A value in a message."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= BRIEF else f"{text[:BRIEF]}..."
