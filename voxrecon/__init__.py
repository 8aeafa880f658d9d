# SPDX-License-Identifier: MIT
"""voxrecon: solid voxel grids from one or more photos of an object."""

from mmengine.config.utils import MODULE2PACKAGE

__version__ = "0.1.0"

# lets a config anywhere say _base_ = 'voxrecon::configs/pix2voxpp_a.py'
MODULE2PACKAGE["voxrecon"] = "voxrecon"
