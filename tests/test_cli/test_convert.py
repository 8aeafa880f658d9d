# SPDX-License-Identifier: MIT
"""The authors' checkpoints to ours: strict, bit for bit, all or nothing."""

from __future__ import annotations

import json
import math
import os
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import call, refusal
from safetensors import safe_open
from shrink import ROOT

from voxrecon.apis import init_model
from voxrecon.cli.convert_pix2vox import main, our_key, rename
from voxrecon.engine.checkpoint import check_keys
from voxrecon.engine.config import load_config
from voxrecon.errors import CheckpointError
from voxrecon.registry import MODELS

NETWORKS = {
    "pix2vox_f": 7_436_307,
    "pix2vox_a": 114_244_467,
    "pix2voxpp_f": 4_843_245,
    "pix2voxpp_a": 96_329_421,
}


# ---- the keys of the published files, written out by hand


def conv(key: str, *shape: int, bias: bool = True) -> dict[str, tuple]:
    return {f"{key}.weight": shape, **({f"{key}.bias": (shape[0],)} if bias else {})}


def norm(key: str, width: int) -> dict[str, tuple]:
    names = ("weight", "bias", "running_mean", "running_var")
    return {**{f"{key}.{n}": (width,) for n in names}, f"{key}.num_batches_tracked": ()}


def vgg() -> dict[str, tuple]:
    keys, width = {}, 3
    places = {0: 64, 3: 64, 7: 128, 10: 128, 14: 256, 17: 256, 20: 256, 24: 512}
    for place, out in places.items():
        keys |= conv(f"vgg.{place}", out, width, 3, 3) | norm(f"vgg.{place + 1}", out)
        width = out
    return keys


def resnet18() -> dict[str, tuple]:
    keys = conv("resnet.0", 64, 3, 7, 7, bias=False) | norm("resnet.1", 64)
    for stage, width in ((4, 64), (5, 128)):
        for block in (0, 1):
            first = 64 if block == 0 else width
            key = f"resnet.{stage}.{block}"
            keys |= conv(f"{key}.conv1", width, first, 3, 3, bias=False)
            keys |= conv(f"{key}.conv2", width, width, 3, 3, bias=False)
            keys |= norm(f"{key}.bn1", width) | norm(f"{key}.bn2", width)
    keys |= conv("resnet.5.0.downsample.0", 128, 64, 1, 1, bias=False)
    return keys | norm("resnet.5.0.downsample.1", 128)


def resnet50() -> dict[str, tuple]:
    keys = conv("resnet.0", 64, 3, 7, 7, bias=False) | norm("resnet.1", 64)
    width = 64
    for stage, inner, outer, blocks in ((4, 64, 256, 3), (5, 128, 512, 4)):
        key = f"resnet.{stage}.0.downsample"
        keys |= conv(f"{key}.0", outer, width, 1, 1, bias=False) | norm(f"{key}.1", outer)
        for block in range(blocks):
            key = f"resnet.{stage}.{block}"
            keys |= conv(f"{key}.conv1", inner, width, 1, 1, bias=False)
            keys |= conv(f"{key}.conv2", inner, inner, 3, 3, bias=False)
            keys |= conv(f"{key}.conv3", outer, inner, 1, 1, bias=False)
            keys |= norm(f"{key}.bn1", inner) | norm(f"{key}.bn2", inner)
            keys |= norm(f"{key}.bn3", outer)
            width = outer
    return keys


def layers(first: int, *shapes: tuple[int, ...]) -> dict[str, tuple]:
    """Convolutions with bias, each with its norm, numbered from ``first``."""
    keys = {}
    for number, shape in enumerate(shapes, first):
        keys |= conv(f"layer{number}.0", *shape) | norm(f"layer{number}.1", shape[0])
    return keys


def decoder(*widths: int) -> dict[str, tuple]:
    keys = conv("layer5.0", 8, 1, 1, 1, 1, bias=False)
    for number in range(1, 5):
        width, out = widths[number - 1 : number + 1]
        keys |= conv(f"layer{number}.0", width, out, 4, 4, 4, bias=False)
        keys |= norm(f"layer{number}.1", out)
    return keys


