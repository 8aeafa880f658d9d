# SPDX-License-Identifier: MIT
"""The report of a test: a page with pictures, and a table."""

from __future__ import annotations

import argparse
import os

import numpy as np
import torch
from mmengine.dataset import default_collate

from voxrecon.cli.common import command_line, guard, parser, with_bar
from voxrecon.evaluation import read_results
from voxrecon.evaluation.figures import count_views
from voxrecon.evaluation.markdown import format_markdown
from voxrecon.evaluation.page import GalleryRow, write_page
from voxrecon.evaluation.published import report_rows
from voxrecon.evaluation.results import headline, sample_ious, sample_key, samples_at
from voxrecon.fileio import atomic_write
from voxrecon.visualization import fill_background, render_voxels

SHOWN = 4  # samples each of best, median and worst
SIZE = 192  # pixels of a picture
MAX_INPUTS = 3


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon analyse report``."""
    arguments = parser(
        "analyse report",
        "A page, report.html, and a table, report.md, of results; without pictures of objects,\n"
        f"which {command_line('test')} --report draws with the network at hand.",
        "work_dirs/f/results.json",
    )
    arguments.add_argument("results", metavar="FILE", help="results.json of a test")
    arguments.add_argument(
        "--out-dir", metavar="D", help="for the report (default: the folder of FILE)"
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def write_report(folder: str, results: dict, runner=None) -> tuple[str, str]:
    """Write ``report.html`` and ``report.md`` into a folder, with pictures by the runner's network,
    if there is one; their paths."""
    page, table = (os.path.join(folder, name) for name in ("report.html", "report.md"))
    published = report_rows(results)
    with atomic_write(table) as temporary:
        temporary.write_text(format_markdown(results, published), encoding="utf-8")
    write_page(page, results, _gallery(results, runner) if runner else (), published)
    return page, table


def _gallery(results: dict, runner) -> list[GalleryRow]:
    """The best, median and worst samples at the smallest number of views."""
    few, most = results["views"][0], results["views"][-1]
    samples = samples_at(results, few)
    scores = sample_ious(samples)[:, headline(results, few)]
    order = np.argsort(-scores, kind="stable").tolist()
    middle = max(0, (len(order) - SHOWN) // 2)
    chosen = {}  # of few samples each once
    for title, part in (
        ("best", order[:SHOWN]),
        ("median", order[middle : middle + SHOWN]),
        ("worst", order[-SHOWN:]),
    ):
        for i in part:
            chosen.setdefault(i, title)
    dataset = runner.test_dataloader.dataset
    places = {}
    for place in range(len(dataset)):
        places.setdefault(sample_key(dataset.get_data_info(place)), place)
    thresholds = {n: results["thresholds"][headline(results, n)] for n in {few, most}}
    return [
        GalleryRow(
            f"{title}: {results['classes'][samples[i]['taxonomy']]} {samples[i]['id']}",
            f"IoU {scores[i]:.4f} with {count_views(few)}",
            _pictures(runner, dataset[places[sample_key(samples[i])]], thresholds),
        )
        for i, title in with_bar(list(chosen.items()), "gallery")
    ]


def _pictures(runner, item: dict, thresholds: dict[int, float]) -> list[tuple[str, np.ndarray]]:
    """Inputs, predictions and truth of a packed sample."""
    network = runner.network
    with torch.no_grad():
        data = network.data_preprocessor(default_collate([item]))
        (sample,) = network.predict(data["inputs"], data["data_samples"], sorted(thresholds))
    pictures = []
    for i, image in enumerate(item["inputs"]["images"][:MAX_INPUTS].numpy()):  # (h, w, 4)
        pictures.append((f"input {i + 1}", fill_background(image)))
    for n, threshold in sorted(thresholds.items()):
        volume = sample.pred_volumes[n].float().cpu().numpy()
        picture = render_voxels(volume, size=SIZE, threshold=threshold)
        pictures.append((count_views(n), picture))
    truth = sample.gt_voxels.bool().cpu().numpy()
    pictures.append(("truth", render_voxels(truth, size=SIZE)))
    return pictures


def report(args: argparse.Namespace) -> None:
    """Write as the command line says."""
    results = read_results(args.results, intervals=True)
    print("report:", *write_report(args.out_dir or os.path.dirname(args.results) or ".", results))


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: report(parse_args(argv)))


if __name__ == "__main__":
    main()
