# SPDX-License-Identifier: MIT
"""Many independent tasks in processes, with a bar."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from threading import Thread

import cv2
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from voxrecon.errors import FileError


def run_tasks(
    function: Callable, tasks: Sequence[tuple], workers: int, title: str, unit: str
) -> Iterator[tuple[tuple, object]]:
    """Each task with ``function(*task)``, as they get done; the function is called in a worker.

    Args:
        function: Of a module, so that it can be sent to a worker.
        tasks: Arguments of each call.
        workers: Processes, of one thread each.
        title: Name of the bar.
        unit: What a task makes, in the plural.

    Raises:
        FileError: a worker was killed.
        Exception: whatever the function raises; what has not begun is not done then.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    if not tasks:
        return
    workers = min(workers, len(tasks))
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"  # read by a worker when it starts
    # spawned: to fork beside the thread that draws the bar may hang
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
    at_work, left = {}, iter(tasks)
    try:
        with Progress(*columns) as progress:
            bar = progress.add_task(title, total=len(tasks), rate="")
            while True:
                # a few at a time: a million futures would take gigabytes
                for task in islice(left, 2 * workers - len(at_work)):
                    at_work[pool.submit(function, *task)] = task
                if not at_work:
                    break
                done, _ = wait(at_work, return_when=FIRST_COMPLETED)
                for future in done:
                    yield at_work.pop(future), future.result()
                speed = (progress.tasks[bar].speed or 0) / workers
                rate = f"{speed:.2f} {unit}/s and worker" if speed else ""
                progress.update(bar, advance=len(done), rate=rate)
    except BrokenProcessPool as error:
        raise FileError("a worker was killed (out of memory?); run the command again") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """In a worker: one thread; Ctrl-C is for the parent, and when that ends, so does the worker."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
