# SPDX-License-Identifier: MIT
"""Pictures of what a VAE bottleneck has learnt: a map, ways between objects, and samples."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.figure import Figure
from mmengine.dataset import default_collate
from torch import Tensor
from torch.utils.data import DataLoader

from voxrecon.apis import init_model
from voxrecon.cli.common import (
    add_data_options,
    available_cores,
    guard,
    parser,
    set_data_of,
    with_bar,
)
from voxrecon.datasets import R2N2Dataset
from voxrecon.engine.config import load_config
from voxrecon.errors import CheckpointError, ConfigError, FileError
from voxrecon.fileio import atomic_write, reason
from voxrecon.models import VAEBottleneck, VoxelReconstructor
from voxrecon.registry import DATASETS
from voxrecon.visualization import render_voxels, write_png

TILE = 160  # pixels of a reconstruction
COLUMNS = 8  # of samples


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon analyse latent-space``."""
    arguments = parser(
        "analyse latent-space",
        "Draw the latent space of a network with a VAE bottleneck: objects on a map, ways from\n"
        "one object to another, and samples from the prior.",
        "projects/pix2voxpp_vae/configs/pix2voxpp_vae.py "
        "best.pth --data-root data/shapes13 --out latent",
    )
    arguments.add_argument("config", help="a config file, or voxrecon::projects/...")
    arguments.add_argument("checkpoint", help="safetensors or a training checkpoint")
    add_data_options(arguments)
    arguments.add_argument("--split", choices=["train", "val", "test"], default="test")
    counts = {
        "--views": (1, "views of an object"),
        "--steps": (7, "reconstructions on the way, both ends included"),
        "--pairs": (3, "ways from one object to another"),
        "--samples": (8, "draws from the prior"),
    }
    for option, (default, text) in counts.items():
        arguments.add_argument(
            option, type=int, default=default, metavar="N", help=f"{text} (default: {default})"
        )
    arguments.add_argument("--seed", type=int, default=0, help="of pairs and samples (default: 0)")
    arguments.add_argument("--out", metavar="DIR", required=True, help="folder of the pictures")
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def latent_space(args: argparse.Namespace) -> None:
    """Draw as the command line says."""
    for name, least in (("views", 1), ("steps", 2), ("pairs", 1), ("samples", 1)):
        if getattr(args, name) < least:
            raise ConfigError(f"--{name} {getattr(args, name)}: expected at least {least}")
    if not args.out:
        raise ConfigError("--out is empty, expected a folder")
    cfg = load_config(args.config)
    set_data_of(cfg, args)
    model = init_model(cfg, args.checkpoint, "cuda" if torch.cuda.is_available() else "cpu")
    if not isinstance(model.feature_fusion, VAEBottleneck):
        raise ConfigError(f"{args.config}: no VAEBottleneck as feature_fusion, nothing to draw")
    source = cfg.test_dataloader.dataset
    source.update(split=args.split, n_views=args.views)
    dataset = DATASETS.build(source)
    if len(dataset) < 2:
        raise ConfigError(
            f"{dataset.data_root}: {len(dataset)} object in split {args.split!r}, "
            "expected at least 2 to draw ways between"
        )
    try:
        os.makedirs(args.out, exist_ok=True)
    except OSError as error:
        raise FileError(f"{args.out}: cannot be written: {reason(error)}") from error
    means = posterior_means(model, dataset)
    if not means.isfinite().all():
        raise CheckpointError(f"{args.checkpoint}: its latent vectors are not finite")
    generator = torch.Generator().manual_seed(args.seed)

    paths = [
        os.path.join(args.out, f"{name}.png")
        for name in ("latent_map", "interpolations", "samples")
    ]
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    with atomic_write(paths[0]) as temporary:
        draw_map(means, [info["name"] for info in infos]).savefig(temporary, format="png", dpi=150)
    order = torch.randperm(len(dataset), generator=generator).tolist()
    pairs = [
        (order[2 * i % len(order)], order[(2 * i + 1) % len(order)]) for i in range(args.pairs)
    ]
    share = torch.linspace(0, 1, args.steps)[:, None]
    ways = [means[a] + share * (means[b] - means[a]) for a, b in pairs]
    _write_grids(paths[1], reconstruct(model, torch.cat(ways)), args.steps)
    samples = model.feature_fusion.sample(args.samples, generator)[:, 0]
    _write_grids(paths[2], reconstruct(model, samples), min(args.samples, COLUMNS))

    keys = [f"{info['name']} {info['taxonomy']}/{info['id']}" for info in infos]
    print(f"{len(means)} objects of split {args.split!r}, {means.shape[1]} latent values")
    print(f"map: {paths[0]}")
    print(f"ways between objects: {paths[1]}")
    for row, (a, b) in enumerate(pairs, start=1):
        print(f"  row {row}: from {keys[a]} to {keys[b]}")
    print(f"samples: {paths[2]}")


