# SPDX-License-Identifier: MIT
from .augment import DrawAugmentation
from .clutter import AddClutter
from .crop import CropViews
from .loading import LoadViews, LoadVoxels, decode_image
from .packing import PackVoxelInputs

__all__ = [
    "AddClutter",
    "CropViews",
    "DrawAugmentation",
    "LoadViews",
    "LoadVoxels",
    "PackVoxelInputs",
    "decode_image",
]
