# SPDX-License-Identifier: MIT
"""Checkpoints in the layout of the authors of Pix2Vox and Pix2Vox++, and of Pix2Vox-VAE, to
ours."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch
from torch import Tensor

from voxrecon.cli.common import command_line, guard, parser
from voxrecon.errors import CheckpointError

PARTS = ("encoder", "decoder", "merger", "refiner")
EXTRAS = re.compile(r"epoch_idx|best_iou|best_epoch|\w+_solver_state_dict")
VAE = {
    ("encoder", "fc_mu"): "feature_fusion.mean",
    ("encoder", "fc_log_sigma"): "feature_fusion.log_variance",  # so used, whatever its name
    ("decoder", "fc"): "decoder.stem",
}
TRUNK = {"resnet.0.": "conv1.", "resnet.1.": "bn1.", "resnet.4.": "layer1.", "resnet.5.": "layer2."}


def our_key(part: str, key: str, multi_scale: bool) -> str | None:
    """Our name of ``key`` of a part of the authors' checkpoint, None if there is none.

    The number of a layer counts from 1 there. The keys are listed, by layer, in the released files.
    """
    if part == "encoder":
        if key.startswith("vgg."):
            return f"backbone.trunk.features.{key[4:]}"
        for prefix, ours in TRUNK.items():
            if key.startswith(prefix):
                return f"backbone.trunk.{ours}{key[len(prefix) :]}"
    module, _, tensor = key.partition(".")
    if (part, module) in VAE and tensor in ("weight", "bias"):
        return f"{VAE[part, module]}.{tensor}"
    match = re.fullmatch(r"layer(\d\d?)\.(\d\..+)", key)
    if not match:
        return None
    layer, rest = int(match[1]), match[2]
    plain = rest.removeprefix("0.")  # of a layer that is a single module with us
    if part == "encoder":
        return f"neck.layers.{layer - 1}.{rest}"
    if part == "decoder":
        # the fifth layer, the last, is a plain projection
        return f"decoder.head.{plain}" if layer == 5 else f"decoder.layers.{layer - 1}.{rest}"
    if part == "merger":
        if not multi_scale:
            return f"volume_fusion.layers.{layer - 1}.{rest}"
        named = {5: "reduce", 6: "head"}.get(layer, f"scales.{layer - 1}")
        return f"volume_fusion.{named}.{rest}"
    if layer <= 3:
        return f"refiner.down.{layer - 1}.{rest}"
    if layer <= 5:
        return f"refiner.dense.{2 * (layer - 4)}.{plain}"
    return f"refiner.head.{plain}" if layer == 8 else f"refiner.up.{layer - 6}.{rest}"


def rename(
    state: dict, source: str | Path, own: dict[str, Tensor], multi_scale: bool
) -> dict[str, Tensor]:
    """The tensors of a checkpoint of the authors under our names, every one exactly once.

    Counters ``num_batches_tracked``, which old files lack, are filled with 0.
    """
    from voxrecon.engine.checkpoint import is_dense, listed

    weights: dict[str, Tensor] = {}
    left: list[str] = []
    for top, tensors in state.items():
        part = str(top).removesuffix("_state_dict")
        if part not in PARTS:
            left += [] if EXTRAS.fullmatch(str(top)) else [str(top)]
            continue
        if not isinstance(tensors, dict):
            kind = type(tensors).__name__
            raise CheckpointError(f"{source}: {top} is a {kind}, expected a dict of tensors")
        for key, value in tensors.items():
            name = our_key(part, str(key).removeprefix("module."), multi_scale)
            if name is None or not is_dense(value) or name in weights:
                left.append(f"{part}.{key}")
            else:
                weights[name] = value
    if left:
        raise CheckpointError(
            f"{source}: {len(left)} keys have no place in the network: {listed(left)}"
        )
    for key, value in own.items():
        if key.endswith("num_batches_tracked") and key not in weights:
            weights[key] = torch.zeros_like(value, device="cpu")
    return weights


def convert(config: str, source: str, target: str) -> None:
    """Convert ``source`` for the network of ``config``.

    Writes ``target`` (.safetensors) and, beside it, its ``.json``.
    """
    from voxrecon.engine.checkpoint import check_keys, read_checkpoint, write_model
    from voxrecon.engine.config import load_config
    from voxrecon.models import MultiScaleContextAwareFusion
    from voxrecon.registry import MODELS

    if Path(target).suffix != ".safetensors":
        raise CheckpointError(f"{target}: expected a name that ends in .safetensors")
    cfg = load_config(config)
    with torch.device("meta"):
        model = MODELS.build(cfg.model)
    state = read_checkpoint(source)
    multi_scale = isinstance(model.volume_fusion, MultiScaleContextAwareFusion)
    weights = rename(state, source, model.state_dict(), multi_scale)
    check_keys(weights, model.state_dict(), source)
    model.load_state_dict(weights, assign=True)
    write_model(model, cfg.model.to_dict(), target)
    print(f"{len(weights)} tensors of {source} written to {target}")
    print(f"next: {command_line('test')} {config} {target} --data-root DIR")


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon convert``."""
    arguments = parser(
        "convert",
        "Convert a checkpoint in the layout of the authors of Pix2Vox, Pix2Vox++ or Pix2Vox-VAE.",
        "configs/pix2vox_a.py Pix2Vox-A-ShapeNet.pth a.safetensors",
    )
    arguments.add_argument("config", help="config of the network, e.g. configs/pix2vox_a.py")
    arguments.add_argument("source", metavar="SRC.pth")
    arguments.add_argument("target", metavar="DST.safetensors")
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: convert(**vars(parse_args(argv))))


if __name__ == "__main__":
    main()