def posterior_means(model: VoxelReconstructor, dataset: R2N2Dataset) -> Tensor:
    """The latent vector of each object, (N, L) on the CPU."""
    workers = min(available_cores(), 8)
    loader = DataLoader(dataset, batch_size=4, num_workers=workers, collate_fn=default_collate)
    means = []
    for batch in with_bar(loader, "latent vectors"):
        with torch.no_grad():
            features, _ = model.extract_features(model.data_preprocessor(batch)["inputs"])
            means.append(model.feature_fusion(features)[1]["mean"].cpu())
    return torch.cat(means)


def principal_components(points: Tensor) -> tuple[Tensor, Tensor]:
    """Points (N, L) on their first two principal components (N, 2), and the share of the variance
    that each explains (2,); zeros where there is no second one.
    """
    centred = points - points.mean(dim=0)
    _, scales, axes = torch.linalg.svd(centred, full_matrices=False)
    count = min(2, len(axes))
    placed, shares = points.new_zeros(len(points), 2), points.new_zeros(2)
    placed[:, :count] = centred @ axes[:count].T
    shares[:count] = scales[:count] ** 2 / scales.square().sum().clamp(min=1e-12)
    return placed, shares


def draw_map(means: Tensor, names: Sequence[str]) -> Figure:
    """Latent vectors (N, L) on their first two principal components, a colour for each name."""
    placed, shares = principal_components(means)
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.add_subplot()
    classes = list(dict.fromkeys(names))
    for i, name in enumerate(classes):
        of_class = placed[[own == name for own in names]]
        # twenty colours a round, each round with another mark
        look = {"color": colormaps["tab20"](i % 20), "marker": "o^sDv"[i // 20 % 5]}
        axes.scatter(*of_class.T.numpy(), s=20, label=name, **look)
    axes.set_xlabel(f"first principal component ({shares[0]:.0%} of the variance)")
    axes.set_ylabel(f"second ({shares[1]:.0%})")
    axes.set_aspect("equal", adjustable="datalim")
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def reconstruct(model: VoxelReconstructor, latents: Tensor) -> np.ndarray:
    """Latent vectors (N, L) to grids (N, X, Y, Z), a few at a time."""
    device = next(model.parameters()).device
    with torch.no_grad():
        parts = [
            model.decode(part[:, None].to(device)).cpu()
            for part in with_bar(latents.split(4), "reconstructions")
        ]
    return torch.cat(parts).numpy()


def _write_grids(path: str, grids: np.ndarray, columns: int) -> None:
    """Pictures of grids (N, X, Y, Z) in rows."""
    tiles = [render_voxels(grid, size=TILE) for grid in grids]
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[i : i + columns], axis=1) for i in range(0, len(tiles), columns)]
    write_png(path, np.concatenate(rows))


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: latent_space(parse_args(argv)))


if __name__ == "__main__":
    main()
