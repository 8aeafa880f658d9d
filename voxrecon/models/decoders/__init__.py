# SPDX-License-Identifier: MIT
from .pix2vox_decoder import Pix2VoxDecoder
from .up_conv import UpConv3d

__all__ = ["Pix2VoxDecoder", "UpConv3d"]
