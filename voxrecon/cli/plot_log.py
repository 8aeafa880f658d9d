# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import difflib
import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from voxrecon.cli.common import guard, parser
from voxrecon.errors import ConfigError, FileError
from voxrecon.fileio import atomic_write, read_file

SCALARS = "vis_data/scalars.json"
MAX_BYTES = 100_000_000  # of a log
MAX_STEP = 10**12
STAGE = re.compile(r"- stage (\d{1,4}) of \d+: (\d{1,9}) epochs?, ", re.ASCII)
POSITIONS = ("step", "epoch", "iter")  # keys that are no figures
DASHES = ("-", "--", ":", "-.")  # one for each round of ten colours
NAME_COLUMNS = 2  # of the legend
NAN = float("nan")


@dataclass
class Run:
    """The log of one training.

    Attributes:
        train: (epoch, step, figures) of the logged steps, in their order.
        val: (epoch, figures) of the validations.
        stages: Epochs of the stages, from the first on, as far as the log tells.
    """

    path: Path
    train: list[tuple[int, int, dict[str, float]]] = field(default_factory=list)
    val: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    stages: list[int] = field(default_factory=list)

    @property
    def pace(self) -> float:
        """Steps of an epoch.

        All epochs have as many, and the first logged step of each has the same place.
        """
        first = {epoch: step for epoch, step, _ in reversed(self.train)}
        if len(first) > 1:
            low, high = min(first), max(first)
            return (first[high] - first[low]) / (high - low)
        return self.train[-1][1] / max(self.train[-1][0], 1) if self.train else 1.0

    def keys(self) -> set[str]:
        """What it has figures of."""
        return {key for *_, figures in (*self.train, *self.val) for key in figures}


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon analyse plot-log``."""
    arguments = parser(
        "analyse plot-log",
        "Draw the training curves of one or more runs: a panel for each key, a line for each run,\n"
        "dots for validations, dotted lines between the stages.",
        "work_dirs/pix2vox_small work_dirs/pix2voxpp_small --keys loss iou",
    )
    arguments.add_argument(
        "runs", nargs="+", metavar="RUN", help="a --work-dir of training, or a scalars.json"
    )
    arguments.add_argument(
        "--keys",
        nargs="+",
        default=["loss", "iou", "lr"],
        metavar="KEY",
        help="default: loss iou lr",
    )
    arguments.add_argument(
        "--out", default="curves.png", metavar="FILE", help=".png or .svg (default: %(default)s)"
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def plot_log(args: argparse.Namespace) -> None:
    """Draw as the command line says."""
    suffix = Path(args.out).suffix
    if suffix not in (".png", ".svg") or os.path.isdir(args.out):
        raise ConfigError(f"--out {args.out}: expected the name of a .png or .svg file")
    keys = list(dict.fromkeys(args.keys))
    paths = [Path(run) for run in args.runs]
    for i, path in enumerate(paths):
        if path.resolve() in [other.resolve() for other in paths[:i]]:
            raise ConfigError(f"{path}: given twice, expected distinct runs")
    runs = [read_run(path) for path in paths]
    known = set().union(*(run.keys() for run in runs))
    for key in keys:
        if key not in known:
            (near,) = difflib.get_close_matches(key, sorted(known), n=1, cutoff=0) or [""]
            raise ConfigError(f"--keys {key}: in none of the runs, the nearest is {near!r}")
    for run in runs:
        for key in keys:
            rows = [figures for *_, figures in (*run.train, *run.val) if key in figures]
            gaps = sum(math.isnan(figures[key]) for figures in rows)
            if gaps:
                print(f"warning: {run.path}: {gaps} of {len(rows)} values of {key} are not finite")
    with matplotlib.rc_context({"svg.hashsalt": "voxrecon"}):  # the same bytes every time
        figure = draw_curves(runs, keys)
        with atomic_write(args.out) as temporary:
            metadata = {"Date": None} if suffix == ".svg" else None
            figure.savefig(temporary, format=suffix[1:], metadata=metadata)
    print(f"curves of {len(runs)} run{'s' * (len(runs) > 1)}: {args.out}")


def read_run(path: Path) -> Run:
    """The log of a work dir, of one of its time-stamped folders, or of a file.

    Of a work dir the folders are put together: a later one replaces an earlier one from its first
    epoch on, since it is the training that went on from there.

    Raises:
        FileError: no log, or one with a line that cannot be one.
    """
    if path.is_dir():
        own = path / SCALARS
        files = [own] if own.is_file() else sorted(path.glob(f"*/{SCALARS}"))
    else:
        files = [path]
    if not files:
        raise FileError(f"{path}: no {SCALARS} in it, expected the --work-dir of a training")
    run, told = Run(path), {}
    for file in files:
        train, val = _read_scalars(file)
        begin = min((epoch for epoch, *_ in (*train, *val)), default=math.inf)
        run.train = [row for row in run.train if row[0] < begin] + train
        run.val = [row for row in run.val if row[0] < begin] + val
        stages = _read_stages(file)
        told = {n: told[n] for n in told if n < min(stages, default=math.inf)} | stages
    if not run.train and not run.val:
        raise FileError(f"{files[-1]}: empty, expected lines of a training")
    while len(run.stages) + 1 in told:
        run.stages.append(told[len(run.stages) + 1])
    return run


def _read_scalars(path: Path) -> tuple[list, list]:
    """``train`` and ``val`` of a ``Run``, sorted."""
    train, val = {}, {}
    for number, line in enumerate(read_file(path, MAX_BYTES).split(b"\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise FileError(f"{where}: {line[:30]!r} is not JSON, expected a whole line") from error
        if not isinstance(row, dict):
            raise FileError(f"{where}: {type(row).__name__}, expected an object of figures")
        for key in ("step", *({"epoch"} & row.keys())):
            if type(row.get(key)) is not int or not 0 <= row[key] <= MAX_STEP:
                shown = str(row.get(key))[:30]
                raise FileError(f"{where}: {key} {shown}, expected a number from 0")
        figures = {
            key: _finite(value)
            for key, value in row.items()
            if key not in POSITIONS and type(value) in (int, float)
        }
        # a training line has both; the step of a validation is its epoch
        if "epoch" in row:
            train[row["step"]] = (row["epoch"], row["step"], figures)
        else:
            val[row["step"]] = (row["step"], figures)
    return [train[step] for step in sorted(train)], [val[epoch] for epoch in sorted(val)]


def _finite(value: float) -> float:
    """NaN in place of what cannot be drawn."""
    try:
        return float(value) if math.isfinite(value) else NAN
    except OverflowError:  # an integer beyond any float
        return NAN


def _read_stages(scalars: Path) -> dict[int, int]:
    """Epochs by number of the stage, from the text log beside the scalars, where there is one."""
    logs = sorted(scalars.resolve().parent.parent.glob("*.log"))
    if scalars.resolve().parent.name != "vis_data" or not logs:
        return {}
    text = read_file(logs[-1], MAX_BYTES).decode(errors="replace")
    return {int(number): int(epochs) for number, epochs in STAGE.findall(text)}


def draw_curves(runs: Sequence[Run], keys: Sequence[str]) -> Figure:
    """A panel for each key, one below the other, with a common axis of training steps."""
    height = 0.5 + 0.2 * len(runs) / NAME_COLUMNS + 2.4 * len(keys)  # inches
    figure = Figure(figsize=(9, height), dpi=120, layout="constrained")
    panels = figure.subplots(len(keys), 1, sharex=True, squeeze=False)[:, 0]
    ends = {sum(run.stages[: i + 1]) * run.pace for run in runs for i in range(len(run.stages) - 1)}
    for key, axes in zip(keys, panels, strict=True):
        for i, run in enumerate(runs):
            look = {"color": f"C{i % 10}", "linestyle": DASHES[i // 10 % len(DASHES)]}
            train = [(step, figures) for _, step, figures in run.train]
            val = [(epoch * run.pace, figures) for epoch, figures in run.val]
            for rows, marker in ((train, None), (val, "o")):
                points = [(step, figures[key]) for step, figures in rows if key in figures]
                places, values = np.array(points).reshape(-1, 2).T
                axes.plot(places, values, linewidth=1, marker=marker, markersize=4, **look)
        for end in ends:
            axes.axvline(end, color="0.6", linestyle=":", linewidth=1)
        axes.set_ylabel(_plain(key))
        axes.grid(color="0.92")
    panels[-1].set_xlabel("training step")
    lines = panels[0].get_lines()[: 2 * len(runs) : 2]
    names = [_plain(name) for name in distinct_names([run.path for run in runs])]
    figure.legend(lines, names, loc="outside upper center", frameon=False, ncols=NAME_COLUMNS)
    return figure


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Of each run as much of the end of its folder as tells them all apart."""
    folders = [Path(str(path.resolve()).removesuffix(f"/{SCALARS}")).parts for path in paths]
    for length in range(1, max(map(len, folders)) + 1):
        names = ["/".join(parts[-length:]) for parts in folders]
        if len(set(names)) == len(names):
            break
    return names


def _plain(text: str) -> str:
    """Text that matplotlib takes as it is: no formulas, and not hidden for its underscore."""
    shown = "".join(c if c.isprintable() else "?" for c in text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: plot_log(parse_args(argv)))


if __name__ == "__main__":
    main()
