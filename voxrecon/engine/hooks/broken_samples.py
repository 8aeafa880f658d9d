# SPDX-License-Identifier: MIT
from __future__ import annotations

from mmengine.hooks import Hook

from voxrecon.registry import HOOKS


@HOOKS.register_module()
class BrokenSamplesHook(Hook):
    """Name each broken sample that training has replaced by another, once, and count them after
    each epoch.
    """

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.count = 0

    def after_train_iter(
        self, runner, batch_idx: int, data_batch: dict, outputs: dict | None = None
    ) -> None:
        """Look at the reports that came with the batch."""
        for sample in data_batch["data_samples"]:
            for message in sample.get("broken", ()):
                self.count += 1
                if message not in self.seen:
                    self.seen.add(message)
                    runner.logger.warning(f"skipped a broken sample: {message}")

    def after_train_epoch(self, runner) -> None:
        """Print the count."""
        if self.count:
            runner.logger.warning(
                f"epoch {runner.epoch + 1}: {self.count} broken samples skipped "
                f"({len(self.seen)} different so far)"
            )
        self.count = 0
