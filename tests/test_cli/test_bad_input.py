# SPDX-License-Identifier: MIT
"""What is wrong with the input is said in one line; nothing is executed, lost or left behind."""

from __future__ import annotations

import json
import os
import pickle
import re
import resource
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import timm
import torch
from commands import call, refusal
from shrink import ROOT

from voxrecon.cli import test as test_command
from voxrecon.cli import train as train_command
from voxrecon.cli.common import guard
from voxrecon.evaluation import read_results

CHAIR = "03001627"


def run_test(capfd, made, data, *more, checkpoint=None):
    work = data.parent / "tested"
    argv = (made.config, checkpoint or made.best, "--data-root", data, "--work-dir", work, *more)
    return refusal(capfd, test_command.main, *argv)


def run_train(capfd, made, data, *more):
    argv = (made.config, "--data-root", data, "--work-dir", data.parent / "trained", *more)
    return refusal(capfd, train_command.main, *argv)


# ---- the data set


@pytest.mark.parametrize("command", [run_test, run_train])
def test_a_missing_data_folder_says_how_to_get_one(capfd, made, tmp_path, command):
    message = command(capfd, made, tmp_path / "nothing")
    assert message.startswith(f"{tmp_path / 'nothing'}: no such data folder; ")
    assert "shapenet.org" in message and "--data-root DIR" in message


def test_a_missing_folder_of_renderings_is_named(capfd, made, data):
    shutil.rmtree(data / "ShapeNetRendering")
    message = run_test(capfd, made, data)
    assert message.startswith(f"{data / 'ShapeNetRendering'}: no such data folder; ")


def test_a_sample_of_the_taxonomy_is_not_on_disk(capfd, made, data):
    gone = data / "ShapeNetRendering" / CHAIR / "object_1"
    shutil.rmtree(gone)
    message = run_test(capfd, made, data)
    assert f"1 of 4 samples of split 'test' in {data / 'taxonomy.json'}" in message
    assert message.endswith(f"missing or incomplete: {CHAIR}/object_1 (no {gone})")

    out = data.parent / "results.json"
    argv = (made.config, made.best, "--data-root", data, "--work-dir", data.parent / "skipped")
    call(test_command.main, *argv, "--skip-bad", "--out", out)
    found = read_results(out)
    assert len(found["samples"]) == found["summary"]["1"]["classes"][CHAIR]["n"] + 2 == 3
    assert f"{CHAIR}/object_1" in capfd.readouterr().out


def test_a_malformed_taxonomy(capfd, made, data):
    (data / "taxonomy.json").write_text("[{")
    message = run_train(capfd, made, data)
    assert message.startswith(f"{data / 'taxonomy.json'}: not a JSON file: ")


# ---- samples


def grid(made) -> bytes:
    return (made.data / "ShapeNetVox8" / CHAIR / "object_1" / "model.binvox").read_bytes()


def renderings(made) -> np.ndarray:
    path = made.data / "ShapeNetRendering" / CHAIR / "object_1" / "rendering" / "00.png"
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def with_size(data: bytes, width: int, height: int) -> bytes:
    """A PNG whose header claims another size, with the checksum that belongs to it."""
    header = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def dims(data: bytes, text: bytes) -> bytes:
    return data.replace(b"dim 8 8 8", b"dim " + text)


BROKEN_GRIDS = {
    "magic": (lambda d: b"#vox" + d[7:], "starts with '#vox 1', expected '#binvox 1'"),
    "negative": (lambda d: dims(d, b"-8 8 8"), "'dim -8 8 8' in the header, expected 'dim'"),
    "huge": (lambda d: dims(d, b"99999 99999 99999"), "integers from 1 to 512"),
    "short": (lambda d: d[:-2], "voxels, expected 8 x 8 x 8 = 512"),
    "long": (lambda d: d + b"\x00\xff", "767 voxels, expected 8 x 8 x 8 = 512"),
    "other_size": (
        lambda d: dims(d, b"16 8 4"),
        "a grid of 16 x 4 x 8 cells, expected 8 on each side",
    ),
}
BROKEN_PNGS = {
    "truncated": (lambda i: png(i)[:900], "truncated after 900 bytes, expected an end marker"),
    "cut_out": (lambda i: png(i)[:900] + png(i)[-12:], "corrupt chunk b'IDAT' at byte "),
    "flipped": (lambda i: png(i)[:200] + b"\0\0\0\0" + png(i)[204:], "expected another CRC"),
    "deep": (lambda i: png(i.astype(np.uint16) * 257), "16 bits per channel, expected 8"),
    "bomb": (lambda i: with_size(png(i), 100_000, 100_000), "100000 x 100000 pixels, expected 1"),
    "small": (lambda i: png(i[:100, :90]), "90 x 100 pixels, expected at least 128 a side"),
    "empty": (lambda i: b"", "0 bytes), expected a PNG or JPEG"),
}


