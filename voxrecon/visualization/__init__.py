# SPDX-License-Identifier: MIT
from .voxels import draw_reconstruction, draw_tiles, render_voxels

__all__ = ["draw_reconstruction", "draw_tiles", "render_voxels"]
