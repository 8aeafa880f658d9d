# SPDX-License-Identifier: MIT
"""Voxels that turn, as an animated picture."""

from __future__ import annotations

import io
import os

import numpy as np

from voxrecon.fileio import atomic_write

from .voxels import render_voxels

START = 30.0  # azimuth of the first frame, which is what a still shows
COLOURS = 32  # five shades and their edges, and mixtures of these


def turntable(
    grid: np.ndarray,
    frames: int = 36,
    elevation: float = 25.0,
    size: int = 256,
    threshold: float = 0.3,
) -> np.ndarray:
    """Pictures of the voxels of a (X, Y, Z) grid that are ``>= threshold``, from all around.

    The camera begins at azimuth 30 and goes once around in equal steps, to larger azimuths.

    Returns:
        (F, size, size, 3) uint8 RGB.

    Raises:
        ValueError: the grid has not three axes of at least one cell, or there are no frames.
    """
    if frames < 1:
        raise ValueError(f"{frames} frames, expected at least 1")
    occupied = np.asarray(grid) >= threshold
    azimuths = START + 360 * np.arange(frames) / frames
    return np.stack([render_voxels(occupied, a, elevation, size) for a in azimuths])


def write_gif(path: str | os.PathLike, frames: np.ndarray, seconds: float = 3.0) -> None:
    """Write pictures (F, H, W, 3) uint8 RGB as a GIF that repeats for ever, one round in
    ``seconds``, to 1/100; the file appears as a whole.

    All frames have the same 32 colours.

    Raises:
        ValueError: the frames have another shape, or less than 1/50 second each.
        FileError: it cannot be written.
    """
    from PIL import Image

    if frames.ndim != 4 or frames.shape[-1] != 3 or not frames.size:
        raise ValueError(f"frames of shape {frames.shape}, expected (F, H, W, 3)")
    count, height, width = frames.shape[:3]
    if seconds * 50 < count:  # what is shorter, browsers show for 1/10 second
        raise ValueError(f"{count} frames in {seconds} s, expected at least {count / 50} s")
    # one tall picture: so all frames have the same palette
    tall = Image.fromarray(frames.reshape(count * height, width, 3)).quantize(COLOURS)
    first, *rest = (tall.crop((0, i * height, width, (i + 1) * height)) for i in range(count))
    ends = np.rint(np.linspace(0, 100 * seconds, count + 1)).astype(int)
    data = io.BytesIO()
    first.save(
        data,
        "GIF",
        save_all=True,
        append_images=rest,
        palette=tall.getpalette(),  # written once, and frames without transparency: smaller
        duration=(10 * np.diff(ends)).tolist(),  # milliseconds
        loop=0,
    )
    with atomic_write(path) as temporary:
        temporary.write_bytes(data.getvalue())
