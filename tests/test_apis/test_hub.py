# SPDX-License-Identifier: MIT
"""Model folders to and from the hub, whose client is a stand-in here."""

from __future__ import annotations

import shutil
from fnmatch import fnmatch
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import RepositoryNotFoundError
from shrink import ROOT, SIZE, shrink

from voxrecon.apis.hub import load_from_hub, push_folder
from voxrecon.apis.model_folder import read_model_folder, write_model_folder
from voxrecon.engine.config import load_config
from voxrecon.errors import CheckpointError
from voxrecon.registry import MODELS


class Hub:
    """Repositories as folders."""

    def __init__(self, root: Path) -> None:
        self.root, self.calls = root, []

    def snapshot_download(self, repo_id, revision=None, token=None, allow_patterns=None):
        self.calls.append((repo_id, revision, token))
        target = self.root / "cache" / repo_id
        for path in (self.root / "hub" / repo_id).iterdir():
            if any(fnmatch(path.name, pattern) for pattern in allow_patterns):
                target.mkdir(parents=True, exist_ok=True)
                (target / path.name).symlink_to(path)
        return str(target)

    def HfApi(self, token=None):  # noqa: N802
        self.token = token
        return self

    def create_repo(self, repo_id, private=False, exist_ok=False):
        assert exist_ok
        self.calls.append((repo_id, private, self.token))
        (self.root / "hub" / repo_id).mkdir(parents=True, exist_ok=True)
        return f"https://hub.example/{repo_id}"

    def upload_folder(self, repo_id, folder_path, allow_patterns, commit_message):
        for path in Path(folder_path).iterdir():
            if any(fnmatch(path.name, pattern) for pattern in allow_patterns):
                shutil.copy(path, self.root / "hub" / repo_id)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    hub = Hub(tmp_path)
    for name in ("snapshot_download", "HfApi"):
        monkeypatch.setattr(huggingface_hub, name, getattr(hub, name))
    return hub


@pytest.fixture
def folder(tmp_path) -> Path:
    config = shrink(load_config(ROOT / "configs/pix2voxpp_f.py").model.to_dict())
    torch.manual_seed(0)
    write_model_folder(tmp_path / "model", MODELS.build(config), config, "# A card\n")
    return tmp_path / "model"


def test_there_and_back(hub, folder, tmp_path):
    (folder / "model.onnx").write_bytes(b"onnx")
    (folder / "notes.txt").write_text("not to be uploaded")
    assert push_folder(folder, "me/chairs", private=True, token="t") == (
        "https://hub.example/me/chairs"
    )
    stored = tmp_path / "hub" / "me" / "chairs"
    assert sorted(path.name for path in stored.iterdir()) == [
        "README.md",
        "config.json",
        "model.onnx",
        "model.safetensors",
    ]
    (stored / "setup.py").write_text("not to be fetched")
    fetched = load_from_hub("me/chairs", revision="v1")
    assert hub.calls == [("me/chairs", True, "t"), ("me/chairs", "v1", None)]
    assert "setup.py" not in {path.name for path in fetched.iterdir()}
    images = torch.rand(1, 2, 3, SIZE, SIZE)
    with torch.inference_mode():
        volumes = [read_model_folder(path)(images) for path in (folder, fetched)]
    assert torch.equal(*volumes)


def test_what_is_no_model_is_not_uploaded(hub, folder, tmp_path):
    with pytest.raises(CheckpointError, match="has no file config.json"):
        push_folder(tmp_path, "me/chairs")
    secret = tmp_path / "id_rsa"
    secret.write_text("secret")
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(secret)
    with pytest.raises(CheckpointError, match="README.md: a link, expected a file to upload"):
        push_folder(folder, "me/chairs")
    assert hub.calls == []


def test_what_is_no_model_is_not_taken(hub, tmp_path):
    stored = tmp_path / "hub" / "someone" / "else"
    stored.mkdir(parents=True)
    (stored / "config.json").write_text('{"architectures": ["Bert"]}')
    with pytest.raises(CheckpointError, match="config.json: expected schema, network, grid_size"):
        load_from_hub("someone/else")


def test_a_hub_that_cannot_be_reached_or_refuses_is_one_line(monkeypatch, folder):
    def refuse(*_, **__):
        raise error

    for name in ("snapshot_download", "HfApi"):
        monkeypatch.setattr(huggingface_hub, name, refuse)
    error = ConnectionError("no route\nto host")
    message = r"^me/chairs: cannot be fetched from the hub \(ConnectionError: no route to host\)$"
    with pytest.raises(CheckpointError, match=message):
        load_from_hub("me/chairs")
    with pytest.raises(CheckpointError, match="cannot be uploaded to the hub .ConnectionError"):
        push_folder(folder, "me/chairs")
    error = RepositoryNotFoundError.__new__(RepositoryNotFoundError)
    with pytest.raises(CheckpointError, match="from the hub .RepositoryNotFoundError"):
        load_from_hub("me/chairs")


def test_a_name_that_is_none_asks_nobody():
    with pytest.raises(CheckpointError, match="^a b/c: cannot be fetched from the hub .HF"):
        load_from_hub("a b/c")
