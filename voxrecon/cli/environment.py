# SPDX-License-Identifier: MIT
"""What a result depends on besides config, weights and data."""

from __future__ import annotations

import platform
from importlib import metadata

import torch

import voxrecon

PACKAGES = {  # the name shown: of the distribution
    "torch": "torch",
    "torchvision": "torchvision",
    "timm": "timm",
    "mmengine": "onedl-mmengine",
    "mmcv": "onedl-mmcv",
    "numpy": "numpy",
    "scipy": "scipy",
    "scikit-image": "scikit-image",
}


def describe_environment() -> dict[str, str]:
    """Versions, system and device, by name."""
    found = {"voxrecon": voxrecon.__version__, "python": platform.python_version()}
    for name, distribution in PACKAGES.items():
        try:
            found[name] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    found["torch"] = torch.__version__  # with the build
    found["system"] = f"{platform.system()} {platform.machine()}"
    cuda = torch.cuda.is_available()
    found["device"] = (
        torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
    )
    return found
