# SPDX-License-Identifier: MIT
"""Model folders: the same network comes back, and nothing in them is executed or believed."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from shrink import ROOT, SIZE, shrink

from voxrecon.apis.model_folder import (
    read_card,
    read_model_config,
    read_model_folder,
    write_model_folder,
)
from voxrecon.engine.config import load_config
from voxrecon.errors import CheckpointError, ConfigError, FileError
from voxrecon.registry import MODELS

NETWORKS = {
    "pix2voxpp": "configs/pix2voxpp_a.py",
    "mem3d": "projects/mem3d/configs/mem3d.py",
    "vae": "projects/pix2voxpp_vae/configs/pix2voxpp_vae.py",
    "r2n2": "projects/r2n2/configs/r2n2.py",
    "attsets": "projects/attsets/configs/attsets.py",
    "lstm": "projects/pix2vox_lstm/configs/pix2vox_lstm.py",
}


def make(name: str = "pix2voxpp"):
    """A narrow network whose weights and statistics are all drawn, and its config."""
    config = shrink(load_config(ROOT / NETWORKS[name]).model.to_dict())
    return fill(MODELS.build(config)), config


def fill(model):
    generator = torch.Generator().manual_seed(0)
    model.init_weights()
    for key, buffer in model.named_buffers():
        if key.endswith("running_var"):
            buffer.uniform_(0.5, 2, generator=generator)
        elif key.endswith("running_mean"):
            buffer.uniform_(-0.5, 0.5, generator=generator)
        elif key.endswith("num_batches_tracked"):
            buffer.fill_(12345)
    memory = getattr(model.feature_fusion, "memory", None)
    if memory is not None:
        keys = torch.rand(5, memory.keys.shape[1], generator=generator)
        grids = torch.rand(5, memory.cells, generator=generator) > torch.arange(5)[:, None] / 5
        memory.write(torch.nn.functional.normalize(keys), grids)
    return model.eval()


def images(views: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(2, views, 3, SIZE, SIZE, generator=generator) * 2 - 1


def run(model) -> torch.Tensor:
    with torch.inference_mode():
        return model(images())


@pytest.fixture(scope="module")
def source():
    return make()


@pytest.fixture
def folder(source, tmp_path) -> Path:
    write_model_folder(tmp_path / "model", *source, "# A card\n")
    return tmp_path / "model"


@contextmanager
def nothing_executed():
    """To unpickle, to compile or to import by name is an error."""

    def refuse(*_, **__):
        raise AssertionError("something was executed")

    with pytest.MonkeyPatch.context() as patch:
        for name in (
            "mmengine.registry.registry.get_object_from_string",
            "pickle.Unpickler",
            "torch.load",
            "builtins.eval",
            "builtins.exec",
        ):
            patch.setattr(name, refuse)
        yield


# ---- round trips


@pytest.mark.parametrize("name", NETWORKS)
def test_the_network_comes_back_bit_for_bit_and_nothing_is_executed(name, tmp_path):
    model, config = make(name)
    if name == "mem3d":
        config["feature_fusion"]["beta"] = model.feature_fusion.beta = -1.0
        with torch.inference_mode():
            features = model.extract_features(images())[0]
            assert (model.feature_fusion(features)[1]["retrieved"] >= 0).any()
    write_model_folder(tmp_path, model, config, "card")
    with nothing_executed():
        other = read_model_folder(tmp_path)
    assert torch.equal(run(other), run(model))
    assert not other.training
    state = other.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert not any(value.is_meta for value in (*other.parameters(), *other.buffers()))


def test_a_timm_trunk_is_not_executed_either(tmp_path):
    config = load_config(ROOT / "configs/pix2voxpp_small.py").model.to_dict()
    model = fill(MODELS.build(config))
    write_model_folder(tmp_path, model, config, "card", half=True)
    with nothing_executed():
        other = read_model_folder(tmp_path)
    assert other.network == model.network
    # measured 0.0012; weights are rounded to 11 bits
    assert (run(other) - run(model)).abs().max() < 0.01


def test_half_precision_is_of_the_file_alone(source, tmp_path):
    model, config = source
    write_model_folder(tmp_path, model, config, "card", half=True)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        kinds = {key: file.get_slice(key).get_dtype() for key in file.keys()}  # noqa: SIM118
    assert set(kinds.values()) == {"F16", "I64"}
    other = read_model_folder(tmp_path)
    assert {p.dtype for p in other.parameters()} == {torch.float32}
    own = model.state_dict()
    for key, value in other.state_dict().items():
        if key.endswith("num_batches_tracked"):  # above 2048 float16 has no odd numbers
            assert value.dtype == torch.int64 and value == 12345
        else:
            assert torch.equal(value, own[key].half().float()), key
    assert 0 < (run(other) - run(model)).abs().max() < 0.01


def test_what_half_precision_cannot_hold_is_refused(tmp_path):
    model, config = make()
    with torch.no_grad():
        model.neck.layers[0][1].running_var[0] = 70000.0
    message = r"layers.0.1.running_var reaches 7e\+04, expected at most 65504"
    with pytest.raises(CheckpointError, match=message):
        write_model_folder(tmp_path / "model", model, config, "card", half=True)
    assert list((tmp_path / "model").iterdir()) == []


def test_what_is_written(folder, source):
    model, config = source
    assert sorted(p.name for p in folder.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    described = json.loads((folder / "config.json").read_text())
    assert described == {
        "schema": 1,
        "network": model.network,
        "grid_size": 32,
        "model": json.loads(json.dumps(config)),
    }
    assert read_card(folder) == "# A card\n"


def test_a_folder_without_a_card_is_read(folder):
    (folder / "README.md").unlink()
    assert read_card(folder) is None
    assert read_model_folder(folder).grid_size == 32


def test_links_are_followed_as_the_hubs_cache_has_them(folder, tmp_path, source):
    linked = tmp_path / "snapshot"
    linked.mkdir()
    for path in folder.iterdir():
        (linked / path.name).symlink_to(os.path.relpath(path, linked))
    assert torch.equal(run(read_model_folder(linked)), run(source[0]))


# ---- writing


def test_exports_of_older_weights_are_removed(folder, source):
    for name in ("model.onnx", "openvino.xml", "openvino.bin", ".gitattributes"):
        (folder / name).write_text("old")
    write_model_folder(folder, *source, "another card")
    assert read_card(folder) == "another card"
    names = sorted(path.name for path in folder.iterdir())
    assert names == [".gitattributes", "README.md", "config.json", "model.safetensors"]


def test_a_folder_of_other_things_is_left_alone(tmp_path, source):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(CheckpointError, match="holds other files, expected a new folder or a mod"):
        write_model_folder(tmp_path, *source, "card")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="holds other files"):
        write_model_folder(tmp_path, *source, "card")
    with pytest.raises(CheckpointError, match="thesis.tex: a file, expected a folder"):
        write_model_folder(tmp_path / "thesis.tex", *source, "card")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "thesis.tex"]


@pytest.mark.parametrize("failing", ["model.safetensors", "config.json"])
def test_exports_of_older_weights_go_with_them(folder, source, monkeypatch, failing):
    exported = [folder / name for name in ("model.onnx", "openvino.xml", "openvino.bin")]
    for path in exported:
        path.write_bytes(b"of the old weights")
    replace = os.replace

    def fail(old, new):
        if Path(new).name == failing:
            raise OSError(5, "Input/output error")
        replace(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(CheckpointError, match=f"{failing}: cannot be written"):
            write_model_folder(folder, *source, "new card")
    # they stay with the weights that they were made of, and with no others
    assert [path.exists() for path in exported] == [failing == "model.safetensors"] * 3


def test_a_folder_in_place_of_a_file_is_not_replaced(folder, source):
    (folder / "model.onnx").mkdir()
    with pytest.raises(CheckpointError, match="model.onnx: a folder, expected a file or none"):
        write_model_folder(folder, *source, "card")


def test_a_config_that_is_no_data_is_refused(tmp_path, source):
    with pytest.raises(CheckpointError, match=r"config.json: expected a config of plain data"):
        write_model_folder(tmp_path / "m", source[0], {"type": source[0].__class__}, "card")
    assert not (tmp_path / "m").exists()


# ---- hostile folders


def edit(folder: Path, where: str, value) -> None:
    """Set one entry of config.json by its dotted path."""
    path = folder / "config.json"
    described = node = json.loads(path.read_text())
    *keys, last = where.split(".")
    for key in keys:
        node = node[int(key) if isinstance(node, list) else key]
    node[last] = value
    path.write_text(json.dumps(described))


HOSTILE = [
    ("model.data_preprocessor.size", 1, "no network can be built of it"),
    ("model.data_preprocessor.size", 2000, "do not fill seed"),
    ("model.data_preprocessor.mean", [0, 0], r"mean \[0, 0\], std"),
    ("model.data_preprocessor.std", [0, 0, 0], "expected three numbers each, std not 0"),
    ("model.neck.layers.0.padding", 100_000, "do not fill seed"),
    ("model.type", "os.system", "model.type is os.system, expected a part that voxrecon or an ins"),
    ("model.type", "Pix2VoxDecoder", "model.type is Pix2VoxDecoder, expected VoxelReconstructor"),
    (
        "model.backbone.type",
        "subprocess.Popen",
        "model.backbone.type is subprocess.Popen, expected",
    ),
    ("model.loss", [{"type": "builtins.exec"}], "model.loss.0.type is builtins.exec, expected a"),
    ("model.neck.layers", {"x": [{"type": 3}]}, "model.neck.layers.x.0.type is 3, expected a part"),
    ("model.neck.type", None, "model.neck.type is None, expected a part"),
    ("model.neck.type", "voxrecon.ConvNeck", "model.neck.type is voxrecon.ConvNeck, expected a"),
    ("model.neck._scope_", "antigravity", "model.neck._scope_ may not stand in a model"),
    (
        "model.backbone.args",
        {"checkpoint_path": "/x"},
        "backbone.args.checkpoint_path may not stan",
    ),
    ("model.backbone.args", {"pretrained_cfg": {}}, "backbone.args.pretrained_cfg may not stand"),
    ("model.neck.colour", 1, "model.neck: ConvNeck takes no 'colour'"),
    ("model.neck", 5, "no network can be built of it"),
    ("model.decoder", None, "no network can be built of it"),
    ("model.volume_fusion.scales", 10**9, "more than 5000 layers"),
    ("model.volume_fusion.scales", "many", "no network can be built of it"),
    ("model.neck.in_channels", 10**9, "no network can be built of it"),
    ("model.decoder.seed", [10**18, 2, 2, 2], "no network can be built of it"),
    ("model.data_preprocessor.size", 10**6, "size is 1000000, expected 1 to 4096"),
    ("model.data_preprocessor.mean", "x", "no network can be built of it"),
    ("schema", 2, "schema 2, expected 1"),
    ("schema", "1", "schema is 1, expected int"),
    ("grid_size", 64, "grid_size is 64, expected 32 as of its model"),
    ("network", "other", "network is other, expected tiny > ConvNeck"),
    ("network", 5, "network is 5, expected str"),
    ("model", [], r"model is \[\], expected dict"),
]


@pytest.mark.parametrize(("where", "value", "message"), HOSTILE)
def test_hostile_configs(folder, where, value, message):
    edit(folder, where, value)
    with nothing_executed(), pytest.raises(CheckpointError, match=message) as error:
        read_model_folder(folder)
    text = str(error.value)
    assert text.startswith(str(folder)) and "\n" not in text and len(text) < 1000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b'{"schema": 1, "model": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[]", "expected schema, network, grid_size and model"),
        (b'{"a": 1}', "expected schema, network, grid_size and model"),
        (b" " * 70_000, "70000 bytes, expected at most 65536"),
        (
            b'{"schema": 1, "network": "", "grid_size": 1, "model": {"a": '
            + b'{"a": ' * 400
            + b"1"
            + b"}" * 402,
            "is nested too deeply for a model",
        ),
    ],
)
def test_configs_that_are_none(folder, content, message):
    (folder / "config.json").write_bytes(content)
    with pytest.raises(FileError, match=message):
        read_model_folder(folder)


def test_an_initialisation_is_not_run(folder, source):
    edit(folder, "model.init_cfg", {"type": "Pretrained", "checkpoint": "https://example.org/x"})
    assert torch.equal(run(read_model_folder(folder)), run(source[0]))


def test_missing_and_misplaced_files(folder, tmp_path):
    weights = folder / "model.safetensors"
    kept = weights.read_bytes()
    weights.unlink()
    with pytest.raises(CheckpointError, match="model.safetensors: no such checkpoint"):
        read_model_folder(folder)
    weights.mkdir()
    with pytest.raises(CheckpointError, match="model.safetensors: no such checkpoint"):
        read_model_folder(folder)
    weights.rmdir()
    weights.symlink_to(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="model.safetensors: no such checkpoint"):
        read_model_folder(folder)
    weights.unlink()
    for part in (kept[:-1], kept[:1000], b"", b"{}" * 50):
        weights.write_bytes(part)
        with pytest.raises(CheckpointError, match="truncated or not a safetensors file"):
            read_model_folder(folder)
    weights.write_bytes(kept + bytes(2 << 20))
    with pytest.raises(CheckpointError, match="bytes, expected at most [0-9]+ of this network"):
        read_model_folder(folder)
    (folder / "config.json").unlink()
    for path in (folder, folder / "nothing", weights):
        with pytest.raises(CheckpointError, match="has no file config.json, expected a model fold"):
            read_model_config(path)


def test_weights_of_another_network_are_refused(folder, tmp_path):
    model, config = make("attsets")
    write_model_folder(tmp_path / "other", model, config, "card")
    os.replace(tmp_path / "other" / "model.safetensors", folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="safetensors: network is ResidualEncoder"):
        read_model_folder(folder)


@pytest.mark.parametrize("device", ["cuda:99", "", "meta", "toaster"])
def test_no_such_device(folder, device):
    with pytest.raises(ConfigError, match=rf"device '{device}': \S.*"):
        read_model_folder(folder, device)


def test_the_same_model_is_the_same_bytes(source, tmp_path):
    """safetensors has the entries of its header in any order."""
    contents = set()
    for number in range(6):
        write_model_folder(tmp_path / str(number), *source, "card")
        contents.add((tmp_path / str(number) / "model.safetensors").read_bytes())
    assert len(contents) == 1
