# SPDX-License-Identifier: MIT
from .attsets_decoder import AttSetsDecoder
from .pix2vox_decoder import Pix2VoxDecoder
from .r2n2_decoder import R2N2Decoder
from .up_conv import UpConv3d

__all__ = [
    "AttSetsDecoder",
    "Pix2VoxDecoder",
    "R2N2Decoder",
    "UpConv3d",
]
