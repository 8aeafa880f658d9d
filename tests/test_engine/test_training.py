# SPDX-License-Identifier: MIT
"""Stages, checkpoints and exact resuming, on a narrow Pix2Vox++/A."""

from __future__ import annotations

import contextlib
import json

import pytest
import torch
from mmengine.hooks import Hook
from tiny import run, tiny_config

from voxrecon.engine.training_state import epoch_checkpoints
from voxrecon.errors import CheckpointError, ConfigError
from voxrecon.registry import MODELS


class Record(Hook):
    """Losses of every step; interrupts after ``stop`` epochs."""

    priority = "LOWEST"

    def __init__(self, stop: int | None = None) -> None:
        self.losses: list[dict] = []
        self.views: list[int] = []
        self.stop = stop

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append({key: value.item() for key, value in outputs.items()})
        self.views.append(data_batch["inputs"]["images"].shape[1])

    def after_epoch(self, runner):
        if runner.epoch == self.stop:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Folder, losses and final checkpoint of four epochs in one go."""
    folder = tmp_path_factory.mktemp("whole")
    record = Record()
    runner = run(tiny_config(folder), hooks=[record])
    return folder, record, torch.load(folder / "work" / "epoch_4.pth", weights_only=True), runner


def assert_same(a, b, path=""):
    """Two trees of dicts and lists, tensors bit for bit."""
    assert type(a) is type(b), path
    if isinstance(a, dict):
        assert a.keys() == b.keys(), path
        for key in a:
            assert_same(a[key], b[key], f"{path}.{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), path
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{path}.{i}")
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b), path
    else:
        assert a == b, path


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stop", [1, 2, 3])  # 2 is the boundary of the stages
def test_resumed_run_equals_the_uninterrupted_one(uninterrupted, tmp_path, stop, workers):
    _, whole, final, _ = uninterrupted
    cfg = tiny_config(tmp_path, workers=workers)
    first, second = Record(stop), Record()
    with pytest.raises(KeyboardInterrupt):
        run(cfg, hooks=[first])
    run(cfg, resume=True, hooks=[second])
    assert first.losses + second.losses == whole.losses
    assert first.views + second.views == whole.views
    ours = torch.load(tmp_path / "work" / "epoch_4.pth", weights_only=True)
    for timing in ("train/data_time", "train/time", "val/data_time", "val/time"):
        for state in (ours, final):
            state["message_hub"]["log_scalars"].pop(timing, None)
    assert_same(ours, final)


def test_a_memory_of_shapes_resumes_too(tmp_path):
    ended = []
    for stops in ((None,), (1, None)):
        cfg = tiny_config(tmp_path / str(len(stops)), "projects/mem3d/configs/mem3d.py")
        cfg.model.feature_fusion.similarity = "iou"  # the published one takes all for one shape
        cfg.train_cfg.stages = [{"epochs": 3}]
        for resume, stop in enumerate(stops):
            with pytest.raises(KeyboardInterrupt) if stop else contextlib.nullcontext():
                run(cfg, resume=bool(resume), hooks=[Record(stop)])
        state = torch.load(f"{cfg.work_dir}/epoch_3.pth", weights_only=True)["state_dict"]
        ended.append(state)
    assert (ended[0]["feature_fusion.memory.ages"] >= 0).sum() > 1
    assert_same(*map(dict, ended))


@MODELS.register_module()
class Noise(torch.nn.Module):
    """A slot that draws from torch's generator in training."""

    scope = "per_view"

    def forward(self, x, targets=None):
        return (x + torch.randn_like(x) if self.training else x), {}


def test_random_numbers_of_the_network_resume_too(tmp_path):
    runs = []
    for stops in ((None,), (1, None)):
        cfg = tiny_config(tmp_path / str(len(stops)), workers=2)  # persistent workers
        cfg.model.feature_fusion = {"type": "Noise"}
        cfg.train_cfg.stages = [{"epochs": 2}]
        losses = []
        for resume, stop in enumerate(stops):
            record = Record(stop)
            with pytest.raises(KeyboardInterrupt) if stop else contextlib.nullcontext():
                run(cfg, resume=bool(resume), hooks=[record])
            losses += record.losses
        runs.append(losses)
    assert len(runs[0]) == 4
    assert runs[0] == runs[1]


def test_stages_do_what_they_say(uninterrupted):
    folder, record, final, runner = uninterrupted
    assert len(record.losses) == 8  # two batches of two (drop_last), four epochs
    assert record.views[:4] == [1] * 4
    assert set(record.views[4:]) <= {1, 2, 3} and len(set(record.views[4:])) > 1
    first = torch.load(folder / "work" / "epoch_3.pth", weights_only=True)
    for key, value in final["state_dict"].items():
        if key.split(".")[0] in ("backbone", "neck", "decoder"):
            assert torch.equal(first["state_dict"][key], value), key
    assert final["meta"]["stage"] == 1 and final["meta"]["epoch"] == 4
    # the second stage began at the full rates and has passed its own milestone
    names = [name for name, p in runner.network.named_parameters() if p.requires_grad]
    groups = [
        g for g in runner.optim_wrapper.optimizer.param_groups if g["params"][0].requires_grad
    ]
    rates = dict(zip(names, (group["lr"] for group in groups), strict=True))
    assert {name.split(".")[0] for name in rates} == {"volume_fusion", "refiner"}
    for name, rate in rates.items():
        assert rate == pytest.approx(5e-5 if name.startswith("volume_fusion") else 5e-4), name


