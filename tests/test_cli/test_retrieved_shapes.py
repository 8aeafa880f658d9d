# SPDX-License-Identifier: MIT
"""What the tool prints and draws is what the memory holds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from commands import call, refusal
from r2n2 import draw_view, make_grid
from shrink import ROOT, shrink

from voxrecon.apis import init_model
from voxrecon.cli import retrieved_shapes
from voxrecon.engine.checkpoint import write_model
from voxrecon.engine.config import load_config


@pytest.fixture
def image(tmp_path):
    """A rendering of 137 x 137 pixels, its background transparent."""
    path = tmp_path / "view.png"
    cv2.imwrite(str(path), cv2.cvtColor(draw_view(make_grid(0), 1), cv2.COLOR_RGBA2BGRA))
    return path


def network(folder, **changes):
    """A small Mem3D in a config file, and the network of it."""
    cfg = load_config(ROOT / "projects" / "mem3d" / "configs" / "mem3d.py")
    cfg.model.feature_fusion.update(changes)
    cfg.model = shrink(cfg.model.to_dict())
    cfg.custom_imports = dict(imports=["shrink"])
    path = folder / "small.py"
    cfg.dump(path)
    torch.manual_seed(0)
    model = init_model(path)
    model.init_weights()
    return path, cfg, model


def remember(folder, image, beta: float):
    """A network whose memory holds three shapes: one for the view itself, one for another image,
    one for the opposite of the view.
    """
    config, cfg, model = network(folder, beta=beta)
    view = torch.from_numpy(retrieved_shapes.read_view(str(image), cfg))[None, None]
    images = model.data_preprocessor({"inputs": {"images": view}})["inputs"]
    with torch.no_grad():
        features = model.extract_features(torch.cat([images, -images]))[0].flatten(1)
    queries = torch.nn.functional.normalize(torch.cat([features, -features[:1]]))
    grids = torch.stack([torch.from_numpy(make_grid(key)) for key in (0, 1, 2)])
    grids[1, :16] = True  # other shapes, by the published similarity too
    grids[2, 16:] = True
    model.feature_fusion.memory.write(queries, grids.flatten(1))
    write_model(model, {}, folder / "a.safetensors")
    similarity = float(queries[0] @ queries[1])
    return config, folder / "a.safetensors", similarity, grids


def test_shapes_in_order_with_their_similarities(tmp_path, image, capsys):
    config, weights, similarity, grids = remember(tmp_path, image, beta=0.0)
    assert 0.1 < similarity < 0.999
    out = tmp_path / "out.png"
    call(retrieved_shapes.main, config, weights, image, "--out", out)
    text = capsys.readouterr().out
    rows = [line.split() for line in text.splitlines() if line.split()[:1] in (["1"], ["2"])]
    assert rows == [
        ["1", "0", "1.0000", "2", str(int(grids[0].sum()))],
        ["2", "1", f"{similarity:.4f}", "1", str(int(grids[1].sum()))],
    ]
    assert "3 of 12 slots are filled" in text and f"picture: {out}" in text
    assert cv2.imread(str(out)).shape == (2 * (224 + 28), 2 * 224 + 3 * 7, 3)


def test_nothing_retrieved_is_said(tmp_path, image, capsys):
    config, weights, *_ = remember(tmp_path, image, beta=1.0)
    call(retrieved_shapes.main, config, weights, image, "--out", tmp_path / "out.png")
    text = capsys.readouterr().out
    assert "nothing is retrieved: no key is more similar than beta = 1\n" in text
    assert cv2.imread(str(tmp_path / "out.png")).shape[0] == 224 + 28


def test_many_shapes_take_several_rows():
    image, volume = np.zeros((20, 20, 4), np.uint8), np.zeros((4, 4, 4))
    picture = retrieved_shapes.draw(image, volume, np.ones((7, 4, 4, 4)), [0.9] * 7)
    assert picture.shape == (3 * 252, 6 * 224 + 7 * 7, 3) and picture.dtype == np.uint8


@pytest.mark.parametrize(("height", "width", "side"), [(137, 137, 128), (200, 90, 90)])
def test_a_view_is_the_middle_of_a_picture(tmp_path, height, width, side):
    cfg = load_config(ROOT / "projects" / "mem3d" / "configs" / "mem3d.py")
    picture = np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    top, left = (height - side) // 2, (width - side) // 2
    view = retrieved_shapes.read_view(str(tmp_path / "a.png"), cfg)
    assert np.array_equal(view[..., 2::-1], picture[top : top + side, left : left + side])


def test_refusals(tmp_path, image, capfd):
    config, _, model = network(tmp_path, slots=0)
    write_model(model, {}, tmp_path / "a.safetensors")
    given = [config, tmp_path / "a.safetensors"]
    out = ["--out", tmp_path / "out.png"]
    assert refusal(capfd, retrieved_shapes.main, *given, image, *out) == (
        f"{config}: has no memory, expected feature_fusion to be a MemoryBankFusion with slots"
    )
    message = refusal(capfd, retrieved_shapes.main, *given, tmp_path / "no.png", *out)
    assert message == f"{tmp_path / 'no.png'}: no such picture"
    message = refusal(capfd, retrieved_shapes.main, *given, config, *out)
    assert message.startswith(f"{config}: starts with ")
    message = refusal(capfd, retrieved_shapes.main, *given, image, "--out", tmp_path / "out.jpg")
    assert message == f"--out {tmp_path / 'out.jpg'}: expected the name of a .png file"
    assert not (tmp_path / "out.png").exists()
