# SPDX-License-Identifier: MIT
"""Packages that only some parts need."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from .errors import ConfigError


def require_packages(needed: Mapping[str, str]) -> None:
    """ConfigError unless the modules of these packages, all of the extra "shapes", are there."""
    missing = [name for name, module in needed.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise ConfigError(f"{', '.join(missing)} not installed: pip install 'voxrecon[shapes]'")