def spoil(made, data: Path, case: str, name: str = "object_1") -> tuple[Path, str]:
    """Break a grid or a rendering of a chair: its path and what the message has to say."""
    if case in BROKEN_GRIDS:
        path = data / "ShapeNetVox8" / CHAIR / name / "model.binvox"
        change, text = BROKEN_GRIDS[case]
        path.write_bytes(change(grid(made)))
    else:
        path = data / "ShapeNetRendering" / CHAIR / name / "rendering" / "00.png"
        change, text = BROKEN_PNGS[case]
        path.write_bytes(change(renderings(made)))
    return path, text


@pytest.mark.parametrize("case", [*BROKEN_GRIDS, *BROKEN_PNGS])
def test_a_broken_sample_ends_a_test(capfd, made, data, case):
    path, text = spoil(made, data, case)
    message = run_test(capfd, made, data)
    assert message.startswith(f"{path}: ") and text in message
    assert not (data.parent / "tested" / "results.json").exists()


def test_a_pipe_is_not_waited_for(capfd, made, data):
    path = data / "ShapeNetRendering" / CHAIR / "object_1" / "rendering" / "00.png"
    path.unlink()
    os.mkfifo(path)
    assert run_test(capfd, made, data) == f"{path}: a pipe, expected a file"


def test_the_truncated_file_of_the_field(capfd, made, data):
    root = os.environ.get("VOXRECON_TEST_DATA")
    if not root:
        pytest.skip("needs VOXRECON_TEST_DATA")
    path = data / "ShapeNetVox8" / CHAIR / "object_1" / "model.binvox"
    shutil.copy(Path(root) / "bad" / "truncated_150.binvox", path)
    message = run_test(capfd, made, data)
    assert message == f"{path}: the runs hold 3374999 voxels, expected 150 x 150 x 150 = 3375000"


@pytest.fixture(scope="module")
def half_broken(made, tmp_path_factory):
    """All kinds of broken chairs, as many sound ones; two sound aeroplanes, for validation too."""
    data = Path(shutil.copytree(made.data, tmp_path_factory.mktemp("half") / "data"))
    cases = [*BROKEN_GRIDS, *BROKEN_PNGS]
    names = [f"{kind}_{i}" for kind in ("broken", "sound") for i in range(len(cases))]
    for name in names:
        for top in ("ShapeNetRendering", "ShapeNetVox8"):
            shutil.copytree(data / top / CHAIR / "object_1", data / top / CHAIR / name)
    expected = [spoil(made, data, case, name) for case, name in zip(cases, names, strict=False)]
    chairs, planes = json.loads((data / "taxonomy.json").read_text())
    chairs.update(train=names, test=names, val=[])
    (data / "taxonomy.json").write_text(json.dumps([chairs, planes]))
    return data, expected


@pytest.mark.parametrize("workers", [0, 2])
def test_training_names_skips_and_counts_broken_samples(
    capfd, made, half_broken, tmp_path, workers
):
    data, expected = half_broken
    argv = (made.config, "--data-root", data, "--work-dir", tmp_path / "w", "--cfg-options")
    # three views out of three, so that the broken one is among them
    views = [f"train_cfg.stages.{stage}.views=3" for stage in (0, 1)]
    options = ["train_dataloader.batch_size=28", f"train_dataloader.num_workers={workers}"]
    call(train_command.main, *argv, *views, *options)
    printed = capfd.readouterr()
    named = [line for line in printed.out.splitlines() if "skipped a broken sample: " in line]
    for path, text in expected:
        assert sum(f": {path}: " in line and text in line for line in named) == 1
    assert len(named) == len(expected)
    counts = re.findall(r"epoch (\d): (\d+) broken samples skipped \((\d+) different", printed.out)
    assert [(epoch, seen) for epoch, _, seen in counts] == [("1", "13"), ("2", "13")]
    assert all(int(count) >= 13 for _, count, _ in counts)  # replacements may be broken too
    assert printed.err == ""


def test_a_test_counts_what_it_skips(capfd, made, half_broken, tmp_path):
    data, expected = half_broken
    argv = (made.config, made.best, "--data-root", data, "--work-dir", tmp_path, "--skip-bad")
    call(test_command.main, *argv, "--views", "3")
    printed = capfd.readouterr()
    assert "evaluated 15 of 28 samples, 13 broken: " in printed.out
    assert "broken samples left out: 13" in printed.out and printed.err == ""
    found = read_results(tmp_path / "results.json")
    assert len({(sample["taxonomy"], sample["id"]) for sample in found["samples"]}) == 15
    assert not any(sample["id"].startswith("broken") for sample in found["samples"])
    assert len(found["broken"]) == 13
    for path, text in expected:
        assert any(line.startswith(f"{path}: ") and text in line for line in found["broken"])


