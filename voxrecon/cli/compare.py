# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean

import torch
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from voxrecon.cli.common import available_cores, guard, parser
from voxrecon.engine.config import load_config
from voxrecon.errors import ConfigError, FileError, VoxreconError
from voxrecon.evaluation import THRESHOLD, read_results, write_json
from voxrecon.registry import MODELS


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line of ``tools/analysis/compare.py``."""
    arguments = parser(
        "Train and test several configs alike, with several seeds, and print one table:\n"
        "parameters, time, memory, IoU. A run that is finished is not repeated.",
        "python tools/analysis/compare.py configs/pix2vox_small.py configs/pix2voxpp_small.py "
        "--data-root data/shapes13",
    )
    arguments.add_argument("configs", nargs="+", metavar="CONFIG")
    arguments.add_argument("--data-root", metavar="DIR", required=True, help="of all of them")
    arguments.add_argument("--seeds", type=int, nargs="+", default=[0, 1], metavar="N")
    arguments.add_argument("--views", type=int, nargs="+", default=[1, 3, 5], metavar="N")
    arguments.add_argument(
        "--jobs", type=int, default=1, help="trainings side by side; they share the cores"
    )
    arguments.add_argument("--work-dir", metavar="D", default="work_dirs/comparison")
    arguments.add_argument("--out", metavar="FILE", help="write the figures as JSON")
    arguments.add_argument(
        "--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="for all configs"
    )
    return arguments.parse_args(argv)


def compare(args: argparse.Namespace) -> None:
    """Train, test and print as the command line says."""
    names = [Path(config).stem for config in args.configs]
    if len(set(names)) < len(names):
        raise ConfigError(f"configs {' '.join(args.configs)}: expected distinct names")
    for option, values in (("seeds", args.seeds), ("views", args.views), ("jobs", [args.jobs])):
        lowest = 0 if option == "seeds" else 1
        if min(values) < lowest or len(set(values)) < len(values):
            given = " ".join(map(str, values))
            raise ConfigError(f"--{option} {given}: expected distinct numbers from {lowest}")
    parameters = [_count_parameters(config) for config in args.configs]
    runs = [(config, seed) for seed in args.seeds for config in args.configs]
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn()) as bar, ThreadPoolExecutor(args.jobs) as pool:
        task = bar.add_task("runs", total=len(runs))
        pending = [pool.submit(_run, config, seed, args, bar.console) for config, seed in runs]
        try:
            for future in pending:
                future.result()
                bar.advance(task)
        except BaseException:
            pool.shutdown(cancel_futures=True, wait=False)
            raise
    rows = [
        {"name": name, "parameters": count, **_figures(config, args)}
        for name, count, config in zip(names, parameters, args.configs, strict=True)
    ]
    Console().print(_table(rows, args.seeds, args.views))
    if args.out:
        write_json(args.out, {"seeds": args.seeds, "views": args.views, "rows": rows})


def _count_parameters(config: str) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in MODELS.build(load_config(config).model).parameters())


def _folder(config: str, seed: int, args: argparse.Namespace) -> Path:
    return Path(args.work_dir, Path(config).stem, f"seed_{seed}")


def _run(config: str, seed: int, args: argparse.Namespace, console: Console) -> None:
    """Train and test one config with one seed, each in a process of its own."""
    folder = _folder(config, seed, args)
    record = folder / "run.json"
    known = {"data_root": args.data_root, "views": args.views, "options": args.cfg_options}
    if record.exists():
        before = json.loads(record.read_text())
        if {key: before.get(key) for key in known} != known:
            raise ConfigError(f"{record}: of other options; use another --work-dir")
        return
    folder.mkdir(parents=True, exist_ok=True)
    data = ["--data-root", args.data_root, "--work-dir", str(folder)]
    options = ["--cfg-options", f"randomness.seed={seed}", *args.cfg_options]
    seconds, memory = _call("train", [config, *data, *options], folder, args.jobs)
    best = str(folder / "best.pth")
    views = ["--views", *map(str, args.views)]
    test = [config, best, *data, *views, "--out", str(folder / "results.json"), *options]
    _call("test", test, folder, args.jobs)
    write_json(record, {**known, "seconds": seconds, "peak_memory": memory})
    console.print(f"{folder}: trained in {seconds / 60:.1f} min", highlight=False)


def _call(command: str, words: Sequence[str], folder: Path, jobs: int) -> tuple[float, int]:
    """Seconds and peak memory (bytes) of a command of ours; its output goes into ``folder``."""
    threads = str(max(1, available_cores() // jobs))
    env = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    log, start = folder / f"{command}.txt", time.perf_counter()
    with log.open("w") as out:
        words = [sys.executable, "-m", f"voxrecon.cli.{command}", *words]
        process = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = (log.read_text(errors="replace").split("\n")[-2:-1] or [""])[0]
        raise VoxreconError(f"{log}: {command} failed: {last}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024


def _figures(config: str, args: argparse.Namespace) -> dict:
    """Of all seeds: minutes, peak memory, and IoU by number of views."""
    minutes, memory, scores = [], [], {str(n): [] for n in args.views}
    for seed in args.seeds:
        folder = _folder(config, seed, args)
        run, results = (folder / "run.json"), read_results(folder / "results.json")
        try:
            figures = json.loads(run.read_text())
            minutes.append(figures["seconds"] / 60)
            memory.append(figures["peak_memory"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileError(f"{run}: not a record of a run: {error}") from error
        at = results["thresholds"].index(THRESHOLD)
        for n, values in scores.items():
            values.append(results["summary"][n]["overall"][at])
    return {"minutes": minutes, "peak_memory": memory, "iou": scores}


def _table(rows: Sequence[dict], seeds: Sequence[int], views: Sequence[int]) -> Table:
    title = f"Voxel IoU at {THRESHOLD}: mean of seeds {', '.join(map(str, seeds))} (their range)"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("Config", overflow="fold")
    for name in ("Parameters", "Minutes", "Memory\nMB"):
        table.add_column(name, justify="right", no_wrap=True)
    for n in views:
        table.add_column(f"{n} view{'s' * (n > 1)}", justify="right", no_wrap=True)
    for row in rows:
        numbers = [
            f"{row['parameters']:,}",
            f"{mean(row['minutes']):.1f}",
            f"{max(row['peak_memory']) / 1e6:.0f}",
        ]
        for values in row["iou"].values():
            numbers.append(f"{mean(values):.4f} ({max(values) - min(values):.4f})")
        table.add_row(row["name"], *numbers)
    return table


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: compare(parse_args(argv)))


if __name__ == "__main__":
    main()
