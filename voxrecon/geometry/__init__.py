# SPDX-License-Identifier: MIT
from .binvox import Voxels, read_binvox, write_binvox
from .camera import View, draw_views, format_metadata, read_metadata
from .grid import view_axes
from .mesh_files import read_mesh
from .rendering import Renderer
from .surface import Surface
from .voxelization import voxelize

__all__ = [
    "Renderer",
    "Surface",
    "View",
    "Voxels",
    "draw_views",
    "format_metadata",
    "read_binvox",
    "read_mesh",
    "read_metadata",
    "view_axes",
    "voxelize",
    "write_binvox",
]
