# SPDX-License-Identifier: MIT
from __future__ import annotations

import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from torch.nn.modules.batchnorm import _BatchNorm

from voxrecon.registry import HOOKS


@HOOKS.register_module()
class SyncBuffersHook(Hook):
    """After each epoch, average the statistics of batch norm over the processes.

    So all validate, and the main process saves, the same network. Only those that have followed the
    data: what stands still is the same everywhere, and an average could round it.
    """

    def after_train_epoch(self, runner) -> None:
        """Average in place."""
        size = get_world_size()
        if size == 1:
            return
        for module in runner.network.modules():
            if isinstance(module, _BatchNorm) and module.training and module.track_running_stats:
                for statistic in (module.running_mean, module.running_var):
                    torch.distributed.all_reduce(statistic)
                    statistic /= size
