# SPDX-License-Identifier: MIT
"""Links of README and docs lead somewhere, and the site is built without a warning."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from shrink import CONFIGS, ROOT

from voxrecon.cli.commands import COMMANDS

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += sorted((ROOT / "projects").rglob("README.md"))
FENCE = re.compile(r"^```.*?^```", re.M | re.S)
OF_OTHER_HOSTS = re.compile(
    r"""<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=["'](?:https?:)?//[^>]*>|@import[^;]*//"""
    r"""|url\(["']?(?:https?:)?//"""
)


def anchors(page: Path) -> set[str]:
    """Those of the headings, as repository hosts and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.M)
    plain = (re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def dead_links(page: Path) -> list[str]:
    """Targets in a page that are not there: files, folders, headings."""
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text())):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if ":" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert dead_links(page) == []


def test_dead_links_are_found(tmp_path):
    (tmp_path / "a.md").write_text("# It's `a` page: 1, 2\n\n[x](#its-a-page-1-2)\n")
    page = tmp_path / "b.md"
    page.write_text(
        "[1](a.md) [2](a.md#its-a-page-1-2) [3](a.md#b) [4](c.md) [5](#b) [6](https://x.org/y)\n"
        "```text\n[7](d.md)\n# b\n```\n"
    )
    assert dead_links(tmp_path / "a.md") == []
    assert dead_links(page) == ["a.md#b", "c.md", "#b"]


def test_every_project_has_a_page():
    """The site's page of a project is its README."""
    for readme in (ROOT / "projects").glob("*/README.md"):
        page = ROOT / "docs" / "projects" / f"{readme.parent.name}.md"
        assert (
            page.read_text()
            == f"<!-- generated: readme projects/{readme.parent.name}/README.md -->\n"
        )


def test_messages_of_the_troubleshooting_page_are_ours():
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    questions = re.findall(r"^\*\*(.+?)\*\*", page, re.M)
    quoted = [text for question in questions for text in re.findall("`(.+?)`", question)]
    foreign = ("libGL", "libgthread", "tools/", ".obj", ".mat", ".binvox")
    ours = [text for text in quoted if not any(part in text for part in foreign)]
    code = "".join(path.read_text() for path in (ROOT / "voxrecon").rglob("*.py"))
    assert len(ours) >= 10 and [text for text in ours if text not in code] == []


