# SPDX-License-Identifier: MIT
"""What may stand where in a config: the registry of a ``type`` and the keys that it takes."""

from __future__ import annotations

import ast
import difflib
import inspect
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mmengine import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import FUNCTIONS, Registry
from mmengine.runner import LogProcessor, Runner
from torch.utils.data import DataLoader

from voxrecon.engine.stage_loop import Stage
from voxrecon.errors import ConfigError
from voxrecon.registry import (
    DATA_SAMPLERS,
    DATASETS,
    EVALUATORS,
    HOOKS,
    LOG_PROCESSORS,
    LOOPS,
    METRICS,
    MODELS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
    VISBACKENDS,
    VISUALIZERS,
    WEIGHT_INITIALIZERS,
)


@dataclass(frozen=True)
class Place:
    """A place in a config, together with all below it that ``inside`` does not name.

    Attributes:
        registries: Where a ``type`` is looked up; none: dicts are not checked.
        default: What a dict without ``type`` is passed to, if that is known.
        extra: Keys that mmengine takes out before it builds.
        inside: Places below by key, ``"*"`` for any.
        free: Any key may stand here.
    """

    registries: tuple[Registry, ...] = ()
    default: Callable | None = None
    extra: tuple[str, ...] = ()
    inside: Mapping[str, Place] = field(default_factory=dict)
    free: bool = False

    def below(self, key: str) -> Place:
        """The place that ``key`` leads to."""
        found = self.inside.get(key) or self.inside.get("*")
        return found or Place(self.registries, extra=self.extra, free=self.free)

    def constructor(self, node: Mapping, where: str) -> Callable | None:
        """What builds ``node``; None: unknown. ConfigError: a type that no registry has."""
        kind = node.get("type")
        if kind is None or not self.registries:
            return self.default
        return resolve(kind, self.registries, where) if isinstance(kind, str) else kind

    def keys(self, node: Mapping, where: str) -> set[str] | None:
        """The keys that ``node`` takes; None: any, or unknown."""
        constructor = self.constructor(node, where)
        accepted = None if constructor is None or self.free else accepted_keys(constructor)
        return None if accepted is None else {*accepted, *self.extra, "type", "_scope_"}


_HOOK = Place((HOOKS,), extra=("priority",))
_FREE = Place(free=True)
_SCHEDULER = Place((PARAM_SCHEDULERS,), extra=("convert_to_iter_based",))
_OPTIM_WRAPPER = Place(
    (OPTIM_WRAPPERS,),
    default=OptimWrapper,
    extra=("constructor", "paramwise_cfg"),
    inside={"optimizer": Place((OPTIMIZERS,)), "paramwise_cfg": _FREE, "clip_grad": _FREE},
)
_STAGE = Place(
    default=Stage, inside={"optim_wrapper": _OPTIM_WRAPPER, "param_scheduler": _SCHEDULER}
)
_LOADER = Place(
    default=DataLoader,
    extra=("num_batch_per_epoch", "disable_subprocess_warning"),
    inside={
        "dataset": Place((DATASETS,), inside={"pipeline": Place((TRANSFORMS,))}),
        "sampler": Place((DATA_SAMPLERS,)),
        "batch_sampler": Place((DATA_SAMPLERS,)),
        "collate_fn": Place((FUNCTIONS,)),
        "worker_init_fn": Place((FUNCTIONS,)),
    },
)
_EVALUATOR = Place((METRICS, EVALUATORS), inside={"metrics": Place((METRICS,))})
_DEFAULT_HOOKS = (
    "runtime_info",
    "timer",
    "sampler_seed",
    "logger",
    "param_scheduler",
    "checkpoint",
)

ROOT = Place(
    default=Runner,
    extra=("custom_imports", "model_wrapper_cfg"),
    inside={
        "model": Place(
            (MODELS,), inside={"init_cfg": Place((WEIGHT_INITIALIZERS,), extra=("override",))}
        ),
        "train_dataloader": _LOADER,
        "val_dataloader": _LOADER,
        "test_dataloader": _LOADER,
        "train_cfg": Place((LOOPS,), inside={"stages": _STAGE}),
        "val_cfg": Place((LOOPS,)),
        "test_cfg": Place((LOOPS,)),
        "val_evaluator": _EVALUATOR,
        "test_evaluator": _EVALUATOR,
        "default_hooks": Place(extra=_DEFAULT_HOOKS, inside={"*": _HOOK}),
        "custom_hooks": _HOOK,
        "optim_wrapper": _OPTIM_WRAPPER,
        "param_scheduler": _SCHEDULER,
        "visualizer": Place(
            (VISUALIZERS,), inside={"vis_backends": Place((VISBACKENDS,), extra=("name",))}
        ),
        "log_processor": Place((LOG_PROCESSORS,), default=LogProcessor),
        "randomness": Place(default=Runner.set_randomness),
        "env_cfg": _FREE,
        "*": Place(),  # a variable of the config file
    },
)


