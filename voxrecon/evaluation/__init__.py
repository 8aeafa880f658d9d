# SPDX-License-Identifier: MIT
from .calibration import Calibration
from .chamfer import ChamferDistance
from .fscore import FScore
from .iou import intersection_union, iou
from .pix3d_iou import Pix3DIoU
from .protocols import PROTOCOLS, find_protocol
from .results import THRESHOLD, build_results, headline, headline_mean, sample_key, summarise
from .results_file import read_results, write_json, write_results
from .tables import format_results
from .voxel_iou import VoxelIoU

__all__ = [
    "PROTOCOLS",
    "THRESHOLD",
    "Calibration",
    "ChamferDistance",
    "FScore",
    "Pix3DIoU",
    "VoxelIoU",
    "build_results",
    "find_protocol",
    "format_results",
    "headline",
    "headline_mean",
    "intersection_union",
    "iou",
    "read_results",
    "sample_key",
    "summarise",
    "write_json",
    "write_results",
]
