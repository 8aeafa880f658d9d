# SPDX-License-Identifier: MIT
"""Checkpoints are data: read strictly, executed never, written whole or not at all."""

from __future__ import annotations

import json
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import tiny_config

from voxrecon.apis import init_model
from voxrecon.engine.checkpoint import (
    load_weights,
    read_checkpoint,
    read_weights,
    write_checkpoint,
    write_model,
)
from voxrecon.errors import CheckpointError
from voxrecon.fileio import atomic_write, remove_leftovers


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    return tiny_config(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def model(config):
    return init_model(config)


def save(model, path: Path, **more) -> Path:
    """A checkpoint as training writes it."""
    meta = {"network": model.network, "grid_size": model.grid_size, "epoch": 1}
    write_checkpoint({"meta": meta, "state_dict": model.state_dict(), **more}, path)
    return path


def publish(model, path: Path) -> Path:
    write_model(model, {"type": "VoxelReconstructor"}, path)
    return path


# ---- round trips


@pytest.mark.parametrize("write", [save, publish])
def test_weights_come_back_bit_for_bit(config, model, tmp_path, write):
    path = write(model, tmp_path / ("a.pth" if write is save else "a.safetensors"))
    other = init_model(config, path)
    own = model.state_dict()
    assert all(torch.equal(value, own[key]) for key, value in other.state_dict().items())
    assert other.state_dict().keys() == own.keys() and not other.training
    assert not any(p.is_meta for p in (*other.parameters(), *other.buffers()))
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_weights_of_half_precision_become_those_of_the_network(config, model, tmp_path):
    own = {key: value.clone() for key, value in model.state_dict().items()}
    path = publish(model.half(), tmp_path / "a.safetensors")
    other = init_model(config, path).state_dict()
    assert all(value.dtype == own[key].dtype for key, value in other.items())
    weight = "backbone.conv.weight"
    assert torch.equal(other[weight], own[weight].half().float())


def test_a_loaded_network_can_be_trained(config, model, tmp_path):
    state = dict(model.state_dict())
    state["backbone.conv.bias"] = torch.tensor(3.0).expand(state["backbone.conv.bias"].shape)
    torch.save({"state_dict": state}, tmp_path / "a.pth")
    other = init_model(config, tmp_path / "a.pth")
    with torch.no_grad():
        other.backbone.conv.bias[0] += 1  # one cell, though the file repeats a single number
    assert other.backbone.conv.bias[:2].tolist() == [4.0, 3.0]
    assert other.backbone.conv.bias.requires_grad


def test_the_json_beside_is_not_believed(config, model, tmp_path):
    path = publish(model, tmp_path / "a.safetensors")
    lie = {"schema": 1, "network": "another", "grid_size": 512, "model": {"type": "os.system"}}
    path.with_suffix(".json").write_text(json.dumps(lie))
    assert init_model(config, path).grid_size == 8
    path.with_suffix(".json").write_text("{")
    assert init_model(config, path).grid_size == 8


# ---- nothing is executed


class Evil:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def evil_tar(state: dict, path: Path) -> None:
    """torch's first format: a tar of pickles."""
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "tensors", "storages"):
            (path.parent / name).write_bytes(pickle.dumps(state, protocol=2))
            archive.add(path.parent / name, name)


