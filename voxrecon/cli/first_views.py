# SPDX-License-Identifier: MIT
"""The contact sheet of the commands that make data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from voxrecon.errors import FileError
from voxrecon.geometry import r2n2_layout as layout
from voxrecon.geometry.camera import IMAGE_SIZE
from voxrecon.visualization.contact_sheet import draw_contact_sheet

COLUMNS, ROWS = 10, 60  # pictures
SINGLE_ROWS = 6  # of a single class


def draw_first_views(root: Path, classes: Sequence[tuple[str, str, Sequence[str]]]) -> np.ndarray:
    """The first view of the first objects of each class, (H, W, 3) uint8 RGB.

    Args:
        root: The data set.
        classes: Label, taxonomy id and object ids; of a single class several rows are drawn.

    Raises:
        FileError: a picture cannot be read.
    """
    if len(classes) == 1:
        ((label, taxonomy, names),) = classes
        starts = range(0, min(len(names), SINGLE_ROWS * COLUMNS), COLUMNS)
        rows = [("" if i else label, taxonomy, names[i : i + COLUMNS]) for i in starts]
    else:
        rows = [(label, taxonomy, names[:COLUMNS]) for label, taxonomy, names in classes[:ROWS]]
    return draw_contact_sheet(
        [
            (label, [_first_view(root, taxonomy, name) for name in names])
            for label, taxonomy, names in rows
        ]
    )


def _first_view(root: Path, taxonomy: str, name: str) -> np.ndarray:
    path = layout.rendering_folder(root, taxonomy, name) / "00.png"
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise FileError(f"{path}: cannot be read")
    if len(image) != IMAGE_SIZE:
        image = cv2.resize(image, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)
