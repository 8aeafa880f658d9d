# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from voxrecon.cli.common import check_ranges, command_line, guard, parser, quote_path, with_bar
from voxrecon.evaluation import read_results, write_json
from voxrecon.evaluation.comparison import Row, check_protocols, common_views, compare_results
from voxrecon.evaluation.figures import averaged, count_views, find_score
from voxrecon.evaluation.intervals import RESAMPLES
from voxrecon.evaluation.tables import printable

FEW = 30  # samples, of which percentiles of the bootstrap are somewhat narrow
VERDICTS = {"A": "A better", "B": "B better"}


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon analyse compare``."""
    arguments = parser(
        "analyse compare",
        "Is B better than A? Both have been tested on the same samples, so the differences of the\n"
        "samples tell: their means, with 95 % intervals of a paired bootstrap, by class and\n"
        "overall, of the IoU and of every further score that both files have.",
        "work_dirs/a/results.json work_dirs/b/results.json --views 1 3",
    )
    arguments.add_argument("a", metavar="A.json", help="results.json of a test")
    arguments.add_argument("b", metavar="B.json", help="those that may be better")
    arguments.add_argument(
        "--threshold", type=float, metavar="T", help="of the IoU (default: the protocol's)"
    )
    arguments.add_argument(
        "--views", type=int, nargs="+", metavar="N", help="default: all numbers that both have"
    )
    arguments.add_argument("--out", metavar="FILE", help="write the rows as JSON")
    arguments.add_argument(
        "--resamples",
        type=int,
        default=RESAMPLES,
        metavar="N",
        help=f"of the bootstrap (default: {RESAMPLES})",
    )
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def compare(args: argparse.Namespace) -> None:
    """Compare and print as the command line says."""
    ranges = {"threshold": (0, 1), "views": (1, 10_000), "resamples": (100, 100_000)}
    check_ranges(args, ranges)
    names = args.a, args.b
    a, b = (read_results(path) for path in names)
    check_protocols(a, b, names)
    views = sorted({*args.views}) if args.views else common_views(a, b, names)
    rows = []
    for n in with_bar(views, "comparing"):
        rows += compare_results(a, b, names, args.threshold, [n], args.resamples)
    console = Console()
    for letter, path, results in zip("AB", names, (a, b), strict=True):
        for line in _describe(letter, path, results):
            console.print(_text(line), soft_wrap=True)
    for (n, score), part in groupby(rows, key=lambda row: (row.n_views, row.score)):
        title = Text(_title(score, n, args.threshold, (a, b)), style="italic")
        console.print("", title, *_table(list(part)), sep="\n")
    print()
    print(
        f"Of {len(a['classes'])} classes at 95 %, about one in twenty stands out by chance alone.\n"
        "The intervals say what other test samples would change, not what another training would."
    )
    if any(row.taxonomy and 1 < row.n < FEW for row in rows):
        print(f"Intervals of fewer than about {FEW} samples are somewhat narrow.")
    if args.out:
        write_json(args.out, {"a": args.a, "b": args.b, "rows": [asdict(row) for row in rows]})
        print(f"every row: {args.out}")
    configs = [results["run"].get("config") for results in (a, b)]
    data = a["run"].get("data_root")
    if all(configs) and data and configs[0] != configs[1]:
        words = " ".join(quote_path(config) for config in configs)
        print(
            f"next, several trainings of each: {command_line('analyse compare-configs')} "
            f"{printable(words)} --data-root {printable(quote_path(data))}"
        )


def _describe(letter: str, path: str, results: dict[str, Any]) -> list[str]:
    """What A or B is."""
    run, protocol = results["run"], results["protocol"]
    threshold = protocol["threshold"]
    at = "the best threshold" if threshold is None else threshold
    sign = ">" if protocol["strict"] else ">="
    views = [protocol.get(key, "unknown") for key in ("view_selection", "view_order")]
    return [
        f"{letter}: {path}",
        f"   {run.get('network', 'network unknown')}",
        f"   {run.get('checkpoint', 'checkpoint unknown')}"
        + f" (sha256 {run.get('checkpoint_sha256', 'unknown')[:12]})",
        f"   protocol {protocol['name']}: p {sign} {at}, mean over {averaged(results)}, "
        f"views {views[0]}, their order {views[1]}",
    ]


def _title(score: str, n_views: int, threshold: float | None, results: Sequence[dict]) -> str:
    if score == "iou":
        t = results[0]["protocol"]["threshold"] if threshold is None else threshold
        label = "Voxel IoU at " + ("each one's best threshold" if t is None else f"t = {t}")
    else:
        label = printable(find_score(score).label)
    less = ", less is better" if find_score(score).less else ""
    return f"{label}, {count_views(n_views)}{less}"


def _table(rows: Sequence[Row]) -> list[Table | Text]:
    """The rows of one score and view count."""
    digits = 5 if find_score(rows[0].score).less else 4  # all of these are small
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("Class", overflow="fold", min_width=10, vertical="bottom")
    for name in ("n", "A", "B", "B - A", "95 %:\nfrom", "to"):
        table.add_column(name, justify="right", no_wrap=True, vertical="bottom")
    table.add_column("", no_wrap=True)
    for i, row in enumerate(rows):
        means = ["-" if value is None else f"{value:.{digits}f}" for value in (row.a, row.b)]
        ends = [_signed(value, digits) for value in (row.difference, row.low, row.high)]
        verdict = Text(
            VERDICTS.get(row.verdict, row.verdict), style="bold" * (row.verdict in VERDICTS)
        )
        last = bool(row.taxonomy) and not rows[i + 1].taxonomy  # of the classes
        table.add_row(_text(row.name), f"{row.n:,}", *means, *ends, verdict, end_section=last)
    left_out = rows[-1].left_out
    samples = "sample" if left_out == 1 else "samples"
    note = [Text(f"without {left_out} {samples} to which A or B has none")] if left_out else []
    return [table, *note]


def _signed(value: float | None, digits: int) -> str:
    if not value:
        return "-" if value is None else "0"
    return f"{value:+.{digits}f}"


def _text(text: str) -> Text:
    return Text(printable(text))


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: compare(parse_args(argv)))


if __name__ == "__main__":
    main()
