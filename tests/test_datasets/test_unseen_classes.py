# SPDX-License-Identifier: MIT
from __future__ import annotations

from shrink import ROOT

from voxrecon.engine.config import load_config
from voxrecon.geometry.shapes13 import CLASSES

CONFIG = ROOT / "projects/ablations/configs/pix2voxpp_small_unseen.py"


def test_no_class_is_trained_and_tested():
    cfg = load_config(CONFIG)
    train, val, test = (
        set(cfg[f"{split}_dataloader"].dataset.classes) for split in ("train", "val", "test")
    )
    assert not train & test and not val & test
    assert len(train) == 10 and len(test) == 3
    assert train | test == {shape.name for shape in CLASSES}
