# SPDX-License-Identifier: MIT
from .backbones import ResidualEncoder, TimmBackbone
from .data_preprocessor import VoxelDataPreprocessor
from .decoders import AttSetsDecoder, Pix2VoxDecoder, R2N2Decoder
from .feature_fusions import (
    AttSetsFusion,
    ConvGRUFusion,
    ConvLSTMFusion,
    MemoryBankFusion,
    VAEBottleneck,
)
from .losses import BCELoss, DiceLoss, FocalLoss
from .necks import ConvNeck, DenseNeck
from .reconstructor import VoxelReconstructor
from .refiners import UNet3DRefiner
from .volume_fusions import ContextAwareFusion, LastFusion, MeanFusion, MultiScaleContextAwareFusion

__all__ = [
    "AttSetsDecoder",
    "AttSetsFusion",
    "BCELoss",
    "ContextAwareFusion",
    "ConvGRUFusion",
    "ConvLSTMFusion",
    "ConvNeck",
    "DenseNeck",
    "DiceLoss",
    "FocalLoss",
    "LastFusion",
    "MeanFusion",
    "MemoryBankFusion",
    "MultiScaleContextAwareFusion",
    "Pix2VoxDecoder",
    "R2N2Decoder",
    "ResidualEncoder",
    "TimmBackbone",
    "UNet3DRefiner",
    "VAEBottleneck",
    "VoxelDataPreprocessor",
    "VoxelReconstructor",
]
