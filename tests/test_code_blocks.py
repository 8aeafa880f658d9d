# SPDX-License-Identifier: MIT
"""The Python of README and docs runs: each page's blocks one after the other, in an empty folder.

A block that cannot run here has ``<!-- not run: reason -->`` directly before it. Of the commands
for a shell those run that take what the repository has.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import types
from glob import glob
from pathlib import Path

import pytest
import torch
import trimesh
from commands import call
from shrink import ROOT

from voxrecon.apis.model_folder import write_model_folder
from voxrecon.apis.model_zoo import find_model
from voxrecon.cli.check_dataset import main as check_dataset
from voxrecon.cli.main import main as voxrecon
from voxrecon.engine.config import check_config, load_config
from voxrecon.registry import MODELS

BLOCK = re.compile(r"(?:<!-- not run: (.+?) -->\n+)?```python\n(.*?)```", re.S)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += sorted((ROOT / "projects").glob("*/README.md"))
BLOCKS = {page.relative_to(ROOT).as_posix(): BLOCK.findall(page.read_text()) for page in PAGES}
NOT_RUN = [(page, reason) for page, blocks in BLOCKS.items() for reason, _ in blocks if reason]


def make_model(folder: Path) -> None:
    """A model folder, as the page on export has it."""
    cfg = load_config(ROOT / "configs" / "pix2voxpp_small.py")
    model = MODELS.build(cfg.model)
    write_model_folder(folder / "chairs", model, cfg.model.to_dict(), "A card.")


def make_taxonomies(folder: Path) -> None:
    """Those of the page on data sets: one class that ShapeNet's splits have, and another."""
    seen = {"taxonomy_id": "1", "taxonomy_name": "seen", "train": ["a"], "val": [], "test": ["b"]}
    other = {"taxonomy_id": "2", "taxonomy_name": "new", "train": ["c"], "val": ["d"]}
    for name, classes in (("ShapeNet", [seen]), ("unseen", [seen, other])):
        (folder / "data" / name).mkdir(parents=True)
        (folder / "data" / name / "taxonomy.json").write_text(json.dumps(classes))


BEFORE = {"docs/datasets.md": make_taxonomies, "docs/export.md": make_model}


def check_readme(folder: Path, printed: str) -> None:
    assert printed == "torch.Size([1, 32, 32, 32])\n"
    assert trimesh.load(folder / "chair.glb").geometry


def check_first_steps(folder: Path, printed: str) -> None:
    assert re.match(r"\(32, 32, 32\) \d+\n\(3, 32, 32, 32\) \(3, 32, 32, 32\)\n", printed)
    names = {path.name for path in folder.glob("*.*")}
    assert names == {"chair.glb", "chair.gif", "object_1.ply", "object_2.ply"}


def check_unseen(folder: Path, printed: str) -> None:
    (kept,) = json.loads((folder / "data" / "unseen" / "unseen.json").read_text())
    assert (kept["taxonomy_id"], kept["train"], kept["test"]) == ("2", [], ["c", "d"])


def check_own(folder: Path, printed: str) -> None:
    check_dataset([str(folder / "data" / "own"), "--workers", "1"])  # else SystemExit


AFTER = {
    "README.md": check_readme,
    "docs/first_steps.md": check_first_steps,
    "docs/datasets.md": check_unseen,
    "docs/own_objects.md": check_own,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a reader stands: empty, but for configs and photos. Parts registered there are
    forgotten.
    """
    folders = ROOT / "configs", ROOT / "docs" / "photos", *(ROOT / "projects").glob("*/configs")
    for path in folders:
        shutil.copytree(path, tmp_path / path.relative_to(ROOT))
    monkeypatch.chdir(tmp_path)
    MODELS.import_from_location()
    monkeypatch.setattr(MODELS, "_module_dict", dict(MODELS._module_dict))
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, blocks in BLOCKS.items() if blocks])
def test_python(page, folder, monkeypatch, capsys):
    if page in BEFORE:
        BEFORE[page](folder)
    module = types.ModuleType("page")
    for number, (reason, text) in enumerate(BLOCKS[page]):
        if reason:
            continue
        if re.search("^_base_ =", text, re.M):
            path = folder / "configs" / f"block_{number}.py"
            path.write_text(text)
            build(path, module, monkeypatch)
        else:
            exec(compile(text, f"{page}, block {number}", "exec"), module.__dict__)
    for name, test in vars(module).items():
        if name.startswith("test_"):
            test()
    if page in AFTER:
        AFTER[page](folder, capsys.readouterr().out)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/first_steps.md"])
def test_photos_to_a_mesh(page, folder):
    if not find_model("pix2voxpp_f_shapes13").folder.is_dir():
        pytest.skip("needs the model that ships")
    (line,) = commands(page, "voxrecon infer docs/photos/.*")
    run(line)
    assert trimesh.load(folder / "chair.glb").geometry


@pytest.mark.slow
def test_export_and_what_runs_it(folder):
    for name in ("onnxscript", "onnxruntime", "openvino"):
        pytest.importorskip(name, reason=f"needs {name}")
    make_model(folder)
    for number, name in enumerate(("front.jpg", "side.jpg"), start=1):
        shutil.copy(folder / "docs" / "photos" / f"chair{number}.jpg", folder / name)
    first, *others = commands("docs/export.md", "voxrecon (?:export|infer) .*")
    assert "--weights" in first  # of a training; make_model stands for it
    for line in others:
        run(line)
        if " infer " in line:
            assert trimesh.load(folder / "chair.glb").geometry
            (folder / "chair.glb").unlink()
    names = {path.name for path in (folder / "chairs").iterdir()}
    assert {"model.onnx", "openvino.xml", "openvino.bin"} < names


def commands(page: str, pattern: str) -> list[str]:
    """Lines of a page's blocks for a shell."""
    text = "".join(re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text(), re.S))
    return re.findall(f"^{pattern}$", text, re.M)


def run(line: str) -> None:
    """As a shell does."""
    _, *words = shlex.split(line, comments=True)
    call(voxrecon, *(path for word in words for path in sorted(glob(word)) or [word]))


def build(config: Path, module: types.ModuleType, monkeypatch) -> None:
    """The network of a config, whose imports are what the page has defined before."""
    imports = re.search(r"custom_imports = dict\(imports=(\[.*?\])", config.read_text())
    for name in json.loads(imports[1]) if imports else ():
        monkeypatch.setitem(sys.modules, name, module)
    cfg = load_config(config)
    check_config(cfg)
    with torch.device("meta"):
        model = MODELS.build(cfg.model)
        assert model.eval()(torch.zeros(1, 2, 3, 224, 224)).shape == (1, 32, 32, 32)


def test_few_blocks_are_not_run(capsys):
    with capsys.disabled():
        for page, reason in NOT_RUN:
            print(f"\n{page}: a block is not run: {reason}")
    assert len(NOT_RUN) <= 4
