# SPDX-License-Identifier: MIT
"""``voxrecon export``: from a checkpoint, a name or a folder to a folder that others read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from commands import call, refusal, tiny_config
from results_files import make_results
from shrink import SIZE

from voxrecon.apis import init_model, model_zoo
from voxrecon.apis.backends import open_backend
from voxrecon.apis.model_folder import read_model_folder
from voxrecon.cli.export import main
from voxrecon.engine.checkpoint import hash_file, write_checkpoint
from voxrecon.engine.config import load_config
from voxrecon.evaluation.results_file import write_results


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, Path]:
    """A config and a checkpoint of it."""
    folder = tmp_path_factory.mktemp("trained")
    config = tiny_config(folder)
    torch.manual_seed(0)
    model = init_model(config)
    model.init_weights()
    meta = {"network": model.network, "grid_size": model.grid_size}
    write_checkpoint({"meta": meta, "state_dict": model.state_dict()}, folder / "best.pth")
    return config, folder / "best.pth"


def volume(model) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        return model(torch.rand(1, 2, 3, SIZE, SIZE, generator=generator))


def test_a_checkpoint_becomes_a_folder(trained, tmp_path, capsys):
    config, checkpoint = trained
    out = tmp_path / "chairs"
    call(main, config, "--weights", checkpoint, "-o", out)
    model = read_model_folder(out)
    assert torch.equal(volume(model), volume(init_model(config, checkpoint)))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        f"{out}/model.safetensors: 0.1 MB, float32; volumes differ from those of the source by at "
        "most 0"
    )
    assert lines[1] == f"next: voxrecon infer PHOTO.jpg --model {out} -o object.glb"
    described = json.loads((out / "config.json").read_text())
    assert described["model"]["decoder"]["channels"] == [4, 2]
    card = (out / "README.md").read_text()
    front, body = card.removeprefix("---\n").split("\n---\n", 1)
    assert front.startswith("license: mit\nlibrary_name: voxrecon\n")
    assert body.startswith("\n# chairs\n") and 'VoxelInferencer("chairs")' in body
    assert 'VoxelInferencer.from_pretrained("user/chairs")' in body
    count = sum(parameter.numel() for parameter in model.parameters())
    assert f"| parameters | {count:,} |" in body and "8 x 8 x 8" in body
    assert "64 x 64 pixels, BGR; background grey 240" in body


def test_the_card_has_the_figures_of_a_test(trained, tmp_path):
    config, checkpoint = trained
    results = make_results(samples=13, views=(1, 3), classes={"03001627": "cha|ir"})
    results["run"]["checkpoint_sha256"] = hash_file(checkpoint)
    write_results(tmp_path / "results.json", results)
    given = (config, "--weights", checkpoint, "-o", tmp_path / "out", "--half")
    call(main, *given, "--results", tmp_path / "results.json")
    card = (tmp_path / "out" / "README.md").read_text()
    figures = card.split("## Figures")[1].split("## Limits")[0]
    assert r"| cha\|ir" in figures and "1 view" in figures and "mean grid" in figures
    figure = results["summary"]["1"]["overall"][results["thresholds"].index(0.3)]
    assert f"{figure:.3f}" in figures
    exact, half = (
        volume(model)
        for model in (init_model(config, checkpoint), read_model_folder(out_of(given)))
    )
    assert 0 < (exact - half).abs().max() < 0.01


def out_of(given) -> Path:
    return given[given.index("-o") + 1]


def test_results_of_another_checkpoint_are_refused(trained, tmp_path, capfd):
    config, checkpoint = trained
    write_results(tmp_path / "results.json", make_results(samples=13))
    results = tmp_path / "results.json"
    message = refusal(
        capfd,
        main,
        *(config, "--weights", checkpoint, "-o", tmp_path / "out", "--results", results),
    )
    assert message == (
        f"--results {results}: of a checkpoint with sha256 0123456789ab, expected "
        f"{hash_file(checkpoint)[:12]} of {checkpoint}"
    )
    assert not (tmp_path / "out").exists()


def test_onnx_is_put_into_a_folder_that_stays(trained, tmp_path, capsys):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    config, checkpoint = trained
    out = tmp_path / "chairs"
    call(main, config, "--weights", checkpoint, "-o", out, "--half")
    (out / "README.md").write_text("# My own card\n")
    before = hash_file(out / "model.safetensors")
    capsys.readouterr()
    call(main, out, "--format", "onnx", "-o", out)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{out}/model.onnx: 0.")
    assert " MB, differs from torch by at most " in lines[0]
    assert lines[1].endswith(f"infer PHOTO.jpg --model {out} --backend onnx -o object.glb")
    assert hash_file(out / "model.safetensors") == before
    model = read_model_folder(out)
    images = torch.rand(1, 3, 3, SIZE, SIZE)
    found = open_backend("onnx", model, out).run(images)["volume"]
    with torch.inference_mode():
        assert torch.allclose(found, model(images), atol=1e-5)
    # a copy brings the card, not what was exported
    call(main, out, "-o", tmp_path / "copy")
    assert (tmp_path / "copy" / "README.md").read_text() == "# My own card\n"
    assert not (tmp_path / "copy" / "model.onnx").exists()


def test_figures_alone_are_put_into_a_folder_that_stays(trained, tmp_path, capsys):
    config, checkpoint = trained
    out = tmp_path / "chairs"
    call(main, config, "--weights", checkpoint, "-o", out, "--half")
    exported = ("model.onnx", "openvino.xml", "openvino.bin")
    for name in exported:
        (out / name).write_text("exported")
    kept = {name: hash_file(out / name) for name in ("model.safetensors", "config.json", *exported)}
    write_results(tmp_path / "results.json", make_results(samples=13, views=(1, 3)))
    capsys.readouterr()
    call(main, out, "-o", out, "--results", tmp_path / "results.json")
    assert {name: hash_file(out / name) for name in kept} == kept
    card = (out / "README.md").read_text()
    assert card.startswith("---\n") and "\n# chairs\n" in card and "mean grid" in card
    assert capsys.readouterr().out.splitlines()[0] == (
        f"{out}/README.md: with the figures of {tmp_path}/results.json"
    )
    assert sorted(path.name for path in out.iterdir()) == sorted([*kept, "README.md"])


def test_a_name_with_weights(trained, tmp_path, monkeypatch):
    config, checkpoint = trained
    known = model_zoo.ZooModel("tiny", "None", str(config), 1, None)
    monkeypatch.setattr(model_zoo, "find_model", {"tiny": known}.__getitem__)
    call(main, "tiny", "--weights", checkpoint, "-o", tmp_path / "first")
    shipped = model_zoo.ZooModel("tiny", "None", str(config), 1, tmp_path / "first")
    monkeypatch.setattr(model_zoo, "find_model", {"tiny": shipped}.__getitem__)
    call(main, "tiny", "-o", tmp_path / "second")
    files = ("model.safetensors", "config.json", "README.md")
    first, second = (
        [hash_file(tmp_path / folder / name) for name in files] for folder in ("first", "second")
    )
    assert first == second


def test_refusals(trained, tmp_path, capfd):
    config, checkpoint = trained
    out = ("-o", tmp_path / "out")
    message = refusal(capfd, main, config, *out)
    assert message == f"{config}: has no weights, expected --weights CKPT"
    assert refusal(capfd, main, "pix2voxpp_fi", *out) == (
        "pix2voxpp_fi: no such model; did you mean pix2voxpp_f?"
    )
    assert refusal(capfd, main, "pix2voxpp_f", *out) == (
        "pix2voxpp_f: has no weights, expected --weights CKPT"
    )
    message = refusal(capfd, main, config, "--weights", tmp_path / "no.pth", *out)
    assert message == f"{tmp_path}/no.pth: no such checkpoint"
    message = refusal(capfd, main, tmp_path, *out)
    assert message == f"{tmp_path}: has no file config.json, expected a model folder"
    assert not (tmp_path / "out").exists()
    call(main, config, "--weights", checkpoint, *out)
    message = refusal(capfd, main, tmp_path / "out", "--weights", checkpoint, *out)
    assert message == f"--weights {checkpoint}: the folder {tmp_path}/out has its own"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    message = refusal(capfd, main, tmp_path / "out", "-o", tmp_path / "full")
    assert message == f"{tmp_path}/full: holds other files, expected a new folder or a model's"


def test_a_memory_is_refused_before_anything_is_written(tmp_path, capfd):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    from shrink import ROOT, shrink

    cfg = load_config(ROOT / "projects/mem3d/configs/mem3d.py")
    cfg.model = shrink(cfg.model.to_dict())
    cfg.custom_imports = dict(imports=["shrink"])
    cfg.dump(tmp_path / "mem3d.py")
    model = init_model(tmp_path / "mem3d.py")
    write_checkpoint({"state_dict": model.state_dict()}, tmp_path / "a.pth")
    given = (tmp_path / "mem3d.py", "--weights", tmp_path / "a.pth", "-o", tmp_path / "out")
    message = refusal(capfd, main, *given, "--format", "onnx")
    assert message.endswith("expected a network without (slots=0)")
    assert not (tmp_path / "out").exists()
