# SPDX-License-Identifier: MIT
"""Trainings with their tests, each command in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voxrecon.cli.common import available_cores
from voxrecon.errors import ConfigError, FileError, VoxreconError


@dataclass
class Run:
    """One training with its test.

    Attributes:
        folder: What it leaves is here; ``run.json`` when it is finished.
        options: The words behind the config and the data on the command line.
        known: All that its figures depend on, but for the data's content.
    """

    config: str
    folder: Path
    options: list[str]
    known: dict

    @property
    def results(self) -> Path:
        """The file of its test."""
        return self.folder / "results.json"

    def record(self) -> dict | None:
        """Its seconds and peak memory; None if it is not finished.

        Raises:
            FileError: the record is broken.
            ConfigError: the record is of a run that was another one.
        """
        path = self.folder / "run.json"
        try:
            record = json.loads(path.read_bytes())
            numbers = [float(record[key]) for key in ("seconds", "peak_memory")]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileError(f"{path}: not a record of a run ({type(error).__name__})") from error
        for key, value in self.known.items():
            if record.get(key) != value:
                raise ConfigError(f"{path}: of another {key}; remove its folder or use --work-dir")
        return {"seconds": numbers[0], "peak_memory": numbers[1]}


def run_command(
    command: str, words: Sequence[str], folder: Path, jobs: int, processes: set
) -> tuple[float, int]:
    """Seconds and peak memory (bytes) of a command of ours; its output goes into ``folder``."""
    threads = str(max(1, available_cores() // jobs))
    env = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    log, start, memory = folder / f"{command}.txt", time.perf_counter(), 0
    with log.open("w") as out:
        words = [sys.executable, "-m", f"voxrecon.cli.{command}", *words]
        process = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, env=env)
        processes.add(process)
        while process.poll() is None:
            memory = max(memory, peak_memory(process.pid))
            time.sleep(0.2)
        processes.discard(process)
    if process.returncode:
        last = (log.read_text(errors="replace").split("\n")[-2:-1] or [""])[0]
        raise VoxreconError(f"{log}: {command} failed: {last.removeprefix('error: ')}")
    return time.perf_counter() - start, memory


def peak_memory(pid: int) -> int:
    """Of a process so far, in bytes; 0 where the system does not tell.

    Not ``ru_maxrss``: a child begins with that of its parent.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0
