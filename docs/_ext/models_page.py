# SPDX-License-Identifier: MIT
"""Every config of the metafiles: what it is, what was published of it, the file itself."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from voxrecon.apis.model_zoo import METAFILES
from voxrecon.evaluation.published_tables import (
    FOLDER,
    OVERALL,
    PublishedTable,
    TableRow,
    read_published,
)

METHODS = {  # as the published tables name what a config describes
    "pix2vox_f": ["Pix2Vox-F"],
    "pix2vox_a": ["Pix2Vox-A"],
    "pix2voxpp_a": ["Pix2Vox++/A"],
    "pix2voxpp_a_pix3d": ["Pix2Vox++/A, trained on plain ShapeNet chairs"],
    "pix2voxpp_a_things3d": ["Pix2Vox++/A, trained on Things3D chairs"],
    "pix2vox_a_mean_fusion": ["Pix2Vox-A with mean fusion"],
    "pix2vox_a_no_refiner": ["Pix2Vox-A without refiner"],
    "r2n2": ["3D-R2N2"],
    "attsets": ["AttSets"],
    "pix2vox_lstm": ["Pix2Vox-LSTM"],
    "pix2vox_vae": ["Pix2Vox-VAE, furniture", "Pix2Vox-VAE, vehicles"],
}
SUPERSEDED = "superseded"  # in a source of which a later version is in the tables, too


def model_files(root: Path) -> list[Path]:
    """What the page is made of."""
    configs = [root / model["Config"] for _, models in read_metafiles(root) for model in models]
    return [*_metafiles(root), *configs, *sorted(FOLDER.glob("*.yaml"))]


@cache
def read_metafiles(root: Path) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each collection with its models."""
    found = []
    for path in _metafiles(root):
        metafile = yaml.safe_load(path.read_text())
        for collection in metafile["Collections"]:
            name = collection["Name"]
            found.append(
                (collection, [m for m in metafile["Models"] if m["In Collection"] == name])
            )
    return found


def models_page(root: Path) -> str:
    """A table of all configs, and a section of each, in Markdown."""
    collections = read_metafiles(root)
    lines = ["| config | paper | parameters | weights |", "|---|---|---:|---|"]
    for collection, models in collections:
        for model in models:
            count, weights = model["Metadata"]["Parameters"], model.get("Weights")
            lines.append(
                f"| [`{model['Name']}`](#{model['Name']}) | {collection['Name']} | {count:,} "
                f"| {'shipped' if weights else ''} |"
            )
    for collection, models in collections:
        paper = collection["Paper"]
        lines += ["", f"## {collection['Name']}", "", f"[{paper['Title']}]({paper['URL']})."]
        if collection["README"].startswith("projects/"):
            folder = Path(collection["README"]).parent.name
            lines[-1] += f" More: [the project's page](projects/{folder}.md)."
        for model in models:
            lines += _section(model, root)
    return "\n".join(lines)


def _metafiles(root: Path) -> list[Path]:
    return [path for pattern in METAFILES for path in sorted(root.glob(pattern))]


def _section(model: dict[str, Any], root: Path) -> list[str]:
    name, text = model["Name"], (root / model["Config"]).read_text()
    head = re.match(r"(#.*\n)+", text).group()
    weights = "comes with weights" if model.get("Weights") else "comes without weights"
    return [
        "",
        f"### {name}",
        "",
        " ".join(line.lstrip("# ") for line in head.splitlines()),
        "",
        f"`{model['Config']}`, {model['Metadata']['Parameters']:,} parameters, {weights}.",
        *_published(METHODS.get(name, [])),
        "",
        "<details><summary>The file</summary>",
        "",
        f"```python\n{text.rstrip()}\n```",
        "",
        "</details>",
    ]


@cache
def _tables() -> dict[str, PublishedTable]:
    """The published tables by name, those by numbers of views first."""
    tables = sorted(read_published(), key=lambda table: table.by != "views")
    return {table.name: table for table in tables}


def _published(methods: list[str]) -> list[str]:
    """A table of the published IoU, rows of several thresholds in one."""
    groups: dict[tuple, list[TableRow]] = {}
    by_views = set()
    for table in _tables().values():
        for row in table.rows:
            if row.method not in methods or not _iou(row, table.by):
                continue
            key = (row.source, row.threshold, table.dataset)
            if table.by == "views":
                by_views.add(key)
            elif key in by_views:
                continue  # one view of a row that is there
            groups.setdefault((table.name, row.method, row.source), []).append(row)
    lines = []
    for (name, method, source), rows in sorted(groups.items(), key=lambda g: SUPERSEDED in g[0][2]):
        table = _tables()[name]
        what = f"{table.dataset}, {rows[0].split}"
        if len(methods) > 1:
            what += f": {method.partition(', ')[2]}"
        ious = " / ".join(_iou(row, table.by) for row in rows)
        thresholds = " / ".join(
            "not known" if r.threshold is None else f"{r.threshold}" for r in rows
        )
        notes = [source, rows[0].differs, "mean of classes" if rows[0].mean == "class" else ""]
        lines.append(f"| {what} | {ious} | {thresholds} | {'; '.join(filter(None, notes))} |")
    if not lines:
        return []
    return ["", "| published on | IoU | threshold | source |", "|---|---|---|---|", *lines]


def _iou(row: TableRow, by: str) -> str:
    """By numbers of views, or of one view over all classes; "" where there is neither."""
    values = row.values.get("iou", {})
    if by != "views":
        return _number(values[OVERALL]) if OVERALL in values else ""
    texts = [f"{_number(value)} ({views})" for views, value in values.items()]
    return ", ".join([texts[0].replace("(1)", "(1 view)"), *texts[1:]])


def _number(value: float) -> str:
    return f"{value:.3f}" if round(value, 3) == value else f"{value:.4f}"
