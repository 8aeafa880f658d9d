# SPDX-License-Identifier: MIT
"""A network as ONNX or OpenVINO: for any number of objects and of views, checked against torch."""

from __future__ import annotations

import copy
import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from voxrecon.errors import CheckpointError, ConfigError
from voxrecon.fileio import atomic_write
from voxrecon.models import MemoryBankFusion, VoxelReconstructor

from .backends import OUTPUTS, Backend, OnnxBackend, OpenVinoBackend, import_package, run_network
from .model_folder import brief

EXAMPLE = (2, 3)  # objects and views: of 1 torch would make a network for 1 alone
CHECKED = ((1, 1), (3, 2))  # others than in the example
TOLERANCE = 1e-4
ANY = torch.export.Dim.DYNAMIC


class _Exported(nn.Module):
    """A network whose outputs are a tuple of tensors."""

    def __init__(self, model: VoxelReconstructor) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        found = run_network(self.model, images)
        return tuple(found[key] for key in OUTPUTS if found[key] is not None)


def export_onnx(model: VoxelReconstructor, path: str | Path) -> float:
    """Write a network as one ONNX file, in float32.

    Input ``images`` (B, V, 3, H, W), normalised; outputs ``volume`` (B, X, Y, Z), ``coarse`` and,
    where the fusion has them, ``scores`` (B, V', X, Y, Z). The file's metadata say how images are
    normalised.

    Returns:
        The greatest difference from torch, see ``compare``.

    Raises:
        ConfigError: The network is no tensor program, or a package is missing.
        CheckpointError: The file cannot be written, or its results are not those of torch.
    """
    path = Path(path)
    import_package("onnxscript", "export")
    check_exportable(model)
    model = _portable(model)
    example = random_images(model, *EXAMPLE)
    with torch.no_grad():
        outputs = OUTPUTS[: len(_Exported(model)(example))]
    try:
        with torch.no_grad(), _silence():
            # alone: torch.onnx would try three other ways, which take long and change nothing
            traced = torch.export.export(
                _Exported(model), (example,), dynamic_shapes=({0: ANY, 1: ANY},), strict=False
            )
            program = torch.onnx.export(
                traced,
                dynamo=True,
                dynamic_shapes=({0: "batch", 1: "views"},),  # names alone
                input_names=["images"],
                output_names=outputs,
                verbose=False,
            )
    except Exception as error:  # whatever an operation without a counterpart provokes
        reason = str(error.__cause__ or error).strip().split("\n\n")[0]
        raise ConfigError(
            f"{model.network}: cannot be written as ONNX for any number of views: "
            f"{brief(' '.join(reason.split()))}"
        ) from error
    graphs = [program.model.graph, *program.model.functions.values()]
    for node in (node for graph in graphs for node in graph.all_nodes()):
        node.metadata_props.clear()  # lines of the source, with its folders
    program.model.metadata_props.update(_describe(model))
    with atomic_write(path, CheckpointError) as temporary:
        program.save(temporary)
        return compare(OnnxBackend(temporary), model, path)


def export_openvino(
    model: VoxelReconstructor, path: str | Path, onnx: str | Path | None = None
) -> float:
    """Write a network as OpenVINO's ``path`` (.xml), with its weights in float32 in .bin beside it.

    Args:
        onnx: The network as ``export_onnx`` writes it; None: that is done here.

    Returns, Raises:
        As ``export_onnx``.
    """
    path = Path(path)
    openvino = import_package("openvino", "openvino")
    check_exportable(model)
    with tempfile.TemporaryDirectory(prefix="voxrecon-") as folder:
        if onnx is None:
            onnx = Path(folder) / "model.onnx"
            export_onnx(model, onnx)
        model = _portable(model)
        draft = Path(folder) / "openvino.xml"
        try:
            # not convert_model, which reports to its makers
            converted = openvino.Core().read_model(onnx)
            for key, value in _describe(model).items():
                converted.set_rt_info(value, ["voxrecon", key])
            openvino.save_model(converted, draft, compress_to_fp16=False)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise ConfigError(f"{model.network}: not for OpenVINO: {brief(reason)}") from error
        difference = compare(OpenVinoBackend(draft), model, path)
        with (
            atomic_write(path, CheckpointError) as graph,
            atomic_write(path.with_suffix(".bin"), CheckpointError) as weights,
        ):
            shutil.copyfile(draft, graph)
            shutil.copyfile(draft.with_suffix(".bin"), weights)
    return difference


def compare(backend: Backend, model: VoxelReconstructor, path: str | Path) -> float:
    """The greatest difference between what a backend and torch make of the same images, for several
    numbers of objects and views; of scores, which have no unit, as a share of the greatest.

    Raises:
        CheckpointError: It is above 1e-4, or an output is missing; ``path`` is named.
    """
    worst = 0.0
    for objects, views in CHECKED:
        images = random_images(model, objects, views)
        with torch.inference_mode():
            expected = run_network(model, images)
        found = backend.run(images)
        for key in (key for key in OUTPUTS if expected[key] is not None):
            if found.get(key) is None or found[key].shape != expected[key].shape:
                shape = None if found.get(key) is None else tuple(found[key].shape)
                raise CheckpointError(
                    f"{path}: {key} is {shape}, expected {tuple(expected[key].shape)} as of torch"
                )
            scale = max(1.0, float(expected[key].abs().max())) if key == "scores" else 1.0
            difference = float((found[key] - expected[key]).abs().max()) / scale
            if not difference <= TOLERANCE:
                raise CheckpointError(
                    f"{path}: {key} of {objects} objects from {views} views differs from that of "
                    f"torch by {difference:.2g}, expected at most {TOLERANCE:g}"
                )
            worst = max(worst, difference)
    return worst


def check_exportable(model: VoxelReconstructor) -> None:
    """ConfigError for a network that looks things up: that is no tensor program."""
    fusion = model.feature_fusion
    if isinstance(fusion, MemoryBankFusion) and fusion.memory is not None:
        raise ConfigError(
            f"{model.network}: retrieves shapes from a memory, which no exported file does; "
            "expected a network without (slots=0)"
        )


def _portable(model: VoxelReconstructor) -> VoxelReconstructor:
    """A copy on the CPU, in float32, that takes all views at once."""
    model = copy.deepcopy(model).cpu().float().eval()
    model.chunk = None
    return model


def random_images(model: VoxelReconstructor, objects: int, views: int) -> Tensor:
    """Random images (B, V, C, H, W) in the size of the network, always the same."""
    generator = torch.Generator().manual_seed(objects * 100 + views)
    channels, side = model.in_chans, model.data_preprocessor.size
    return torch.rand(objects, views, channels, side, side, generator=generator) * 2 - 1


def _describe(model: VoxelReconstructor) -> dict[str, str]:
    """What a file says of its network: enough to prepare images for it."""
    preprocessor = model.data_preprocessor
    preparation: dict[str, Any] = {
        "size": preprocessor.size,
        "background": round(preprocessor.background * 255),
        "channel_order": "bgr" if preprocessor.bgr else "rgb",
        "mean": [round(value, 6) for value in preprocessor.mean.tolist()],
        "std": [round(value, 6) for value in preprocessor.std.tolist()],
    }
    return {
        "network": model.network,
        "grid_size": str(model.grid_size),
        "preparation": json.dumps(preparation),
    }


@contextmanager
def _silence() -> Iterator[None]:
    """Without the exporter's remarks on itself."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