def merger(*shapes: tuple[int, int]) -> dict[str, tuple]:
    return layers(1, *((out, width, 3, 3, 3) for out, width in shapes))


MERGER = merger((16, 9), (8, 16), (4, 8), (2, 4), (1, 2))
MERGER_PP = merger((9, 9), (9, 9), (9, 9), (9, 9), (9, 36), (1, 9))
REFINER = {
    **layers(1, (32, 1, 4, 4, 4), (64, 32, 4, 4, 4), (128, 64, 4, 4, 4)),
    **conv("layer4.0", 2048, 8192),
    **conv("layer5.0", 8192, 2048),
    **conv("layer6.0", 128, 64, 4, 4, 4, bias=False),
    **norm("layer6.1", 64),
    **conv("layer7.0", 64, 32, 4, 4, 4, bias=False),
    **norm("layer7.1", 32),
    **conv("layer8.0", 32, 1, 4, 4, 4, bias=False),
}
KEYS = {
    "pix2vox_f": {
        "encoder": vgg() | layers(1, (512, 512, 1, 1), (256, 512, 3, 3), (128, 256, 3, 3)),
        "decoder": decoder(256, 128, 64, 32, 8),
        "merger": MERGER,
    },
    "pix2vox_a": {
        "encoder": vgg() | layers(1, (512, 512, 3, 3), (512, 512, 3, 3), (256, 512, 1, 1)),
        "decoder": decoder(2048, 512, 128, 32, 8),
        "merger": MERGER,
        "refiner": REFINER,
    },
    "pix2voxpp_f": {
        "encoder": resnet18() | layers(1, (128, 128, 3, 3), (64, 128, 3, 3), (64, 64, 3, 3)),
        "decoder": decoder(392, 128, 64, 32, 8),
        "merger": MERGER_PP,
    },
    "pix2voxpp_a": {
        "encoder": resnet50() | layers(1, (512, 512, 3, 3), (256, 512, 3, 3), (256, 256, 3, 3)),
        "decoder": decoder(1568, 512, 128, 32, 8),
        "merger": MERGER_PP,
        "refiner": REFINER,
    },
}
# of the public Pix2Vox-VAE: Pix2Vox-A and three linear maps
KEYS["pix2vox_vae"] = {
    **KEYS["pix2vox_a"],
    "encoder": KEYS["pix2vox_a"]["encoder"]
    | conv("fc_mu", 64, 16384)
    | conv("fc_log_sigma", 64, 16384),
    "decoder": KEYS["pix2vox_a"]["decoder"] | conv("fc", 16384, 64),
}


def published(network: str, prefix: str = "module.") -> dict:
    """A file as the authors wrote it. No two tensors are equal; large ones repeat a few numbers."""
    generator = torch.Generator().manual_seed(0)
    state: dict = {"epoch_idx": 250, "best_iou": np.float64(0.66), "best_epoch": 249}
    count = 0
    for part, keys in KEYS[network].items():
        tensors = state[f"{part}_state_dict"] = {}
        for key, shape in keys.items():
            count += 1
            if key.endswith("num_batches_tracked"):
                tensors[prefix + key] = torch.tensor(count)
            elif math.prod(shape) > 2**20:  # a file of a few bytes in place of 400 MB
                row = torch.randn(shape[1:], generator=generator)
                tensors[prefix + key] = row.expand(shape)
            else:
                tensors[prefix + key] = torch.randn(shape, generator=generator)
    return state


def config(network: str) -> Path:
    return ROOT / "configs" / f"{network}.py"


def convert(network: str, state: dict, folder: Path, **how: bool) -> Path:
    """Write ``state`` as the authors would, convert it, and return what has come out."""
    torch.save(state, folder / "source.pth", **how)
    target = folder / "target.safetensors"
    call(main, config(network), folder / "source.pth", target)
    return target


