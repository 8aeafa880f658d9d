# SPDX-License-Identifier: MIT
"""The example of a package adds a fusion head by its entry point; nobody imports it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from r2n2 import make_r2n2

from voxrecon.registry import MODELS

REPOSITORY = Path(__file__).resolve().parents[1]

EXAMPLE = REPOSITORY / "projects" / "example_plugin"

CONFIG = """\
_base_ = "configs/pix2voxpp_f_power_mean.py"

model = dict(backbone=dict(weights="random"))
train_dataloader = dict(batch_size=2, num_workers=0)
val_dataloader = dict(batch_size=2, num_workers=0)
train_cfg = dict(stages=[dict(epochs=1, views=2)])
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """A copy of the example with config.py, the package installed beside, and the environment that
    sees it.
    """
    root = tmp_path_factory.mktemp("plugin")
    source, site = root / "source", root / "site"
    shutil.copytree(EXAMPLE, source)  # building leaves files behind
    shutil.copytree(EXAMPLE / "configs", root / "configs")
    (root / "config.py").write_text(CONFIG)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-index", "--target", str(site), str(source)], check=True)
    return root, {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}


def run(plugin, *command):
    root, env = plugin
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=root, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_plugin_is_found_and_checked(plugin):
    code = """
from voxrecon.engine.config import apply_options, check_config, load_config
from voxrecon.errors import ConfigError
from voxrecon.registry import MODELS
cfg = load_config("config.py")
check_config(cfg)
print(sum(p.numel() for p in MODELS.build(cfg.model).volume_fusion.parameters()))
try:
    apply_options(cfg, {"model.volume_fusion.powr": 2})
except ConfigError as error:
    print(error)
"""
    assert run(plugin, "-c", code).splitlines() == [
        "1",
        "--cfg-options model.volume_fusion.powr=2: no such key; "
        "did you mean model.volume_fusion.power?",
    ]


@pytest.mark.slow
def test_the_test_of_the_example_passes(plugin):
    printed = run(plugin, "-m", "pytest", "-q", "-p", "no:cacheprovider", "source/tests")
    assert "3 passed" in printed


@pytest.mark.slow
def test_plugin_trains_from_another_folder(plugin):
    root, _ = plugin
    data, work = root / "data", root / "work"
    make_r2n2(data)
    train = REPOSITORY / "tools" / "train.py"
    run(plugin, train, "config.py", "--data-root", data, "--work-dir", work)
    state = torch.load(work / "epoch_1.pth", weights_only=True)["state_dict"]
    power = state["volume_fusion.power"].item()
    assert power == pytest.approx(3.0, abs=0.1)
    assert power != 3.0  # it has been trained


def test_broken_plugin_is_one_line(tmp_path, monkeypatch):
    from voxrecon.errors import ConfigError
    from voxrecon.registry import load_plugins

    info = tmp_path / "toy_broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[voxrecon.plugins]\ntoy = toy_broken_plugin\n")
    (tmp_path / "toy_broken_plugin.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    for _ in range(2):  # the second call does not pass over it
        with pytest.raises(ConfigError) as caught:
            load_plugins()
        assert str(caught.value) == (
            "plug-in toy = toy_broken_plugin: cannot be loaded: ZeroDivisionError: division by zero"
        )


def test_name_registered_twice_names_both_places():
    class Intruder:
        pass

    assert MODELS.get("MeanFusion") is not None  # registers our own
    with pytest.raises(KeyError) as caught:
        MODELS.register_module(name="MeanFusion", module=Intruder)
    text = caught.value.args[0]
    assert text.startswith("'MeanFusion' is registered twice in model: ")
    assert "by voxrecon.models.volume_fusions.mean.MeanFusion " in text
    assert text.endswith(f"by {__name__}.{Intruder.__qualname__}")
