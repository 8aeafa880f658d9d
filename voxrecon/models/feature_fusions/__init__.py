# SPDX-License-Identifier: MIT
from .conv_lstm import ConvLSTMFusion
from .vae import VAEBottleneck

__all__ = ["ConvLSTMFusion", "VAEBottleneck"]
