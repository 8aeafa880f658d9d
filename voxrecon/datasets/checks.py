# SPDX-License-Identifier: MIT
"""What may be wrong with an object in the R2N2 layout. Nothing is printed or changed here.

Views are held against voxels: seen by an object's cameras, its grid must cover the object in the
pictures and stay within it, and none of the grid's other orientations may fit better. The margins
were set on six published chairs and 1,040 objects of Shapes13, where they raise no false alarm: by
another orientation these gain at most 0.009; they are covered to 0.94 and more, in no single view
to less than 0.83, and wholly within. Planted on 110 of them, damages are found unless the object is
(nearly) symmetric: a swap of two axes in 95 %, z mirrored in 32 %, metadata of another in all, a
single row of it in 79 %.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from voxrecon.errors import FileError
from voxrecon.geometry.camera import View, read_metadata
from voxrecon.geometry.silhouettes import ORIENTATIONS, fit, masks, name_orientation, silhouettes
from voxrecon.geometry.silhouettes import SIZE as COARSE

from .storage import list_names, read_bytes
from .transforms.loading import MAX_DIM, MAX_IMAGE_BYTES, decode_image, read_grid

RENDERINGS = "ShapeNetRendering"
NOTES = ("no metadata", "no renderings.txt", "in two classes", "in no split", "equal splits")
MAX_TEXT = 2**16  # bytes of a metadata file
DISTANCES = (0.3, 100.0)  # ratios; nearer than that the camera is inside the object

BETTER = 0.02  # IoU by which another orientation must fit better, of an object
EQUAL = 0.005  # orientations of a symmetric object; the simplest one is named
COVERAGE = 0.9  # of the object in all pictures by its voxels
VIEW_COVERAGE = 0.75  # in a single one
WITHIN = 0.95  # of the voxels in the pictures, about where the object is
TURNED_VIEWS = 8  # on which the other orientations are tried


@dataclass(frozen=True)
class Finding:
    """``kind`` is a word or two, ``where`` an object (taxonomy/id), a class or a file."""

    kind: str
    where: str
    text: str

    @property
    def is_trouble(self) -> bool:
        """Whether training or testing would suffer; the others are worth knowing."""
        return self.kind not in NOTES


@dataclass
class ObjectReport:
    """What was found about one object, and what can only be judged beside the others."""

    taxonomy: str
    id: str
    findings: list[Finding] = field(default_factory=list)
    views: int = 0
    sizes: dict[tuple[int, int], str] = field(default_factory=dict)  # (w, h): the first such file
    content: str | None = None  # of the grid and the first view
    scores: np.ndarray | None = None  # (2, O) IoU and coverage by orientation

    @property
    def key(self) -> str:
        return f"{self.taxonomy}/{self.id}"

    def add(self, kind: str, text: str) -> None:
        self.findings.append(Finding(kind, self.key, text))


class _Picture(NamedTuple):
    """What is kept of a picture: decoded, a hostile one may take 64 MB."""

    digest: bytes
    covered: np.ndarray | None  # coarse mask (S, S); None for one that cannot be fitted


def check_object(root: str, taxonomy: str, name: str, resolution: int = 32) -> ObjectReport:
    """Open every file of one object."""
    report = ObjectReport(taxonomy, name)
    grid = _check_grid(report, root, resolution)
    folder = f"{root}/{RENDERINGS}/{taxonomy}/{name}/rendering"
    try:
        names = list_names(folder)
    except OSError as error:
        report.add("no renderings", f"{folder}: {error.strerror}")
        return report
    numbers = {
        n: int(n[:-4]) for n in names if n.endswith(".png") and n[:-4].isdecimal() and len(n) < 14
    }  # as the data set reads them
    files = sorted(numbers, key=numbers.__getitem__)
    report.views = len(files)
    if not files:
        report.add("no renderings", f"{folder}: no pictures, expected 00.png, 01.png ...")
        return report
    gap = next((i for i, f in enumerate(files) if numbers[f] != i), None)
    if gap is not None:
        report.add("gaps", f"{files[gap]} where {gap:02d}.png is expected")
    _check_names(report, folder, files)
    pictures = [_check_image(report, f"{folder}/{f}") for f in files]
    views = _check_metadata(report, folder, rows=numbers[files[-1]] + 1)
    if grid is not None and pictures[0] is not None:
        digest = hashlib.sha256(np.packbits(grid).tobytes() + pictures[0].digest)
        report.content = digest.hexdigest()
    pairs = [
        (f, picture.covered, views[numbers[f]])
        for f, picture in zip(files, pictures, strict=True)
        if picture is not None and views and picture.covered is not None
    ]
    if grid is not None and pairs and len(report.sizes) == 1:
        _check_fit(report, grid, *zip(*pairs, strict=True))
    return report


def _check_grid(report: ObjectReport, root: str, resolution: int) -> np.ndarray | None:
    """The grid, unless something is wrong with it."""
    stem = f"{root}/ShapeNetVox{resolution}/{report.taxonomy}/{report.id}"
    for path in (f"{stem}/model.binvox", f"{stem}.binvox"):
        try:
            grid = read_grid(read_bytes(path, 2 * MAX_DIM**3), path)
        except FileNotFoundError:
            continue
        except FileError as error:
            report.add("broken grid", str(error))
            return None
        if grid.shape != (resolution,) * 3:
            shape = " x ".join(map(str, grid.shape))
            report.add("grid size", f"{shape} cells, expected {resolution} on each side")
        elif not grid.any():
            report.add("empty grid", "no cell is set")
        elif grid.all():
            report.add("full grid", "all cells are set")
        else:
            return grid
        return None
    report.add("no grid", f"{stem}/model.binvox: no such file")
    return None


def _check_names(report: ObjectReport, folder: str, files: Sequence[str]) -> None:
    text = _read_text(report, f"{folder}/renderings.txt", "renderings.txt")
    if text is None:
        return
    odd = sorted(set(text.split()) ^ set(files))
    if odd:
        there = odd[0] in files
        how = "is not named in it" if there else "is named in it, but not there"
        report.add("renderings.txt", f"{odd[0][:60]} {how}")


def _check_image(report: ObjectReport, path: str) -> _Picture | None:
    """None for a broken one."""
    try:
        image = decode_image(read_bytes(path, MAX_IMAGE_BYTES), path)
    except (FileError, FileNotFoundError) as error:
        report.add("broken image", str(error))
        return None
    name = path.rsplit("/", 1)[1]
    report.sizes.setdefault((image.shape[1], image.shape[0]), name)
    alpha = image[..., 3]
    if not alpha.any():
        report.add("empty image", f"{name}: alpha is 0 everywhere, expected an object")
    elif alpha.min() == 255:
        report.add("no alpha", f"{name}: alpha is 255 everywhere, expected 0 around the object")
    covered = masks(alpha[None])[0] if _is_usable(alpha) else None
    return _Picture(hashlib.sha256(image.tobytes()).digest(), covered)


def _is_usable(alpha: np.ndarray) -> bool:
    """Whether there is something to fit: a part of a square picture that is large enough."""
    height, width = alpha.shape
    return height == width >= COARSE and bool((alpha > 127).any()) and alpha.min() < 255


def _check_metadata(report: ObjectReport, folder: str, rows: int) -> list[View] | None:
    text = _read_text(report, f"{folder}/rendering_metadata.txt", "metadata")
    if text is None:
        return None
    try:
        views = read_metadata(text, "rendering_metadata.txt")
    except FileError as error:
        report.add("metadata", str(error))
        return None
    if len(views) != rows:
        report.add("metadata", f"rendering_metadata.txt: {len(views)} rows, expected {rows}")
        return None
    low, high = DISTANCES
    for number, view in enumerate(views):
        if not low < view.distance < high:
            found = f"rendering_metadata.txt: line {number + 1}: distance ratio {view.distance:g}"
            report.add("metadata", f"{found}, expected {low:g} to {high:g}")
            return None
    return views


def _read_text(report: ObjectReport, path: str, kind: str) -> str | None:
    try:
        return read_bytes(path, MAX_TEXT).decode(errors="replace")
    except FileNotFoundError:
        report.add(f"no {kind}", f"{path}: no such file")
    except FileError as error:
        report.add(kind, str(error))
    return None


def _check_fit(
    report: ObjectReport,
    grid: np.ndarray,
    files: Sequence[str],
    covered: Sequence[np.ndarray],
    views: Sequence[View],
) -> None:
    covered = np.stack(covered)  # (V, S, S)
    some = slice(None, None, -(-len(views) // TURNED_VIEWS))
    found = silhouettes(grid, views[some], ORIENTATIONS)
    report.scores = np.stack([score.mean(axis=0) for score in fit(found, covered[some])[:2]])
    turned = better_orientation(report.scores, BETTER)
    if turned:
        report.add("orientation", turned)
        return
    _, coverage, within = (score[:, 0] for score in fit(silhouettes(grid, views), covered))
    bad = (coverage < VIEW_COVERAGE) | (within < WITHIN)
    if 2 * bad.sum() > len(bad) or (not bad.any() and coverage.mean() < COVERAGE):
        found = f"in all pictures {_describe(coverage.mean(), COVERAGE, within.mean())}"
        report.add("does not fit", f"{found}: grid, pictures and metadata do not belong together")
        return
    for i in np.flatnonzero(bad):
        found = f"{files[i]}: {_describe(coverage[i], VIEW_COVERAGE, within[i])}"
        report.add("view does not fit", f"{found}: metadata of another picture")


def _describe(coverage: float, expected: float, within: float) -> str:
    return (
        f"the voxels cover {coverage:.2f} of the object, expected {expected:g}, "
        f"and {within:.2f} of them are within it, expected {WITHIN:g}"
    )


def better_orientation(scores: np.ndarray, margin: float) -> str:
    """``"z mirrored fits better: 0.97 against 0.81"`` (mean IoU), or nothing.

    Of ``scores`` (2, O), IoU and coverage, the first is of the grid as it is. One that does not
    cover the object either is not believed.
    """
    ious, coverages = scores
    best = np.where(coverages >= COVERAGE, ious, 0).max()
    if best - ious[0] <= margin:
        return ""
    index = np.flatnonzero((ious >= best - EQUAL) & (coverages >= COVERAGE))[0]
    name = name_orientation(ORIENTATIONS[index])
    return f"{name} fits better: {ious[index]:.2f} against {ious[0]:.2f}"
