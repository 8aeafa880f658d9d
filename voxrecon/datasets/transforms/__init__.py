# SPDX-License-Identifier: MIT
from .augment import DrawAugmentation
from .crop import CropViews
from .loading import LoadViews, LoadVoxels, decode_image
from .packing import PackVoxelInputs

__all__ = [
    "CropViews",
    "DrawAugmentation",
    "LoadViews",
    "LoadVoxels",
    "PackVoxelInputs",
    "decode_image",
]