@pytest.fixture
def extension(monkeypatch):
    """The modules that make pages of the site."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "_ext")


def test_page_of_all_configs(extension):
    from models_page import METHODS, models_page

    page = models_page(ROOT)
    sections = dict(re.findall(r"^### (\w+)$(.*?)(?=^##|\Z)", page, re.M | re.S))
    assert set(sections) == {Path(c).stem for c in CONFIGS}
    assert {name for name, text in sections.items() if "| IoU |" in text} == set(METHODS)
    text = sections["pix2vox_a"]
    assert "\n\nPix2Vox-A (Xie et al., ICCV 2019): 114,244,467 parameters. Table row: " in text
    assert "\n`configs/pix2vox_a.py`, 114,244,467 parameters, comes without weights.\n" in text
    assert "\n| ShapeNet, test | 0.661 (1 view), 0.686 (2), " in text
    assert (
        "\n| ShapeNet, test | 0.6552 / 0.6607 / 0.6608 / 0.6503 | 0.2 / 0.3 / 0.4 / 0.5 "
        "| Pix2Vox, released weights |\n"
    ) in text
    assert '\n_base_ = ["pix2vox_f.py"]\n' in text
    assert (
        "| [`pix2voxpp_f_shapes13`](#pix2voxpp_f_shapes13) | Pix2Vox++ | 4,843,245 | shipped |"
        in (page)
    )


def test_page_of_all_commands(extension):
    from commands_page import commands_page

    page = commands_page()
    sections = dict(re.findall(r"^### voxrecon ([^\n]+)$(.*?)(?=^##|\Z)", page, re.M | re.S))
    assert list(sections) == list(COMMANDS)
    train = sections["train"]
    assert "\nIn a clone also `python tools/train.py`.\n" in train
    assert "```text\nvoxrecon train [-h]" in train
    assert train.index("| `config` |") < train.index("| `--data-root DIR` |")
    assert "\n| `--resume [CKPT]` | go on from the newest readable checkpoint" in train
    assert "```bash\nvoxrecon train configs/pix2voxpp_f.py --data-root data/ShapeNet" in train
    assert r"(default: work_dirs/\<name of the config>)" in train


def test_links_of_a_clone_in_the_site(extension):
    from repository_links import mend_links

    def mend(text, source="docs/a.md", page="docs/a.md"):
        return mend_links(text, ROOT / source, ROOT / page, ROOT)

    for text in ("[x](meshes.md)", "![x](images/shapes13.png)", "[x](#y)", "[x](https://a.b/c)"):
        assert mend(text) == text
    assert mend("[x](../configs/pix2vox_a.py)") == "[x](/models.md#pix2vox_a)"
    assert mend("[x](../configs/_base_/small.py)") == "x (`configs/_base_/small.py`)"
    assert mend("[`small.py`](../configs/_base_/small.py)") == "`small.py`"
    assert mend("[x](../voxrecon/geometry/grid.py)") == "[x](#voxrecon.geometry.grid)"
    assert mend("[x](../projects)") == "[x](projects/index.md)"
    assert mend("[x](../projects/mem3d)") == "[x](projects/mem3d.md)"
    fenced = "```text\n[x](../configs/pix2vox_a.py)\n```"
    assert mend(fenced) == fenced
    readme = ("projects/mem3d/README.md", "docs/projects/mem3d.md")
    assert mend("[x](../../docs/a.md#b)", *readme) == "[x](../a.md#b)"
    assert mend("[x](configs/mem3d.py)", *readme) == "[x](/models.md#mem3d)"
    assert mend("[x](nowhere.md)") == "[x](nowhere.md)"


def build(root: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    return subprocess.run([*command, "docs", "site"], cwd=root, capture_output=True, text=True)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A repository of links, whose docs may be changed, with the site of its docs."""
    for package in ("sphinx", "myst_parser", "furo", "sphinx_copybutton"):
        pytest.importorskip(package)
    root = tmp_path_factory.mktemp("repository")
    for name in ("configs", "projects", "voxrecon", "README.md"):
        (root / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "docs", root / "docs", ignore=shutil.ignore_patterns("_build"))
    done = build(root)
    assert (done.returncode, done.stderr) == (0, "")
    return root


@pytest.mark.slow
def test_pages_of_the_site(root):
    site = root / "site"
    for page in (root / "docs").rglob("*.md"):
        assert (site / page.relative_to(root / "docs").with_suffix(".html")).is_file()
    apis = (site / "api" / "apis.html").read_text()
    assert 'id="voxrecon.apis.VoxelInferencer"' in apis and "Photos in, voxels and meshes" in apis


@pytest.mark.slow
def test_the_site_needs_no_other_host(root):
    for path in (root / "site").rglob("*"):
        if path.suffix in (".html", ".css"):
            assert not OF_OTHER_HOSTS.search(path.read_text()), path


@pytest.mark.slow
def test_links_within_the_site_lead_somewhere(root):
    pages = {path: path.read_text() for path in (root / "site").rglob("*.html")}
    ids = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in pages.items()}
    for path, text in pages.items():
        for link in re.findall(r'<a\b[^>]*?href="([^":]*)"', text):
            target, _, anchor = link.partition("#")
            target = (path.parent / target).resolve() if target else path
            assert target.exists(), f"{path.name}: {link}"
            if anchor and target in ids:
                assert anchor in ids[target], f"{path.name}: {link}"


@pytest.mark.slow
def test_broken_links_fail_the_build(root):
    links = {
        "[x](nowhere.md)": "nowhere.md",
        "[x](training.md#nothing)": "nothing",
        "[x](../voxrecon/missing.py)": "missing.py",
        "![x](images/no_picture.png)": "no_picture.png",
    }
    page = root / "docs" / "plugins.md"
    page.write_text("\n\n".join([page.read_text(), *links]))
    done = build(root)
    assert done.returncode == 1
    complaints = done.stderr.splitlines()
    assert all("plugins.md" in line for line in complaints)
    for complaint in links.values():
        assert any(complaint in line for line in complaints), done.stderr
