# SPDX-License-Identifier: MIT
"""Trackers by one option, and the search of the docs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest
import torch
from commands import call, refusal
from mmengine.logging import MMLogger
from shrink import ROOT

from voxrecon.cli import train
from voxrecon.engine import TrackingVisualizer, tracking
from voxrecon.engine.tracking import MLflowBackend
from voxrecon.errors import ConfigError

pytestmark = pytest.mark.usefixtures("quick_starts")


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