def check_config(cfg: Config) -> None:
    """Raise ConfigError for an unknown type, or a key that the constructor does not take."""
    file = f"{cfg.filename}: " if cfg.filename else ""
    for where, node, place in _nodes(dict(cfg.items()), ROOT, ()):
        if not where:  # variables of any name may stand at the top
            continue
        path = ".".join(where)
        valid = place.keys(node, file + path)
        for key in node if valid is not None else ():
            if key not in valid:
                name = getattr(place.constructor(node, path), "__name__", "it")
                hint = did_you_mean(key, valid - {"_scope_"})
                raise ConfigError(f"{file}{path}: {name} takes no {key!r}; {hint}")


def _nodes(value: Any, place: Place, where: tuple[str, ...]) -> Iterator[tuple]:
    if isinstance(value, dict):
        yield where, value, place
        for key, item in value.items():
            yield from _nodes(item, place.below(str(key)), (*where, str(key)))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _nodes(item, place, (*where, str(index)))


def did_you_mean(word: str, valid: Collection[str], show: str = "{}", limit: int = 20) -> str:
    """``did you mean X?``, X the nearest word in the format ``show``, or else the valid words."""
    near = difflib.get_close_matches(word, valid, n=1)
    if near:
        return f"did you mean {show.format(near[0])}?"
    words = sorted(valid)
    rest = f" and {len(words) - limit} more" if len(words) > limit else ""
    return f"expected one of {', '.join(words[:limit])}{rest}" if words else "there are none"


def resolve(kind: str, registries: tuple[Registry, ...], where: str) -> Callable:
    """The class or function of the name ``kind``, mmengine's own and dotted paths included."""
    names: set[str] = set()
    for registry in registries:
        registry.import_from_location()  # its errors are not "unknown type"
        try:
            found = registry.get(kind)
        except RuntimeError:  # mmengine's word for a name that is no Python path either
            found = None
        if callable(found):
            return found
        while registry is not None:
            names.update(registry.module_dict)
            registry = registry.parent
    hint = did_you_mean(kind, names)
    raise ConfigError(f"{where}.type={kind}: no such {registries[0].name}; {hint}")


def accepted_keys(constructor: Callable) -> list[str] | None:
    """The keyword arguments of a class or function in their order; None: it takes any.

    Where ``__init__`` hands its ``**kwargs`` on to ``super().__init__``, and does nothing else with
    them, the arguments of the base are added.
    """
    if inspect.isclass(constructor):
        return _init_keys(constructor.__mro__)
    keys, rest = _parameters(constructor)
    return None if rest else keys


def _init_keys(mro: tuple[type, ...]) -> list[str] | None:
    index, cls = next((i, c) for i, c in enumerate(mro) if "__init__" in vars(c))
    if cls is object:
        return []
    keys, rest = _parameters(cls.__init__)
    keys = keys[1:]  # self
    if not rest:
        return keys
    given = _forwarded(cls.__init__, rest)
    inherited = _init_keys(mro[index + 1 :]) if given else None
    if inherited is None:
        return None
    positional, named = given
    return [*keys, *(k for k in inherited[positional:] if k not in named and k not in keys)]


def _parameters(function: Callable) -> tuple[list[str], str | None]:
    """Names that can be given as keywords, and the name of ``**kwargs``."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # written in C
        return [], "unknown"
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    rest = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD), None)
    return [p.name for p in parameters if p.kind in named], rest


def _forwarded(init: Callable, rest: str) -> tuple[int, set[str]] | None:
    """What ``init`` gives ``super().__init__`` beside ``**rest``: how many by position, names."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(init)))
    except (OSError, TypeError, SyntaxError):  # no source: made at run time
        return None
    nodes = list(ast.walk(tree))
    if sum(isinstance(node, ast.Name) and node.id == rest for node in nodes) != 1:
        return None
    for node in nodes:
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "super().__init__"
            and any(k.arg is None and ast.unparse(k.value) == rest for k in node.keywords)
        ):
            positional = [arg for arg in node.args if not isinstance(arg, ast.Starred)]
            return len(positional), {k.arg for k in node.keywords if k.arg}
    return None
