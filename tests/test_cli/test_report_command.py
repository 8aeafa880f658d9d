# SPDX-License-Identifier: MIT
"""A report of a file of results alone."""

from __future__ import annotations

import pytest
from commands import call, refusal
from results_files import make_results

from voxrecon.cli import report
from voxrecon.evaluation import headline_mean, write_results


@pytest.fixture
def path(tmp_path):
    write_results(tmp_path / "results.json", make_results(13, (1, 3)))
    return tmp_path / "results.json"


def test_page_and_table(path, capsys):
    call(report.main, path)
    page, table = path.with_name("report.html"), path.with_name("report.md")
    assert capsys.readouterr().out == f"report: {page} {table}\n"
    figure = f"{headline_mean(make_results(13, (1, 3)), 3):.3f}"
    assert figure in page.read_text() and figure in table.read_text()
    assert "<img" not in page.read_text()


def test_another_folder(path, tmp_path, capsys):
    call(report.main, path, "--out-dir", tmp_path / "new")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["report.html", "report.md"]
    assert not path.with_name("report.md").exists()


def test_what_is_no_results(path, capfd):
    path.write_text("[]")
    assert refusal(capfd, report.main, path) == f"{path}: [], expected results of voxrecon test"
    assert not path.with_name("report.md").exists()
