# SPDX-License-Identifier: MIT
from .alpha import fill_background
from .png import write_png
from .voxels import draw_reconstruction, draw_tiles, render_voxels

__all__ = ["draw_reconstruction", "draw_tiles", "fill_background", "render_voxels", "write_png"]
