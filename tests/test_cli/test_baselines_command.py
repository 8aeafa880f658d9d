# SPDX-License-Identifier: MIT
"""The command; the figures themselves are tested in tests/test_evaluation/test_baselines.py."""

from __future__ import annotations

import json
import os

import pytest
from commands import call, refusal

from voxrecon.cli import baselines

DATA = os.environ.get("VOXRECON_TEST_DATA")


def test_a_test_set_that_is_the_training_set_is_its_own_oracle(made, tmp_path, capsys):
    out = tmp_path / "b.json"
    call(baselines.main, made.data, "--resolution", 8, "--out", out)
    text = capsys.readouterr().out
    figures = json.loads(out.read_text())
    assert list(figures) == ["mean grid", "class mean", "oracle"]
    assert set(figures["oracle"].values()) == {1.0} and len(figures["oracle"]) == 4
    header, overall = text.split("Voxel IoU")[1].split("overall")
    assert "oracle" in header and "1.0000" in overall


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resolution", "16"], "ShapeNetVox16: no such data folder"),
        (["--resolution", "0"], "--resolution 0: expected 1 to 512"),
        (["--resolution", "8", "--taxonomy", "no.json"], "no.json: no taxonomy file"),
    ],
)
def test_what_does_not_fit_is_refused(made, capfd, options, message):
    assert message in refusal(capfd, baselines.main, made.data, *options)


def test_grids_that_do_not_fit_into_memory_are_refused(made, capfd, monkeypatch):
    monkeypatch.setattr(baselines, "MAX_BYTES", 2047)
    message = refusal(capfd, baselines.main, made.data, "--resolution", 8)
    assert message.endswith("grids of 0 GiB, expected at most 0 for baselines")


@pytest.mark.skipif(not DATA, reason="needs VOXRECON_TEST_DATA")
def test_the_leaks_of_the_split_of_pix2vox():
    taxonomy = f"{DATA}/taxonomies/ShapeNet.json"
    with open(taxonomy) as file:
        classes = json.load(file)
    samples = [{"taxonomy": c["taxonomy_id"], "id": i} for c in classes for i in c["test"]]
    train = {"type": "R2N2Dataset", "data_root": "nowhere", "taxonomy": taxonomy}
    leaks = baselines.find_leaks(train, samples)
    assert len(samples) == 8770 and len(leaks) == 53
    assert leaks["02828884/702cebffa33a19f019f079d1b712f46f"] == ["chair", "table"]
    chairs = {**train, "classes": ["chair"]}  # of a network that has seen chairs alone
    few = baselines.find_leaks(chairs, samples)
    assert 0 < len(few) < 53 and {name for names in few.values() for name in names} == {"chair"}
