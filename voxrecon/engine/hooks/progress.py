# SPDX-License-Identifier: MIT
from __future__ import annotations

import logging
import sys

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from voxrecon.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(Hook):
    """A bar with rate and time left, on a terminal; a log that is not a terminal keeps its lines.

    While a bar is shown, lines of the log appear above it.
    """

    priority = "LOWEST"

    def __init__(self) -> None:
        self.bar: Progress | None = None
        self.handlers: list[tuple[logging.StreamHandler, object]] = []

    def before_train(self, runner) -> None:
        """One bar for what is left of the whole training."""
        self._start(runner, "train", runner.train_loop.max_iters, runner.iter)

    def before_train_epoch(self, runner) -> None:
        """What is left may have become less: a stage can end early."""
        if self.bar:
            left = runner.max_iters - runner.iter
            self.bar.update(self.task, total=self.bar.tasks[self.task].completed + left)

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """A step, its loss and the epoch."""
        if self.bar:
            loss = outputs["loss"].item() if outputs and "loss" in outputs else float("nan")
            self._step(f"epoch {runner.epoch + 1}/{runner.max_epochs} loss {loss:.4f}")

    def before_val(self, runner) -> None:
        """A second bar for each validation."""
        if self.bar:
            total = len(runner.val_dataloader)
            self.val_task = self.bar.add_task("validation", total=total, rate="")

    def after_val_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """A batch of the validation."""
        if self.bar:
            self.bar.update(self.val_task, advance=1)

    def after_val(self, runner) -> None:
        """The end of a validation."""
        if self.bar:
            self.bar.remove_task(self.val_task)

    def before_test(self, runner) -> None:
        """One bar for the test."""
        self._start(runner, "test", len(runner.test_dataloader), 0)

    def after_test_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """A batch."""
        self._step("test")

    def on_exit(self, runner) -> None:
        """The end, good or bad: give the terminal back."""
        self._stop()

    def _start(self, runner, text: str, total: int, done: int) -> None:
        console = Console(file=sys.stdout)
        if not is_main_process() or not console.is_terminal:
            return
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self.task = self.bar.add_task(text, total=total, completed=done, rate="")
        self.bar.start()
        for handler in runner.logger.handlers:
            if type(handler) is logging.StreamHandler:  # not those that write files
                self.handlers.append((handler, handler.stream))
                handler.setStream(sys.stdout)  # rich's proxy by now

    def _step(self, text: str) -> None:
        if self.bar:
            speed = self.bar.tasks[self.task].speed
            rate = f"{speed:.2f} it/s" if speed else ""
            self.bar.update(self.task, advance=1, description=text, rate=rate)

    def _stop(self) -> None:
        if self.bar:
            for handler, stream in self.handlers:
                handler.setStream(stream)
            self.handlers.clear()
            self.bar.stop()
            self.bar = None
