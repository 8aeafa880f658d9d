# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from voxrecon.cli.common import (
    available_cores,
    check_ranges,
    command_line,
    guard,
    one_line,
    parser,
    with_bar,
)
from voxrecon.cli.workers import run_tasks
from voxrecon.datasets import TaxonomyClass, read_taxonomy
from voxrecon.datasets.checks import RENDERINGS, Finding, ObjectReport, check_object
from voxrecon.datasets.set_checks import check_splits, check_strays, compare_objects
from voxrecon.datasets.storage import list_names
from voxrecon.datasets.taxonomy import SPLITS
from voxrecon.errors import FileError
from voxrecon.evaluation import write_json

SHOWN = 5  # findings of a kind


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon data check``."""
    arguments = parser(
        "data check",
        "Open every file of a data set in the R2N2 layout, and hold the views against the voxels.\n"
        "Exit code 0: sound; 1: something is wrong with the data.",
        "data/ShapeNet --out findings.json",
    )
    arguments.add_argument("data", metavar="DATA", help="folder of the data set, or a packed one")
    arguments.add_argument(
        "--taxonomy", metavar="FILE", help="its splits (default: DATA/taxonomy.json)"
    )
    arguments.add_argument("--resolution", type=int, default=32, help="cells a side (default: 32)")
    arguments.add_argument(
        "--views", type=int, metavar="N", help="views of each object (default: as most have)"
    )
    arguments.add_argument(
        "--workers",
        type=int,
        default=available_cores(),
        metavar="W",
        help="processes (default: one a core)",
    )
    arguments.add_argument("--out", metavar="FILE", help="write all findings as JSON")
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def check_dataset(args: argparse.Namespace) -> None:
    """Check and print as the command line says; SystemExit with 1 on trouble."""
    check_ranges(args, {"views": (1, 999), "workers": (1, 1024), "resolution": (1, 512)})
    try:
        names = list_names(args.data)
    except OSError as error:
        raise FileError(f"{args.data}: {error.strerror}, expected a data set") from error
    for folder in (RENDERINGS, f"ShapeNetVox{args.resolution}"):
        if folder not in names:
            raise FileError(f"{args.data}: no {folder}, expected the layout of 3D-R2N2")
    classes = read_taxonomy(args.taxonomy or os.path.join(args.data, "taxonomy.json"))

    start = time.perf_counter()
    reports = _check_objects(classes, args)
    seconds = time.perf_counter() - start
    findings = [finding for report in reports for finding in report.findings]
    findings += compare_objects(reports, args.views)
    findings += check_splits(classes) + check_strays(args.data, classes, args.resolution)

    fitted = sum(report.scores is not None for report in reports)
    console = Console()
    console.print(_table(classes, findings))
    _show(findings, console)
    rate = f", {len(reports) / seconds:.1f} objects/s" if seconds > 1 else ""
    print(f"{len(reports)} objects{rate}; views held against the voxels of {fitted}")
    trouble = sum(finding.is_trouble for finding in findings)
    if args.out:
        write_json(args.out, _record(args.data, reports, fitted, findings))
        print(f"all findings: {args.out}")
    elif any(len(part) > SHOWN for part in _by_kind(findings).values()):
        print("all findings: --out findings.json")
    if trouble:
        print(f"{args.data}: {trouble} fault{'s' * (trouble > 1)}")
        sys.exit(1)
    print(f"{args.data}: sound")
    if os.path.isdir(args.data):
        paths = shlex.join([args.data, f"{os.path.normpath(args.data)}.lmdb"])
        print(f"in one file: {command_line('data pack')} {paths}")


def _check_objects(
    classes: Sequence[TaxonomyClass], args: argparse.Namespace
) -> list[ObjectReport]:
    """Of all objects, each once, in the order of the taxonomy."""
    keys = dict.fromkeys((c.id, name) for c in classes for ids in c.splits.values() for name in ids)
    if not keys:
        raise FileError(f"{args.taxonomy or args.data}: no object in any split, expected some")
    tasks = [(args.data, *key, args.resolution) for key in keys]
    if args.workers == 1 or len(tasks) == 1:
        return [check_object(*task) for task in with_bar(tasks, "checking")]
    done = dict(run_tasks(check_object, tasks, args.workers, "checking", "objects"))
    return [done[task] for task in tasks]


def _by_kind(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Trouble first, then by the kind that was met first."""
    kinds: dict[str, list[Finding]] = defaultdict(list)
    for finding in sorted(findings, key=lambda f: not f.is_trouble):
        kinds[finding.kind].append(finding)
    return kinds


def _table(classes: Sequence[TaxonomyClass], findings: Sequence[Finding]) -> Table:
    """Objects per class and split, and how many of them have a fault."""
    table = Table(title="Objects", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("Class", overflow="fold", min_width=10)
    for name in (*SPLITS, "all", "faulty"):
        table.add_column(name, justify="right", no_wrap=True, min_width=6)
    bad = {finding.where for finding in findings if finding.is_trouble}
    total = [0] * (len(SPLITS) + 2)
    for c in classes:
        keys = {f"{c.id}/{name}" for ids in c.splits.values() for name in ids}
        row = [*(len(c.splits.get(split, ())) for split in SPLITS), len(keys), len(keys & bad)]
        total = [a + b for a, b in zip(total, row, strict=True)]
        table.add_row(Text(c.name), *map(str, row))
    table.add_row("all", *map(str, total), style="bold")
    return table


def _show(findings: Sequence[Finding], console: Console) -> None:
    for kind, part in _by_kind(findings).items():
        label = "" if part[0].is_trouble else "note: "
        console.print(f"{label}{kind}: {len(part)}", style="bold", markup=False, highlight=False)
        for finding in part[:SHOWN]:
            line = one_line(ValueError(f"  {finding.where}: {finding.text}"))
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
        if part[SHOWN:]:
            print(f"  and {len(part) - SHOWN} more")


def _record(
    data: str, reports: Sequence[ObjectReport], fitted: int, findings: Sequence[Finding]
) -> dict:
    return {
        "data": data,
        "objects": len(reports),
        "held_against_voxels": fitted,
        "findings": [
            {"kind": f.kind, "trouble": f.is_trouble, "where": f.where, "text": f.text}
            for part in _by_kind(findings).values()
            for f in part
        ],
    }


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: check_dataset(parse_args(argv)))


if __name__ == "__main__":
    main()
