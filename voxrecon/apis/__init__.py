# SPDX-License-Identifier: MIT
from .inferencer import VoxelInferencer
from .init_model import init_model
from .model_zoo import list_models
from .reconstruction import Reconstruction

__all__ = ["Reconstruction", "VoxelInferencer", "init_model", "list_models"]