def read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safe_open(path, "pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, file.metadata()  # noqa: SIM118


def contents(tensors) -> list[tuple]:
    """What the tensors hold, whatever their names: type, shape and bits, sorted."""
    return sorted(
        (str(t.dtype), tuple(t.shape), hash(t.contiguous().numpy().tobytes())) for t in tensors
    )


@pytest.mark.parametrize("network", NETWORKS)
def test_every_tensor_is_found_once_bit_for_bit(network, tmp_path):
    state = published(network)
    given = [t for part in KEYS[network] for t in state[f"{part}_state_dict"].values()]
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    shapes = [kv for keys in KEYS[network].values() for kv in keys.items()]
    counted = sum(math.prod(shape) for key, shape in shapes if not key.endswith(buffers))
    assert counted == NETWORKS[network]

    target = convert(network, state, tmp_path)
    weights, header = read(target)
    assert contents(weights.values()) == contents(given)
    assert len({content for *_, content in contents(given)}) == len(given)
    assert header["grid_size"] == "32" and header["network"].startswith(
        "vgg16_bn:features.26 > " if "pp" not in network else "resnet"
    )
    described = json.loads(target.with_suffix(".json").read_text())
    assert described["network"] == header["network"] and described["grid_size"] == 32
    assert described["model"]["type"] == "VoxelReconstructor"
    names = {"source.pth", "target.safetensors", "target.json"}
    assert set(os.listdir(tmp_path)) == names

    target.with_suffix(".json").unlink()  # init_model needs no more than the file
    model = init_model(config(network), target)
    loaded = model.state_dict()
    assert all(torch.equal(loaded[key], weights[key]) for key in weights)
    assert loaded.keys() == weights.keys() and not model.training


def test_a_few_keys_by_name(tmp_path):
    state = published("pix2voxpp_f", prefix="")
    weights, _ = read(convert("pix2voxpp_f", state, tmp_path))
    for part, theirs, ours in (
        ("encoder", "resnet.0.weight", "backbone.trunk.conv1.weight"),
        ("encoder", "resnet.5.0.downsample.1.bias", "backbone.trunk.layer2.0.downsample.1.bias"),
        ("encoder", "layer3.1.running_var", "neck.layers.2.1.running_var"),
        ("decoder", "layer5.0.weight", "decoder.head.weight"),
        ("merger", "layer5.0.weight", "volume_fusion.reduce.0.weight"),
    ):
        assert torch.equal(weights[ours], state[f"{part}_state_dict"][theirs])


def test_the_bottleneck_of_the_public_vae():
    """Renamed on the meta device; what a whole conversion does is tested above."""
    state = published("pix2vox_vae")
    with torch.device("meta"):
        cfg = load_config(ROOT / "projects" / "pix2voxpp_vae" / "configs" / "pix2vox_vae.py")
        own = MODELS.build(cfg.model).state_dict()
    weights = rename(state, "source.pth", own, multi_scale=False)
    check_keys(weights, own, "source.pth")
    assert sum(len(tensors) for key, tensors in state.items() if "state" in key) == len(weights)
    for part, theirs, ours in (
        ("encoder", "fc_mu", "feature_fusion.mean"),
        ("encoder", "fc_log_sigma", "feature_fusion.log_variance"),
        ("decoder", "fc", "decoder.stem"),
    ):
        for tensor in ("weight", "bias"):
            given = state[f"{part}_state_dict"][f"module.{theirs}.{tensor}"]
            assert torch.equal(weights[f"{ours}.{tensor}"], given)
    assert our_key("decoder", "fc_mu.weight", False) is None
    assert our_key("encoder", "fc_mu.0.weight", False) is None


@pytest.fixture
def small():
    return published("pix2voxpp_f")


def test_the_prefix_and_the_solvers_do_not_matter(small, tmp_path):
    with_prefix = read(convert("pix2voxpp_f", small, tmp_path))
    plain = published("pix2voxpp_f", prefix="")
    adam = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-3}]}
    plain |= {f"{part}_solver_state_dict": adam for part in ("encoder", "decoder", "merger")}
    without = read(convert("pix2voxpp_f", plain, tmp_path))
    assert with_prefix[1] == without[1] and with_prefix[0].keys() == without[0].keys()
    assert all(torch.equal(with_prefix[0][key], without[0][key]) for key in without[0])


