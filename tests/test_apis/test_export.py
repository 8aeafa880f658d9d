# SPDX-License-Identifier: MIT
"""ONNX and OpenVINO files: what they compute is what torch computes, for any number of views."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from shrink import ROOT, SIZE, shrink
from torch import nn

from voxrecon.apis import export
from voxrecon.apis.backends import OnnxBackend, open_backend
from voxrecon.apis.export import check_exportable, export_onnx, export_openvino, random_images
from voxrecon.engine.config import load_config
from voxrecon.errors import CheckpointError, ConfigError
from voxrecon.registry import MODELS

pytest.importorskip("onnxscript")
runtime = pytest.importorskip("onnxruntime")
openvino = pytest.importorskip("openvino")

# every part that a network can have; those of the others have other numbers only
NETWORKS = {
    "scores": "configs/pix2voxpp_f.py",
    "refiner": "configs/pix2vox_a.py",
    "states": "projects/r2n2/configs/r2n2.py",
    "cells": "projects/pix2vox_lstm/configs/pix2vox_lstm_3d.py",
    "set": "projects/attsets/configs/attsets.py",
    "latent": "projects/pix2voxpp_vae/configs/pix2voxpp_vae.py",
    "prior": "projects/mem3d/configs/mem3d_no_memory.py",
}
OTHERS = [name for name in NETWORKS if name != "scores"]  # which comes with the fixture
SCORED = ("scores", "refiner", "cells")  # the volume fusions that have scores


def make(name: str):
    torch.manual_seed(0)
    model = MODELS.build(shrink(load_config(ROOT / NETWORKS[name]).model.to_dict()))
    model.init_weights()
    return model.eval()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Folder and network of "scores", with both files."""
    folder, model = tmp_path_factory.mktemp("exported"), make("scores")
    worst = export_onnx(model, folder / "model.onnx")
    also = export_openvino(model, folder / "openvino.xml", folder / "model.onnx")
    return folder, model, (worst, also)


@pytest.mark.parametrize(
    "name", [n if n == "states" else pytest.param(n, marks=pytest.mark.slow) for n in OTHERS]
)
def test_every_network_for_any_number_of_views(name, tmp_path):
    model = make(name)
    if name == "latent":  # neither half precision nor chunks of views reach the file
        model.half().chunk = 1
    assert export_onnx(model, tmp_path / "model.onnx") < 1e-5
    if name == "latent":
        assert model.chunk == 1 and next(model.parameters()).dtype == torch.float16
        model.float()
    assert export_openvino(model, tmp_path / "openvino.xml", tmp_path / "model.onnx") < 1e-5
    check_backends(tmp_path, model, scored=name in SCORED)


def test_the_network_that_ships(exported):
    folder, model, differences = exported
    assert max(differences) < 1e-5
    check_backends(folder, model, scored=True)
    assert sorted(path.name for path in folder.iterdir()) == [
        "model.onnx",
        "openvino.bin",
        "openvino.xml",
    ]


def check_backends(folder: Path, model: nn.Module, scored: bool) -> None:
    reference = open_backend("torch", model, None)
    for name in ("onnx", "openvino"):
        backend = open_backend(name, model, folder)
        for objects, views in ((1, 1), (1, 4), (3, 2)):
            images = random_images(model, objects, views)
            expected, found = reference.run(images), backend.run(images)
            assert set(found) == {"volume", "coarse", "scores"}
            assert (found["scores"] is not None) == (scored and views > 1)
            for key, value in expected.items():
                if value is None:
                    assert found[key] is None
                    continue
                assert found[key].shape == value.shape and found[key].dtype == torch.float32
                assert torch.allclose(found[key], value, atol=1e-5), (name, objects, views, key)
    assert expected["volume"].shape == (3, 32, 32, 32) and expected["volume"].std() > 1e-4


def test_what_torch_gives_is_the_network_itself(exported):
    _, model, _ = exported
    images = random_images(model, 2, 3)
    found = open_backend("torch", model, None).run(images)
    with torch.no_grad():
        state = model.encode(images)
        assert torch.equal(found["volume"], model(images))
    assert torch.equal(found["coarse"], state["coarse"])
    assert torch.equal(found["scores"], state["scores"])
    found["volume"] += 1  # a plain tensor, not one of inference mode


def test_the_onnx_file_speaks_for_itself(exported):
    """It is one file, says how images are prepared, and nothing of where it was made."""
    folder, model, _ = exported
    session = runtime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["preparation"]) == {
        "size": SIZE,
        "background": 240,
        "channel_order": "bgr",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
    }
    assert metadata["network"] == model.network and metadata["grid_size"] == "32"
    (given,) = session.get_inputs()
    assert (given.name, given.shape) == ("images", ["batch", "views", 3, SIZE, SIZE])
    shapes = {output.name: output.shape[:2] for output in session.get_outputs()}
    assert shapes["volume"][0] == shapes["coarse"][0] == "batch"
    assert shapes["coarse"][1] == shapes["scores"][1] == "views"
    content = (folder / "model.onnx").read_bytes()
    assert str(ROOT).encode() not in content and b".py" not in content


