# SPDX-License-Identifier: MIT
from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import is_distributed, master_only
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from voxrecon.datasets import ViewBatchSampler
from voxrecon.engine.checkpoint import load_weights, read_checkpoint, write_checkpoint
from voxrecon.engine.training_state import (
    epoch_checkpoints,
    epoch_of,
    pack,
    to_cpu,
    unpack_hub,
    unpack_optimizer,
)
from voxrecon.errors import CheckpointError, ConfigError
from voxrecon.fileio import remove_leftovers
from voxrecon.models import VoxelReconstructor

META = ("epoch", "iter", "stage", "seed")
# what loading a state that fits nothing may raise
UNFIT = (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, AssertionError)


class VoxelRunner(Runner):
    """mmengine's Runner with stages; its checkpoints are written atomically and read as data."""

    stage: int | None = None  # index of the stage that model, optimizer and schedule are set up for

    @property
    def network(self) -> VoxelReconstructor:
        """The model without its distributed wrapper."""
        return self.model.module if is_model_wrapper(self.model) else self.model

    def setup_env(self, env_cfg: dict) -> None:
        # mmengine's own set-up of the pytorch launcher needs a GPU whatever the backend
        if self._launcher == "pytorch" and not torch.cuda.is_available() and not is_distributed():
            torch.distributed.init_process_group("gloo")
        super().setup_env(env_cfg)

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                handler.addFilter(is_brief)
        return logger

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        # a distributed wrapper looks at requires_grad once: enter_stage wraps, anew for each stage
        return model.to(get_device())

    def _distribute(self, network: nn.Module) -> nn.Module:
        if not self.distributed:
            return network
        if torch.cuda.is_available():
            return super().wrap_model(self.cfg.get("model_wrapper_cfg"), network)
        # mmengine passes device_ids, which torch refuses on the CPU
        return MMDistributedDataParallel(network, broadcast_buffers=False)

    @staticmethod
    def build_dataloader(
        dataloader: dict, seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        if isinstance(dataloader, dict):
            dataloader = copy.deepcopy(dataloader)
            if not dataloader.get("num_workers"):  # torch refuses this without workers
                dataloader.pop("persistent_workers", None)
            if not torch.cuda.is_available():  # and warns about this without a GPU
                dataloader.pop("pin_memory", None)
        return Runner.build_dataloader(dataloader, seed, diff_rank_seed)

    def train(self) -> nn.Module:
        """Train what is left of all stages: from the start, from weights, or from where it was."""
        self._train_loop = self.build_train_loop(self._train_loop)
        if self._val_loop is not None:
            val = self._val_dataloader
            if val.get("batch_sampler", {}).get("type") == "ViewBatchSampler":
                # a sample with too few views should show now, not when its stage begins
                val["dataset"]["n_views"] = max(s.most_views for s in self.train_loop.stages)
            self._val_loop = self.build_val_loop(self._val_loop)
        self._check_stages()
        self.call_hook("before_run")
        if self.rank == 0:
            remove_leftovers(self.work_dir)  # of a killed run
        resumed = self._resume and self._resume_latest()
        if not resumed:
            if self._load_from:
                self.load_checkpoint(self._load_from)
            else:
                self._init_model_weights()
            best = Path(self.work_dir).glob("best*.pth")
            self._set_aside([*epoch_checkpoints(self.work_dir), *best])
            self.enter_stage(0)
        try:
            model = self.train_loop.run()
        finally:
            self.call_hook("on_exit")
        self.call_hook("after_run")
        return model

    def test(self) -> dict:
        """Test; mmengine's, but for hooks that must hear of its end, whatever it is."""
        try:
            return super().test()
        finally:
            self.call_hook("on_exit")

    def _check_stages(self) -> None:
        """Refuse a stage with nothing to train before the first one begins."""
        for index, stage in enumerate(self.train_loop.stages):
            self.network.freeze(stage.frozen)
            if not any(parameter.requires_grad for parameter in self.network.parameters()):
                raise ConfigError(
                    f"train_cfg.stages.{index}: nothing is left to train, "
                    f"frozen: {', '.join(stage.frozen)}"
                )

    @master_only
    def _set_aside(self, found: list[Path]) -> None:
        """Move checkpoints of another run away: this one neither counts nor loses them."""
        if found:
            folder = Path(self.log_dir) / "earlier"
            folder.mkdir(parents=True, exist_ok=True)
            for path in found:
                path.rename(folder / path.name)
            self.logger.warning(f"{len(found)} checkpoints of another run moved to {folder}")

    def load_checkpoint(self, filename: str, **_: Any) -> None:
        """Load weights alone: safetensors or a training checkpoint."""
        load_weights(self.network, filename)
        self._has_loaded = True
        self.logger.info(f"weights loaded from {filename}")

    def enter_stage(self, index: int) -> None:
        """Set up model, optimizer and schedule for a stage: freeze, wrap anew, build."""
        loop, network = self.train_loop, self.network
        stage = loop.stages[index]
        network.freeze(stage.frozen)
        self.model = self._distribute(network)
        level = self.logger.level
        self.logger.setLevel("ERROR")  # mmengine prints several lines for every parameter
        self.optim_wrapper = self.build_optim_wrapper(stage.optim_wrapper or self.cfg.optim_wrapper)
        self.logger.setLevel(level)
        self.scale_lr(self.optim_wrapper, self.auto_scale_lr)
        schedule = stage.param_scheduler
        if schedule is None:
            schedule = self.cfg.get("param_scheduler") or []
        schedules = [schedule] if isinstance(schedule, dict) else schedule
        self.param_schedulers = self.build_param_scheduler(
            [
                # the default end would be that of all stages
                {"end": stage.epochs, **s} if s.get("by_epoch", True) else s
                for s in schedules
            ]
        )
        steps = stage.epochs * len(loop.dataloader)
        self.optim_wrapper.initialize_count_status(self.model, 0, steps)
        loop.dataloader.batch_sampler.set_views(stage.views)
        if self._val_loop is not None:
            sampler = self.val_loop.dataloader.batch_sampler
            if isinstance(sampler, ViewBatchSampler):  # else the config says how many views
                sampler.set_views(stage.most_views)
        self.stage = index
        self.logger.info(
            f"stage {index + 1} of {len(loop.stages)}: {stage.epochs} epochs, "
            f"views {stage.views}, frozen: {', '.join(stage.frozen) or 'none'}"
        )

    @master_only
    def save_checkpoint(self, out_dir: str, filename: str, training: bool = True, **_: Any) -> None:
        """Write ``out_dir/filename``; without ``training`` it holds the weights alone."""
        state: dict[str, Any] = {
            "meta": {
                "schema": 1,
                "network": self.network.network,
                "grid_size": self.network.grid_size,
                "epoch": self.epoch,
                "iter": self.iter,
                "stage": self.stage,
                "seed": self.seed,
            },
            "state_dict": to_cpu(self.network.state_dict()),
        }
        if training:
            state |= pack(self.optim_wrapper, self.param_schedulers, self.message_hub)
        write_checkpoint(state, Path(out_dir) / filename)

    def resume(self, filename: str, **_: Any) -> None:
        """Go on from a training checkpoint; nothing in it is executed."""
        self._go_on(read_checkpoint(filename), filename)

    def _go_on(self, state: dict, filename: str | Path) -> None:
        """Set up stage, weights, optimizer and log as the checkpoint ``state`` has them."""
        meta = state.get("meta")
        numbers = {key: meta.get(key) for key in META} if isinstance(meta, dict) else {}
        if "optimizer" not in state or not numbers:
            raise CheckpointError(
                f"{filename}: not a training checkpoint to resume from; "
                "use --load-from for its weights"
            )
        for key, value in numbers.items():
            if type(value) is not int or value < 0:
                given = value if type(value) is int else type(value).__name__
                raise CheckpointError(f"{filename}: its {key} is {given}, expected a number from 0")
        if numbers["seed"] != self.seed:
            raise CheckpointError(
                f"{filename}: its run has seed {numbers['seed']}, the config {self.seed}"
            )
        epoch, loop = numbers["epoch"], self.train_loop
        if epoch > loop.max_epochs:
            raise CheckpointError(f"{filename}: epoch {epoch}, the config has {loop.max_epochs}")
        if numbers["iter"] != epoch * len(loop.dataloader):
            raise CheckpointError(
                f"{filename}: its run had another number of steps in an epoch than the config's "
                f"{len(loop.dataloader)}"
            )
        now = loop.stage_at(epoch)
        at_boundary = numbers["stage"] != now and epoch == loop.first_epoch(now)
        if numbers["stage"] != now and not at_boundary:
            raise CheckpointError(
                f"{filename}: epoch {epoch} is of stage {numbers['stage'] + 1}, "
                f"in the config it is of stage {now + 1}"
            )
        self.enter_stage(now)
        load_weights(self.network, filename, state)
        loop._epoch, loop._iter = epoch, numbers["iter"]
        try:
            if not at_boundary:  # there the next stage begins, with a new optimizer
                unpack_optimizer(state, self.optim_wrapper, self.param_schedulers)
            unpack_hub(state, self.message_hub)
        except UNFIT as error:
            raise CheckpointError(
                f"{filename}: its optimizer or log is not that of the config ({error})"
            ) from error
        self._has_loaded = True
        finished = "; the training is finished" if epoch == loop.max_epochs else ""
        self.logger.info(f"resumed from {filename}: epoch {epoch} of {loop.max_epochs}{finished}")

    def _resume_latest(self) -> bool:
        """Resume from the named checkpoint or the newest readable one; False if there is none."""
        if self._load_from:
            self.resume(self._load_from)
            named, here = Path(self._load_from).resolve(), Path(self.work_dir).resolve()
            later = [p for p in epoch_checkpoints(here) if epoch_of(p) > self.epoch]
            self._set_aside(later if named.parent == here else [*later, *here.glob("best*.pth")])
            return True
        found = epoch_checkpoints(self.work_dir)
        if not found:
            self.logger.warning(f"nothing to resume in {self.work_dir}: training from the start")
            return False
        for path in found:
            try:
                state = read_checkpoint(path)
            except CheckpointError as error:
                self.logger.warning(f"{error}; falling back to the checkpoint before")
                continue
            self._go_on(state, path)
            return True
        raise CheckpointError(f"{self.work_dir}: none of its {len(found)} checkpoints can be read")


def is_brief(record: logging.LogRecord) -> bool:
    """What of mmengine's log is for the console: not the dumps of environment, config and hooks.

    They are in the log file.
    """
    text = record.getMessage()
    return record.levelno > logging.INFO or not ("\n" in text or text.startswith("Exp name"))
