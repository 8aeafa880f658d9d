# SPDX-License-Identifier: MIT
from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MMLogger
from rich.progress import Progress
from scripted import Interrupt, Script, log_of, scripted_config, weights
from tiny import run

from voxrecon.engine import ProgressHook, StageEarlyStoppingHook
from voxrecon.engine.training_state import epoch_checkpoints
from voxrecon.errors import ConfigError

TRAINED = [1, 2, 3, 5, 6, 7, 8]  # epochs, with a patience of 2
pytestmark = pytest.mark.usefixtures("quick_starts")


@pytest.fixture(scope="module")
def stopped(made, tmp_path_factory):
    """Folder and record of a training whose stages both end early."""
    folder = tmp_path_factory.mktemp("stopped")
    script = Script()
    run(scripted_config(made, folder, patience=2), hooks=[script])
    return folder, script


def test_each_stage_ends_by_its_own_patience(stopped):
    folder, script = stopped
    assert list(script.losses) == TRAINED
    assert [path.name for path in epoch_checkpoints(folder)] == ["epoch_9.pth", "epoch_7.pth"]
    log = log_of(folder)
    assert "stage 1 ends early, at epoch 3 of 4: for 2 validations no iou above 0.5000" in log
    assert "stage 2 ends early, at epoch 8 of 9: for 2 validations no iou above 0.2000" in log
    assert weights(folder / "best.pth").keys() == weights(folder / "epoch_9.pth").keys()


def test_the_next_stage_is_as_if_all_epochs_had_been_trained(stopped, made, tmp_path):
    folder, early = stopped
    state = torch.load(folder / "epoch_9.pth", weights_only=True)
    assert state["meta"] == state["meta"] | {"epoch": 9, "iter": 18, "stage": 1}
    assert len(state["message_hub"]["log_scalars"]["train/loss"][0]) == 2 * len(TRAINED)
    whole = Script()
    run(scripted_config(made, tmp_path), hooks=[whole])
    assert list(whole.losses) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert early.batches == {epoch: whole.batches[epoch] for epoch in TRAINED}
    assert len({views for epoch in TRAINED for _, views in early.batches[epoch]}) == 2
    assert all(early.losses[epoch] == whole.losses[epoch] for epoch in (1, 2, 3))
    assert early.losses[5] != whole.losses[5]  # of weights that had one epoch less


def test_the_bar_is_as_long_as_what_is_left():
    hook, runner = ProgressHook(), SimpleNamespace(max_iters=18, iter=6)
    hook.before_train_epoch(runner)  # no terminal
    hook.bar = Progress()
    hook.task = hook.bar.add_task("train", total=18, completed=6, rate="")
    hook.before_train_epoch(runner)
    assert hook.bar.tasks[0].total == 18
    runner.iter = 8  # an epoch of two steps has been passed over
    hook.before_train_epoch(runner)
    assert hook.bar.tasks[0].total == 16


@pytest.mark.parametrize("after", [2, 3, 5])  # while it waits, at the jump, in the second stage
def test_a_resumed_run_stops_at_the_same_epochs(stopped, made, tmp_path, after):
    folder, whole = stopped
    cfg, first, second = scripted_config(made, tmp_path, patience=2), Script(), Script()
    with pytest.raises(KeyboardInterrupt):
        run(cfg, hooks=[first, Interrupt(after)])
    run(cfg, resume=True, hooks=[second])
    assert list(first.losses) == TRAINED[:after]
    assert {**first.losses, **second.losses} == whole.losses
    ours, theirs = weights(tmp_path / "epoch_9.pth"), weights(folder / "epoch_9.pth")
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_resuming_a_stopped_training_trains_nothing(stopped, made):
    script = Script()
    MMLogger._instance_dict.clear()  # one of a run that began in the same second has another file
    run(scripted_config(made, stopped[0], patience=2), resume=True, hooks=[script])
    assert script.losses == {}
    assert "epoch 9 of 9; the training is finished" in log_of(stopped[0])


@pytest.mark.parametrize("patience", [0, -1, 1.5, True, "3"])
def test_a_patience_that_makes_no_sense(patience):
    with pytest.raises(ConfigError, match=re.escape(f"patience={patience!r}, expected at least 1")):
        StageEarlyStoppingHook(patience)


class Hub:
    """A message hub and a runner in its second stage of 10 epochs, the first one too."""

    def __init__(self) -> None:
        self.runtime_info, self.stage, self.epoch = {}, 1, 10
        self.message_hub = self.train_loop = self.logger = self.dataloader = self
        self.get_info, self.update_info = self.runtime_info.get, self.runtime_info.__setitem__

    def first_epoch(self, index):
        return 10 * index

    def info(self, text):
        self.said = text

    def __len__(self):
        return 7


@pytest.mark.parametrize(
    ("scores", "min_delta", "epochs"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5], 0.0, None),
        ([0.5, 0.5, 0.5, 0.5], 0.0, 14),  # the same is not better
        ([0.10, 0.15, 0.19, 0.20], 0.1, 14),
        ([0.10, 0.15, 0.21, 0.22, 0.23], 0.1, None),
        ([float("nan")] * 3, 0.0, 13),
        ([0.3, 0.2, 0.2, 0.4, 0.1, 0.1, 0.1], 0.0, 17),
    ],
)
def test_what_counts_as_better(scores, min_delta, epochs):
    runner, hook = Hub(), StageEarlyStoppingHook(3, min_delta=min_delta)
    runner.update_info("patience_stage", 0)  # what the first stage has left
    runner.update_info("patience_waited", 2)
    runner._epoch = None
    for score in scores:
        assert runner._epoch is None
        runner.epoch += 1
        hook.after_val_epoch(runner, {"iou": score})
        hook.after_epoch(runner)
    assert (runner._epoch, runner.epoch) == ((20, epochs) if epochs else (None, 10 + len(scores)))
    if epochs:
        assert runner._iter == 140 and f"at epoch {epochs} of 20" in runner.said


def test_a_metric_that_there_is_not(made, tmp_path):
    cfg = scripted_config(made, tmp_path, patience=1)
    cfg.default_hooks.early_stopping.monitor = "f-score"
    with pytest.raises(ConfigError, match=r"no metric 'f-score', expected of \['iou', "):
        run(cfg)
