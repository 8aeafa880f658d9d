# SPDX-License-Identifier: MIT
from __future__ import annotations

from pathlib import Path

from mmengine.dist import is_main_process, master_only
from mmengine.hooks import Hook

from voxrecon.engine.training_state import epoch_checkpoints
from voxrecon.errors import ConfigError
from voxrecon.registry import HOOKS


@HOOKS.register_module()
class EpochCheckpointHook(Hook):
    """Write ``epoch_N.pth`` after the validation of an epoch, ``best.pth`` when a metric improved.

    ``best.pth`` is the best of the current stage; that of stage 1 becomes ``best_stage1.pth``.

    Args:
        interval: Epochs between checkpoints; the last epoch always has one.
        keep: So many of the newest stay, at least two: should the newest be unreadable, there is
            one before it. An old one is removed only after the new one is written.
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
        score, info = float(metrics[self.best]), runner.message_hub.runtime_info
        if info.get("best_stage", runner.stage) != runner.stage:
            self._begin_stage(runner, info["best_stage"])
        elif score <= info.get("best_score", float("-inf")):
            return
        for key, value in (("score", score), ("epoch", runner.epoch), ("stage", runner.stage)):
            runner.message_hub.update_info(f"best_{key}", value)
        runner.save_checkpoint(runner.work_dir, "best.pth", training=False)
        runner.logger.info(f"best.pth: {self.best} {score:.4f} at epoch {runner.epoch}")

    @staticmethod
    @master_only
    def _begin_stage(runner, before: int) -> None:
        """Keep the best of the last stage: scores at other numbers of views do not compare."""
        best = Path(runner.work_dir) / "best.pth"
        kept = best.with_name(f"best_stage{before + 1}.pth")
        if best.exists() and not kept.exists():  # it is there in a resumed run
            best.rename(kept)

    def after_epoch(self, runner) -> None:
        """Write the checkpoint of the epoch and remove the oldest."""
        if runner.epoch % self.interval and runner.epoch != runner.max_epochs:
            return
        runner.save_checkpoint(runner.work_dir, f"epoch_{runner.epoch}.pth")
        if is_main_process():
            for path in epoch_checkpoints(runner.work_dir)[self.keep :]:
                path.unlink()