def test_missing_counters_become_zero(small, tmp_path):
    state = {
        part: {k: v for k, v in tensors.items() if not k.endswith("num_batches_tracked")}
        for part, tensors in small.items()
        if part.endswith("_state_dict")
    }
    weights, _ = read(convert("pix2voxpp_f", state, tmp_path))
    counters = [t for key, t in weights.items() if key.endswith("num_batches_tracked")]
    assert len(counters) == 23 and all(t.dtype == torch.int64 and t == 0 for t in counters)
    given = [t for tensors in state.values() for t in tensors.values()]
    assert contents(t for t in weights.values() if t.is_floating_point()) == contents(given)


def test_files_of_torch_before_1_6_and_numpy_before_2(small, tmp_path):
    """Other archives, and another name for the type of ``best_iou``."""
    torch.save(small, tmp_path / "new.pth", _use_new_zipfile_serialization=False)
    new = (tmp_path / "new.pth").read_bytes()
    old = new.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    if np.__version__ >= "2":
        assert old != new
    (tmp_path / "old.pth").write_bytes(old)
    given = [t for key in KEYS["pix2voxpp_f"] for t in small[f"{key}_state_dict"].values()]
    for name in ("new", "old"):
        target = tmp_path / f"{name}.safetensors"
        call(main, config("pix2voxpp_f"), tmp_path / f"{name}.pth", target)
        assert contents(read(target)[0].values()) == contents(given)


def test_tensors_that_are_views_of_one_buffer(small, tmp_path):
    tensors = small["merger_state_dict"]
    names = [key for key in tensors if key.endswith("running_mean")]
    buffer = torch.randn(sum(len(tensors[key]) for key in names))
    parts = buffer.split([len(tensors[key]) for key in names])
    tensors |= dict(zip(names, parts, strict=True))
    weights, _ = read(convert("pix2voxpp_f", small, tmp_path))
    assert torch.equal(weights["volume_fusion.head.1.running_mean"], buffer[-1:])


def refused(capfd, state, folder, network="pix2voxpp_f") -> str:
    """What the converter says; nothing but SRC is left in the folder."""
    torch.save(state, folder / "source.pth")
    argv = (config(network), folder / "source.pth", folder / "target.safetensors")
    message = refusal(capfd, main, *argv)
    assert os.listdir(folder) == ["source.pth"]
    prefix = f"{folder / 'source.pth'}: "
    assert message.startswith(prefix)
    return message.removeprefix(prefix)


