# SPDX-License-Identifier: MIT
"""What may be wrong with a data set as a whole: its splits, and its objects beside each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from .checks import RENDERINGS, Finding, ObjectReport, better_orientation
from .storage import list_names
from .taxonomy import TaxonomyClass

BETTER_OVERALL = 0.01  # mean IoU by which another orientation must fit better


def check_splits(classes: Iterable[TaxonomyClass]) -> list[Finding]:
    """Ids that are in two splits of a class; a note where all splits of it are the same."""
    found = []
    for c in classes:
        contents = {frozenset(names) for names in c.splits.values()}
        if len(c.splits) > 1 and len(contents) == 1 and any(contents):
            text = f"{', '.join(c.splits)} hold the same objects: for trying only"
            found.append(Finding("equal splits", c.id, text))
            continue
        of: dict[str, list[str]] = defaultdict(list)
        for split, names in c.splits.items():
            for name in names:
                of[name].append(split)
        found += [
            Finding("in two splits", f"{c.id}/{name}", f"it is in {' and '.join(splits)}")
            for name, splits in of.items()
            if len(splits) > 1
        ]
    return found


def check_strays(root: str, classes: Iterable[TaxonomyClass], resolution: int) -> list[Finding]:
    """Classes and objects on disk that are in no split."""
    known = {c.id: {name for names in c.splits.values() for name in names} for c in classes}
    where: dict[str, list[str]] = defaultdict(list)
    for top in (RENDERINGS, f"ShapeNetVox{resolution}"):
        for taxonomy in _names(f"{root}/{top}"):
            if taxonomy not in known:
                where[taxonomy].append(top)
                continue
            for name in _names(f"{root}/{top}/{taxonomy}"):
                if name.removesuffix(".binvox") not in known[taxonomy]:
                    where[f"{taxonomy}/{name}"].append(top)
    return [
        Finding("in no split", key, f"it is in {' and '.join(tops)} only")
        for key, tops in where.items()
    ]


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in list_names(folder) if not name.startswith("."))
    except OSError:  # a missing one shows in its objects, a file is none of ours
        return []


def compare_objects(reports: Sequence[ObjectReport], views: int | None = None) -> list[Finding]:
    """Numbers of views (None: as most have), sizes of pictures, copies, and the orientation of all.

    A copy has the same grid and the same first view. ShapeNet has objects under one id in two
    classes: that is a note. Ids of different objects may repeat across classes.
    """
    found = []
    counts = Counter(r.views for r in reports if r.views)
    expected = views or (counts.most_common(1)[0][0] if counts else 0)
    sizes = Counter(size for r in reports for size in r.sizes)
    usual = sizes.most_common(1)[0][0] if sizes else None
    copies: dict[str, list[ObjectReport]] = defaultdict(list)
    for r in reports:
        if 0 < r.views < expected:
            found.append(Finding("too few views", r.key, f"{r.views} views, expected {expected}"))
        for size, name in r.sizes.items():
            if size != usual:
                text = "{}: {} x {} pixels, expected {} x {}".format(name, *size, *usual)
                found.append(Finding("image size", r.key, text))
        if r.content:
            copies[r.content].append(r)
    for first, *others in copies.values():
        for other in others:
            same = "the same grid and first view as"
            kind = "in two classes" if other.id == first.id else "same object twice"
            found.append(Finding(kind, other.key, f"{same} {first.key}"))
    scores = [r.scores for r in reports if r.scores is not None]
    if len(scores) > 1:
        turned = better_orientation(np.mean(scores, axis=0), BETTER_OVERALL)
        if turned:
            text = f"of all {len(scores)} objects together, {turned}"
            found.append(Finding("orientation of all", "data set", text))
    return found
