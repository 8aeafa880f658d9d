# SPDX-License-Identifier: MIT
"""The registries: children of mmengine's, filled on first use, plug-ins included.

A package announces its parts by an entry point of the group ``voxrecon.plugins``: a module that registers them on
import. Nothing has to be imported by hand before a config is built.
"""

from __future__ import annotations

from importlib.metadata import entry_points

import mmengine.registry as root
from mmengine.registry import Registry as _Registry

PLUGIN_GROUP = "voxrecon.plugins"
_loaded_plugins: set[str] = set()


def load_plugins() -> None:
    """Import every module announced by the entry-point group ``voxrecon.plugins``, each once."""
    for point in entry_points(group=PLUGIN_GROUP):
        if point.value not in _loaded_plugins:
            _loaded_plugins.add(point.value)  # before the import: a plug-in may itself look up a registry
            point.load()


class Registry(_Registry):
    """A registry that loads plug-ins with its locations and names both places when a name is taken twice."""

    def import_from_location(self) -> None:
        if not self._imported:
            super().import_from_location()
            load_plugins()

    def _register_module(self, module, module_name=None, force=False) -> None:
        names = [module_name] if isinstance(module_name, str) else module_name or [module.__name__]
        for name in names:
            if not force and name in self._module_dict:
                taken = self._module_dict[name]
                raise KeyError(
                    f"{name!r} is registered twice in {self.name}: by {taken.__module__}.{taken.__qualname__} "
                    f"and by {module.__module__}.{module.__qualname__}"
                )
        super()._register_module(module, module_name=module_name, force=force)


def _child(name: str, parent: _Registry, *locations: str) -> Registry:
    return Registry(name, parent=parent, scope="voxrecon", locations=[f"voxrecon.{loc}" for loc in locations])


MODELS = _child("model", root.MODELS, "models")
DATASETS = _child("dataset", root.DATASETS, "datasets")
DATA_SAMPLERS = _child("data sampler", root.DATA_SAMPLERS, "datasets")
TRANSFORMS = _child("transform", root.TRANSFORMS, "datasets")
METRICS = _child("metric", root.METRICS, "evaluation")
HOOKS = _child("hook", root.HOOKS, "engine")
LOOPS = _child("loop", root.LOOPS, "engine")
VISUALIZERS = _child("visualizer", root.VISUALIZERS, "visualization")
