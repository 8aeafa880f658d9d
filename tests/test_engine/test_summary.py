# SPDX-License-Identifier: MIT
from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from scripted import STAGES, Interrupt, Script, log_of, scripted_config, weights
from tiny import run

from voxrecon.engine import TrackingVisualizer
from voxrecon.engine.config import load_config
from voxrecon.engine.hooks import summary
from voxrecon.engine.memory import TrainingMemory, peak_memory, training_memory
from voxrecon.registry import MODELS

pytestmark = pytest.mark.usefixtures("quick_starts")


def test_the_summary_before_and_after_on_terminal_and_in_the_log(
    made, tmp_path, capsys, monkeypatch
):
    cfg, closed = scripted_config(made, tmp_path, patience=2), []
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
        cfg = scripted_config(made, tmp_path / str(number), stages=STAGES[:1])
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
    cfg = scripted_config(made, tmp_path, stages=[{"epochs": 1}])
    run(cfg)
    log = log_of(tmp_path)
    assert "memory not estimated: NotImplementedError: aten::nonzero on meta" in log
    assert "steps an epoch" in log and "MB" not in log.split("memory not")[0].split("Objects")[1]
    assert (tmp_path / "epoch_1.pth").exists()
