# SPDX-License-Identifier: MIT
from __future__ import annotations

from mmengine.hooks import Hook

from voxrecon.errors import ConfigError
from voxrecon.registry import HOOKS


@HOOKS.register_module()
class StageEarlyStoppingHook(Hook):
    """End a stage whose validations no longer improve; the next one begins, as if the epochs left
    had been trained.

    mmengine's ``EarlyStoppingHook`` ends the whole training, and a resumed run would wait anew.
    Here the epochs left of the stage are passed over: the next checkpoint has the number of the
    stage's last epoch, so later stages and resumed runs are what they would be otherwise.

    Args:
        patience: Validations in a row that may bring nothing better; None: stages are never ended.
        min_delta: What counts as better: more than the best of the stage so far by this.
        monitor: Name of the metric, the larger the better.

    Raises:
        ConfigError: A patience below 1, or no such metric.
    """

    def __init__(
        self, patience: int | None = None, min_delta: float = 0.0, monitor: str = "iou"
    ) -> None:
        if patience is not None and (type(patience) is not int or patience < 1):
            raise ConfigError(
                f"StageEarlyStoppingHook: patience={patience!r}, expected at least 1, or None"
            )
        self.patience, self.min_delta, self.monitor = patience, min_delta, monitor

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        """Count the validations without progress, where a checkpoint finds the number."""
        if self.patience is None or runner.stage is None:  # no stage: not in training
            return
        if self.monitor not in metrics:
            raise ConfigError(
                f"StageEarlyStoppingHook: no metric {self.monitor!r}, expected of {list(metrics)}"
            )
        hub, score = runner.message_hub, float(metrics[self.monitor])
        same = hub.runtime_info.get("patience_stage") == runner.stage
        best = hub.get_info("patience_best") if same else float("-inf")
        waited = hub.get_info("patience_waited") + 1 if same else 1
        if score > best + self.min_delta:
            best, waited = score, 0
        for key, value in (("stage", runner.stage), ("best", best), ("waited", waited)):
            hub.update_info(f"patience_{key}", value)

    def after_epoch(self, runner) -> None:
        """Pass over what is left of the stage, before its checkpoint is written."""
        info, loop = runner.message_hub.runtime_info, runner.train_loop
        if self.patience is None or info.get("patience_stage") != runner.stage:
            return
        end = loop.first_epoch(runner.stage + 1)
        if info["patience_waited"] < self.patience or runner.epoch >= end:
            return
        runner.logger.info(
            f"stage {runner.stage + 1} ends early, at epoch {runner.epoch} of {end}: for "
            f"{info['patience_waited']} validations no {self.monitor} above "
            f"{info['patience_best']:.4f}"
        )
        loop._epoch, loop._iter = end, end * len(loop.dataloader)
