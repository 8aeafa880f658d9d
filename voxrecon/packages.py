# SPDX-License-Identifier: MIT
"""Packages that only some parts need."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from .errors import ConfigError


def require_packages(needed: Iterable[str]) -> None:
    """ConfigError unless these packages, all of the extra "shapes", are there."""
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f"{', '.join(missing)} not installed: pip install 'voxrecon[shapes]'")