def test_two_newest_checkpoints_and_the_best_are_kept(uninterrupted):
    folder, _, final, _ = uninterrupted
    assert [p.name for p in epoch_checkpoints(folder / "work")] == ["epoch_4.pth", "epoch_3.pth"]
    best = torch.load(folder / "work" / "best.pth", weights_only=True)
    assert best["meta"]["epoch"] == final["message_hub"]["runtime_info"]["best_epoch"]
    assert not list((folder / "work").glob("*.part"))


def test_pictures_of_the_validation(uninterrupted):
    folder, *_ = uninterrupted
    pictures = list((folder / "work").rglob("*.png"))
    assert len(pictures) == 4 * 4  # four samples, four epochs
    scalars = [
        json.loads(line)
        for line in next((folder / "work").rglob("scalars.json")).read_text().splitlines()
    ]
    assert sum("loss_bce_refined" in line for line in scalars) == 8


def test_a_broken_newest_checkpoint_falls_back_to_the_one_before(uninterrupted, tmp_path, caplog):
    _, whole, final, _ = uninterrupted
    cfg = tiny_config(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(cfg, hooks=[Record(3)])
    newest = tmp_path / "work" / "epoch_3.pth"
    newest.write_bytes(newest.read_bytes()[:5000])
    record = Record()
    run(cfg, resume=True, hooks=[record])
    assert record.losses == whole.losses[4:]
    log = "".join(p.read_text() for p in (tmp_path / "work").rglob("*.log"))
    assert "epoch_3.pth: truncated or not a checkpoint" in log and "falling back" in log
    ours = torch.load(tmp_path / "work" / "epoch_4.pth", weights_only=True)
    assert_same(ours["state_dict"], final["state_dict"])


def test_a_new_run_sets_the_earlier_one_aside(tmp_path):
    cfg = tiny_config(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(cfg, hooks=[Record(2)])
    before = {path.name: path.read_bytes() for path in (tmp_path / "work").glob("*.pth")}
    with pytest.raises(KeyboardInterrupt):
        run(cfg, hooks=[Record(1)])
    assert [p.name for p in epoch_checkpoints(tmp_path / "work")] == ["epoch_1.pth"]
    aside = (tmp_path / "work").glob("*/earlier/*.pth")
    assert {path.name: path.read_bytes() for path in aside} == before


def test_resuming_an_earlier_epoch_sets_the_later_ones_aside(tmp_path):
    cfg = tiny_config(tmp_path)
    cfg.default_hooks.checkpoint.keep = 4
    with pytest.raises(KeyboardInterrupt):
        run(cfg, hooks=[Record(3)])
    cfg.load_from = str(tmp_path / "work" / "epoch_1.pth")
    with pytest.raises(KeyboardInterrupt):
        run(cfg, resume=True, hooks=[Record(2)])
    names = [p.name for p in epoch_checkpoints(tmp_path / "work")]
    assert names == ["epoch_2.pth", "epoch_1.pth"]
    aside = {path.name for path in (tmp_path / "work").glob("*/earlier/*.pth")}
    assert aside == {"epoch_2.pth", "epoch_3.pth"}


def test_resuming_into_stages_of_other_lengths_is_refused(uninterrupted, tmp_path):
    folder, *_ = uninterrupted
    cfg = tiny_config(folder)
    cfg.work_dir, cfg.load_from = str(tmp_path), str(folder / "work" / "epoch_3.pth")
    cfg.train_cfg.stages[0]["epochs"] = 4
    with pytest.raises(
        CheckpointError, match="epoch 3 is of stage 2, in the config it is of stage 1"
    ):
        run(cfg, resume=True)


def test_a_stage_with_nothing_to_train_is_refused_before_the_first(tmp_path):
    cfg = tiny_config(tmp_path, base="configs/pix2voxpp_f.py")
    cfg.model.volume_fusion = {"type": "MeanFusion"}
    with pytest.raises(ConfigError, match=r"stages\.1: nothing is left to train.*decoder"):
        run(cfg)
    assert not epoch_checkpoints(tmp_path / "work")


def test_nothing_to_resume_starts_anew_and_nothing_readable_is_an_error(uninterrupted, tmp_path):
    _, whole, _, _ = uninterrupted
    cfg = tiny_config(tmp_path)
    cfg.train_cfg.stages = cfg.train_cfg.stages[:1]
    record = Record()
    run(cfg, resume=True, hooks=[record])
    assert record.losses == whole.losses[:4]
    for path in epoch_checkpoints(tmp_path / "work"):
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="none of its 2 checkpoints can be read"):
        run(cfg, resume=True)


def test_resuming_with_another_seed_is_refused(uninterrupted, tmp_path):
    folder, *_ = uninterrupted
    cfg = tiny_config(folder)
    cfg.work_dir = str(tmp_path / "other")
    cfg.randomness = {"seed": 1}
    cfg.load_from = str(folder / "work" / "epoch_4.pth")
    with pytest.raises(CheckpointError, match="seed 0, the config 1"):
        run(cfg, resume=True)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("meta.epoch", -3, "its epoch is -3, expected a number from 0"),
        ("meta.epoch", 99, "epoch 99, the config has 4"),
        ("meta.stage", "x", "its stage is str, expected"),
        ("meta.iter", 12345, "another number of steps in an epoch than the config's 2"),
        ("meta", [1], "not a training checkpoint"),
        ("message_hub", [1], "its optimizer or log"),
        ("message_hub.log_scalars", {"loss": "evil"}, "its optimizer or log"),
        ("optimizer.param_groups.0.lr", "evil", "learning rate 'evil'"),
        ("optimizer.state.0.exp_avg", torch.zeros(7), r"exp_avg of shape \(7,\)"),
        ("optimizer", {}, "its optimizer or log"),
        ("param_schedulers", [], "its optimizer or log"),
    ],
)
def test_a_checkpoint_with_odd_values_is_one_line(uninterrupted, tmp_path, path, value, message):
    folder, *_ = uninterrupted
    state = torch.load(folder / "work" / "epoch_3.pth", weights_only=True)
    *parents, last = path.split(".")
    node = state
    for key in parents:
        keys = list(node) if isinstance(node, dict) else range(len(node))
        node = node[keys[int(key)] if key.isdigit() else key]
    node[last] = value
    torch.save(state, tmp_path / "odd.pth")
    cfg = tiny_config(folder)
    cfg.work_dir, cfg.load_from = str(tmp_path / "other"), str(tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match=message) as caught:
        run(cfg, resume=True)
    assert str(tmp_path / "odd.pth") in str(caught.value) and "\n" not in str(caught.value)


