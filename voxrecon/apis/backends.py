# SPDX-License-Identifier: MIT
"""What runs a network: torch, or its exported twin in ONNX Runtime or OpenVINO."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Protocol

import torch
from torch import Tensor

from voxrecon.choices import BACKENDS
from voxrecon.errors import CheckpointError, ConfigError
from voxrecon.models import VoxelReconstructor
from voxrecon.system import available_cores

from .model_folder import ONNX, OPENVINO, brief

OUTPUTS = ("volume", "coarse", "scores")


class Backend(Protocol):
    """Runs a network."""

    def run(self, images: Tensor) -> dict[str, Tensor | None]:
        """Normalised images (B, V, 3, H, W) float32 to ``volume`` (B, X, Y, Z), ``coarse`` and
        ``scores`` (B, V', X, Y, Z), all float32 on the CPU.

        ``scores`` is None where the fusion has none, and for a single volume: it needs none.
        """
        ...


def open_backend(name: str, model: VoxelReconstructor, folder: str | Path | None) -> Backend:
    """The backend of a name, for ``model`` of a model folder (None: it comes from none).

    Raises:
        ConfigError: No such backend, or its package is not installed.
        CheckpointError: The folder has no such file, or a broken one, or that of another network.
    """
    if name not in BACKENDS:
        raise ConfigError(f"backend {name!r}: expected one of {', '.join(BACKENDS)}")
    if name == "torch":
        return TorchBackend(model)
    file, kind = (ONNX, OnnxBackend) if name == "onnx" else (OPENVINO[0], OpenVinoBackend)
    if folder is None or not (Path(folder) / file).is_file():
        raise CheckpointError(
            f"{file if folder is None else Path(folder) / file}: no such file; make it by "
            f"voxrecon export MODEL --format {name} -o DIR, and use the model DIR"
        )
    backend = kind(Path(folder) / file)
    if backend.network != model.network:
        raise CheckpointError(
            f"{Path(folder) / file}: network is {brief(backend.network)}, expected {model.network}"
        )
    return backend


def run_network(model: VoxelReconstructor, images: Tensor) -> dict[str, Tensor | None]:
    """As ``Backend.run``, on the model's device and with gradients where they are enabled."""
    state = model.encode(images)
    found = {"volume": model.fuse(state)["volume"], **{key: state[key] for key in OUTPUTS[1:]}}
    return {key: None if value is None else value.float() for key, value in found.items()}


class TorchBackend:
    """The network itself, on its device."""

    def __init__(self, model: VoxelReconstructor) -> None:
        self.model = model

    def run(self, images: Tensor) -> dict[str, Tensor | None]:
        device = next(self.model.parameters()).device
        with torch.inference_mode():
            found = run_network(self.model, images.to(device))
        # out of inference mode: a plain tensor, on which everything is allowed
        return _drop_idle({key: x if x is None else x.cpu().clone() for key, x in found.items()})


class OnnxBackend:
    """An ONNX file in ONNX Runtime, on the CPU.

    Raises:
        CheckpointError: The file is broken, or is not that of a network of ours.
    """

    def __init__(self, path: Path) -> None:
        runtime = import_package("onnxruntime", "export")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = available_cores()
        options.log_severity_level = 3  # errors: others are remarks on how the file was made
        try:
            self.session = runtime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime has an exception of its own for every state
            raise _broken(path, error) from error
        self.names = [output.name for output in self.session.get_outputs()]
        _check_names(path, [given.name for given in self.session.get_inputs()], self.names)
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.network = metadata.get("network", "missing")

    def run(self, images: Tensor) -> dict[str, Tensor | None]:
        arrays = self.session.run(self.names, {"images": images.cpu().numpy()})
        return _drop_idle(dict(zip(self.names, map(torch.from_numpy, arrays), strict=True)))


class OpenVinoBackend:
    """An OpenVINO file, with its weights beside it, on the CPU in float32.

    Raises:
        CheckpointError: The file is broken, or is not that of a network of ours.
    """

    def __init__(self, path: Path) -> None:
        openvino = import_package("openvino", "openvino")
        try:
            model = openvino.Core().read_model(path)
            self.network = (
                str(model.get_rt_info(["voxrecon", "network"]).value)
                if model.has_rt_info(["voxrecon", "network"])
                else "missing"
            )
            names = [output.get_any_name() for output in model.outputs]
            inputs = [given.get_any_name() for given in model.inputs]
            # the CPU would take bfloat16 where it can
            settings = {
                "INFERENCE_PRECISION_HINT": "f32",
                "INFERENCE_NUM_THREADS": available_cores(),
            }
            self.compiled = openvino.compile_model(model, "CPU", settings)
        except Exception as error:  # a RuntimeError of many lines, or whatever the parser finds
            raise _broken(path, error) from error
        self.names = names
        _check_names(path, inputs, names)

    def run(self, images: Tensor) -> dict[str, Tensor | None]:
        # a request of its own, so that threads may share the network
        request = self.compiled.create_infer_request()
        request.infer({"images": images.cpu().numpy()})
        return _drop_idle(
            {name: torch.from_numpy(request.get_tensor(name).data.copy()) for name in self.names}
        )


def import_package(name: str, extra: str) -> ModuleType:
    """A package of the extra ``extra``; ConfigError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(f"{name} not installed: pip install 'voxrecon[{extra}]'") from error


def _drop_idle(found: Mapping[str, Tensor | None]) -> dict[str, Tensor | None]:
    """The network itself does not score a single volume; an exported one does."""
    scores = found.get("scores") if found["coarse"].shape[1] > 1 else None
    return {**found, "scores": scores}


def _check_names(path: Path, inputs: list[str], outputs: list[str]) -> None:
    if inputs != ["images"] or outputs not in (list(OUTPUTS), list(OUTPUTS[:2])):
        raise CheckpointError(
            f"{path}: from {brief(inputs)} to {brief(outputs)}, expected an export of voxrecon"
        )


def _broken(path: Path, error: Exception) -> CheckpointError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return CheckpointError(f"{path}: broken, or not an export of voxrecon: {brief(reason)}")
