# SPDX-License-Identifier: MIT
"""Runs in processes of their own: killed ones, and two at once on the CPU."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from shrink import ROOT
from tiny import tiny_config, write_config

from voxrecon.engine.checkpoint import read_checkpoint
from voxrecon.engine.training_state import epoch_checkpoints
from voxrecon.registry import HOOKS

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("VOXRECON_KILLS", "3"))
TRAIN = [sys.executable, str(ROOT / "tools" / "train.py")]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@HOOKS.register_module()
class DumpBuffers(Hook):
    """Write the buffers that this process validates with."""

    def before_val(self, runner) -> None:
        path = Path(runner.work_dir) / f"buffers_{runner.epoch}_{runner.rank}.pth"
        torch.save(dict(runner.network.named_buffers()), path)


@HOOKS.register_module()
class Die(Hook):
    """The end of the second process, in its first batch."""

    def after_test_iter(self, runner, *_, **__) -> None:
        if runner.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def environment() -> dict:
    helpers = [str(ROOT / "tests" / "helpers"), str(Path(__file__).parent)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(helpers), "OMP_NUM_THREADS": "1"}


def call(*command: str) -> subprocess.CompletedProcess:
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def fail(*command: str) -> str:
    """What a command says that is to fail, not to hang."""
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    return done.stderr


def final_weights(folder: Path) -> dict:
    return read_checkpoint(folder / "epoch_4.pth")["state_dict"]


def test_killed_at_random_moments_and_resumed(tmp_path):
    cfg = tiny_config(tmp_path)
    config = write_config(cfg, tmp_path / "config.py")
    call(*TRAIN, str(config), "--work-dir", str(tmp_path / "whole"))
    whole = final_weights(tmp_path / "whole")
    rng = random.Random(0)
    work = tmp_path / "killed"
    command = [*TRAIN, str(config), "--work-dir", str(work), "--resume"]
    for _ in range(KILLS):
        process = subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        while "stage" not in process.stdout.readline():  # until it has begun
            assert process.poll() is None
        try:
            process.communicate(timeout=rng.uniform(0, 5))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        for path in epoch_checkpoints(work):
            assert "state_dict" in read_checkpoint(path)  # whatever has its name is whole
    call(*command)
    ours = final_weights(work)
    assert ours.keys() == whole.keys()
    for key, value in whole.items():
        assert torch.equal(ours[key], value), key


def train_two_processes(folder: Path, base: str) -> tuple[Path, Path]:
    """Config and work dir of four epochs, in which both processes hold the same buffers."""
    cfg = tiny_config(folder, base)
    cfg.custom_imports = {"imports": ["shrink", "test_processes"]}
    cfg.custom_hooks = [*cfg.custom_hooks, {"type": "DumpBuffers"}]
    config, work = write_config(cfg, folder / "config.py"), folder / "work"
    call(*TORCHRUN, TRAIN[1], str(config), "--launcher", "pytorch", "--work-dir", str(work))
    log = "".join(path.read_text() for path in work.rglob("*.log"))
    assert "stage 1 of 2" in log and "stage 2 of 2" in log
    for epoch in (1, 2, 3, 4):
        a, b = (
            torch.load(work / f"buffers_{epoch}_{rank}.pth", weights_only=True) for rank in (0, 1)
        )
        assert a.keys() == b.keys() and any("running_mean" in key for key in a)
        for key, value in a.items():
            assert torch.equal(value, b[key]), (epoch, key)
    return config, work


def test_two_processes_hold_the_same_memory(tmp_path):
    _, work = train_two_processes(tmp_path, "projects/mem3d/configs/mem3d.py")
    ages = torch.load(work / "buffers_4_0.pth", weights_only=True)["feature_fusion.memory.ages"]
    assert (ages >= 0).any()


def test_two_processes(tmp_path):
    config, work = train_two_processes(tmp_path, "configs/pix2voxpp_a.py")
    test = [
        str(ROOT / "tools" / "test.py"),
        str(config),
        str(work / "epoch_4.pth"),
        "--views",
        "1",
        "3",
    ]
    call(*TORCHRUN, *test, "--launcher", "pytorch", "--work-dir", str(tmp_path / "two"))
    call(sys.executable, *test, "--work-dir", str(tmp_path / "one"))
    one, two = (
        json.loads((tmp_path / name / "results.json").read_text()) for name in ("one", "two")
    )
    assert len(one["samples"]) == 5 * 2  # five objects, an odd number, at two numbers of views
    one["run"]["config_text"] = two["run"]["config_text"]  # which names the work dir
    assert one == two

    # a process that ends ends the others: by a message of its own, or killed by the system
    dying = [*test[:3], "--cfg-options", "custom_hooks=[{'type':'Die'}]"]
    message = fail(*TORCHRUN, *dying, "--launcher", "pytorch", "--work-dir", str(tmp_path / "dead"))
    assert "Signal 9 (SIGKILL) received" in message
    data = tmp_path / "data" / "ShapeNetRendering" / "02691156"
    (data / "object_0" / "rendering" / "00.png").write_bytes(b"none")  # of the second process
    message = fail(*TORCHRUN, *test, "--launcher", "pytorch", "--work-dir", str(tmp_path / "bad"))
    assert "error: process 1: " in message and "object_0/rendering/00.png: starts with" in message
    assert not any((tmp_path / name / "results.json").exists() for name in ("bad", "dead"))
