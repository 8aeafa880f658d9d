# SPDX-License-Identifier: MIT
from .r2n2 import R2N2Dataset
from .sampler import SampleKey, ViewBatchSampler
from .taxonomy import TaxonomyClass, read_taxonomy
from .transforms import (
    AddClutter,
    CropViews,
    DrawAugmentation,
    LoadViews,
    LoadVoxels,
    PackVoxelInputs,
)

__all__ = [
    "AddClutter",
    "CropViews",
    "DrawAugmentation",
    "LoadViews",
    "LoadVoxels",
    "PackVoxelInputs",
    "R2N2Dataset",
    "SampleKey",
    "TaxonomyClass",
    "ViewBatchSampler",
    "read_taxonomy",
]
