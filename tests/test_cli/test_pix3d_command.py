# SPDX-License-Identifier: MIT
import json

import numpy as np
import pytest
import torch
from commands import call, refusal, tiny_config
from photo_sets import PHOTOS, entry, make_pix3d, make_solid, write_voxels
from scipy.io import savemat
from shrink import ROOT

from voxrecon.apis import init_model
from voxrecon.cli import pix3d, test
from voxrecon.cli.grids import fit_grid
from voxrecon.datasets import Pix3DDataset
from voxrecon.engine.config import load_config
from voxrecon.errors import FileError
from voxrecon.evaluation import read_results
from voxrecon.geometry.binvox import read_binvox

ALONE = ("--workers", "1")  # a second process takes longer to start than all else


@pytest.fixture
def root(tmp_path):
    return make_pix3d(tmp_path / "Pix3D")


def grid(root, model):
    return root / "model" / model / "model.binvox"


@pytest.mark.parametrize("source", ["mesh", "mat"])
def test_grids_and_splits(root, source, capsys):
    call(pix3d.main, root, *ALONE, "--source", source)
    solid = make_solid()
    for model in ("chair/IKEA_A", "chair/IKEA_B", "table/IKEA_T"):
        assert (read_binvox(grid(root, model)).grid == solid).all()
    out = capsys.readouterr().out
    assert "chair: 3 whole photos of 2 models, not 2,894 as in the published list\n" in out
    assert "table: 1 whole photos of 1 models\n" in out
    assert f"configs/pix2voxpp_a_pix3d.py CKPT --data-root {root}\n" in out
    taxonomy = json.loads((root / "taxonomy.json").read_text())
    assert [c["taxonomy_id"] for c in taxonomy] == ["chair", "table"]
    # truncated, occluded and slightly occluded ones are left out
    assert (taxonomy[0]["train"], taxonomy[0]["test"]) == ([], ["0001", "0002", "0006"])
    dataset = Pix3DDataset(root, split="test", test_mode=True)
    assert len(dataset) == 4
    written = {path: path.stat().st_mtime_ns for path in root.rglob("*.binvox")}
    call(pix3d.main, root, *ALONE, "--source", source)
    assert "3 grids are there already" in capsys.readouterr().out
    assert written == {path: path.stat().st_mtime_ns for path in root.rglob("*.binvox")}
    assert not list(root.rglob("*.part"))


def test_the_published_count(root, monkeypatch, capsys):
    monkeypatch.setattr(pix3d, "BENCHMARK", {"chair": 3})
    call(pix3d.main, root, *ALONE, "--categories", "chair")
    out = capsys.readouterr().out
    assert "chair: 3 whole photos of 2 models, as in the published list\n" in out
    assert "table" not in out and not grid(root, "table/IKEA_T").exists()


@pytest.mark.slow
def test_workers_change_nothing(root, capsys):
    (root / "model" / "chair" / "IKEA_A" / "model.obj").write_text("no mesh")
    call(pix3d.main, root, "--workers", "2")
    assert "warning: 1 of 3 models have no grid: " in capsys.readouterr().out
    assert (read_binvox(grid(root, "table/IKEA_T")).grid == make_solid()).all()
    assert (read_binvox(grid(root, "chair/IKEA_B")).grid == make_solid()).all()


def test_sources_are_not_mixed(root, capfd):
    call(pix3d.main, root, *ALONE)
    text = refusal(capfd, pix3d.main, root, "--source", "mat")
    assert text.startswith(f"{root}/grids.json: the grids were made with --source 'mesh', expected")


def test_models_that_cannot_be_read(root, capsys):
    folder = root / "model" / "chair"
    (folder / "IKEA_A" / "model.obj").unlink()
    (folder / "IKEA_B" / "model.obj").write_text("no mesh")
    call(pix3d.main, root, *ALONE)
    out = capsys.readouterr().out
    assert "warning: 2 of 3 models have no grid: " in out
    assert "IKEA_A/model.obj: " in out and "IKEA_B/model.obj: " in out
    assert grid(root, "table/IKEA_T").exists() and not grid(root, "chair/IKEA_B").exists()


def test_official_voxels_that_cannot_be_read(root, capsys):
    folder = root / "model" / "chair"
    (folder / "IKEA_A" / "voxel.mat").write_bytes(b"MATLAB 5.0" + bytes(200))
    savemat(folder / "IKEA_B" / "voxel.mat", {"voxels": np.ones((4, 4, 4))})
    write_voxels(root / "model" / "table" / "IKEA_T" / "voxel.mat", times=1)
    call(pix3d.main, root, *ALONE, "--source", "mat")
    out = capsys.readouterr().out
    assert "warning: 2 of 3 models have no grid: " in out
    assert "IKEA_A/voxel.mat: not a MATLAB file" in out
    assert "IKEA_B/voxel.mat: 'voxel' is missing of shape ()" in out
    assert (read_binvox(grid(root, "table/IKEA_T")).grid == make_solid()).all()


def test_a_finer_grid_is_fitted():
    fine = np.zeros((96, 96, 96), bool)
    fine[16:80, 20:84:2, 40:45] = True  # 64 x 63 x 5 cells, of which two become one
    expected = np.zeros((32, 32, 32), bool)
    expected[:, :, 15:18] = True  # a plate with holes loses them
    assert (fit_grid(fine, "x") == expected).all()
    with pytest.raises(FileError, match="^x: 31 cells long, expected at least 32"):
        fit_grid(np.ones((31, 2, 2), bool), "x")
    with pytest.raises(FileError, match="^x: 0 cells long"):
        fit_grid(np.zeros((64, 64, 64), bool), "x")


def test_user_errors(root, tmp_path, capfd):
    assert refusal(capfd, pix3d.main, tmp_path).startswith(
        f"{tmp_path}/pix3d.json: no annotations of Pix3D"
    )
    text = refusal(capfd, pix3d.main, root, "--categories", "chairs")
    assert text == "--categories chairs: no such category, expected some of chair, table"
    (root / "pix3d.json").write_text(json.dumps([PHOTOS[2]]))
    assert "no whole object in chair" in refusal(capfd, pix3d.main, root)
    (root / "pix3d.json").write_text(json.dumps([entry("chair", "1", model="../../x")]))
    assert "id '..', expected a plain file name" in refusal(capfd, pix3d.main, root)


def test_tested_by_both_protocols(root, tmp_path, capsys):
    """The pix3d config on what the command made, with a network that takes no time."""
    call(pix3d.main, root, *ALONE)
    cfg = load_config(tiny_config(tmp_path))
    photos = load_config(ROOT / "configs" / "pix2voxpp_a_pix3d.py").test_dataloader
    cfg.test_dataloader = {**photos, "num_workers": 0}
    cfg.model.decoder.channels = [4, 2, 2, 2]
    cfg.dump(tmp_path / "photos.py")
    weights = tmp_path / "weights.pth"
    torch.save({"state_dict": init_model(cfg).state_dict(), "meta": {}}, weights)
    for kind in ("VoxelIoU", "Pix3DIoU"):
        out = tmp_path / f"{kind}.json"
        options = ["--cfg-options", f"test_evaluator.type={kind}", "--out", out]
        data = ["--data-root", root, "--work-dir", tmp_path / "work"]
        call(test.main, tmp_path / "photos.py", weights, *data, *options)
        results = read_results(out)
        assert [s["id"] for s in results["samples"]] == ["0001", "0002", "0006"]
        assert len(results["thresholds"]) == (1 if kind == "Pix3DIoU" else 4)
