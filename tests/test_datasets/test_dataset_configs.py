# SPDX-License-Identifier: MIT
"""The configs of the data sets of photos, on small sets of these formats."""

import cv2
import numpy as np
import pytest
from commands import call
from photo_sets import make_pascal3d, make_pix3d, make_things3d, write_picture, write_splits
from r2n2 import make_r2n2
from shrink import ROOT

from voxrecon.cli import pascal3d, pix3d
from voxrecon.datasets import SampleKey
from voxrecon.engine.config import (
    apply_options,
    check_config,
    load_config,
    parse_options,
    set_data,
)
from voxrecon.errors import ConfigError, FileError
from voxrecon.registry import DATASETS


def load(name):
    cfg = load_config(ROOT / "configs" / f"pix2voxpp_a_{name}.py")
    check_config(cfg)
    return cfg


def batch_of_one(cfg, loader, key=0):
    return DATASETS.build(cfg[loader].dataset)[key]["inputs"]


def test_pix3d_takes_two_folders(tmp_path):
    """Trained on renderings of chairs, tested on photos."""
    make_r2n2(tmp_path / "ShapeNet", n=2, views=2)
    make_pix3d(tmp_path / "Pix3D")
    call(pix3d.main, tmp_path / "Pix3D", "--workers", "1")
    cfg = load("pix3d_backgrounds")
    roots = {"train": "ShapeNet", "val": "Pix3D", "test": "Pix3D"}
    lines = [f"{k}_dataloader.dataset.data_root={tmp_path}/{v}" for k, v in roots.items()]
    apply_options(cfg, parse_options(lines))
    with pytest.raises(ConfigError, match="data/backgrounds: no such folder of photos"):
        DATASETS.build(cfg.train_dataloader.dataset)
    write_picture(tmp_path / "photos" / "a.jpg", 3)
    cfg.train_dataloader.dataset.pipeline[3].folder = str(tmp_path / "photos")
    train = batch_of_one(cfg, "train_dataloader", SampleKey(0, 1, 1, 0))
    assert train["images"].shape == (1, 128, 128, 4) and (train["images"][..., 3] == 255).all()
    assert "augment" in train
    for loader in ("val_dataloader", "test_dataloader"):
        inputs = batch_of_one(cfg, loader)
        assert set(inputs) == {"images", "voxels"} and inputs["images"].shape == (1, 224, 224, 4)
    dataset = DATASETS.build(cfg.val_dataloader.dataset)
    assert dataset.metainfo["classes"] == {"chair": "chair"} and len(dataset) == 3
    # one folder for all is the photos' in a test, and refused in a training
    set_data(cfg, tmp_path / "Pix3D")
    assert len(DATASETS.build(cfg.test_dataloader.dataset)) == 3
    with pytest.raises(FileError, match="Pix3D/ShapeNetRendering: no such data folder"):
        DATASETS.build(cfg.train_dataloader.dataset)


def test_pascal3d(tmp_path):
    make_pascal3d(tmp_path)
    call(pascal3d.main, tmp_path, "--workers", "1")
    cfg = load("pascal3d")
    set_data(cfg, tmp_path)
    train = batch_of_one(cfg, "train_dataloader", SampleKey(0, 1, 1, 0))
    assert train["images"].shape == (1, 224, 224, 4) and "augment" in train
    again = batch_of_one(cfg, "train_dataloader", SampleKey(0, 1, 1, 0))
    assert (again["images"] == train["images"]).all()
    other = batch_of_one(cfg, "train_dataloader", SampleKey(0, 2, 1, 0))
    assert (other["images"] != train["images"]).any()  # the jitter
    for loader in ("val_dataloader", "test_dataloader"):
        assert batch_of_one(cfg, loader)["images"].shape == (1, 224, 224, 4)


def test_things3d(tmp_path):
    make_things3d(tmp_path)
    ids = {split: ["m-1-s1", "m2-s1"] for split in ("train", "val", "test")}
    write_splits(tmp_path, **{"03001627": ids})
    room = np.zeros((256, 256, 4), np.uint8)
    for path in tmp_path.rglob("render_*_final.png"):
        path.write_bytes(cv2.imencode(".png", room)[1].tobytes())
    cfg = load("things3d")
    set_data(cfg, tmp_path)
    train = batch_of_one(cfg, "train_dataloader", SampleKey(0, 1, 2, 0))
    assert train["images"].shape == (2, 256, 256, 4)
    assert batch_of_one(cfg, "test_dataloader")["images"].shape == (1, 256, 256, 4)