def test_grey_and_opaque_renderings_are_taken(made, data):
    image = renderings(made)
    folder = data / "ShapeNetRendering" / CHAIR / "object_1" / "rendering"
    (folder / "00.png").write_bytes(png(image[..., 0]))
    (folder / "01.png").write_bytes(png(image[..., :3]))
    argv = (made.config, made.best, "--data-root", data, "--work-dir", data.parent / "w")
    call(test_command.main, *argv, "--views", "2")
    found = read_results(data.parent / "w" / "results.json")
    assert len(found["samples"]) == 4 and found["broken"] == []


# ---- options


def test_more_views_than_renderings(capfd, made, data):
    message = run_test(capfd, made, data, "--views", "1", "30")
    assert message.startswith(f"{data}: 4 of 4 samples")
    assert message.endswith("3 renderings, 30 views asked for)")


@pytest.mark.parametrize("views", ["0", "-1"])
def test_less_than_one_view(capfd, made, views):
    message = run_test(capfd, made, made.data, "--views", views)
    assert message == f"--views {views}: expected at least 1"


def test_fewer_samples_than_a_batch(capfd, made, data):
    message = run_train(capfd, made, data, "--cfg-options", "train_dataloader.batch_size=64")
    assert "4 samples" in message and "batch_size 64" in message and "drop_last True" in message
    assert not list((data.parent / "trained").glob("*.pth"))


def test_options_given_twice_all_count(capfd, made, data):
    more = ("--cfg-options", "train_dataloader.batch_size=64", "--cfg-options", "log_level=INFO")
    assert "batch_size 64" in run_train(capfd, made, data, *more)


def test_a_log_on_a_full_disk_is_no_bug(capfd):
    def full():
        raise OSError(28, "No space left on device")

    with pytest.raises(SystemExit, match="2"):
        guard(full)
    expected = "error: output cannot be written: No space left on device\n"
    assert capfd.readouterr().err == expected

    def bug():
        raise OSError(9, "Bad file descriptor")

    with pytest.raises(OSError, match="Bad file descriptor"):
        guard(bug)


# ---- checkpoints


class Evil:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


COMMANDS = {
    "test": lambda capfd, made, path: run_test(capfd, made, path.parent, checkpoint=path),
    "load-from": lambda capfd, made, path: run_train(capfd, made, path.parent, "--load-from", path),
    "resume": lambda capfd, made, path: run_train(capfd, made, path.parent, "--resume", path),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["evil.pth", "evil", "old.pth", "plain.pkl"])
def test_a_malicious_pickle_is_not_executed(capfd, made, data, command, name):
    mark, path = data / "mark", data / name
    state = torch.load(made.last, weights_only=True)
    state["meta"]["extra"] = Evil(mark)
    if name == "plain.pkl":
        path.write_bytes(pickle.dumps(state))
    else:
        torch.save(state, path, _use_new_zipfile_serialization=name != "old.pth")
    message = COMMANDS[command](capfd, made, path)
    assert message.startswith(f"{path}: holds more than tensors and plain values, which is refused")
    assert not mark.exists()


def test_a_malicious_config_in_a_checkpoint_is_not_executed(capfd, made, data):
    state = torch.load(made.best.with_name("epoch_1.pth"), weights_only=True)
    mark, path = data / "mark", data / "a.pth"
    source = f"import os\nos.system('touch {mark}')\nmodel = dict()\n"
    state["meta"].update(config=source, cfg=source, env_info=source)
    state.update(config=source, cfg=source)
    torch.save(state, path)
    argv = ("--data-root", data, "--work-dir", data.parent / "w")
    call(train_command.main, made.config, *argv, "--resume", path)
    assert "resumed from" in capfd.readouterr().out
    call(test_command.main, made.config, path, *argv)
    assert not mark.exists()
    assert source not in (data.parent / "w" / "best.pth").read_bytes().decode("latin-1")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_a_truncated_checkpoint(capfd, made, data, command, name):
    path = data / name
    path.write_bytes(made.last.read_bytes()[:20_000])
    message = COMMANDS[command](capfd, made, path)
    assert message.startswith(f"{path}: ")
    assert "truncated" in message or (command, name) == ("resume", "a.safetensors")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_checkpoint(capfd, made, data, command):
    message = COMMANDS[command](capfd, made, data / "no.pth")
    assert message == f"{data / 'no.pth'}: no such checkpoint"


def test_a_checkpoint_of_another_network(capfd, made, data):
    option = "model.backbone.channels=7"
    more = ("--cfg-options", option, "model.neck.in_channels=7")
    message = run_test(capfd, made, data, *more)
    assert message.startswith(f"{made.best}: ")
    assert "backbone.conv.weight is (16, 3, 8, 8) instead of (7, 3, 8, 8)" in message


