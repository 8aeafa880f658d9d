# SPDX-License-Identifier: MIT
from .pix2vox_decoder import Pix2VoxDecoder

__all__ = ["Pix2VoxDecoder"]
