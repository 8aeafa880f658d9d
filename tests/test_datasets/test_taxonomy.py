# SPDX-License-Identifier: MIT
import json
import os
from pathlib import Path

import pytest

from voxrecon.datasets import taxonomy as module
from voxrecon.datasets.taxonomy import list_samples, read_taxonomy, select_classes
from voxrecon.errors import ConfigError, FileError

CHAIR = {"taxonomy_id": "03001627", "taxonomy_name": "chair", "train": ["a", "b"], "test": ["c"]}
CAR = {"taxonomy_id": "02958343", "taxonomy_name": "car", "train": ["a"], "val": [], "test": []}


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_classes_and_samples(tmp_path):
    path = write(tmp_path / "taxonomy.json", [CHAIR, {**CAR, "baseline": {"1-view": 0.5}}])
    chair, car = classes = read_taxonomy(path)
    assert (chair.id, chair.name) == ("03001627", "chair")
    assert chair.splits == {"train": ("a", "b"), "test": ("c",)}
    # the same id in two classes is two samples
    train = list_samples(classes, "train", "x")
    assert [(c.name, name) for c, name in train] == [("chair", "a"), ("chair", "b"), ("car", "a")]
    assert select_classes(classes, None) == classes
    assert select_classes(classes, ["car"]) == select_classes(classes, "02958343") == [car]


def test_unknown_class_and_split_name_what_there_is(tmp_path):
    classes = read_taxonomy(write(tmp_path / "t.json", [CHAIR, CAR]))
    with pytest.raises(ConfigError, match="no class 'chiar' in the taxonomy, nearest is 'chair'"):
        select_classes(classes, ["car", "chiar"])
    with pytest.raises(ConfigError, match=r"classes=\[\], expected None"):
        select_classes(classes, [])
    with pytest.raises(ConfigError) as caught:
        list_samples(classes, "val", "t.json")
    assert str(caught.value) == (
        "t.json: no samples in split 'val', splits with samples: train (3), test (1)"
    )


def chair(**changes):
    return [{**CHAIR, **changes}]


BAD = {
    "empty": ("", "not a JSON file"),
    "deep": ("[" * 100_000, "not a JSON file"),
    "object": ({"a": 1}, "dict, expected a list of classes"),
    "no_classes": ([], "expected a list of classes"),
    "entry": ([3], "entry 0: 3, expected an object"),
    "no_name": (chair(taxonomy_name=None), "taxonomy_name is None, expected a string"),
    "number_id": (chair(taxonomy_id=3001627), "taxonomy_id is 3001627, expected a string"),
    "split": (chair(train="abc"), "train is 'abc', expected a list of ids"),
    "type": (chair(train=[["a"]]), "train: id list, expected a plain file name"),
    "up": (chair(train=[".."]), "train: id '..', expected a plain file name"),
    "path": (chair(train=["../../etc"]), "expected a plain file name"),
    "slash": (chair(train=["/etc"]), "expected a plain file name"),
    "backslash": (chair(train=["a\\b"]), "expected a plain file name"),
    "nul": (chair(train=["a\0"]), "expected a plain file name"),
    "line": (chair(train=["a\nb"]), "expected a plain file name"),
    "long": (chair(train=["a" * 256]), "expected a plain file name"),
    "class_path": (chair(taxonomy_id="../x"), "expected a plain file name"),
    "twice": (chair(train=["a", "b", "a"]), "entry 0: train: 'a' is there twice"),
    "class_twice": ([CHAIR, CHAIR], "class: '03001627' is there twice"),
}


@pytest.mark.parametrize("case", BAD)
def test_malformed_file(case, tmp_path):
    content, message = BAD[case]
    path = write(tmp_path / "taxonomy.json", content)
    with pytest.raises(FileError) as caught:
        read_taxonomy(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and message in text and "\n" not in text and len(text) < 400


def test_missing_and_huge_file(tmp_path, monkeypatch):
    with pytest.raises(FileError, match="none.json: no taxonomy file"):
        read_taxonomy(tmp_path / "none.json")
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    with pytest.raises(FileError, match="expected at most 10"):
        read_taxonomy(write(tmp_path / "t.json", [CHAIR]))


@pytest.mark.skipif("VOXRECON_TEST_DATA" not in os.environ, reason="needs VOXRECON_TEST_DATA")
def test_published_splits():
    classes = read_taxonomy(Path(os.environ["VOXRECON_TEST_DATA"], "taxonomies", "ShapeNet.json"))
    assert len(classes) == 13
    sizes = {s: len(list_samples(classes, s, "")) for s in ("train", "val", "test")}
    assert sizes == {"train": 30643, "val": 4371, "test": 8770}
    chairs = select_classes(classes, "chair")
    assert len(list_samples(chairs, "test", "")) == 1357