def test_a_checkpoint_of_another_grid_size(capfd, made, data):
    state = torch.load(made.best, weights_only=True)
    state["meta"]["grid_size"] = 64
    torch.save(state, data / "a.pth")
    message = run_test(capfd, made, data, checkpoint=data / "a.pth")
    assert message == f"{data / 'a.pth'}: grid_size is 64, the config has 8"


def test_a_hostile_key_is_printed_harmlessly(capfd, made, data):
    state = torch.load(made.best, weights_only=True)
    state["state_dict"]["a\n\x1b[2Jb"] = torch.zeros(1)
    torch.save(state, data / "a.pth")
    message = run_test(capfd, made, data, checkpoint=data / "a.pth")
    assert message.endswith("1 keys do not fit the network: a ?[2Jb is left over")


# ---- output


@pytest.fixture
def small_files():
    """The system refuses to write files over 100 kB, as a disk does when it is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_while_saving(capfd, made, data, small_files):
    assert made.last.stat().st_size > 100_000
    message = run_train(capfd, made, data)
    saved = data.parent / "trained"
    assert re.fullmatch(rf"{saved}/(epoch_1|best).pth: cannot be written: File too large", message)
    assert not list(saved.rglob("*.part")) and not (saved / "epoch_1.pth").exists()


@pytest.mark.parametrize("number", [28, 30])  # no space left, read-only file system
def test_a_failed_rename_keeps_the_checkpoints_before(capfd, made, data, monkeypatch, number):
    work = data.parent / "trained"
    work.mkdir()
    shutil.copy(made.best.with_name("epoch_1.pth"), work)
    before = (work / "epoch_1.pth").read_bytes()

    def fail(source, target):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    message = run_train(capfd, made, data, "--resume")
    assert message.endswith(f".pth: cannot be written: {os.strerror(number)}")
    assert sorted(path.name for path in work.glob("*.pth")) == ["epoch_1.pth"]
    assert (work / "epoch_1.pth").read_bytes() == before
    assert not list(work.glob(".*"))


@pytest.mark.parametrize("option", ["--work-dir", "--out", "--show-dir"])
def test_output_that_cannot_be_written(capfd, made, tmp_path, option):
    (tmp_path / "file").write_text("mine")
    place = tmp_path / "file" / "x"
    options = {"--work-dir": tmp_path / "w", option: place}
    argv = (made.config, made.best, "--data-root", made.data)
    more = [part for pair in options.items() for part in pair]
    if option == "--show-dir":  # the tiny config draws no pictures
        more += ["--cfg-options", "custom_hooks.0.type=ReconstructionHook"]
    message = refusal(capfd, test_command.main, *argv, *more)
    assert message.startswith(f"{place}") and message.endswith("Not a directory")
    assert (tmp_path / "file").read_text() == "mine"


# ---- the hub


def test_a_hub_that_cannot_be_reached(capfd, made, data, monkeypatch):
    build = timm.create_model

    def offline(name, pretrained=False, **args):
        if pretrained:
            raise ConnectionError("no\nroute")
        return build(name, **args)

    monkeypatch.setattr(timm, "create_model", offline)
    options = ["train_dataloader.batch_size=2", "train_dataloader.num_workers=0"]
    options += [f"{name}_dataloader.dataset.grid_size=8" for name in ("train", "val")]
    argv = (ROOT / "configs" / "pix2voxpp_f.py", "--data-root", data)
    work = ("--work-dir", data.parent / "w")
    message = refusal(capfd, train_command.main, *argv, *work, "--cfg-options", *options)
    assert "resnet18.tv_in1k: its pretrained weights cannot be fetched" in message
    assert "--cfg-options model.backbone.weights=random" in message


# ---- as a user calls it


def shell(*argv: object) -> subprocess.CompletedProcess:
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT / "tests" / "helpers"),
    }
    command = [sys.executable, *(str(part) for part in argv)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_one_line_from_the_shell(made, data):
    path, _ = spoil(made, data, "flipped")
    common = ("--data-root", data, "--work-dir", data.parent / "w")
    workers = ("--cfg-options", "test_dataloader.num_workers=2")
    done = shell("tools/test.py", made.config, made.best, *common, *workers)
    assert done.returncode == 2
    assert re.fullmatch(rf"error: {path}: corrupt chunk b'IDAT' at byte .*\n", done.stderr)

    mark = data / "mark"
    torch.save({"state_dict": Evil(mark)}, data / "evil.pth")
    done = shell("tools/train.py", made.config, *common, "--load-from", data / "evil.pth")
    assert done.returncode == 2 and not mark.exists()
    assert re.fullmatch(rf"error: {data}/evil.pth: holds more than .*\n", done.stderr)
