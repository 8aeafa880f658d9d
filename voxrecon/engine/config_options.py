# SPDX-License-Identifier: MIT
"""What the command line changes in a config: ``--cfg-options``, ``--data-root``, ``--taxonomy``."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine import Config

from voxrecon.engine.config_schema import ROOT, Place, accepted_keys, did_you_mean
from voxrecon.errors import ConfigError

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


def set_data(
    cfg: Config, data_root: str | Path | None = None, taxonomy: str | Path | None = None
) -> None:
    """Set ``data_root`` and ``taxonomy`` of the data sets in all data loaders (None: leave it)."""
    given = {"data_root": data_root, "taxonomy": taxonomy}
    given = {key: str(value) for key, value in given.items() if value is not None}
    for name in LOADERS:
        if cfg.get(name):
            cfg[name].dataset.update(given)
    if "data_root" in cfg and data_root is not None:
        cfg.data_root = str(data_root)


def parse_options(options: Iterable[str]) -> dict[str, Any]:
    """``["a.b=1", "c=[x,y]"]`` to ``{"a.b": 1, "c": ["x", "y"]}``; nothing is executed.

    Values are Python literals, words are strings without quotes too, ``1,2`` is a list. Digits
    after a leading zero stay a string: class ids such as 02691156.
    """
    parsed = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not re.fullmatch(r"[^\s.]+(\.[^\s.]+)*", key):
            raise ConfigError(f"--cfg-options {option}: expected key=value")
        parsed[key] = _value(value.strip(), option)
    return parsed


def _value(text: str, option: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass  # words
    else:
        return list(value) if isinstance(value, tuple) and text[0] != "(" else value
    closing = {"(": ")", "[": "]"}.get(text[:1])
    if closing and not text.endswith(closing):
        raise ConfigError(f"--cfg-options {option}: expected a closing {closing}")
    parts = _split(text[1:-1] if closing else text, option)
    if not closing and len(parts) == 1:
        return text
    values = [_value(part.strip(), option) for part in parts if part.strip()]
    return tuple(values) if closing == ")" else values


def _split(text: str, option: str) -> list[str]:
    """Cut at the commas that no bracket encloses."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "([") - (char in ")]")
        if depth < 0:
            break
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    if depth:
        raise ConfigError(f"--cfg-options {option}: its brackets do not match")
    return parts


def apply_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Set dotted paths of a config, in place.

    A path is valid if the config has it, or if the constructor of the ``type`` at that node takes
    it. A number selects an entry of a list. A new ``type`` keeps of its dict what the new
    constructor takes as well, ``x._delete_=True`` empties ``x`` first, a dict given as a value
    replaces what was there. ``data_root`` at the top is set in all data loaders.

    Raises:
        ConfigError: An unknown key (the nearest is named) or type, an index beyond its list, a
            value in place of a group of keys.
    """
    options = dict(options)
    if "data_root" in options:
        set_data(cfg, data_root=options.pop("data_root"))
    # what empties or switches a node comes before what is set in it
    rank = {"_delete_": 0, "type": 1}
    for path in sorted(options, key=lambda p: (rank.get(p.split(".")[-1], 2), p.count("."))):
        _refuse_variable(cfg, path)
        top = path.split(".")[0]
        cfg[top] = _Option(path, options[path]).set(dict(cfg.items()), ROOT)[top]


class _Option:
    """One ``path=value`` on its way down; nodes are replaced, not changed: configs share them."""

    def __init__(self, path: str, value: Any) -> None:
        self.keys, self.value = path.split("."), value
        self.text = f"--cfg-options {path}={value}"

    def set(self, node: Any, place: Place, at: int = 0, kin: frozenset[str] = frozenset()) -> Any:
        """``node`` with the value set.

        Args:
            node: What keys[:at] led to.
            kin: The keys of its neighbours in a list: those that a dict without ``type`` may have.
        """
        key, here = self.keys[at], ".".join(self.keys[:at])
        if isinstance(node, (list, tuple)):
            if not key.isdecimal() or int(key) >= len(node):
                raise ConfigError(f"{self.text}: {here} has the entries 0..{len(node) - 1}")
            items = list(node)
            kin = frozenset(k for item in items if isinstance(item, dict) for k in item)
            items[int(key)] = self._entry(items[int(key)], place, at, kin)
            return type(node)(items)
        if not isinstance(node, dict):
            raise ConfigError(f"{self.text}: {here} is {node!r}, not a group of keys")
        last = at == len(self.keys) - 1
        if last and key == "_delete_":
            return {} if self.value else node
        if key not in node:
            self._check(node, place, at, kin)
        node = copy.copy(node)
        if last and key == "type":
            valid = place.keys({"type": self.value}, f"--cfg-options {here}")
            node = {k: v for k, v in node.items() if valid is None or k in valid}
        node[key] = self._entry(node.get(key), place.below(key), at, frozenset())
        return node

    def _entry(self, old: Any, place: Place, at: int, kin: frozenset[str]) -> Any:
        if at < len(self.keys) - 1:
            return self.set({} if old is None else old, place, at + 1, kin)
        if isinstance(self.value, dict):
            return {key: value for key, value in self.value.items() if key != "_delete_"}
        if isinstance(old, dict) and self.value is not None:
            keys = ", ".join(old) or "none yet"
            raise ConfigError(f"{self.text}: a group of keys, not a value; it has {keys}")
        return self.value

    def _check(self, node: Mapping, place: Place, at: int, kin: frozenset[str]) -> None:
        """Refuse a key that is not in the node and that its constructor does not take."""
        key, here = self.keys[at], ".".join(self.keys[:at])
        if place.free:
            return
        if place.constructor(node, here) is not None:
            valid = place.keys(node, here)
        elif place.registries and not node:
            if key == "type":
                return
            raise ConfigError(f"{self.text}: {here} has no type; set {here}.type as well")
        else:
            valid = {*place.extra, *kin}
        if valid is None or key in valid:
            return
        show = ".".join([*self.keys[:at], "{}", *self.keys[at + 1 :]])
        hint = did_you_mean(key, {*valid, *node} - {"_scope_"}, show)
        raise ConfigError(f"{self.text}: no such key; {hint}")


def _refuse_variable(cfg: Config, path: str) -> None:
    """Refuse a variable of the file, put where it is used by now: a change would be lost."""
    top, dot, rest = path.partition(".")
    value = cfg.get(top)
    if top in {*accepted_keys(ROOT.default), *ROOT.extra}:
        return
    if not value or not isinstance(value, (str, list, tuple, dict)):
        return
    for where, used in _walk({key: cfg[key] for key in ROOT.inside if key in cfg}):
        if type(used) is type(value) and used == value:
            raise ConfigError(
                f"--cfg-options {path}: {top} is a variable of the file, used already; "
                f"did you mean {where}{dot}{rest}?"
            )


def _walk(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    if where:
        yield where, value
    items = value.items() if isinstance(value, dict) else ()
    if isinstance(value, (list, tuple)):
        items = enumerate(value)
    for key, item in items:
        yield from _walk(item, f"{where}.{key}" if where else str(key))
