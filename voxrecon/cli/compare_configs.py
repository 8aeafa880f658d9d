# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import signal
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from statistics import mean

import torch
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from voxrecon.cli.common import guard, parser
from voxrecon.cli.runs import Run, run_command
from voxrecon.datasets.storage import exists
from voxrecon.engine.config import apply_options, load_config, parse_options
from voxrecon.errors import ConfigError, FileError
from voxrecon.evaluation import THRESHOLD, headline_mean, read_results, write_json
from voxrecon.registry import MODELS

WIDTH = 120  # of the table in a file


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon analyse compare-configs``."""
    arguments = parser(
        "analyse compare-configs",
        "Train and test several configs alike, with several seeds, and print one table:\n"
        "parameters, minutes of the training's process and its peak memory, IoU. A run that is\n"
        "finished is not repeated, but for its test where that is of another version.",
        "configs/pix2vox_small.py configs/pix2voxpp_small.py --data-root data/shapes13",
    )
    arguments.add_argument("configs", nargs="+", metavar="CONFIG")
    arguments.add_argument("--data-root", metavar="DIR", required=True, help="of all of them")
    arguments.add_argument(
        "--taxonomy", metavar="FILE", help="its splits (default: DIR/taxonomy.json)"
    )
    arguments.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1], metavar="N", help="default: 0 1"
    )
    arguments.add_argument(
        "--views", type=int, nargs="+", default=[1, 3, 5], metavar="N", help="default: 1 3 5"
    )
    arguments.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="trainings side by side; they share the cores (default: 1)",
    )
    arguments.add_argument(
        "--work-dir",
        metavar="D",
        default="work_dirs/comparison",
        help="output (default: work_dirs/comparison)",
    )
    arguments.add_argument("--out", metavar="FILE", help="write the figures as JSON")
    arguments.add_argument(
        "--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="for all configs"
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def compare(args: argparse.Namespace) -> None:
    """Train, test and print as the command line says."""
    names = [Path(config).stem for config in args.configs]
    if len(set(names)) < len(names):
        raise ConfigError(f"configs {' '.join(args.configs)}: expected distinct names")
    for option, values, lowest in (("seeds", args.seeds, 0), ("views", args.views, 1)):
        if min(values) < lowest or len(set(values)) < len(values):
            given = " ".join(map(str, values))
            raise ConfigError(f"--{option} {given}: expected distinct numbers from {lowest}")
    if args.jobs < 1:
        raise ConfigError(f"--jobs {args.jobs}: expected at least 1")
    if not exists(args.data_root):
        raise ConfigError(f"--data-root {args.data_root}: no such data set")
    options = parse_options(args.cfg_options)
    if "randomness.seed" in options:
        raise ConfigError("--cfg-options randomness.seed: expected --seeds")
    runs, parameters = [], []
    for config, name in zip(args.configs, names, strict=True):
        cfg = load_config(config)
        apply_options(cfg, options)
        with torch.device("meta"):
            parameters.append(sum(p.numel() for p in MODELS.build(cfg.model).parameters()))
        for seed in args.seeds:
            words = ["--cfg-options", f"randomness.seed={seed}", *args.cfg_options]
            known = {
                "config": cfg.pretty_text,
                "data": [args.data_root, args.taxonomy],
                "views": args.views,
            }
            runs.append(Run(config, Path(args.work_dir, name, f"seed_{seed}"), words, known))
    todo = [run for run in sorted(runs, key=lambda r: r.folder.name) if not _is_finished(run)]
    _train_and_test(todo, args)
    rows = []
    for i, name in enumerate(names):
        of_config = runs[i * len(args.seeds) : (i + 1) * len(args.seeds)]
        rows.append({"name": name, "parameters": parameters[i], **_figures(of_config, args.views)})
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)  # a file has room for all columns
    console.print(_table(rows, args.seeds, args.views))
    if args.out:
        write_json(args.out, {"seeds": args.seeds, "views": args.views, "rows": rows})
        print(f"figures: {args.out}")


def _is_finished(run: Run) -> bool:
    """Whether there is nothing left to do; says why a training is only tested again."""
    if run.record() is None:
        return False
    try:
        read_results(run.results)
    except FileError as error:
        print(f"{run.folder}: its training stays, its test is repeated: {error}")
        return False
    return True


def _train_and_test(runs: Sequence[Run], args: argparse.Namespace) -> None:
    """All runs, ``--jobs`` at a time; whatever ends this early ends their processes too."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    processes: set[subprocess.Popen] = set()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: they must end too
    with ThreadPoolExecutor(args.jobs) as pool, Progress(*columns, TimeRemainingColumn()) as bar:
        task = bar.add_task("runs", total=len(runs))
        pending = [pool.submit(_run, run, args, processes) for run in runs]
        try:
            for future in as_completed(pending):
                bar.console.print(future.result(), highlight=False)
                bar.advance(task)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(processes):
                process.terminate()
            raise


