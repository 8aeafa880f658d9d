# SPDX-License-Identifier: MIT
"""The registries: children of mmengine's, filled on first use, plug-ins included.

A package announces its parts by an entry point of the group ``voxrecon.plugins``: a module that
registers them on import. Nothing has to be imported by hand before a config is built.
"""

from __future__ import annotations

from importlib.metadata import entry_points

import mmengine.registry as root
from mmengine.registry import Registry as _Registry

from voxrecon.errors import ConfigError

PLUGIN_GROUP = "voxrecon.plugins"
_loaded_plugins: set[str] = set()


def load_plugins() -> None:
    """Import every module announced by the entry-point group ``voxrecon.plugins``, each once."""
    for point in entry_points(group=PLUGIN_GROUP):
        if point.value in _loaded_plugins:
            continue
        _loaded_plugins.add(point.value)  # now: a plug-in may itself look up a registry
        try:
            point.load()
        except Exception as error:  # a plug-in is foreign code: anything may come out
            _loaded_plugins.remove(point.value)
            reason = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise ConfigError(
                f"plug-in {point.name} = {point.value}: cannot be loaded: "
                f"{type(error).__name__}: {' '.join(str(reason).split())}"
            ) from error


class Registry(_Registry):
    """Loads plug-ins with its locations, and names both places when a name is taken twice."""

    def import_from_location(self) -> None:
        if not self._imported:
            if self._locations:  # mmengine looks for voxrecon.utils where there is none
                super().import_from_location()
            self._imported = True
            load_plugins()

    def _register_module(self, module, module_name=None, force=False) -> None:
        names = [module_name] if isinstance(module_name, str) else module_name or [module.__name__]
        for name in names:
            if not force and name in self._module_dict:
                taken = self._module_dict[name]
                raise KeyError(
                    f"{name!r} is registered twice in {self.name}: "
                    f"by {taken.__module__}.{taken.__qualname__} "
                    f"and by {module.__module__}.{module.__qualname__}"
                )
        super()._register_module(module, module_name=module_name, force=force)


def _child(parent: _Registry, *locations: str, name: str = "") -> Registry:
    locations = [f"voxrecon.{location}" for location in locations]
    return Registry(name or parent.name, parent=parent, scope="voxrecon", locations=locations)


MODELS = _child(root.MODELS, "models")
DATASETS = _child(root.DATASETS, "datasets")
DATA_SAMPLERS = _child(root.DATA_SAMPLERS, "datasets")
TRANSFORMS = _child(root.TRANSFORMS, "datasets")
METRICS = _child(root.METRICS, "evaluation")
HOOKS = _child(root.HOOKS, "engine")
LOOPS = _child(root.LOOPS, "engine")
VISUALIZERS = _child(root.VISUALIZERS, "visualization")

# We add nothing to these, plug-ins may; without a child mmengine warns at each use of its own parts
EVALUATORS = _child(root.EVALUATOR)
LOG_PROCESSORS = _child(root.LOG_PROCESSORS, name="log processor")
MODEL_WRAPPERS = _child(root.MODEL_WRAPPERS, name="model wrapper")
OPTIM_WRAPPERS = _child(root.OPTIM_WRAPPERS, name="optimizer wrapper")
OPTIM_WRAPPER_CONSTRUCTORS = _child(root.OPTIM_WRAPPER_CONSTRUCTORS)
OPTIMIZERS = _child(root.OPTIMIZERS)
PARAM_SCHEDULERS = _child(root.PARAM_SCHEDULERS)
VISBACKENDS = _child(root.VISBACKENDS, name="visual backend")
WEIGHT_INITIALIZERS = _child(root.WEIGHT_INITIALIZERS)
