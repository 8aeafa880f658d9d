# SPDX-License-Identifier: MIT
"""A trained network as a folder of files that others can use."""

from __future__ import annotations

import argparse
from pathlib import Path

from voxrecon.choices import PORTABLE
from voxrecon.cli.common import command_line, guard, parser, quote_path, say
from voxrecon.errors import ConfigError

FORMATS = ("folder", *PORTABLE)
PACKAGES = {"onnxscript": "export", "onnxruntime": "export", "openvino": "openvino"}  # extras
IMAGES = (2, 2)  # objects and views with which a folder is compared to what it was made of


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon export``."""
    arguments = parser(
        "export",
        "Write a model as a folder: weights (safetensors), config and card, and for other runtimes "
        "ONNX or\nOpenVINO files beside them, which are checked against torch.",
        "configs/pix2voxpp_small.py --weights work_dirs/pix2voxpp_small/best.pth -o chairs "
        "--format onnx",
    )
    arguments.add_argument(
        "model", metavar="MODEL", help="a config with --weights, a name of a model, or its folder"
    )
    arguments.add_argument("-o", "--out", metavar="DIR", required=True, help="folder of the model")
    arguments.add_argument(
        "--format",
        nargs="+",
        choices=FORMATS,
        default=["folder"],
        help="what to write; the folder comes with all of them (default: folder)",
    )
    arguments.add_argument("--weights", metavar="CKPT", help="checkpoint of a training")
    arguments.add_argument(
        "--half", action="store_true", help="weights as float16: half the size, almost the same"
    )
    arguments.add_argument(
        "--results", metavar="FILE", help="results.json of a test, whose figures the card shows"
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def export(args: argparse.Namespace) -> None:
    """Export as the command line says."""
    from voxrecon.apis.backends import import_package
    from voxrecon.apis.export import check_exportable, export_onnx, export_openvino
    from voxrecon.apis.model_card import write_card
    from voxrecon.apis.model_folder import (
        ONNX,
        OPENVINO,
        WEIGHTS,
        read_model_folder,
        write_card_file,
        write_model_folder,
    )

    portable = set(args.format) & set(PORTABLE)
    for name, extra in PACKAGES.items() if portable else ():
        if name in ("onnxscript", "onnxruntime", *portable):
            import_package(name, extra)
    folder = Path(args.out)
    source, described, card = load_source(args)
    if portable:
        check_exportable(source)
    model = source
    results = read_figures(args)
    if described is not None:
        if card is None or results is not None:
            card = write_card(folder.resolve().name, source, results)
        write_model_folder(folder, source, described, card, args.half)
        model = read_model_folder(folder)
        kind = "float16" if args.half else "float32"
        say(
            f"{folder / WEIGHTS}: {size_of(folder / WEIGHTS)}, {kind}; volumes differ from those "
            f"of the source by at most {difference(source, model):.2g}"
        )
    elif results is not None:
        card = write_card_file(folder, write_card(folder.resolve().name, source, results))
        say(f"{card}: with the figures of {args.results}")
    onnx = None
    if "onnx" in args.format:
        onnx = folder / ONNX
        worst = export_onnx(model, onnx)
        say(f"{onnx}: {size_of(onnx)}, differs from torch by at most {worst:.2g}")
    if "openvino" in args.format:
        path = folder / OPENVINO[0]
        worst = export_openvino(model, path, onnx)
        size = size_of(path, folder / OPENVINO[1])
        say(f"{path}: {size}, differs from torch by at most {worst:.2g}")
    backend = next((f" --backend {name}" for name in args.format if name != "folder"), "")
    say(
        f"next: {command_line('infer')} PHOTO.jpg --model {quote_path(args.out)}{backend} "
        "-o object.glb"
    )


def load_source(args: argparse.Namespace):
    """The network; its ``cfg.model``, None where its weights stay as they are; its card if any."""
    from voxrecon.apis import init_model
    from voxrecon.apis.model_folder import read_card, read_model_config, read_model_folder
    from voxrecon.apis.model_zoo import find_model
    from voxrecon.engine.config import load_config

    folder, config = Path(args.model), args.model
    if not folder.is_dir() and not config.endswith(".py"):
        known = find_model(args.model)
        folder, config = (None if args.weights else known.folder), known.config
    if folder is not None and folder.is_dir():
        if args.weights:
            raise ConfigError(f"--weights {args.weights}: the folder {folder} has its own")
        out = Path(args.out)
        stays = out.is_dir() and out.samefile(folder) and not args.half
        described = None if stays else read_model_config(folder)["model"]
        return read_model_folder(folder), described, read_card(folder)
    if not args.weights:
        raise ConfigError(f"{args.model}: has no weights, expected --weights CKPT")
    cfg = load_config(config)
    return init_model(cfg, args.weights), cfg.model.to_dict(), None


def read_figures(args: argparse.Namespace):
    """The results of ``--results``; ConfigError where they are of another checkpoint."""
    from voxrecon.engine.checkpoint import hash_file
    from voxrecon.evaluation.results_file import read_results

    if args.results is None:
        return None
    results = read_results(args.results, intervals=True)
    tested = results["run"].get("checkpoint_sha256")
    if args.weights and tested and tested != hash_file(args.weights):
        raise ConfigError(
            f"--results {args.results}: of a checkpoint with sha256 {tested[:12]}, expected "
            f"{hash_file(args.weights)[:12]} of {args.weights}"
        )
    return results


def difference(source, model) -> float:
    """The greatest difference between the volumes of two networks."""
    import torch

    from voxrecon.apis.export import random_images

    images = random_images(source, *IMAGES)
    with torch.inference_mode():
        return float((source(images) - model(images)).abs().max())


def size_of(*paths: Path) -> str:
    """Of files together."""
    return f"{sum(path.stat().st_size for path in paths) / 1e6:.1f} MB"


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: export(parse_args(argv)))


if __name__ == "__main__":
    main()
