# SPDX-License-Identifier: MIT
"""The counts are checked against hand-made numbers; of what is measured, only what is reported."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from mmengine import Config
from shrink import ROOT, SIZE, shrink
from torch import nn

from voxrecon.cli import benchmark, complexity
from voxrecon.cli.complexity import count_flops
from voxrecon.engine.memory import PeakMemory, count_parameters, peak_memory
from voxrecon.registry import MODELS


@pytest.fixture
def small_config(tmp_path):
    """A narrow Pix2Vox-A for images of 64 pixels."""
    cfg = Config.fromfile(ROOT / "configs" / "pix2vox_a.py")
    cfg.model = shrink(cfg.model)
    path = tmp_path / "small.py"
    cfg.dump(path)
    return path


def small_model(**changes):
    torch.manual_seed(0)
    cfg = shrink(Config.fromfile(ROOT / "configs" / "pix2vox_a.py").model)
    for slot, value in changes.items():
        cfg[slot] = value
    model = MODELS.build(cfg)
    model.init_weights()
    return model.eval()


class Stack(nn.Module):
    """Layers whose operations can be counted by hand; one part is used by a method of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(2, 3, 3, padding=1)
        self.up = nn.Sequential(nn.ConvTranspose3d(3, 5, 4, stride=2, padding=1, bias=False))
        self.dense = nn.ModuleDict({"a": nn.Linear(5, 7), "b": nn.Sequential(nn.Linear(7, 11))})
        self.idle = nn.ReLU()

    def forward(self, x):
        x = self.up(self.conv(x)).mean((2, 3, 4))
        return self.dense["b"](self.dense["a"](x))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_flops_of_known_layers(device):
    model = Stack().to(device)
    with torch.inference_mode():
        flops = count_flops(model, torch.zeros(4, 2, 6, 6, 6, device=device))
    conv = 2 * 4 * 6**3 * (2 * 27) * 3  # 2 per multiply-accumulate, 54 of them an output value
    up = 2 * 4 * 6**3 * 3 * (5 * 64)  # every input value goes to 64 taps of each output channel
    dense = 2 * 4 * (5 * 7 + 7 * 11)
    parts = {"conv": conv, "up": up, "dense": dense, "idle": 0}
    assert flops == parts | {"total": conv + up + dense}


def test_flops_of_pix2vox_a():
    """30.9, 89.5 and 234.6 GFLOP; the scores of a single view are not computed."""
    with torch.device("meta"):
        model = MODELS.build(Config.fromfile(ROOT / "configs" / "pix2vox_a.py").model).eval()
    with torch.inference_mode():
        for views, total in ((1, 30.9), (3, 89.5), (8, 234.6)):
            flops = count_flops(model, torch.empty(1, views, 3, 224, 224, device="meta"))
            assert round(flops["total"] / 1e9, 1) == total
            slots = {name: flops[name] for name in model.slots()}
            assert sum(slots.values()) == flops["total"]
            # 16 x 9 + 8 x 16 + 4 x 8 + 2 x 4 + 1 x 2 kernels of 27 on 32^3 voxels
            assert slots["volume_fusion"] == (views > 1) * views * 2 * 314 * 27 * 32**3
            # the layers 2048-512-128-32-8 on 2^3, 4^3, 8^3, 16^3, and 8-1 on 32^3
            layers = ((2048, 512, 2), (512, 128, 4), (128, 32, 8), (32, 8, 16))
            macs = sum(a * b * 64 * side**3 for a, b, side in layers) + 8 * 32**3
            assert slots["decoder"] == views * 2 * macs


def test_trained_parameters_are_told_apart():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 5))
    model[0].requires_grad_(False)
    assert count_parameters(model) == (16 + 25, 25)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_peak_memory_of_known_tensors(device):
    weight = torch.zeros(10, 10, device=device)
    with PeakMemory([weight]) as memory:
        a = torch.zeros(1000, device=device)  # 4000 bytes
        assert memory.live == 4000
        b = a + 1  # 8000
        c = b.view(10, 100)[2:]  # a view has no bytes of its own
        a.mul_(2)
        d = weight.t()  # nor has a weight
        assert (memory.live, memory.peak) == (8000, 8000)
        del b
        assert memory.live == 8000  # c holds it
        del c, d
        assert memory.live == 4000
        e = torch.zeros(500, dtype=torch.float64, device=device)
        del a, e
    assert (memory.live, memory.peak) == (0, 8000)


def test_peak_memory_of_a_network():
    model = small_model()
    images = torch.zeros(1, 3, 3, SIZE, SIZE)
    forward = peak_memory(model, images)
    assert forward == peak_memory(model.to("meta"), images.to("meta"))
    # at least the 16 channels of the scores' first layer, before and after its batch norm
    assert forward > 2 * 3 * 16 * 32**3 * 4
    gradients = sum(p.nbytes for p in model.parameters() if p.requires_grad)
    training = peak_memory(model, images.to("meta"), train=True)
    assert training > forward + gradients
    assert not model.training
    assert all(p.grad is None for p in model.parameters())


