# SPDX-License-Identifier: MIT
from .alpha import fill_background
from .png import write_png
from .score_maps import draw_scores
from .turntable import turntable, write_gif
from .voxels import draw_reconstruction, draw_tiles, render_voxels

__all__ = [
    "draw_reconstruction",
    "draw_scores",
    "draw_tiles",
    "fill_background",
    "render_voxels",
    "turntable",
    "write_gif",
    "write_png",
]
