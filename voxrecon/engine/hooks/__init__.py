# SPDX-License-Identifier: MIT
from .broken_samples import BrokenSamplesHook
from .close_visualizer import CloseVisualizerHook
from .early_stopping import StageEarlyStoppingHook
from .epoch_checkpoint import EpochCheckpointHook
from .progress import ProgressHook
from .reconstruction import ReconstructionHook
from .summary import SummaryHook
from .sync_buffers import SyncBuffersHook

__all__ = [
    "BrokenSamplesHook",
    "CloseVisualizerHook",
    "EpochCheckpointHook",
    "ProgressHook",
    "ReconstructionHook",
    "StageEarlyStoppingHook",
    "SummaryHook",
    "SyncBuffersHook",
]
