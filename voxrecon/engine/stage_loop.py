# SPDX-License-Identifier: MIT
from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.runner import EpochBasedTrainLoop

from voxrecon.datasets import ViewBatchSampler
from voxrecon.errors import ConfigError, VoxreconError
from voxrecon.models.reconstructor import SLOTS
from voxrecon.registry import LOOPS


@dataclass(frozen=True)
class Stage:
    """A stretch of training with its own optimizer.

    Attributes:
        epochs: How long.
        views: Views of a sample, or (lowest, highest), from which each batch draws its number.
        frozen: Slots that are not trained; their batch norm is in eval mode.
        optim_wrapper, param_scheduler: In place of those of the config.
    """

    epochs: int
    views: int | tuple[int, int] = 1
    frozen: Sequence[str] = ()
    optim_wrapper: dict | None = None
    param_scheduler: list | dict | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.epochs, int) or self.epochs < 1:
            raise ConfigError(f"stage: epochs={self.epochs!r}, expected at least 1")
        low, high = (self.views, self.views) if isinstance(self.views, int) else self.views
        if not 1 <= low <= high:
            raise ConfigError(f"stage: views={self.views!r}, expected n or (lowest, highest)")
        for slot in self.frozen:
            if slot not in SLOTS:
                raise ConfigError(f"stage: frozen slot {slot!r}, expected of {', '.join(SLOTS)}")

    @property
    def most_views(self) -> int:
        """The highest number of views; the stage is validated with it."""
        return self.views if isinstance(self.views, int) else self.views[1]


@LOOPS.register_module()
class StageLoop(EpochBasedTrainLoop):
    """Training in stages, listed in the config.

    At the start of each epoch every random generator of the process is seeded from (seed, epoch,
    rank), so a run that is resumed at an epoch equals the one that was never interrupted. A
    checkpoint is due after the validation of an epoch (``after_epoch`` of the hooks), so it knows
    the best score as well.

    Args:
        stages: Arguments of ``Stage``, one dict a stage.
        val_interval: Epochs between validations; the last epoch is always validated.
    """

    def __init__(self, runner, dataloader, stages: Sequence[dict], val_interval: int = 1) -> None:
        if not stages:
            raise ConfigError("train_cfg.stages is empty, expected at least one stage")
        self.stages = [Stage(**stage) for stage in stages]
        super().__init__(
            runner,
            dataloader,
            max_epochs=sum(s.epochs for s in self.stages),
            val_interval=val_interval,
        )
        if not isinstance(self.dataloader.batch_sampler, ViewBatchSampler):
            raise ConfigError("train_dataloader.batch_sampler: expected a ViewBatchSampler")

    def first_epoch(self, index: int) -> int:
        """Number, from 0, of the epoch that stage ``index`` begins with."""
        return sum(stage.epochs for stage in self.stages[:index])

    def stage_at(self, epoch: int) -> int:
        """Index of the stage that epoch number ``epoch`` (from 0) belongs to."""
        begun = [i for i in range(len(self.stages)) if self.first_epoch(i) <= epoch]
        return begun[-1]

    def run(self) -> torch.nn.Module:
        """Train what is left of all stages."""
        runner = self.runner
        runner.call_hook("before_train")
        while self._epoch < self._max_epochs and not self.stop_training:
            stage = self.stage_at(self._epoch)
            if stage != runner.stage:
                runner.enter_stage(stage)
            self.dataloader.batch_sampler.set_epoch(self._epoch)
            self.run_epoch()
            last = self._epoch == self._max_epochs
            if runner.val_loop is not None and (self._epoch % self.val_interval == 0 or last):
                runner.val_loop.run()
            runner.call_hook("after_epoch")
        runner.call_hook("after_train")
        return runner.model

    def run_iter(self, idx: int, data_batch: dict) -> None:
        """Train one batch."""
        # not before the first batch is there: a data loader draws from torch's generator when its
        # workers start, which a resumed run does at another epoch
        if idx == 0:
            self._seed_epoch()
        try:
            super().run_iter(idx, data_batch)
        except RuntimeError as error:
            if "between 0 and 1" not in str(error):  # cross entropy's word for NaN
                raise
            raise VoxreconError(
                f"training has diverged at epoch {self._epoch + 1}, step {idx + 1}: the network "
                "gives no numbers any more; lower optim_wrapper.optimizer.lr"
            ) from error

    def _seed_epoch(self) -> None:
        key = np.random.SeedSequence((self.runner.seed, self._epoch, get_rank()))
        seed = int(key.generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
