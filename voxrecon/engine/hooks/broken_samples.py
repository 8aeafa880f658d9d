# SPDX-License-Identifier: MIT
from __future__ import annotations

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook

from voxrecon.registry import HOOKS


@HOOKS.register_module()
class BrokenSamplesHook(Hook):
    """After each epoch, name and count the broken samples that training has replaced by others.

    Each is named once; the count is that of all processes.
    """

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.found: list[str] = []

    def after_train_iter(
        self, runner, batch_idx: int, data_batch: dict, outputs: dict | None = None
    ) -> None:
        """Keep the reports that came with the batch."""
        for sample in data_batch["data_samples"]:
            self.found += sample.get("broken", ())

    def after_train_epoch(self, runner) -> None:
        """Write names and count to the log."""
        found = [message for part in all_gather_object(self.found) for message in part]
        self.found.clear()
        for message in sorted(set(found) - self.seen):
            runner.logger.warning(f"skipped a broken sample: {message}")
        self.seen.update(found)
        if found:
            runner.logger.warning(
                f"epoch {runner.epoch + 1}: {len(found)} broken samples skipped "
                f"({len(self.seen)} different so far)"
            )
