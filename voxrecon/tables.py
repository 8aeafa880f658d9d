# SPDX-License-Identifier: MIT
from __future__ import annotations

from rich import box
from rich.table import Table


def number_table(first: str, *others: str) -> Table:
    """A table for the terminal: names in the first column, numbers in the others."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(first, no_wrap=True)
    for column in others:
        table.add_column(column, justify="right", no_wrap=True)
    return table