def _run(run: Run, args: argparse.Namespace, processes: set) -> str:
    """Train, unless that is done, and test, each in a process of its own; one line on it."""
    run.folder.mkdir(parents=True, exist_ok=True)
    data = ["--data-root", args.data_root, "--work-dir", str(run.folder)]
    data += ["--taxonomy", args.taxonomy] if args.taxonomy else []
    words = [run.config, *data, *run.options]
    record = run.record()
    if record is None:
        seconds, memory = run_command("train", words, run.folder, args.jobs, processes)
    words.insert(1, str(run.folder / "best.pth"))
    words += ["--views", *map(str, args.views), "--out", str(run.results)]
    words.append("--no-baselines")  # they are the same for all configs
    run_command("test", words, run.folder, args.jobs, processes)
    if record is not None:
        return f"{run.folder}: tested again"
    write_json(run.folder / "run.json", {**run.known, "seconds": seconds, "peak_memory": memory})
    return f"{run.folder}: trained in {seconds / 60:.1f} min"


def _figures(runs: Sequence[Run], views: Sequence[int]) -> dict:
    """Of all seeds: minutes, peak memory, and IoU by number of views."""
    records = [run.record() for run in runs]
    scores: dict[str, list[float]] = {str(n): [] for n in views}
    for run in runs:
        results = read_results(run.results)
        if results["protocol"]["threshold"] != THRESHOLD or not {*views} <= {*results["views"]}:
            raise ConfigError(f"{run.results}: another threshold or numbers of views")
        for n in views:
            scores[str(n)].append(headline_mean(results, n))
    return {
        "minutes": [record["seconds"] / 60 for record in records],
        "peak_memory": [record["peak_memory"] for record in records],
        "iou": scores,
    }


def _table(rows: Sequence[dict], seeds: Sequence[int], views: Sequence[int]) -> Table:
    title = f"Voxel IoU at {THRESHOLD}: mean of seeds {', '.join(map(str, seeds))}"
    title += ", below it largest minus smallest" if len(seeds) > 1 else ""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("Config", overflow="fold", min_width=20)
    for name in ("Parameters\nmillions", "Minutes", "Peak\nMB"):
        table.add_column(name, justify="right", no_wrap=True)
    for n in views:
        table.add_column(f"{n} view{'s' * (n > 1)}", justify="right", no_wrap=True)
    for row in rows:
        numbers = [
            f"{row['parameters'] / 1e6:.3f}",
            f"{mean(row['minutes']):.1f}",
            f"{max(row['peak_memory']) / 1e6:.0f}",
        ]
        for values in row["iou"].values():
            spread = f"\n{max(values) - min(values):.4f}" if len(values) > 1 else ""
            numbers.append(f"{mean(values):.4f}{spread}")
        table.add_row(row["name"], *numbers)
    return table


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: compare(parse_args(argv)))


if __name__ == "__main__":
    main()
