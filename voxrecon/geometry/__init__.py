# SPDX-License-Identifier: MIT
from .binvox import Voxels, read_binvox, write_binvox
from .grid import view_axes

__all__ = ["Voxels", "read_binvox", "view_axes", "write_binvox"]
