# SPDX-License-Identifier: MIT
"""What a result depends on besides config, weights and data, and what a bug report needs."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import torch

import voxrecon
from voxrecon.system import available_cores

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
EXTRAS = (  # what pyproject.toml names as optional
    "embreex",
    "manifold3d",
    "pillow-heif",
    "lmdb",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "openvino",
    "gradio",
)
COMMIT = ["git", "--no-optional-locks", "describe", "--always", "--dirty", "--exclude=*"]
GPUS = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]


def describe_environment() -> dict[str, str]:
    """Versions, system and device, by name."""
    found = {"voxrecon": voxrecon.__version__, "python": platform.python_version()}
    versions = {name: _version(distribution) for name, distribution in PACKAGES.items()}
    found |= {name: version for name, version in versions.items() if version}
    found["torch"] = torch.__version__  # with the build
    found["system"] = f"{platform.system()} {platform.machine()}"
    cuda = torch.cuda.is_available()
    found["device"] = (
        torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
    )
    return found


def describe_installation() -> dict[str, str]:
    """All that a bug report needs, by name; "not installed" for the version of what is missing."""
    import cv2
    import trimesh

    package = Path(voxrecon.__file__).resolve().parent
    optional = {name: _version(name) or "not installed" for name in EXTRAS}
    return {
        **describe_environment(),
        "opencv": cv2.__version__,
        "trimesh": trimesh.__version__,
        **optional,
        "installed in": without_user(package),
        "git commit": _commit(package.parent),
        "system": platform.platform(),
        "CPU": f"{_cpu_model()}, {available_cores()} of {os.cpu_count()} cores",
        "memory": _memory(),
        "GPU": "; ".join(_output(GPUS)) or "none that nvidia-smi finds",
    }


def without_user(path: Path) -> str:
    """A path in which no one's name stands: "~" for the home folder, and for its name elsewhere."""
    home = Path(os.path.expanduser("~"))
    if path.is_relative_to(home):
        path = Path("~", path.relative_to(home))
    return str(Path(*("~" if part == home.name else part for part in path.parts)))


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _commit(folder: Path) -> str:
    if not (folder / ".git").exists():
        return "not in a clone"
    return " ".join(_output(COMMIT, folder)) or "unknown"


def _output(command: list[str], folder: Path | None = None) -> list[str]:
    """The lines that a program prints; none where it is missing or fails."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:  # no Linux
        return platform.processor() or "CPU of unknown make"
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):  # Windows
        return "unknown"
    return f"{size / 2**30:.1f} GiB"
