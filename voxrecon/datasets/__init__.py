# SPDX-License-Identifier: MIT
from .base import ViewFile, VoxelDataset
from .pascal3d import Pascal3DDataset
from .pix3d import Pix3DDataset
from .r2n2 import R2N2Dataset
from .sampler import SampleKey, ViewBatchSampler
from .taxonomy import TaxonomyClass, read_taxonomy
from .things3d import Things3DDataset
from .transforms import (
    AddBackground,
    AddClutter,
    CorruptViews,
    CropBoxes,
    CropViews,
    DrawAugmentation,
    LoadViews,
    LoadVoxels,
    PackVoxelInputs,
)

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
    "Pascal3DDataset",
    "Pix3DDataset",
    "R2N2Dataset",
    "SampleKey",
    "Things3DDataset",
    "TaxonomyClass",
    "ViewBatchSampler",
    "ViewFile",
    "VoxelDataset",
    "read_taxonomy",
]
