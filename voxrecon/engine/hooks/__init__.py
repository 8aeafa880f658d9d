# SPDX-License-Identifier: MIT
from .broken_samples import BrokenSamplesHook
from .epoch_checkpoint import EpochCheckpointHook
from .progress import ProgressHook
from .reconstruction import ReconstructionHook
from .sync_buffers import SyncBuffersHook

__all__ = [
    "BrokenSamplesHook",
    "EpochCheckpointHook",
    "ProgressHook",
    "ReconstructionHook",
    "SyncBuffersHook",
]
