# SPDX-License-Identifier: MIT
"""What a wheel holds, and that its configs are found from any folder."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from mmengine.utils import get_installed_path, is_installed

import voxrecon

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = Path(voxrecon.__file__).parent
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def test_mmengine_finds_the_package():
    assert is_installed("voxrecon")
    assert Path(get_installed_path("voxrecon")).samefile(PACKAGE)


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for path in PACKAGE.rglob("*.py") if ".mim" not in path.parts}
    assert [str(f) for f in sorted(folders) if not (f / "__init__.py").is_file()] == []


@pytest.mark.slow
def test_wheel_brings_configs_and_data(tmp_path):
    source = tmp_path / "source"  # building leaves files behind
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(REPOSITORY / name, source)
    for name in ("voxrecon", "configs", "projects"):
        if (REPOSITORY / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / name, source / name, symlinks=True, ignore=ignore)
    paper = source / "projects" / "toy" / "configs"
    paper.mkdir(parents=True)
    (paper / "toy.py").write_text("_base_ = '../../../configs/pix2voxpp_a.py'\ntoy = 7\n")

    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    flags = ["--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*PIP, "wheel", *flags, "-w", str(tmp_path), str(source)], check=True)
    (wheel,) = tmp_path.glob("voxrecon-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    data = [path for kind in ("*.html", "*.yaml") for path in PACKAGE.rglob(kind)]
    data = {
        path.relative_to(PACKAGE.parent).as_posix() for path in data if ".mim" not in path.parts
    }
    assert len(data) > 10 and data <= names
    shutil.rmtree(source)
    subprocess.run([*PIP, "install", *flags, "--target", str(site), str(wheel)], check=True)
    elsewhere.mkdir()
    (elsewhere / "a.py").write_text("_base_ = 'voxrecon::configs/pix2voxpp_a.py'\n")
    (elsewhere / "b.py").write_text("_base_ = ['voxrecon::projects/toy/configs/toy.py']\n")
    code = (
        "import voxrecon; from voxrecon.engine.config import load_config\n"
        "print(voxrecon.__file__)\n"
        "for name in ('a.py', 'b.py', 'voxrecon::projects/toy/configs/toy.py'):\n"
        "    cfg = load_config(name); print(cfg.model.decoder.seed, cfg.get('toy'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [
        f"{site}/voxrecon/__init__.py",
        "(1568, 2, 2, 2) None",
        "(1568, 2, 2, 2) 7",
        "(1568, 2, 2, 2) 7",
    ], done.stderr
