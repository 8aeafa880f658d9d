# SPDX-License-Identifier: MIT
from .attsets import AttSetsFusion
from .conv_gru import ConvGRUFusion
from .conv_lstm import ConvLSTMFusion
from .memory import ShapeMemory
from .memory_bank import MemoryBankFusion
from .vae import VAEBottleneck

__all__ = [
    "AttSetsFusion",
    "ConvGRUFusion",
    "ConvLSTMFusion",
    "MemoryBankFusion",
    "ShapeMemory",
    "VAEBottleneck",
]
