# SPDX-License-Identifier: MIT
from .iou import intersection_union, iou
from .report import THRESHOLD, build_results, format_results, read_results, write_json
from .voxel_iou import VoxelIoU

__all__ = [
    "THRESHOLD",
    "VoxelIoU",
    "build_results",
    "format_results",
    "intersection_union",
    "iou",
    "read_results",
    "write_json",
]
