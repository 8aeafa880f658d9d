# SPDX-License-Identifier: MIT
from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import is_distributed, master_only
from mmengine.logging import HistoryBuffer
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from voxrecon.datasets import ViewBatchSampler
from voxrecon.engine.checkpoint import load_weights, read_checkpoint, write_checkpoint
from voxrecon.errors import CheckpointError
from voxrecon.models import VoxelReconstructor

PLAIN = (bool, int, float, str, type(None))


class VoxelRunner(Runner):
    """mmengine's Runner with stages, and with checkpoints that are written atomically and read as
    data.
    """

    stage: int | None = None  # index of the stage that model, optimizer and schedule are set up for

    @property
    def network(self) -> VoxelReconstructor:
        """The model without its distributed wrapper."""
        return self.model.module if is_model_wrapper(self.model) else self.model

    def setup_env(self, env_cfg: dict) -> None:
        # mmengine's own set-up of the pytorch launcher needs a GPU whatever the backend
        if self.distributed and not torch.cuda.is_available() and not is_distributed():
            torch.distributed.init_process_group("gloo")
        super().setup_env(env_cfg)

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
        """Train what is left of all stages, from the start, from a checkpoint, or from where a run
        was left.
        """
        self._train_loop = self.build_train_loop(self._train_loop)
        if self._val_loop is not None:
            val = self._val_dataloader
            if val.get("batch_sampler", {}).get("type") == "ViewBatchSampler":
                # a sample with too few views should show now, not when its stage begins
                val["dataset"]["n_views"] = max(s.most_views for s in self.train_loop.stages)
            self._val_loop = self.build_val_loop(self._val_loop)
        self.call_hook("before_run")
        resumed = self._resume and self._resume_latest()
        if not resumed:
            if self._load_from and not self._resume:
                self.load_checkpoint(self._load_from)
            else:
                self._init_model_weights()
            self._set_aside_earlier_run()
            self.enter_stage(0)
        model = self.train_loop.run()
        self.call_hook("after_run")
        return model

    @master_only
    def _set_aside_earlier_run(self) -> None:
        """Move checkpoints that lie in the work dir: a new run neither counts nor loses them."""
        found = [*epoch_checkpoints(self.work_dir), *Path(self.work_dir).glob("best*.pth")]
        if found:
            folder = Path(self.log_dir) / "earlier"
            folder.mkdir(parents=True)
            for path in found:
                path.rename(folder / path.name)
            self.logger.warning(f"{len(found)} checkpoints of an earlier run moved to {folder}")

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
            "state_dict": _to_cpu(self.network.state_dict()),
        }
        if training:
            state["optimizer"] = _to_cpu(self.optim_wrapper.state_dict())
            state["param_schedulers"] = [_plain(s.state_dict()) for s in self.param_schedulers]
            state["message_hub"] = _pack_hub(self.message_hub)
        write_checkpoint(state, Path(out_dir) / filename)

    def resume(self, filename: str, **_: Any) -> None:
        """Go on from a training checkpoint; nothing in it is executed."""
        state = read_checkpoint(filename)
        try:
            meta = state["meta"]
            epoch, step, stage, seed = (
                int(meta[key]) for key in ("epoch", "iter", "stage", "seed")
            )
            optimizer, schedules, hub = (
                state[key] for key in ("optimizer", "param_schedulers", "message_hub")
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{filename}: not a training checkpoint to resume from ({error} is missing); "
                "use --load-from for its weights"
            ) from None
        if seed != self.seed:
            raise CheckpointError(f"{filename}: its run has seed {seed}, the config {self.seed}")
        now = self.train_loop.stage_at(epoch)
        self.enter_stage(now)
        load_weights(self.network, filename)
        self.train_loop._epoch, self.train_loop._iter = epoch, step
        if stage == now:  # else the run was left at a boundary: a stage begins with a new optimizer
            try:
                self.optim_wrapper.load_state_dict(optimizer)
                for scheduler, saved in zip(self.param_schedulers, schedules, strict=True):
                    scheduler.load_state_dict(saved)
            except (KeyError, TypeError, ValueError) as error:
                raise CheckpointError(
                    f"{filename}: its optimizer is not that of the config ({error})"
                ) from None
        _unpack_hub(self.message_hub, hub)
        self._has_loaded = True
        self.logger.info(f"resumed from {filename}: epoch {epoch}, iteration {step}")

    def _resume_latest(self) -> bool:
        """Resume from the named checkpoint, or from the newest that can be read; False if there is
        none.
        """
        if self._load_from:
            self.resume(self._load_from)
            return True
        found = epoch_checkpoints(self.work_dir)
        if not found:
            self.logger.warning(f"nothing to resume in {self.work_dir}: training from the start")
            return False
        for path in found:
            try:
                read_checkpoint(path)
            except CheckpointError as error:
                self.logger.warning(f"{error}; falling back to the checkpoint before")
                continue
            self.resume(str(path))
            return True
        raise CheckpointError(f"{self.work_dir}: none of its {len(found)} checkpoints can be read")


def epoch_checkpoints(folder: str | Path) -> list[Path]:
    """The checkpoints ``epoch_N.pth`` of a folder, newest first."""
    found = [p for p in Path(folder).glob("epoch_*.pth") if p.stem[6:].isdigit()]
    return sorted(found, key=lambda path: -int(path.stem[6:]))


def _to_cpu(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().cpu()
    if isinstance(value, dict):
        return {key: _to_cpu(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_cpu(item) for item in value]
    return value


def _plain(state: dict) -> dict:
    """What of a scheduler's state is plain Python; the rest comes from the config."""
    return {
        key: value
        for key, value in state.items()
        if isinstance(value, PLAIN)
        or (isinstance(value, list) and all(isinstance(item, PLAIN) for item in value))
    }


def _pack_hub(hub, tail: int = 1000) -> dict:
    """The message hub as plain lists; of each scalar the last ``tail`` values, more than any window
    of the log.
    """
    scalars = {}
    for name, buffer in hub.log_scalars.items():
        values, counts = buffer.data
        scalars[name] = [values[-tail:].tolist(), counts[-tail:].tolist()]
    info = {
        key: value.item() if hasattr(value, "item") else value
        for key, value in hub.runtime_info.items()
    }
    # numbers alone: best score, epoch; the hub also holds the config as text
    numbers = {key: value for key, value in info.items() if isinstance(value, (int, float))}
    return {"log_scalars": scalars, "runtime_info": numbers}


def _unpack_hub(hub, state: dict) -> None:
    for name, (values, counts) in state["log_scalars"].items():
        hub.log_scalars[name] = HistoryBuffer(values, counts)
    hub.runtime_info.update(state["runtime_info"])
