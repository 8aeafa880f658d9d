# SPDX-License-Identifier: MIT
"""What a network with a memory of shapes remembers at the sight of an image."""

from __future__ import annotations

import argparse
import os

import numpy as np
import torch
from mmengine import Config
from rich import box
from rich.console import Console
from rich.table import Table

from voxrecon.apis import init_model
from voxrecon.cli.common import guard, parser
from voxrecon.datasets.storage import read_bytes
from voxrecon.datasets.transforms import CropViews
from voxrecon.datasets.transforms.loading import MAX_IMAGE_BYTES, decode_image
from voxrecon.engine.config import load_config
from voxrecon.errors import ConfigError, FileError
from voxrecon.models import MemoryBankFusion
from voxrecon.visualization import (
    draw_reconstruction,
    draw_tiles,
    fill_background,
    render_voxels,
    write_png,
)

TILE = 224  # pixels of a shape
COLUMNS = 6


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon analyse retrieved-shapes``."""
    arguments = parser(
        "analyse retrieved-shapes",
        "Draw the shapes that a network retrieves from its memory for an image, and what it\n"
        "reconstructs.",
        "projects/mem3d/configs/mem3d.py best.pth chair.png --out retrieved.png",
    )
    arguments.add_argument("config", help="a config file, or voxrecon::projects/...")
    arguments.add_argument("checkpoint", help="safetensors or a training checkpoint")
    arguments.add_argument("image", help="PNG or JPEG, as the renderings that it was trained on")
    arguments.add_argument("--out", metavar="FILE.png", required=True, help="the picture")
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def retrieved_shapes(args: argparse.Namespace) -> None:
    """Draw and print as the command line says."""
    if not args.out.endswith(".png") or os.path.isdir(args.out):
        raise ConfigError(f"--out {args.out}: expected the name of a .png file")
    cfg = load_config(args.config)
    image = read_view(args.image, cfg)
    model = init_model(cfg, args.checkpoint, "cuda" if torch.cuda.is_available() else "cpu")
    fusion = model.feature_fusion
    if not isinstance(fusion, MemoryBankFusion) or fusion.memory is None:
        raise ConfigError(
            f"{args.config}: has no memory, expected feature_fusion to be a MemoryBankFusion with "
            "slots"
        )
    batch = {"inputs": {"images": torch.from_numpy(image)[None, None]}}
    with torch.no_grad():
        state = model.encode(model.data_preprocessor(batch)["inputs"])
        volume = model.fuse(state)["volume"][0].cpu().numpy()
    slots, similarities = (state["aux"][key][0, 0] for key in ("retrieved", "similarities"))
    found = slots >= 0
    slots, similarities = slots[found], similarities[found].tolist()
    grids = fusion.memory.read(slots).cpu().numpy().reshape(-1, *[fusion.grid_size] * 3)

    write_png(args.out, draw(image, volume, grids, similarities))
    ages = fusion.memory.ages
    print(f"{args.config}: {int((ages >= 0).sum())} of {len(ages)} slots are filled")
    if len(grids):
        Console().print(_table(slots.tolist(), similarities, ages[slots].tolist(), grids))
    else:
        print(f"nothing is retrieved: no key is more similar than beta = {fusion.beta:g}")
    print(f"picture: {args.out}")


def read_view(path: str, cfg: Config) -> np.ndarray:
    """The middle of a picture, (h, w, 4) uint8 RGBA: a square, no larger than the test pipeline
    of the config crops.
    """
    try:
        image = decode_image(read_bytes(path, MAX_IMAGE_BYTES), path)
    except FileNotFoundError:
        raise FileError(f"{path}: no such picture") from None
    crops = [
        step.get("size", min(image.shape[:2]))
        for step in cfg.test_dataloader.dataset.pipeline
        if step["type"] == "CropViews"
    ]
    crop = CropViews(min(*image.shape[:2], *crops))
    return crop.transform({"images": [image], "img_paths": [path]})["images"][0]


def draw(
    image: np.ndarray, volume: np.ndarray, grids: np.ndarray, similarities: list[float]
) -> np.ndarray:
    """Picture (H, W, 3) uint8 RGB: image (h, w, 4) and reconstruction (X, Y, Z), below them the
    retrieved grids (N, X, Y, Z) with their similarities.
    """
    rgb = fill_background(image)
    rows = [draw_reconstruction(rgb[None], volume, size=TILE)]
    tiles = [
        (f"{rank}: {similarity:.3f}", render_voxels(grid, size=TILE))
        for rank, (grid, similarity) in enumerate(zip(grids, similarities, strict=True), start=1)
    ]
    rows += [draw_tiles(tiles[i : i + COLUMNS], TILE) for i in range(0, len(tiles), COLUMNS)]
    width = max(row.shape[1] for row in rows)
    return np.concatenate(
        [
            np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255)
            for row in rows
        ]
    )


def _table(
    slots: list[int], similarities: list[float], ages: list[int], grids: np.ndarray
) -> Table:
    table = Table(title="Retrieved", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("Rank", "Slot", "Similarity", "Age", "Voxels"):
        table.add_column(name, justify="right")
    for rank, (slot, similarity, age, grid) in enumerate(
        zip(slots, similarities, ages, grids, strict=True), start=1
    ):
        table.add_row(str(rank), str(slot), f"{similarity:.4f}", str(age), str(grid.sum()))
    return table


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: retrieved_shapes(parse_args(argv)))


if __name__ == "__main__":
    main()
