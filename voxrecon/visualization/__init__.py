# SPDX-License-Identifier: MIT
from .png import write_png
from .voxels import draw_reconstruction, draw_tiles, render_voxels

__all__ = ["draw_reconstruction", "draw_tiles", "render_voxels", "write_png"]
