# SPDX-License-Identifier: MIT
from .voxel_data_sample import VoxelDataSample

__all__ = ["VoxelDataSample"]
