# SPDX-License-Identifier: MIT
"""The table of networks, from a zoo of three."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import call, refusal

import voxrecon.apis
from voxrecon.cli import list_models

ZOO = {
    name: SimpleNamespace(
        name=name, collection=collection, parameters=n, config=f"configs/{name}.py", folder=folder
    )
    for name, collection, n, folder in (
        ("pix2vox_a", "Pix2Vox", 114_236_513, None),
        ("pix2voxpp_f", "Pix2Vox++", 5_000_000, None),
        ("pix2voxpp_f_shapes13", "Pix2Vox++", 5_123_456, Path("/models/f")),
    )
}


@pytest.fixture(autouse=True)
def zoo(monkeypatch):
    made = SimpleNamespace(list_models=lambda: list(ZOO), find_model=ZOO.__getitem__)
    monkeypatch.setattr(voxrecon.apis, "model_zoo", made, raising=False)


def test_the_table(capsys):
    call(list_models.main)
    text = capsys.readouterr().out
    rows = [line.split() for line in text.splitlines() if line.startswith("  pix")]
    assert rows == [
        ["pix2vox_a", "Pix2Vox", "114.24", "M", "-"],
        ["pix2voxpp_f", "Pix2Vox++", "5.00", "M", "-"],
        ["pix2voxpp_f_shapes13", "Pix2Vox++", "5.12", "M", "with", "voxrecon"],
    ]
    assert text.splitlines()[-1] == (
        "next: voxrecon infer photo1.jpg photo2.jpg --model pix2voxpp_f_shapes13 -o object.glb"
    )


def test_without_weights_the_next_is_to_train(capsys):
    call(list_models.main, "vox_a")
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "next: voxrecon train configs/pix2vox_a.py --data-root DIR"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("pp", ["pix2voxpp_f", "pix2voxpp_f_shapes13"]),
        ("*_f", ["pix2voxpp_f"]),
        ("pix2vox?_f", []),
        ("pix2vox_[ab]", ["pix2vox_a"]),
        ("", list(ZOO)),
    ],
)
def test_patterns(pattern, names, capfd):
    if names:
        assert list_models.select(list(ZOO), pattern) == names
    else:
        message = refusal(capfd, list_models.main, pattern)
        assert message == "PATTERN pix2vox?_f: no such model, the nearest is pix2voxpp_f"


def test_json(capsys):
    call(list_models.main, "shapes13", "--json")
    assert json.loads(capsys.readouterr().out) == [
        {
            "name": "pix2voxpp_f_shapes13",
            "collection": "Pix2Vox++",
            "parameters": 5_123_456,
            "weights": True,
            "config": "configs/pix2voxpp_f_shapes13.py",
        }
    ]