def test_the_best_checkpoint_is_for_weights_alone(uninterrupted, tmp_path):
    folder, *_ = uninterrupted
    cfg = tiny_config(folder)
    cfg.work_dir = str(tmp_path / "other")
    cfg.load_from = str(folder / "work" / "best.pth")
    with pytest.raises(CheckpointError, match=r"best\.pth.*--load-from"):
        run(cfg, resume=True)


def test_fine_tuning_starts_from_the_given_weights(uninterrupted, tmp_path):
    folder, _, final, _ = uninterrupted
    cfg = tiny_config(folder)
    cfg.work_dir = str(tmp_path / "other")
    cfg.load_from = str(folder / "work" / "epoch_4.pth")
    cfg.train_cfg.stages = [
        {"epochs": 1, "frozen": ["backbone", "neck", "decoder", "volume_fusion"]}
    ]
    runner = run(cfg)
    own = runner.network.state_dict()
    for key, value in final["state_dict"].items():
        if not key.startswith("refiner"):
            assert torch.equal(own[key], value), key


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    cfg = tiny_config(tmp_path)
    save = torch.save

    def full(state, file, **_):
        if state["meta"]["epoch"] == 2:
            file.write(b"half")
            raise OSError(28, "No space left on device")
        save(state, file)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(CheckpointError, match=r"(epoch_2|best)\.pth.*No space left"):
        run(cfg)
    assert [p.name for p in epoch_checkpoints(tmp_path / "work")] == ["epoch_1.pth"]
    assert not list((tmp_path / "work").glob(".*.part"))


def test_broken_samples_are_named_and_counted(tmp_path):
    cfg = tiny_config(tmp_path, workers=2)
    cfg.train_cfg.stages = [{"epochs": 2}]
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    grid = next((tmp_path / "data" / "ShapeNetVox32").rglob("*.binvox"))
    grid.write_bytes(grid.read_bytes()[:-2])
    run(cfg)
    log = "".join(p.read_text() for p in (tmp_path / "work").rglob("*.log"))
    assert f"skipped a broken sample: {grid}" in log
    assert "broken samples skipped (1 different so far)" in log


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "stages is empty"),
        ([{"epochs": 0}], "epochs=0, expected at least 1"),
        ([{"epochs": 1, "views": (3, 1)}], r"views=\(3, 1\), expected"),
        ([{"epochs": 1, "frozen": ["decodr"]}], "frozen slot 'decodr'.*decoder"),
    ],
)
def test_stages_that_make_no_sense(tmp_path, stages, message):
    cfg = tiny_config(tmp_path)
    cfg.train_cfg.stages = stages
    with pytest.raises(ConfigError, match=message):
        run(cfg)
