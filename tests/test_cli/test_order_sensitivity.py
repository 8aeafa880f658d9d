# SPDX-License-Identifier: MIT
from __future__ import annotations

import re

import pytest
import torch
from commands import call, refusal

from voxrecon.cli import order_sensitivity


def test_a_set_has_no_order(made, capsys):
    """Pix2Vox++ fuses a set: not a voxel of it depends on the order."""
    options = ["--data-root", made.data, "--views", 3, "--orders", 4]
    call(order_sensitivity.main, made.config, made.best, *options)
    text = capsys.readouterr().out
    assert "4 objects, 3 views in 4 orders" in text
    (spread,) = re.findall(r"best minus worst order +(\S+) +(\S+)", text)
    assert spread == ("0.0000", "0.0000")


def test_a_sequence_has_one(made, monkeypatch, capsys):
    """A network that fills the grid if the last view is the darkest one."""

    class Last:
        def __init__(self, model):
            self.data_preprocessor = model.data_preprocessor

        def __call__(self, images):
            darkness = -images.flatten(2).mean(2)  # (B, V)
            full = darkness[:, -1] == darkness.amax(dim=1)
            return full.float()[:, None, None, None].expand(-1, 8, 8, 8)

    build = order_sensitivity.init_model
    monkeypatch.setattr(order_sensitivity, "init_model", lambda *args: Last(build(*args)))
    options = ["--data-root", made.data, "--views", 3, "--orders", 6]
    call(order_sensitivity.main, made.config, made.best, *options)
    text = capsys.readouterr().out
    (spread,) = re.findall(r"best minus worst order +(\S+) +(\S+)", text)
    (score,) = re.findall(r"IoU of an object +(\S+) +(\S+)", text)
    # of all six orders two end with the darkest view
    assert spread[1] == score[1] and float(score[1]) > 0
    assert float(score[0]) == pytest.approx(float(spread[0]) / 3, abs=1e-4)


def test_figures_by_hand():
    table = order_sensitivity._table(torch.tensor([[0.2, 0.4], [0.5, 0.5]]), 2)
    mean, largest = (list(table.columns[i].cells) for i in (1, 2))
    assert mean == ["0.4000", "0.0707", "0.1000"]  # deviations 0.1414 and 0
    assert largest == ["0.5000", "0.1414", "0.2000"]


def test_more_orders_than_there_are(made, capfd):
    options = ["--views", 3, "--orders", 7]
    message = refusal(capfd, order_sensitivity.main, made.config, made.best, *options)
    assert message == "--orders 7: 3 views have 6 orders"


@pytest.mark.parametrize("option", ["--views", "--orders"])
def test_one_has_no_order(made, capfd, option):
    message = refusal(capfd, order_sensitivity.main, made.config, made.best, option, 1)
    assert message == f"{option} 1: expected at least 2"
