# SPDX-License-Identifier: MIT
"""The models that voxrecon knows by name: those of the metafiles."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

import voxrecon
from voxrecon.errors import ConfigError

PACKAGE = Path(voxrecon.__file__).parent
METAFILES = ("configs/metafile.yml", "projects/*/metafile.yml")


@dataclass(frozen=True)
class ZooModel:
    """A model by name.

    Attributes:
        name: As it is asked for.
        collection: The paper's short name.
        config: For ``load_config``, from any folder.
        parameters: Their number.
        folder: Its weights, a model folder; None where none are shipped.
    """

    name: str
    collection: str
    config: str
    parameters: int
    folder: Path | None


@cache
def read_metafiles() -> dict[str, ZooModel]:
    """All models of the metafiles by name, in the order of the files."""
    root = PACKAGE / ".mim" / "configs"
    models = {}
    for pattern in METAFILES:
        for path in sorted(root.glob(pattern)):
            for entry in yaml.safe_load(path.read_text())["Models"]:
                weights = entry.get("Weights")
                models[entry["Name"]] = ZooModel(
                    entry["Name"],
                    entry["In Collection"],
                    f"voxrecon::{entry['Config']}",
                    entry["Metadata"]["Parameters"],
                    PACKAGE / weights if weights else None,
                )
    return models


def list_models() -> list[str]:
    """The names of all models, those with weights first."""
    models = read_metafiles().values()
    return [m.name for m in sorted(models, key=lambda model: model.folder is None)]


def find_model(name: str) -> ZooModel:
    """The model of a name.

    Raises:
        ConfigError: there is none; the message names the nearest.
    """
    models = read_metafiles()
    if name not in models:
        near = difflib.get_close_matches(name, models, n=1)
        hint = f"did you mean {near[0]}?" if near else "voxrecon list names them all"
        raise ConfigError(f"{name}: no such model; {hint}")
    return models[name]
