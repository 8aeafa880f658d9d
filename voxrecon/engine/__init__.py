# SPDX-License-Identifier: MIT
from .hooks import (
    BrokenSamplesHook,
    CloseVisualizerHook,
    EpochCheckpointHook,
    ProgressHook,
    ReconstructionHook,
    StageEarlyStoppingHook,
    SummaryHook,
    SyncBuffersHook,
)
from .runner import VoxelRunner
from .stage_loop import StageLoop
from .tracking import TrackingVisualizer

__all__ = [
    "BrokenSamplesHook",
    "CloseVisualizerHook",
    "EpochCheckpointHook",
    "ProgressHook",
    "ReconstructionHook",
    "StageEarlyStoppingHook",
    "StageLoop",
    "SummaryHook",
    "SyncBuffersHook",
    "TrackingVisualizer",
    "VoxelRunner",
]