MISFITS = {
    "missing": (
        lambda s: s["decoder_state_dict"].pop("module.layer2.0.weight"),
        "1 keys do not fit the network: decoder.layers.1.0.weight is missing",
    ),
    "left_over": (
        lambda s: s["encoder_state_dict"].update({"module.layer4.0.weight": torch.zeros(1)}),
        "1 keys do not fit the network: neck.layers.3.0.weight is left over",
    ),
    "unknown": (
        lambda s: s["encoder_state_dict"].update({"module.fc.weight": torch.zeros(1)}),
        "1 keys have no place in the network: encoder.module.fc.weight",
    ),
    "misshapen": (
        lambda s: s["decoder_state_dict"].update({"module.layer5.0.weight": torch.zeros(8)}),
        "1 keys do not fit the network: decoder.head.weight is (8,) instead of (8, 1, 1, 1, 1)",
    ),
    "mistyped": (
        lambda s: s["decoder_state_dict"].update(
            {"module.layer5.0.weight": torch.zeros(8, 1, 1, 1, 1, dtype=torch.int8)}
        ),
        "1 keys do not fit the network: decoder.head.weight is torch.int8 instead of torch.float32",
    ),
    "twice": (
        lambda s: s["decoder_state_dict"].update(
            {"layer5.0.weight": s["decoder_state_dict"]["module.layer5.0.weight"]}
        ),
        "1 keys have no place in the network: decoder.layer5.0.weight",
    ),
    "twice_by_part": (
        lambda s: s.update(merger={"layer6.0.bias": torch.zeros(1)}),
        "1 keys have no place in the network: merger.layer6.0.bias",
    ),
    "sparse": (
        lambda s: s["decoder_state_dict"].update(
            {"module.layer5.0.weight": torch.zeros(8, 1, 1, 1, 1).to_sparse()}
        ),
        "1 keys have no place in the network: decoder.module.layer5.0.weight",
    ),
    "foreign_part": (lambda s: s.update({7: 1}), "1 keys have no place in the network: 7"),
    "no_tensors": (
        lambda s: s.update(merger_state_dict=[1]),
        "merger_state_dict is a list, expected a dict of tensors",
    ),
    "refiner": (
        lambda s: s.update(refiner_state_dict={"layer8.0.weight": torch.zeros(32, 1, 4, 4, 4)}),
        "1 keys do not fit the network: refiner.head.weight is left over",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_keys_that_do_not_fit_are_listed(capfd, small, tmp_path, case):
    change, expected = MISFITS[case]
    change(small)
    assert refused(capfd, small, tmp_path) == expected


def test_a_checkpoint_of_another_network(capfd, small, tmp_path):
    message = refused(capfd, small, tmp_path, "pix2vox_f")
    assert "backbone.trunk.features.0.weight is missing" in message
    assert message.count("; ") == 20 and message.endswith(" more")


def test_a_checkpoint_of_ours(capfd, tmp_path):
    message = refused(capfd, {"state_dict": {}, "meta": {}}, tmp_path)
    assert message == "2 keys have no place in the network: state_dict; meta"


def test_a_malicious_file_is_not_executed(capfd, small, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/mark",)

    message = refused(capfd, {**small, "best_iou": Evil()}, tmp_path)
    assert message.startswith("holds more than tensors and plain values, which is refused")


@pytest.mark.parametrize("name", ["target.pth", "target", "target.safetensors.bak"])
def test_a_target_of_another_name(capfd, small, tmp_path, name):
    torch.save(small, tmp_path / "source.pth")
    message = refusal(capfd, main, config("pix2voxpp_f"), tmp_path / "source.pth", tmp_path / name)
    assert message == f"{tmp_path / name}: expected a name that ends in .safetensors"
    assert os.listdir(tmp_path) == ["source.pth"]


def test_the_source_is_never_the_target(capfd, small, tmp_path):
    path = tmp_path / "a.safetensors"
    torch.save(small, path)
    before = path.read_bytes()
    message = refusal(capfd, main, config("pix2voxpp_f"), path, path)
    assert message == f"{path}: safetensors hold weights alone, expected a torch file"
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.safetensors"]


@pytest.mark.parametrize("blocked", ["target.safetensors", "target.json"])
def test_a_target_that_is_a_folder(capfd, small, tmp_path, blocked):
    torch.save(small, tmp_path / "source.pth")
    (tmp_path / blocked).mkdir()
    argv = (tmp_path / "source.pth", tmp_path / "target.safetensors")
    message = refusal(capfd, main, config("pix2voxpp_f"), *argv)
    assert message == f"{tmp_path / blocked}: cannot be written: Is a directory"
    assert sorted(os.listdir(tmp_path)) == sorted(["source.pth", blocked])


def test_a_full_disk_leaves_no_remains(capfd, small, tmp_path):
    """The system refuses to write more than 1 MB into one file; the target needs 19."""
    torch.save(small, tmp_path / "source.pth")
    target = tmp_path / "target.safetensors"
    target.write_text("what was there")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        message = refusal(capfd, main, config("pix2voxpp_f"), tmp_path / "source.pth", target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert message.startswith(f"{target}: cannot be written: ") and "File too large" in message
    assert target.read_text() == "what was there"
    assert sorted(os.listdir(tmp_path)) == ["source.pth", "target.safetensors"]


def test_the_header_is_checked_on_loading(small, tmp_path):
    target = convert("pix2voxpp_f", small, tmp_path)
    with pytest.raises(
        CheckpointError, match="network is resnet18:layer2 > .*, the config has vgg"
    ):
        init_model(config("pix2vox_f"), target)
    with pytest.raises(CheckpointError, match="grid_size is 32, the config has 64"):
        init_model(ROOT / "configs" / "pix2voxpp_a_64.py", target)


def test_the_authors_layout_is_not_loaded_as_ours(small, tmp_path):
    torch.save(small, tmp_path / "source.pth")
    with pytest.raises(
        CheckpointError, match="layout of the authors; first run voxrecon convert CONFIG"
    ):
        init_model(config("pix2voxpp_f"), tmp_path / "source.pth")
