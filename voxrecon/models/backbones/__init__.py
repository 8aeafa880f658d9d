# SPDX-License-Identifier: MIT
from .residual_encoder import ResidualEncoder
from .timm_backbone import TimmBackbone

__all__ = ["ResidualEncoder", "TimmBackbone"]
