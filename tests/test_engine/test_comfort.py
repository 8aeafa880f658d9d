# SPDX-License-Identifier: MIT
"""Early stopping, the summaries of a training, trackers, and the search of the docs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import cv2
import mmengine.runner.runner as mmengine_runner
import numpy as np
import pytest
import torch
from commands import call, refusal, tiny_config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from r2n2 import make_r2n2
from rich.progress import Progress
from shrink import ROOT
from tiny import run
from yapf.yapflib import yapf_api

from voxrecon.cli import train
from voxrecon.engine import ProgressHook, StageEarlyStoppingHook, TrackingVisualizer, tracking
from voxrecon.engine.config import load_config, set_data
from voxrecon.engine.hooks import summary
from voxrecon.engine.memory import TrainingMemory, peak_memory, training_memory
from voxrecon.engine.tracking import MLflowBackend
from voxrecon.engine.training_state import epoch_checkpoints
from voxrecon.errors import ConfigError
from voxrecon.registry import MODELS

STAGES = (
    {"epochs": 4, "views": 1, "frozen": ["volume_fusion"]},
    {"epochs": 5, "views": (1, 2), "frozen": ["backbone", "neck", "decoder"]},
)
SCORES = (0.5, 0.4, 0.5, 0.9, 0.1, 0.2, 0.2, 0.1, 0.9)  # of the validation of each epoch
TRAINED = [1, 2, 3, 5, 6, 7, 8]  # epochs, with a patience of 2


@pytest.fixture(scope="module", autouse=True)
def quick_starts():
    """mmengine asks compilers and drivers for their versions at each start, and formats the config
    four times."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(mmengine_runner, "collect_env", dict)
        monkeypatch.setattr(yapf_api, "FormatCode", lambda text, **_: (text, True))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder of a tiny config and of four objects with three views."""
    folder = tmp_path_factory.mktemp("comfort")
    make_r2n2(folder / "data", n=4, views=3, grid=8)
    (folder / "data" / "ShapeNetVox32").rename(folder / "data" / "ShapeNetVox8")
    tiny_config(folder)
    return folder


def config(made: Path, work: Path, patience: int | None = None, stages=STAGES):
    cfg = load_config(made / "tiny.py")
    set_data(cfg, made / "data")
    cfg.work_dir = str(work)
    cfg.train_cfg.stages = [dict(stage) for stage in stages]
    cfg.default_hooks.early_stopping.patience = patience
    return cfg


class Script(Hook):
    """Scores as wanted; losses, objects and numbers of views of each epoch."""

    priority = "HIGHEST"

    def __init__(self) -> None:
        self.losses, self.batches = {}, {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        epoch, views = runner.epoch + 1, data_batch["inputs"]["images"].shape[1]
        names = [(sample.taxonomy, sample.id) for sample in data_batch["data_samples"]]
        self.losses.setdefault(epoch, []).append(outputs["loss"].item())
        self.batches.setdefault(epoch, []).append((names, views))

    def after_val_epoch(self, runner, metrics=None) -> None:
        metrics["iou"] = SCORES[runner.epoch - 1]


class Interrupt(Hook):
    """What a Ctrl-C after the checkpoint of an epoch does."""

    priority = "LOWEST"

    def __init__(self, after: int) -> None:
        self.after, self.epochs = after, 0

    def after_epoch(self, runner) -> None:
        self.epochs += 1
        if self.epochs == self.after:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def stopped(made, tmp_path_factory):
    """Folder and record of a training whose stages both end early."""
    folder = tmp_path_factory.mktemp("stopped")
    script = Script()
    run(config(made, folder, patience=2), hooks=[script])
    return folder, script


def log_of(folder: Path) -> str:
    return "".join(path.read_text() for path in sorted(folder.rglob("*.log")))


def weights(path: Path) -> dict:
    return torch.load(path, weights_only=True)["state_dict"]


# --- early stopping ---


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
    run(config(made, tmp_path), hooks=[whole])
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
    cfg, first, second = config(made, tmp_path, patience=2), Script(), Script()
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
    run(config(made, stopped[0], patience=2), resume=True, hooks=[script])
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
    cfg = config(made, tmp_path, patience=1)
    cfg.default_hooks.early_stopping.monitor = "f-score"
    with pytest.raises(ConfigError, match=r"no metric 'f-score', expected of \['iou', "):
        run(cfg)


# --- summaries ---


def test_the_summary_before_and_after_on_terminal_and_in_the_log(
    made, tmp_path, capsys, monkeypatch
):
    cfg, closed = config(made, tmp_path, patience=2), []
    monkeypatch.setattr(TrackingVisualizer, "close", lambda self: closed.append(self))
    with pytest.raises(KeyboardInterrupt):
        run(cfg, hooks=[Script(), Interrupt(4)])
    assert closed  # what backends still hold is written at a bad end too
    capsys.readouterr()
    runner = run(cfg, resume=True, hooks=[Script()])
    printed = capsys.readouterr().out
    log = max(tmp_path.rglob("*.log"), key=lambda path: path.stat().st_mtime)
    for text in (printed, log.read_text()):
        rows = {}
        for line in text.splitlines():
            cells = re.split(r"\s{2,}", line.strip())
            rows.setdefault(cells[0], cells[1:])
        assert rows["train"] == rows["val"] == ["4", "2", "3"]
        slots = runner.network.slots().items()
        sizes = {name: sum(p.numel() for p in slot.parameters()) for name, slot in slots}
        for name, frozen in (("backbone", 1), ("decoder", 1), ("volume_fusion", 0)):
            cells = [f"{sizes[name]:,}"] * 2
            cells.insert(1 + frozen, "frozen")
            assert rows[name] == cells, name
        total, fusion = sum(sizes.values()), sizes["volume_fusion"]
        assert rows["in all"] == [f"{total:,}", f"{total - fusion:,}", f"{fusion:,}"]
        assert rows["epochs"] == ["4", "5"]
        assert rows["steps an epoch"] == rows["objects a step"] == ["2", "2"]
        assert rows["views an object"] == ["1", "1 to 2"]
        assert float(rows["gradients, MB"][0]) == pytest.approx(4e-6 * (total - fusion), abs=0.05)
        # the first stage's best is known though it was trained before the interruption
        assert rows["1"] == ["1", "0.5000", "best_stage1.pth"]
        assert rows["2"] == ["6", "0.2000", "best.pth"]
        assert re.search(r"^3 epochs in 0:\d\d:\d\d$", text, re.M)
        assert f"checkpoint: {tmp_path / 'epoch_9.pth'}" in text
        assert f"log:        {log}" in text
        lines = text[text.index("Objects") : text.index("workers of the data")].splitlines()
        head = next(line for line in lines if "Parameters" in line)
        row = next(line for line in lines if "decoder" in line)
        end = head.index("Parameters") + len("Parameters")
        assert row[:end].endswith(f" {sizes['decoder']:,}")  # aligned
        assert max(map(len, lines)) <= 80


def test_the_summary_changes_nothing(made, tmp_path):
    drawn = []

    class Draw(Hook):
        priority = "LOWEST"

        def before_train(self, runner):
            drawn.append((torch.rand(3).tolist(), np.random.rand(3).tolist()))
            drawn.append({n: p.requires_grad for n, p in runner.network.named_parameters()})

    losses = []
    for number in range(2):
        cfg = config(made, tmp_path / str(number), stages=STAGES[:1])
        cfg.train_cfg.stages[0]["epochs"] = 1
        if number:
            cfg.custom_hooks = [h for h in cfg.custom_hooks if h.type != "SummaryHook"]
        script = Script()
        run(cfg, hooks=[script, Draw()])
        losses.append(script.losses)
    assert losses[0] == losses[1] and drawn[:2] == drawn[2:]
    ours, theirs = (weights(tmp_path / n / "epoch_1.pth") for n in "01")
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_memory_of_a_training_is_that_of_real_tensors(made):
    cfg = load_config(made / "tiny.py").model
    model = MODELS.build(cfg)
    model.freeze(["volume_fusion"])
    trained = [p for p in model.parameters() if p.requires_grad]
    gradients = 4 * sum(p.numel() for p in trained)
    everything = sum(t.nbytes for t in (*model.parameters(), *model.buffers()))
    images = torch.zeros(2, 3, 3, 64, 64)
    peak = peak_memory(model, images, train=True)
    with torch.device("meta"):
        twin = MODELS.build(cfg)
    twin.freeze(["volume_fusion"])
    for optimizer, kept in (
        (torch.optim.Adam, 2 * gradients + 4 * len(trained)),  # two moments, a count of steps
        (torch.optim.SGD, 0),
    ):
        found = training_memory(twin, images.to("meta"), optimizer(twin.parameters(), lr=0.1))
        # kernels may return a statistic of some bytes of another size than the meta device's
        expected = everything + kept + peak
        assert found.peak == pytest.approx(expected, rel=1e-3)
        assert found == TrainingMemory(everything, gradients, kept, found.peak)
    assert peak > gradients


def test_a_network_that_cannot_be_estimated_trains_all_the_same(made, tmp_path, monkeypatch):
    def refuse(*_):
        raise NotImplementedError("aten::nonzero\non meta")

    monkeypatch.setattr(summary, "training_memory", refuse)
    cfg = config(made, tmp_path, stages=[{"epochs": 1}])
    run(cfg)
    log = log_of(tmp_path)
    assert "memory not estimated: NotImplementedError: aten::nonzero on meta" in log
    assert "steps an epoch" in log and "MB" not in log.split("memory not")[0].split("Objects")[1]
    assert (tmp_path / "epoch_1.pth").exists()


# --- trackers ---


def tracked(made: Path, work: Path, *options: str) -> list[dict]:
    """The local log of a training with pictures, as the command line starts it."""
    text = (made / "tiny.py").read_text()
    text += "\ncustom_hooks.append(dict(type='ReconstructionHook', count=1))\n"
    path = made / f"{work.name}.py"
    path.write_text(text)
    argv = [path, "--data-root", made / "data", "--work-dir", work, "--cfg-options", *options]
    call(train.main, *argv)
    return [json.loads(line) for line in next(work.rglob("scalars.json")).read_text().splitlines()]


def test_tensorboard_by_one_option(made, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    work = tmp_path / "board"
    local = tracked(made, work, "visualizer.track=tensorboard", "default_hooks.logger.interval=1")
    events = EventAccumulator(str(next(work.rglob("events.*")).parent)).Reload()
    for key in ("loss", "iou", "iou@0.3"):
        expected = [(row["step"], row[key]) for row in local if key in row]
        found = [(event.step, event.value) for event in events.Scalars(key)]
        assert len(found) == {"loss": 4}.get(key, 2)
        assert found == [(step, pytest.approx(value)) for step, value in expected]
    (name,) = events.Tags()["images"]
    assert [image.step for image in events.Images(name)] == [1, 2]
    encoded = np.frombuffer(events.Images(name)[1].encoded_image_string, np.uint8)
    there = cv2.imread(str(next(work.rglob(f"{name}_2.png"))))
    assert np.array_equal(cv2.imdecode(encoded, cv2.IMREAD_COLOR), there)


@pytest.mark.slow  # MLflow makes a database in many steps
def test_mlflow_by_one_option(made, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    work = tmp_path / "flow"
    local = tracked(made, work, "visualizer.track=[mlflow]", "default_hooks.logger.interval=1")
    client = mlflow.MlflowClient(f"sqlite:///{next(work.rglob('mlflow.db'))}")
    (experiment,) = client.search_experiments(filter_string="name = 'voxrecon'")
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.status == "FINISHED" and not mlflow.active_run()
    for key, name in (("loss", "loss"), ("iou", "iou"), ("iou@0.3", "iou_at_0.3")):
        expected = [(row["step"], row[key]) for row in local if key in row]
        history = client.get_metric_history(found.info.run_id, name)
        assert [(metric.step, metric.value) for metric in history] == expected
    pictures = [item.path for item in client.list_artifacts(found.info.run_id, "images")]
    (second,) = (p for p in pictures if re.search(r"step[+%]2.*\.png$", p))
    picture = cv2.imread(client.download_artifacts(found.info.run_id, second, str(tmp_path)))
    assert np.array_equal(picture, cv2.imread(str(next(work.rglob("vis_image/*_2.png")))))
    files = {item.path for item in client.list_artifacts(found.info.run_id)}
    log = next(work.rglob("*.log"))
    assert files == {"config.py", "images", log.name}
    assert "stage 2 of 2" in log.read_text()  # MLflow does not close it
    failing = MLflowBackend(str(next(work.rglob("vis_data"))), run_name="failing")
    with pytest.raises(KeyboardInterrupt):
        try:
            failing.add_scalar("loss", 1.0)
            raise KeyboardInterrupt
        finally:
            failing.close()
    (failed,) = client.search_runs([experiment.experiment_id], "run_name = 'failing'")
    assert failed.info.status == "FAILED"


def test_wandb_is_mmengines(monkeypatch):
    monkeypatch.setattr(tracking, "find_spec", lambda name: True)
    visualizer = TrackingVisualizer(
        "comfort", track="wandb", vis_backends=[{"type": "LocalVisBackend"}], save_dir="x"
    )
    backends = {name: type(b).__name__ for name, b in visualizer._vis_backends.items()}
    assert backends == {n: n for n in ("LocalVisBackend", "WandbVisBackend")}
    assert not Path("x").exists()  # nothing before the training


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "visualizer.track=tensorbord",
            "visualizer.track='tensorbord': expected of tensorboard, wandb, mlflow",
        ),
        ("visualizer.track=3", "visualizer.track=3: expected of tensorboard, wandb, mlflow"),
        ("visualizer.track=[wandb]", "wandb is not installed: pip install wandb"),
        (
            "visualizer.vis_backends.0.type=TensorboardVisBackend",
            "tensorboard is not installed: pip install tensorboard",
        ),
        (
            "default_hooks.early_stopping.patience=0",
            "StageEarlyStoppingHook: patience=0, expected at least 1, or None",
        ),
        (
            "default_hooks.early_stopping.patient=3",
            "--cfg-options default_hooks.early_stopping.patient=3: no such key; "
            "did you mean default_hooks.early_stopping.patience?",
        ),
    ],
)
def test_options_that_do_not_fit_are_one_line(made, tmp_path, monkeypatch, capfd, option, message):
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    argv = [made / "tiny.py", "--data-root", made / "data", "--work-dir", tmp_path / "work"]
    assert refusal(capfd, train.main, *argv, "--cfg-options", option) == message


def test_a_refused_visualizer_leaves_no_lock_behind():
    with pytest.raises(ConfigError, match="visualizer.track='x': expected of tensorboard"):
        tracking.TrackingVisualizer.get_instance("refused", track="x")
    other = Thread(target=MMLogger.get_current_instance, daemon=True)
    other.start()
    other.join(timeout=10)
    assert not other.is_alive()


# --- the page ---


def test_the_search_of_the_docs(made, tmp_path, monkeypatch, capsys):
    optuna = pytest.importorskip("optuna")
    page = (ROOT / "docs" / "training.md").read_text()
    (code,) = (c for c in re.findall(r"```python\n(.*?)```", page, re.S) if "import optuna" in c)
    for theirs, ours in (
        ("configs/quickstart.py", made / "tiny.py"),
        ("data/quickstart", made / "data"),
        ("n_trials=20", "n_trials=2"),
    ):
        assert code.count(str(theirs)) == 1
        code = code.replace(str(theirs), str(ours))
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(code, "training.md", "exec"), names)
    trials = names["study"].trials
    assert len(trials) == 2
    for trial in trials:
        work = tmp_path / "work_dirs" / "search" / str(trial.number)
        state = torch.load(work / "epoch_2.pth", weights_only=True)
        info = state["message_hub"]["runtime_info"]
        assert trial.state is optuna.trial.TrialState.COMPLETE
        assert trial.value == info["best_score"] == trial.intermediate_values[2]
        rates = [group["initial_lr"] for group in state["optimizer"]["param_groups"]]
        assert max(rates) in (trial.params["lr"], pytest.approx(0.1 * trial.params["lr"]))
    assert trials[0].params != trials[1].params
    assert f"{names['study'].best_params}" in capsys.readouterr().out
