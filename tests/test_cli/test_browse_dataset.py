# SPDX-License-Identifier: MIT
"""What is drawn is what the network receives, un-normalised."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from commands import call, refusal, tiny_config
from mmengine import Config
from mmengine.dataset import default_collate
from r2n2 import make_grid, make_r2n2

from voxrecon.cli import browse_dataset
from voxrecon.datasets import SampleKey
from voxrecon.models.data_preprocessor import VoxelDataPreprocessor
from voxrecon.registry import DATASETS
from voxrecon.visualization.sample_sheet import draw_sample_sheet
from voxrecon.visualization.voxels import render_voxels


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A config whose network cannot be built, and its data."""
    root = tmp_path_factory.mktemp("browse")
    make_r2n2(root / "data", n=4, views=3, grid=8)
    (root / "data" / "ShapeNetVox32").rename(root / "data" / "ShapeNetVox8")
    cfg = Config.fromfile(tiny_config(root))
    cfg.model.backbone = {"type": "NoSuchTrunk"}
    cfg.dump(root / "browse.py")
    return root / "browse.py", root / "data"


@pytest.fixture
def drawn(monkeypatch):
    """The rows that were drawn."""
    rows = []

    def draw(given):
        rows.extend(given)
        return draw_sample_sheet(given)

    monkeypatch.setattr(browse_dataset, "draw_sample_sheet", draw)
    return rows


def browse(made, out, *options):
    call(browse_dataset.main, made[0], "--data-root", made[1], "--out", out, *options)
    return cv2.imread(str(out))[..., ::-1]


def test_the_training_input(made, drawn, tmp_path, capsys):
    """All four samples in an order of the seed, augmented as training would in its first epoch."""
    sheet = browse(made, tmp_path / "s.png", "--seed", 5)
    assert capsys.readouterr().out == (
        f"{tmp_path}/s.png: 4 of 4 samples of split 'train'\n"
        f"train on them: voxrecon train {made[0]} --data-root {made[1]}\n"
    )
    cfg = Config.fromfile(made[0])
    dataset = DATASETS.build({**cfg.train_dataloader.dataset, "data_root": str(made[1])})
    settings = {k: v for k, v in cfg.model.data_preprocessor.items() if k != "type"}
    preprocessor = VoxelDataPreprocessor(**settings)
    order = np.random.default_rng(5).permutation(4)
    assert len(drawn) == 4
    for index, (label, views, grid) in zip(order, drawn, strict=True):
        item = dataset[SampleKey(int(index), 0, 3, 5)]
        sample = item["data_samples"]
        assert label == f"{sample.name} {sample.taxonomy}/{sample.id}"
        assert [text for text, _ in views] == [f"view {number:02d}" for number in sample.views]
        assert (grid == item["inputs"]["voxels"].numpy()).all()
        network = preprocessor(default_collate([item]), training=True)["inputs"][0]
        shown = np.stack([view for _, view in views]).astype(np.float32)
        back = torch.from_numpy(shown[..., ::-1].copy()).permute(0, 3, 1, 2) / 255 * 2 - 1
        assert (back - network.clamp(-1, 1)).abs().max() <= 1 / 255 + 1e-6  # half a grey level
    # each row: a strip with the label, and tiles of 160 under their captions
    row = 160 // 6 + 160 + 160 // 8
    assert sheet.shape == (4 * row, 4 * (160 + 5) + 5, 3)
    views, grid = drawn[0][1:]
    top = 160 // 6 + 160 // 8
    tile = cv2.resize(views[1][1], (160, 160), interpolation=cv2.INTER_AREA)
    assert (sheet[top : top + 160, 170:330] == tile).all()
    assert (sheet[top : top + 160, 500:660] == render_voxels(grid, size=160)).all()


def test_the_test_input(made, drawn, tmp_path, capsys):
    """The first views, as they are on grey."""
    browse(made, tmp_path / "s.png", "--split", "test", "--count", 2)
    assert capsys.readouterr().out == f"{tmp_path}/s.png: 2 of 4 samples of split 'test'\n"
    (label, views, grid), _ = drawn
    index = int(np.random.default_rng(0).permutation(4)[0])
    names = ["chair 03001627/object_0", "chair 03001627/object_1"]
    names += ["aeroplane 02691156/object_0", "aeroplane 02691156/object_1"]
    assert label == names[index]
    assert (grid == make_grid((0, 2, 1, 3)[index], 8)).all()
    assert [text for text, _ in views] == ["view 00", "view 01", "view 02"]
    name = label.split()[1]
    path = made[1] / "ShapeNetRendering" / name / "rendering" / "01.png"
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[4:132, 4:132]
    expected = image.reshape(64, 2, 64, 2, 4).astype(float).mean((1, 3))  # bilinear, halved
    expected[expected[..., 3] == 0] = 240
    assert np.abs(views[1][1] - expected[..., 2::-1]).max() <= 0.5 + 1e-3


def test_the_seed_draws(made, tmp_path):
    first, again = (browse(made, tmp_path / "s.png", "--count", 2) for _ in range(2))
    other = browse(made, tmp_path / "s.png", "--count", 2, "--seed", 1)
    assert (first == again).all() and (first != other).any()


def test_rows_of_unequal_length_and_without_truth():
    red = np.full((8, 8, 3), (255, 0, 0), np.uint8)
    sheet = draw_sample_sheet([("one", [("a", red)], None), ("two", [("b", red)] * 2, None)], 32)
    assert sheet.shape == (2 * (5 + 4 + 32), 3 * 33 + 1, 3)
    reds = (sheet == (255, 0, 0)).all(-1)
    assert reds[9:41, 1:33].all() and reds[50:82, 34:66].all() and reds.sum() == 3 * 32 * 32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--count", "0"], "--count 0: expected 1 to 200"),
        (["--seed", "-1"], "--seed -1: expected 0 to 4294967295"),
        (["--out", "s.jpg"], "--out s.jpg: expected the name of a .png file"),
        (["--data-root", "no"], "no: no such data folder"),
    ],
)
def test_what_does_not_fit_is_refused(made, capfd, options, message):
    options = ["--data-root", made[1], *options]
    assert message in refusal(capfd, browse_dataset.main, made[0], *options)


def test_a_config_without_that_split(made, tmp_path, capfd):
    cfg = Config.fromfile(made[0])
    cfg.val_dataloader = None
    cfg.dump(tmp_path / "c.py")
    message = refusal(capfd, browse_dataset.main, tmp_path / "c.py", "--split", "val")
    assert message == f"{tmp_path}/c.py: has no val_dataloader, expected the config of a network"
