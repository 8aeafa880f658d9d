# SPDX-License-Identifier: MIT
from .bce import BCELoss
from .dice import DiceLoss
from .focal import FocalLoss

__all__ = ["BCELoss", "DiceLoss", "FocalLoss"]
