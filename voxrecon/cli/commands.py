# SPDX-License-Identifier: MIT
"""The table of all commands; nothing here imports them."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from voxrecon.errors import ConfigError

GROUPS = {
    "data": "make, import, check and look at data sets",
    "analyse": "compare and draw networks, results and runs",
}


@dataclass(frozen=True)
class Command:
    """A row of the table.

    Args:
        words: What is typed after ``voxrecon``, such as "data check".
        name: Of the module in ``voxrecon.cli``.
        help: What it does, in one line.
        tools: Folder of its door NAME.py, relative to the repository; None without one.
    """

    words: str
    name: str
    help: str
    tools: str | None = None

    @property
    def door(self) -> str | None:
        return self.tools and f"{self.tools}/{self.name}.py"

    def load(self) -> ModuleType:
        """The module: ``build_parser``, ``parse_args`` and ``main``."""
        return importlib.import_module(f"voxrecon.cli.{self.name}")


CONVERTERS, ANALYSIS = "tools/dataset_converters", "tools/analysis"
COMMANDS = {
    command.words: command
    for command in (
        Command("infer", "infer", "reconstruct an object from photos: meshes, voxels, pictures"),
        Command("serve", "serve", "a web page that does the same"),
        Command("list", "list_models", "the networks, and which come with weights"),
        Command("train", "train", "train the network of a config", "tools"),
        Command("test", "test", "IoU of a checkpoint, beside what needs no network", "tools"),
        Command("export", "export", "a model as a folder of files, as ONNX or OpenVINO", "tools"),
        Command(
            "convert",
            "convert_pix2vox",
            "a checkpoint of the authors of Pix2Vox to ours",
            "tools/model_converters",
        ),
        Command("info", "info", "versions and machine, for a bug report"),
        Command("completion", "completion", "a script that completes commands in a shell"),
        Command(
            "data make-shapes13", "make_shapes13", "make a set of procedural objects", CONVERTERS
        ),
        Command(
            "data render-meshes", "render_meshes", "render and voxelise own meshes", CONVERTERS
        ),
        Command(
            "data import-capture",
            "import_capture",
            "add a scanned and photographed object",
            CONVERTERS,
        ),
        Command("data pix3d", "pix3d", "prepare Pix3D", CONVERTERS),
        Command("data pascal3d", "pascal3d", "prepare Pascal 3D+", CONVERTERS),
        Command("data things3d", "things3d", "prepare Things3D", CONVERTERS),
        Command("data check", "check_dataset", "open every file, and report faults", CONVERTERS),
        Command("data browse", "browse_dataset", "draw what a network would receive", ANALYSIS),
        Command("data pack", "pack", "put a data set into one file", CONVERTERS),
        Command("analyse baselines", "baselines", "IoU that needs no network", ANALYSIS),
        Command("analyse benchmark", "benchmark", "times of a network on this machine", ANALYSIS),
        Command("analyse compare", "compare", "is one network better than another?", ANALYSIS),
        Command(
            "analyse compare-configs",
            "compare_configs",
            "train and test several configs alike",
            ANALYSIS,
        ),
        Command(
            "analyse complexity", "complexity", "parameters, FLOPs and memory by part", ANALYSIS
        ),
        Command("analyse corruptions", "corruptions", "IoU on spoilt pictures", ANALYSIS),
        Command("analyse latent-space", "latent_space", "draw the latent space of a VAE", ANALYSIS),
        Command("analyse plot-log", "plot_log", "draw training curves", ANALYSIS),
        Command("analyse report", "report", "a page and a table of results", ANALYSIS),
        Command(
            "analyse retrieved-shapes",
            "retrieved_shapes",
            "draw what Mem3D remembers for an image",
            ANALYSIS,
        ),
    )
}


def command_line(words: str) -> str:
    """What one types to get a command, as this process was started.

    That is "voxrecon train", or "python tools/train.py" where a file in ``tools`` was started.
    """
    started = "/" + Path(sys.argv[0]).as_posix()
    doors = [command.door for command in COMMANDS.values() if command.door]
    door = COMMANDS[words].door
    if door and any(started.endswith(f"/{name}") for name in doors):
        return f"python {door}"
    return f"voxrecon {words}"


def find_command(words: list[str]) -> tuple[Command, list[str]]:
    """The command that words begin with, and what they give to it.

    Raises:
        ConfigError: there is no such command; names the nearest.
    """
    import difflib

    for n in (1, 2):
        command = COMMANDS.get(" ".join(words[:n]))
        if command:
            return command, words[n:]
    grouped = words[0] in GROUPS
    typed = " ".join(words[: 1 + grouped])
    # by the last word alone, so that "voxrecon check" leads to "data check"
    names = {known.split()[-1]: known for known in (*COMMANDS, *GROUPS)}
    (near,) = difflib.get_close_matches(words[grouped], names, n=1, cutoff=0)
    raise ConfigError(f"voxrecon {typed}: no such command, the nearest is voxrecon {names[near]}")
