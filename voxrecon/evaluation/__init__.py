# SPDX-License-Identifier: MIT
from .iou import intersection_union, iou
from .pix3d_iou import Pix3DIoU
from .report import THRESHOLD, build_results, format_results, read_results, write_json
from .voxel_iou import VoxelIoU

__all__ = [
    "THRESHOLD",
    "Pix3DIoU",
    "VoxelIoU",
    "build_results",
    "format_results",
    "intersection_union",
    "iou",
    "read_results",
    "write_json",
]
