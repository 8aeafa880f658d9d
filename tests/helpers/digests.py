# SPDX-License-Identifier: MIT
from __future__ import annotations

import hashlib
from pathlib import Path


def digest(root: Path) -> dict[str, str]:
    """Every file below a folder by its content."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
