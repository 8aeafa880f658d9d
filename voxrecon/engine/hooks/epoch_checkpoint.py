# SPDX-License-Identifier: MIT
from __future__ import annotations

from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from voxrecon.engine.runner import epoch_checkpoints
from voxrecon.errors import ConfigError
from voxrecon.registry import HOOKS


@HOOKS.register_module()
class EpochCheckpointHook(Hook):
    """Write ``epoch_N.pth`` after the validation of an epoch, and ``best.pth`` when a metric has improved.

    Args:
        interval: Epochs between checkpoints; the last epoch always has one.
        keep: So many of the newest stay, at least two: should the newest be unreadable, there is one before it. An
            old one is removed only after the new one is written.
        best: Name of the metric, the larger the better; None writes no ``best.pth``.
    """

    priority = "VERY_LOW"

    def __init__(self, interval: int = 1, keep: int = 2, best: str | None = "iou") -> None:
        if keep < 2:
            raise ConfigError(f"EpochCheckpointHook: keep={keep}, expected at least 2")
        self.interval, self.keep, self.best = interval, keep, best

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        """Write ``best.pth`` if ``metrics`` say so."""
        if self.best is None or runner.stage is None:  # no stage: validation without training
            return
        if self.best not in metrics:
            raise ConfigError(
                f"EpochCheckpointHook: no metric {self.best!r}, expected of {list(metrics)}"
            )
        score = float(metrics[self.best])
        if score > runner.message_hub.runtime_info.get("best_score", float("-inf")):
            runner.message_hub.update_info("best_score", score)
            runner.message_hub.update_info("best_epoch", runner.epoch)
            runner.save_checkpoint(runner.work_dir, "best.pth", training=False)

    def after_epoch(self, runner) -> None:
        """Write the checkpoint of the epoch and remove the oldest."""
        if runner.epoch % self.interval and runner.epoch != runner.max_epochs:
            return
        runner.save_checkpoint(runner.work_dir, f"epoch_{runner.epoch}.pth")
        if is_main_process():
            for path in epoch_checkpoints(runner.work_dir)[self.keep :]:
                path.unlink()