def test_complexity_prints_the_published_numbers_beside_ours(capsys):
    complexity.main([str(ROOT / "configs" / "pix2vox_a.py"), "--views", "3", "1"])
    text = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}
    assert rows["total"] == ["114,244,467", "111,325,491", "30.94", "89.53"]
    assert rows["backbone"][:2] == ["2,918,976", "0"]  # frozen
    assert rows["weights"] == ["457.0"]
    assert rows["parameters,"] == ["millions", "114.24", "114.24"]
    assert rows["backward,"] == ["1", "view,", "ms", "72.01"]
    assert "…" not in text


def test_complexity_of_a_network_without_published_numbers(small_config, capsys):
    complexity.main([str(small_config), "--views", "2"])
    text = capsys.readouterr().out
    assert f"views of {SIZE} x {SIZE}" in text
    assert "published" not in text


def test_view_by_view_is_the_same_network():
    x = torch.rand(2, 3, 3, SIZE, SIZE) * 2 - 1
    for changes in ({}, {"volume_fusion": {"type": "MeanFusion"}}, {"refiner": None}):
        model = small_model(**changes)
        with torch.inference_mode():
            volume = benchmark.by_view(model, x)
            assert volume.std() > 0
            assert (volume - model(x)).abs().max() < 1e-6
            assert (volume - benchmark.by_view(model, x[:, :2])).abs().max() > 1e-5


def test_stopwatch_takes_turns(capsys):
    watch = benchmark.Stopwatch(torch.device("cpu"), repeat=3, rounds=1)
    order = []
    times = watch.run("two calls", lambda: order.append("a"), lambda: order.append("b"))
    assert order == ["a", "b"] * 4  # one round to warm up
    assert [len(t) for t in times] == [3, 3]
    assert all(seconds >= 0 for t in times for seconds in t)
    assert capsys.readouterr().err == "measuring: two calls\n"  # no terminal, no bar


def test_benchmark_reports_what_it_measured(small_config, tmp_path, capsys):
    out = tmp_path / "out" / "benchmark.json"
    threads = torch.get_num_threads()
    options = ["--views", "3", "1", "--repeat", "2", "--out", str(out)]
    benchmark.main([str(small_config), *options])
    assert torch.get_num_threads() == threads
    results = json.loads(out.read_text())
    assert results["hardware"]["cpu"] and results["hardware"]["torch"] == torch.__version__
    assert results["hardware"]["threads"] == threads
    assert [row["views"] for row in results["forward"]] == [1, 3]
    for row in results["forward"]:
        assert row["max_difference"] < 1e-6 < row["volume_std"]
        assert len(row["folded_s"]) == len(row["by_view_s"]) == 2
    assert results["data"]["images"] == 80
    assert results["data"]["input"] == [16, 5, 3, SIZE, SIZE]
    for key in ("training.forward_s", "training.backward_s", "data.worker_s", "data.device_s"):
        part, name = key.split(".")
        assert len(results[part][name]) == 2 and min(results[part][name]) > 0
    printed = capsys.readouterr()
    assert "with random weights" in printed.out and "images/s" in printed.out
    assert "\x1b" not in printed.out + printed.err and "…" not in printed.out
    assert "measuring: forward, views 3" in printed.err.splitlines()


@pytest.mark.parametrize(
    ("main", "options", "message"),
    [
        (benchmark.main, ["no.py"], "no.py: no such config file"),
        (benchmark.main, ["--repeat", "0"], "--repeat 0: expected at least 1"),
        (benchmark.main, ["--views", "2", "0"], "--views 0: expected at least 1"),
        (benchmark.main, ["--data-root", "no/data"], "no/data: no such data folder"),
        (complexity.main, ["no.py"], "no.py: no such config file"),
        (complexity.main, ["CONFIG", "--views", "0"], "--views 0: expected at least 1"),
        (complexity.main, ["CONFIG", "--size", "-3"], "--size -3: expected at least 1"),
    ],
)
def test_errors_are_one_line(main, options, message, small_config, capsys):
    if "no.py" not in options:
        options = [str(small_config), *(o for o in options if o != "CONFIG")]
    with pytest.raises(SystemExit) as stopped:
        main(options)
    assert stopped.value.code == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if "measuring" not in line]
    assert len(errors) == 1 and errors[0].startswith(f"error: {message}")


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_no_gpu_is_an_error_in_one_line(small_config, capsys):
    with pytest.raises(SystemExit):
        benchmark.main([str(small_config), "--device", "cuda"])
    assert capsys.readouterr().err.startswith("error: --device cuda: no GPU found")


@pytest.mark.parametrize("tool", ["benchmark", "complexity"])
def test_the_doors_show_help_with_an_example(tool):
    path = ROOT / "tools" / "analysis" / f"{tool}.py"
    shown = subprocess.run(
        [sys.executable, str(path), "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert f"example:\n  python tools/analysis/{tool}.py configs/pix2vox_a.py" in shown
