# SPDX-License-Identifier: MIT
"""Pictures and meshes of ``tools/test.py --show-dir``."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import torch
import trimesh
from commands import call, refusal

from voxrecon.cli import test
from voxrecon.engine.hooks import reconstruction
from voxrecon.models import VoxelReconstructor
from voxrecon.structures import VoxelDataSample

CHAIR, AEROPLANE = "03001627", "02691156"


@pytest.fixture
def occupied(monkeypatch):
    """The tiny network predicts whatever is in this list's only entry."""
    volume = [torch.ones(8, 8, 8)]

    def fuse(self, state, n=None, targets=None):
        count = len(state["coarse"])
        return {"volume": volume[0].expand(count, -1, -1, -1), "aux": {}}

    monkeypatch.setattr(VoxelReconstructor, "fuse", fuse)
    return volume


def show(made, tmp_path, *options) -> list[str]:
    folder = tmp_path / "show"
    common = ["--data-root", made.data, "--work-dir", tmp_path / "work", "--show-dir", folder]
    call(test.main, made.config, made.best, *common, *options)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))


def test_every_object_has_a_picture_and_a_mesh(made, tmp_path, occupied, capsys):
    occupied[0] = torch.zeros(8, 8, 8)
    occupied[0][4:, :, :2] = 0.3  # just occupied
    names = show(made, tmp_path, "--views", "1", "2")
    stems = {name.rpartition(".")[0] for name in names}
    assert len(names) == 2 * len(stems) and {s[-3:] for s in stems} == {"_1v", "_2v"}
    mesh = trimesh.load_mesh(tmp_path / "show" / next(n for n in names if n.endswith(".glb")))
    assert mesh.bounds.round(6).tolist() == [[0, -0.5, -0.5], [0.5, 0.5, -0.25]]
    picture = cv2.imread(str(tmp_path / "show" / next(n for n in names if n.endswith(".png"))))
    assert picture.shape[0] > 200 and picture.std() > 5
    assert f"pictures and meshes: {tmp_path / 'show'}" in capsys.readouterr().out


def test_so_many_of_each_class(made, tmp_path, occupied):
    names = show(made, tmp_path, "--show-per-class", "1")
    classes = [str(Path(name).parent) for name in names]
    assert len(classes) == 2 * len(set(classes))  # one picture and one mesh


def test_an_empty_prediction_has_a_picture_only(made, tmp_path, occupied):
    occupied[0] = torch.zeros(8, 8, 8)
    names = show(made, tmp_path, "--show-per-class", "1")
    assert names and all(name.endswith(".png") for name in names)


def test_it_needs_a_folder(made, capfd):
    message = refusal(capfd, test.main, made.config, made.best, "--show-per-class", 1)
    assert message == "--show-per-class: nothing is shown without --show-dir"


def test_fewer_than_one_is_refused(made, capfd):
    options = ["--show-dir", "x", "--show-per-class", 0]
    message = refusal(capfd, test.main, made.config, made.best, *options)
    assert message == "--show-per-class 0: expected at least 1"


def test_sorted_views_are_shown_as_they_were_selected(monkeypatch):
    """The picture of n views has those that were selected first, in the order of the sequence."""
    shown = []
    monkeypatch.setattr(reconstruction, "draw_reconstruction", lambda rgb, *_: shown.append(rgb))
    sample = VoxelDataSample(metainfo={"picks": [2, 0, 1]})
    sample.pred_volumes = {n: torch.zeros(8, 8, 8) for n in (1, 2, 3)}
    images = torch.full((3, 4, 4, 4), 255, dtype=torch.uint8)
    images[..., 0] = torch.arange(3)[:, None, None]
    reconstruction.ReconstructionHook().pictures(images, sample)
    assert [rgb[:, 0, 0, 0].tolist() for rgb in shown] == [[1], [1, 2], [0, 1, 2]]
