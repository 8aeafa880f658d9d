# SPDX-License-Identifier: MIT
from .hooks import (
    BrokenSamplesHook,
    EpochCheckpointHook,
    ProgressHook,
    ReconstructionHook,
    SyncBuffersHook,
)
from .runner import VoxelRunner
from .stage_loop import StageLoop

__all__ = [
    "BrokenSamplesHook",
    "EpochCheckpointHook",
    "ProgressHook",
    "ReconstructionHook",
    "StageLoop",
    "SyncBuffersHook",
    "VoxelRunner",
]
