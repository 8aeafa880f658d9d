# SPDX-License-Identifier: MIT
from .backbones import TimmBackbone
from .data_preprocessor import VoxelDataPreprocessor
from .decoders import Pix2VoxDecoder
from .feature_fusions import ConvLSTMFusion, VAEBottleneck
from .losses import BCELoss, DiceLoss, FocalLoss
from .necks import ConvNeck
from .reconstructor import VoxelReconstructor
from .refiners import UNet3DRefiner
from .volume_fusions import ContextAwareFusion, MeanFusion, MultiScaleContextAwareFusion

__all__ = [
    "BCELoss",
    "ContextAwareFusion",
    "ConvLSTMFusion",
    "ConvNeck",
    "DiceLoss",
    "FocalLoss",
    "MeanFusion",
    "MultiScaleContextAwareFusion",
    "Pix2VoxDecoder",
    "TimmBackbone",
    "UNet3DRefiner",
    "VAEBottleneck",
    "VoxelDataPreprocessor",
    "VoxelReconstructor",
]
