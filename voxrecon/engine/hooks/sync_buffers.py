# SPDX-License-Identifier: MIT
from __future__ import annotations

import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook

from voxrecon.registry import HOOKS


@HOOKS.register_module()
class SyncBuffersHook(Hook):
    """After each epoch, average the floating-point buffers (batch norm) over the processes.

    So all validate, and the main process saves, the same network. Integer buffers are counters or
    packed bits: they are left alone.
    """

    def after_train_epoch(self, runner) -> None:
        """Average in place."""
        size = get_world_size()
        if size == 1:
            return
        for buffer in runner.network.buffers():
            if buffer.is_floating_point():
                torch.distributed.all_reduce(buffer)
                buffer /= size
