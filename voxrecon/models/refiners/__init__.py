# SPDX-License-Identifier: MIT
from .unet3d_refiner import UNet3DRefiner

__all__ = ["UNet3DRefiner"]