def evil_script(state: dict, path: Path) -> None:
    """An archive that torch takes for TorchScript."""
    torch.save(state, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{path.stem}/constants.pkl", pickle.dumps(state, protocol=2))


FORMATS = {
    "zip": torch.save,
    "old": lambda s, p: torch.save(s, p, _use_new_zipfile_serialization=False),
    "pickle_2": lambda s, p: p.write_bytes(pickle.dumps(s, protocol=2)),
    "pickle_4": lambda s, p: p.write_bytes(pickle.dumps(s, protocol=4)),
    "tar": evil_tar,
    "script": evil_script,
}


@pytest.mark.parametrize("name", ["a.pth", "a", "a.safetensors"])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_malicious_file_is_refused(config, model, tmp_path, kind, name, recwarn):
    mark, path = tmp_path / "mark", tmp_path / name
    state = {"state_dict": dict(model.state_dict()), "meta": {"config": Evil(mark)}}
    FORMATS[kind](state, path)
    for read in (lambda: init_model(config, path), lambda: read_checkpoint(path)):
        with pytest.raises(CheckpointError) as caught:
            read()
        assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    assert not mark.exists()
    assert not [w for w in recwarn if "torch.load" in str(w.message)]


def test_what_is_refused_is_named(tmp_path):
    torch.save({"state_dict": Evil(tmp_path / "mark")}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="more than tensors and plain .*GLOBAL posix.system"):
        read_checkpoint(tmp_path / "a.pth")


def test_numpy_scalars_are_ignored_and_their_types_left_alone(tmp_path):
    class Turn:
        """Would turn the bytes of all float64 of this process."""

        def __reduce__(self):
            state = (3, ">", None, None, None, -1, -1, 0)
            return np.dtype, ("f8", False, False), state

    scalars = {"best_iou": np.float64(0.5), "n": np.int32(2), "turned": Turn()}
    torch.save({**scalars, "w": torch.ones(2)}, tmp_path / "a.pth")
    state = read_checkpoint(tmp_path / "a.pth")
    assert torch.equal(state["w"], torch.ones(2))
    assert np.dtype("f8").byteorder == "=" and float(np.float64(0.5)) == 0.5
    assert not isinstance(state["best_iou"], (np.generic, float))


# ---- broken and hostile files


@pytest.mark.parametrize("kept", [0, 10, 1000, -100])
def test_truncated_files(config, model, tmp_path, kept):
    for path in (save(model, tmp_path / "a.pth"), publish(model, tmp_path / "a.safetensors")):
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(CheckpointError) as caught:
            init_model(config, path)
        text = str(caught.value)
        assert text.startswith(f"{path}: ") and "\n" not in text
        assert "truncated or not a" in text or "(not a checkpoint)" in text


def test_flipped_bits_never_end_in_another_error(model, tmp_path):
    rng = np.random.default_rng(0)
    for path in (save(model, tmp_path / "a.pth"), publish(model, tmp_path / "a.safetensors")):
        sound = path.read_bytes()
        head = range(8, 3000) if path.suffix == ".safetensors" else range(len(sound))
        for place in rng.choice(head, 100):
            data = bytearray(sound)
            data[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(data)
            try:
                load_weights(model, path)
            except CheckpointError as error:
                assert str(error).startswith(f"{path}: ")


def test_an_archive_that_unpacks_to_more_is_not_unpacked(model, tmp_path, monkeypatch):
    sound, bomb = save(model, tmp_path / "a.pth"), tmp_path / "bomb.pth"
    with (
        zipfile.ZipFile(sound) as source,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            grown = entry.filename.endswith("/data/0")
            target.writestr(entry.filename, bytes(10**7) if grown else source.read(entry))
    monkeypatch.setattr(torch, "load", lambda *a, **k: pytest.fail("unpacked"))
    with pytest.raises(CheckpointError, match=r"bomb.pth: unpacks to 10\d{6} bytes, expected at m"):
        read_checkpoint(bomb)


def lying_safetensors(path: Path, header: dict | bytes, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(text) if length is None else length
    path.write_bytes(struct.pack("<Q", size) + text + bytes(16))
    return path


@pytest.mark.parametrize(
    ("header", "length"),
    [
        ({"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}, None),
        ({"w": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 16]}}, None),
        ({"w": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}}, None),
        ({"w": {"dtype": "F32", "shape": [5], "data_offsets": [0, 16]}}, None),
        ({"w": {"dtype": "PY", "shape": [4], "data_offsets": [0, 16]}}, None),
        ({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, 2**60),
        (b"[" * 100_000, None),
        (b"", None),
    ],
)
def test_a_lying_header(config, tmp_path, header, length):
    path = lying_safetensors(tmp_path / "a.safetensors", header, length)
    with pytest.raises(CheckpointError, match="a.safetensors: truncated or not a safetensors file"):
        init_model(config, path)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([torch.zeros(1)], "holds a list, expected a dict"),
        ({}, "has no state_dict of tensors, expected a checkpoint of voxrecon train"),
        ({"state_dict": [1]}, "has no state_dict of tensors"),
        ({"state_dict": {"w": 1}}, "has no state_dict of tensors"),
        ({"state_dict": {"w": torch.zeros(2, device="meta")}}, "has no state_dict of tensors"),
        ({"state_dict": {"w": torch.eye(2).to_sparse()}}, "has no state_dict of tensors"),
    ],
)
def test_files_of_other_content(config, tmp_path, state, message):
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=message):
        init_model(config, tmp_path / "a.pth")


@pytest.mark.parametrize("name", ["no.pth", "no.safetensors", "."])
def test_a_missing_file(config, tmp_path, name):
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        init_model(config, tmp_path / name)


def test_safetensors_are_no_training_checkpoint(model, tmp_path):
    path = publish(model, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="safetensors hold weights alone"):
        read_checkpoint(path)


# ---- other networks


@pytest.mark.parametrize("write", [save, publish])
@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("network", "another", "network is another, the config has tiny > "),
        ("grid_size", 64, "grid_size is 64, the config has 8"),
    ],
)
def test_the_header_names_network_and_grid(model, config, tmp_path, write, key, value, message):
    class Other(type(model)):
        pass

    setattr(Other, key, value)
    model.__class__ = Other
    path = write(model, tmp_path / ("a.pth" if write is save else "a.safetensors"))
    assert read_weights(path)[1][key] == str(value)
    with pytest.raises(CheckpointError, match=f"{path}: {message}"):
        init_model(config, path)


