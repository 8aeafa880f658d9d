# SPDX-License-Identifier: MIT
from __future__ import annotations

import runpy
from types import SimpleNamespace

import cv2
import pytest
import torch
from commands import call, refusal, tiny_config
from r2n2 import make_r2n2
from shrink import ROOT

from voxrecon.apis import init_model
from voxrecon.cli import latent_space
from voxrecon.cli.latent_space import posterior_means, principal_components
from voxrecon.engine.checkpoint import write_model
from voxrecon.engine.config import load_config, set_data
from voxrecon.registry import DATASETS

NAMES = ["interpolations.png", "latent_map.png", "samples.png"]


@pytest.fixture(scope="module")
def vae(made, tmp_path_factory):
    """The tiny config with a bottleneck, and random weights."""
    folder = tmp_path_factory.mktemp("vae")
    cfg = load_config(tiny_config(folder))
    features = torch.Size(cfg.model.decoder.seed).numel()
    cfg.model.feature_fusion = dict(type="VAEBottleneck", in_features=features, latent=5)
    cfg.model.decoder.stem = 5
    cfg.model.volume_fusion = dict(type="MeanFusion")
    cfg.dump(folder / "vae.py")
    torch.manual_seed(0)
    model = init_model(folder / "vae.py")
    model.init_weights()
    # so that latents differ in what is occupied
    torch.nn.init.normal_(model.decoder.stem.weight)
    torch.nn.init.constant_(model.decoder.head.weight, -1.0)
    write_model(model, cfg.model.to_dict(), folder / "vae.safetensors")
    return SimpleNamespace(config=folder / "vae.py", weights=folder / "vae.safetensors")


def test_pictures_and_what_is_said(made, vae, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    options = ["--views", 2, "--steps", 4, "--pairs", 3, "--samples", 9, "--out", out]
    call(latent_space.main, vae.config, vae.weights, "--data-root", made.data, *options)
    text = capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == NAMES
    assert all(f": {out / name}\n" in text for name in NAMES)
    assert "4 objects of split 'test', 5 latent values" in text
    rows = [line.split() for line in text.splitlines() if line.startswith("  row")]
    assert len(rows) == 3 and all(start != end for *_, start, _, _, end in rows)
    tile = latent_space.TILE
    assert cv2.imread(str(out / "interpolations.png")).shape == (3 * tile, 4 * tile, 3)
    assert cv2.imread(str(out / "samples.png")).shape == (2 * tile, 8 * tile, 3)
    assert cv2.imread(str(out / "latent_map.png")).std() > 0


def test_the_same_seed_draws_the_same(made, vae, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        options = ["--steps", 2, "--seed", seed, "--out", tmp_path / name]
        call(latent_space.main, vae.config, vae.weights, "--data-root", made.data, *options)
    a, b, c = ((tmp_path / name / "samples.png").read_bytes() for name in "abc")
    assert a == b and a != c


def test_the_latent_vectors_are_posterior_means(made, vae):
    cfg = load_config(vae.config)
    set_data(cfg, made.data)
    model = init_model(cfg, vae.weights)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    means = posterior_means(model, dataset)
    assert means.shape == (4, 5)
    sample = dataset[2]
    batch = {
        "inputs": {key: value[None] for key, value in sample["inputs"].items()},
        "data_samples": [sample["data_samples"]],
    }
    with torch.no_grad():
        images = model.data_preprocessor(batch)["inputs"]
        expected = model.encode(images)["aux"]["mean"][0]
    assert torch.allclose(means[2], expected, atol=1e-5)


def test_principal_components_of_known_points():
    # variances 8 and 2 along (0, 1, 0) and (0.6, 0, 0.8)
    along = torch.tensor([[0.0, 1.0, 0.0], [0.6, 0.0, 0.8]])
    points = torch.tensor([[2.0, 0], [-2, 0], [0, 1], [0, -1]]) @ along + 7
    placed, shares = principal_components(points)
    assert torch.allclose(placed.abs(), torch.tensor([[2.0, 0], [2, 0], [0, 1], [0, 1]]), atol=1e-5)
    assert shares.tolist() == pytest.approx([0.8, 0.2], abs=1e-6)


def test_principal_components_where_there_is_but_one():
    placed, shares = principal_components(torch.tensor([[1.0], [3.0]]))
    assert placed.abs().tolist() == [[1, 0], [1, 0]] and shares.tolist() == [1, 0]
    placed, shares = principal_components(torch.ones(3, 4))
    assert not placed.any() and not shares.any()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--steps", "1"], "--steps 1: expected at least 2"),
        (["--pairs", "0"], "--pairs 0: expected at least 1"),
        (["--samples", "0"], "--samples 0: expected at least 1"),
        (["--views", "0"], "--views 0: expected at least 1"),
        (["--views", "4"], "3 renderings, 4 views asked for"),
        (["--data-root", "no/data"], "no/data: no such data folder"),
    ],
)
def test_options_that_do_not_fit(made, vae, tmp_path, capfd, option, message):
    options = ["--data-root", made.data, *option, "--out", tmp_path / "out"]
    assert message in refusal(capfd, latent_space.main, vae.config, vae.weights, *options)
    assert not (tmp_path / "out").exists()


def test_a_network_without_a_bottleneck(made, tmp_path, capfd):
    options = ["--data-root", made.data, "--out", tmp_path / "out"]
    message = refusal(capfd, latent_space.main, made.config, made.best, *options)
    assert message == f"{made.config}: no VAEBottleneck as feature_fusion, nothing to draw"


def test_one_object_is_too_few(vae, tmp_path, capfd):
    data = tmp_path / "data"
    make_r2n2(data, n=1, classes=("03001627",), views=1, grid=8)
    (data / "ShapeNetVox32").rename(data / "ShapeNetVox8")
    options = ["--data-root", data, "--out", tmp_path / "out"]
    message = refusal(capfd, latent_space.main, vae.config, vae.weights, *options)
    assert message == f"{data}: 1 object in split 'test', expected at least 2 to draw ways between"


def test_the_door_shows_help_with_an_example(monkeypatch, capsys):
    path = ROOT / "tools" / "analysis" / "latent_space.py"
    monkeypatch.setattr("sys.argv", [str(path), "--help"])
    with pytest.raises(SystemExit) as shown:
        runpy.run_path(str(path), run_name="__main__")
    assert shown.value.code == 0
    example = "example:\n  python tools/analysis/latent_space.py projects/pix2voxpp_vae/"
    assert example in capsys.readouterr().out
