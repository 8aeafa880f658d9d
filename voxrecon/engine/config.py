# SPDX-License-Identifier: MIT
"""Reading configs. A config file is a program: read only those that you trust."""

from __future__ import annotations

import ast
import sys
import traceback
from pathlib import Path
from typing import Any

from mmengine import Config, ConfigDict

import voxrecon
from voxrecon.engine.config_options import apply_options, parse_options, set_data
from voxrecon.engine.config_schema import check_config
from voxrecon.errors import ConfigError
from voxrecon.registry import load_plugins

__all__ = ["apply_options", "check_config", "load_config", "parse_options", "set_data"]

PACKAGE = "voxrecon::"


def load_config(path: str | Path) -> Config:
    """Read a config in the text style (``_base_``); ``voxrecon::configs/x.py`` is the package's.

    Raises:
        ConfigError: The file is missing, is no config, or fails when it is executed.
    """
    name = str(path)
    if name.startswith(PACKAGE):
        folder = Path(voxrecon.__file__).parent / ".mim" / "configs"
        name = str(folder / name.removeprefix(PACKAGE))
    if not Path(name).is_file():
        raise ConfigError(f"{path}: no such config file")
    load_plugins()
    folder = str(Path(name).resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)  # for modules beside the config that it imports
    try:
        cfg = Config.fromfile(name, lazy_import=False)
    except Exception as error:  # a config is a program: anything may come out
        raise ConfigError(_describe(error, name)) from error
    for key in list(cfg.keys()):
        cfg[key] = _without_scope(cfg[key])
    return cfg


def _describe(error: Exception, name: str) -> str:
    """One line: the file, or the base of it, and the line in it where they can be known."""
    where = name
    frames = traceback.extract_tb(error.__traceback__)
    reads = [i for i, frame in enumerate(frames) if frame.name == "_file2dict"]
    inside = frames[reads[-1] + 1 :] if reads else []
    if inside and inside[0].name == "<module>":
        where = f"{inside[0].filename}:{inside[0].lineno}"
    elif isinstance(error, SyntaxError):
        # mmengine parses a temporary copy and does not say of which file
        try:
            ast.parse(Path(name).read_text(encoding="utf-8"))
            where = f"{name}: in one of its bases"
        except SyntaxError as own:
            return f"{name}:{own.lineno}: {own.msg}"
    cause = error.__cause__ or error
    reason = cause.args[0] if isinstance(cause, KeyError) and cause.args else cause
    return f"{where}: {type(cause).__name__}: {' '.join(str(reason).split())}"


def _without_scope(value: Any) -> Any:
    """Drop the ``_scope_`` that mmengine writes into what ``voxrecon::`` names: it is the default.

    Some of its consumers, torch's DataLoader for one, would take it for an argument.
    """
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k != "_scope_" or v not in ("voxrecon", None)}
        return ConfigDict({key: _without_scope(item) for key, item in kept.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(_without_scope(item) for item in value)
    return value