def test_keys_that_do_not_fit_are_listed(model, tmp_path):
    state = dict(model.state_dict())
    state["extra"] = state.pop("backbone.conv.bias")
    state["backbone.conv.weight"] = torch.zeros(2, 2)
    state["backbone.norm.weight"] = state["backbone.norm.weight"].long()
    torch.save({"state_dict": state}, tmp_path / "a.pth")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_weights(model, tmp_path / "a.pth")
    assert str(caught.value) == (
        f"{tmp_path / 'a.pth'}: 4 keys do not fit the network: backbone.conv.bias is missing; "
        "extra is left over; backbone.conv.weight is (2, 2) instead of (16, 3, 8, 8); "
        "backbone.norm.weight is torch.int64 instead of torch.float32"
    )
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_a_long_list_is_cut(model, tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "a.pth")
    count = len(model.state_dict())
    with pytest.raises(CheckpointError, match=f"{count} keys .*; and {count - 20} more$"):
        load_weights(model, tmp_path / "a.pth")


# ---- writing


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_keeps_what_was_there(model, tmp_path, monkeypatch, step):
    old, new = save(model, tmp_path / "a.pth"), publish(model, tmp_path / "b.safetensors")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    for write, path in ((save, old), (publish, new)):
        with pytest.raises(CheckpointError) as caught:
            write(model, path)
        assert str(caught.value) == f"{path}: cannot be written: No space left on device"
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_disk_that_fills_up_while_torch_writes(model, tmp_path, monkeypatch):
    """torch's zip writer turns the OSError of a full disk into a RuntimeError of its own."""
    path = save(model, tmp_path / "a.pth")
    before, opened = path.read_bytes(), Path.open

    def full(self, mode="r", *args, **more):
        file = opened(self, mode, *args, **more)
        if "w" not in mode:
            return file

        class Full:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

            def write(self, data):
                if file.tell() > 20_000:
                    raise OSError(28, "No space left on device")
                return file.write(data)

        return Full()

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(CheckpointError, match="a.pth: cannot be written: No space left on device"):
        save(model, path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.pth"]


def test_what_cannot_be_read_again_is_a_fault_of_ours(model, tmp_path):
    """Not a user's error: it must not look like one."""
    with pytest.raises((AttributeError, pickle.PicklingError)):
        save(model, tmp_path / "a.pth", broken=lambda: None)
    assert os.listdir(tmp_path) == []


def test_leftovers_of_killed_writers_are_removed(tmp_path):
    with atomic_write(tmp_path / "kept") as file:
        file.write_text("kept")
    killed = atomic_write(tmp_path / "epoch_1.pth")
    killed.__enter__().write_text("half")
    (tmp_path / "part").write_text("mine")
    assert len(os.listdir(tmp_path)) == 3
    remove_leftovers(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["kept", "part"]