def test_the_recipe_without_voxrecon(exported, tmp_path, monkeypatch):
    """The last code of docs/export.md, on pictures in the size of the network."""
    folder, model, _ = exported
    (tmp_path / "chairs").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (1, 2, SIZE, SIZE, 4), dtype=np.uint8)
    pictures[..., :20, 3] = 0
    for name, picture in zip(("front", "side"), pictures[0], strict=True):
        Image.fromarray(picture).save(f"{name}.png")
    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs/export.md").read_text(), re.S)[-1]
    names: dict = {}
    exec(compile(code, "export.md", "exec"), names)
    with torch.no_grad():
        images = model.data_preprocessor.prepare(torch.from_numpy(pictures))
        expected = model(images)
    assert np.allclose(names["images"], images.numpy(), atol=1e-6)
    assert np.allclose(names["volume"], expected.numpy(), atol=1e-5)
    assert names["occupied"].shape == (32, 32, 32)


# ---- refusals


def test_retrieval_is_refused(tmp_path):
    config = shrink(load_config(ROOT / "projects/mem3d/configs/mem3d.py").model.to_dict())
    model = MODELS.build(config)
    for write in (export_onnx, export_openvino):
        with pytest.raises(ConfigError, match="MemoryBankFusion > .*: retrieves shapes from a mem"):
            write(model, tmp_path / "x.xml")
    assert list(tmp_path.iterdir()) == []
    check_exportable(make("prior"))


@MODELS.register_module()
class LoopingFusion(nn.Module):
    """A plug-in's fusion that looks at one view after the other."""

    scope = "causal"

    def forward(self, x, targets=None):
        return torch.stack([x[:, : i + 1].mean(1) for i in range(x.shape[1])], 1), {}


def test_a_network_for_one_number_of_views_alone_is_refused(tmp_path):
    config = shrink(load_config(ROOT / NETWORKS["scores"]).model.to_dict())
    model = MODELS.build({**config, "feature_fusion": {"type": "LoopingFusion"}})
    message = "LoopingFusion > .*: cannot be written as ONNX for any number of views: "
    with pytest.raises(ConfigError, match=message) as error:
        export_onnx(model, tmp_path / "model.onnx")
    assert "\n" not in str(error.value) and list(tmp_path.iterdir()) == []


def test_a_file_that_differs_from_torch_gets_no_name(exported, tmp_path, monkeypatch):
    folder, model, _ = exported
    honest = export.run_network

    def shifted(model, images):
        found = honest(model, images)
        return {**found, "coarse": found["coarse"] + 2e-4 * (images.shape[1] == 2)}

    monkeypatch.setattr(export, "run_network", shifted)
    message = "openvino.xml: coarse of 3 objects from 2 views differs from that of torch by 0.0002"
    with pytest.raises(CheckpointError, match=message):
        export_openvino(model, tmp_path / "openvino.xml", folder / "model.onnx")
    assert list(tmp_path.iterdir()) == []
    backend = OnnxBackend(folder / "model.onnx")
    with pytest.raises(CheckpointError, match=r"x: coarse of 3 objects from 2 views differs"):
        export.compare(backend, model, "x")
    volume = honest(model, random_images(model, 1, 1))["volume"].detach()
    monkeypatch.setattr(backend, "run", lambda images: {"volume": volume})
    with pytest.raises(CheckpointError, match=r"x: coarse is None, expected \(1, 1, 32, 32, 32\)"):
        export.compare(backend, model, "x")


def test_backends_that_are_not_there(exported, tmp_path):
    folder, model, _ = exported
    with pytest.raises(ConfigError, match="backend 'tensorrt': expected one of torch, onnx, openv"):
        open_backend("tensorrt", model, folder)
    for name, file in (("onnx", "model.onnx"), ("openvino", "openvino.xml")):
        message = f"{file}: no such file; make it by voxrecon export MODEL --format {name} -o DIR"
        for place in (tmp_path, None):
            with pytest.raises(CheckpointError, match=message):
                open_backend(name, model, place)


@pytest.mark.parametrize("name", ["onnx", "openvino"])
def test_broken_and_foreign_files(exported, tmp_path, name):
    folder, model, _ = exported
    file = "model.onnx" if name == "onnx" else "openvino.xml"
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    model = make("latent")
    with pytest.raises(CheckpointError, match=f"{file}: network is tiny > .*, expected tiny > "):
        open_backend(name, model, tmp_path)
    content = (folder / file).read_bytes()
    for part in (b"", b"not a model", content[: len(content) // 2]):
        (tmp_path / file).write_bytes(part)
        with pytest.raises(CheckpointError, match=f"{file}: ") as error:
            open_backend(name, model, tmp_path)
        assert "\n" not in str(error.value) and len(str(error.value)) < 700


def test_a_network_of_others_is_not_run(exported, tmp_path):
    import onnx
    from onnx import TensorProto, helper

    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    node = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph([node], "relu", value[:1], value[1:])
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), tmp_path / "model.onnx")
    with pytest.raises(
        CheckpointError, match=r"from \['x'\] to \['y'\], expected an export of vox"
    ):
        open_backend("onnx", exported[1], tmp_path)


@pytest.mark.parametrize(
    ("package", "extra", "write"),
    [("onnxscript", "export", export_onnx), ("openvino", "openvino", export_openvino)],
)
def test_missing_packages_are_named(exported, tmp_path, monkeypatch, package, extra, write):
    monkeypatch.setitem(sys.modules, package, None)
    message = rf"{package} not installed: pip install 'voxrecon\[{extra}\]'"
    with pytest.raises(ConfigError, match=message):
        write(exported[1], tmp_path / "x.xml")
