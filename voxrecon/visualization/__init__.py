# SPDX-License-Identifier: MIT
from .voxels import draw_reconstruction, render_voxels

__all__ = ["draw_reconstruction", "render_voxels"]
