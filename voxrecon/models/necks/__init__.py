# SPDX-License-Identifier: MIT
from .conv_neck import ConvNeck
from .dense_neck import DenseNeck

__all__ = ["ConvNeck", "DenseNeck"]
