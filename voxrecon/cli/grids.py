# SPDX-License-Identifier: MIT
"""What the commands share that make the grids of data sets of photos."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from voxrecon.cli.common import available_cores, one_line, with_bar
from voxrecon.cli.workers import run_tasks
from voxrecon.errors import FileError
from voxrecon.geometry.binvox import write_binvox
from voxrecon.geometry.mesh_files import read_mesh
from voxrecon.geometry.r2n2_layout import is_filled
from voxrecon.geometry.voxelization import voxelize

RESOLUTION = 32  # of the published evaluations
NAMED = 5  # models that a warning names


def add_workers(arguments: argparse.ArgumentParser) -> None:
    """The option ``--workers``, at least 1."""

    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= 1024:
            raise argparse.ArgumentTypeError(f"{text}: expected 1 to 1024")
        return int(text)

    arguments.add_argument(
        "--workers",
        type=number,
        default=available_cores(),
        metavar="W",
        help="processes that make grids (default: one a core)",
    )


def make_grids(
    models: Mapping[Path, Path], read: Callable[[Path], np.ndarray], workers: int
) -> None:
    """Write the grids that are not there yet, and warn of models that cannot be read.

    Args:
        models: By grid, the file that it is made of.
        read: Makes a grid (X, Y, Z) bool of such a file, FileError if it cannot; it must pickle.
        workers: Processes.

    Raises:
        FileError: a grid cannot be written.
    """
    tasks = [(read, grid, model) for grid, model in models.items() if not is_filled(grid)]
    if len(tasks) < len(models):
        print(f"{len(models) - len(tasks)} grids are there already")
    if min(workers, len(tasks)) > 1:
        done = run_tasks(_make, tasks, workers, "grids", "grids")
    else:
        done = ((task, _make(*task)) for task in with_bar(tasks, "grids"))
    problems = sorted(problem for _, problem in done if problem)
    if problems:
        named = "; ".join(problems[:NAMED]) + ("; ..." if problems[NAMED:] else "")
        print(f"warning: {len(problems)} of {len(models)} models have no grid: {named}")


def _make(read: Callable[[Path], np.ndarray], grid: Path, model: Path) -> str:
    """Why there is no grid, "" if there is one now."""
    try:
        cells = read(model)
    except FileError as error:
        return one_line(error)
    write_binvox(grid, cells)
    return ""


def solid(path: Path, up: str, front: str) -> np.ndarray:
    """The grid of a mesh, of which ``up`` and ``front`` are axes, such as ``"-z"``."""
    surface = read_mesh(path, up=up, front=front)
    try:
        return voxelize(surface, RESOLUTION, fill="hidden")
    except ValueError as error:
        raise FileError(f"{path}: {error}") from error


def fit_grid(grid: np.ndarray, name: str) -> np.ndarray:
    """A finer grid brought to ``RESOLUTION`` cells: the box around it in the middle, its longest
    side filling the new grid, like a mesh; a cell is set where any of the old ones in it is.

    Raises:
        FileError: (``name`` in front) the grid is empty or coarser.
    """
    cells = np.argwhere(grid)
    extent = np.ptp(cells, axis=0).max() + 1 if len(cells) else 0
    if extent < RESOLUTION:
        raise FileError(f"{name}: {extent} cells long, expected at least {RESOLUTION}")
    middle = (cells.min(axis=0) + cells.max(axis=0)) / 2
    places = np.floor((cells - middle) * (RESOLUTION / extent) + RESOLUTION / 2).astype(int)
    fitted = np.zeros((RESOLUTION,) * 3, bool)
    fitted[tuple(np.clip(places, 0, RESOLUTION - 1).T)] = True
    return fitted
