# SPDX-License-Identifier: MIT
from .augment import DrawAugmentation
from .background import AddBackground
from .clutter import AddClutter
from .corrupt import CorruptViews
from .crop import CropViews
from .crop_boxes import CropBoxes
from .loading import LoadViews, LoadVoxels, decode_image
from .packing import PackVoxelInputs

__all__ = [
    "AddBackground",
    "AddClutter",
    "CorruptViews",
    "CropBoxes",
    "CropViews",
    "DrawAugmentation",
    "LoadViews",
    "LoadVoxels",
    "PackVoxelInputs",
    "decode_image",
]
