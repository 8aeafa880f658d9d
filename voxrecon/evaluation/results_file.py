# SPDX-License-Identifier: MIT
"""Files of results: JSON, written as a whole, not believed when read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import FileError
from ..fileio import atomic_write, read_file
from .calibration import BINS
from .results import SCHEMA, summarise

MAX_BYTES = 1 << 30  # 40,000 samples at 20 view counts are about 300 MB


def write_json(path: str | os.PathLike, obj: Any) -> None:
    """Write ``obj`` as JSON atomically: the whole file appears, or an older one stays as it was.

    Raises:
        FileError: the folder or the file cannot be written; nothing is left behind.
    """
    _write(path, json.dumps(obj, allow_nan=False, indent=1) + "\n")


def write_results(path: str | os.PathLike, results: dict[str, Any]) -> None:
    """Write results as JSON atomically, a sample a line; FileError as in ``write_json``."""

    def text(key: str, value: Any) -> str:
        if key == "samples" and value:
            return "[\n  " + ",\n  ".join(json.dumps(s, allow_nan=False) for s in value) + "\n ]"
        return json.dumps(value, allow_nan=False)

    entries = [f" {json.dumps(key)}: {text(key, value)}" for key, value in results.items()]
    _write(path, "{\n" + ",\n".join(entries) + "\n}\n")


def _write(path: str | os.PathLike, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_results(path: str | os.PathLike) -> dict[str, Any]:
    """Read a file of results, see ``docs/evaluation.md``.

    Its summary is not believed but made anew from its samples, with intervals.

    Raises:
        FileError: the file is missing, too large, not JSON or of another schema, or one of its
            entries is not what it should be.
    """
    path = Path(path)
    try:
        results = json.loads(read_file(path, MAX_BYTES))
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path}: not JSON: {error}") from error
    schema = results.get("schema") if isinstance(results, dict) else None
    if schema != SCHEMA:
        raise FileError(
            f"{path}: results of schema {schema!r}, expected {SCHEMA}: test the checkpoint again"
        )
    for key, holds in ENTRIES.items():
        if key not in results or not holds(results[key]):
            raise FileError(f"{path}: {key!r} is missing or malformed, see docs/evaluation.md")
    _check(results, path)
    results["summary"] = summarise(results, intervals=True)
    return results


def _check(results: dict, path: Path) -> None:
    """FileError where entries do not fit each other."""
    thresholds, protocol = results["thresholds"], results["protocol"]
    if protocol["threshold"] is not None and protocol["threshold"] not in thresholds:
        raise FileError(f"{path}: thresholds {thresholds}, expected {protocol['threshold']} too")
    seen = set()
    for i, sample in enumerate(results["samples"]):
        if not _is_sample(sample, len(thresholds)):
            raise FileError(f"{path}: sample {i} is malformed, see docs/evaluation.md")
        key = (sample["taxonomy"], sample["id"], sample["n_views"])
        if key in seen:
            raise FileError(f"{path}: sample {i} is {'/'.join(map(str, key))} again, expected once")
        if key[0] not in results["classes"] or key[2] not in results["views"]:
            raise FileError(f"{path}: sample {i} has a class or number of views that is not listed")
        seen.add(key)
    missing = set(results["views"]) - {n for _, _, n in seen}
    if missing:
        raise FileError(f"{path}: no sample of {min(missing)} views, expected some")


def _is_number(value: Any) -> bool:
    if type(value) is int:  # a JSON integer may be larger than any float
        return abs(value) < 2**53
    return type(value) is float and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _is_dict(value: Any, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(holds(item) for item in value.values())


def _is_list(value: Any, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(holds(item) for item in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_score(value: Any) -> bool:
    return value is None or _is_number(value)


def _is_protocol(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_text(value.get("name"))
        and "threshold" in value
        and _is_score(value["threshold"])
        and value.get("mean") in ("sample", "class")
        and type(value.get("strict")) is bool
    )


def _is_run(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    texts = {key: text for key, text in value.items() if key != "environment"}
    return _is_dict(texts, _is_text) and _is_dict(value.get("environment", {}), _is_text)


ENTRIES = {  # what each holds
    "protocol": _is_protocol,
    "run": _is_run,
    "data_sha256": _is_text,
    "thresholds": lambda value: _is_list(value, _is_number) and len(set(value)) == len(value) > 0,
    "views": lambda value: _is_list(value, lambda n: type(n) is int and n > 0) and len(value) > 0,
    "classes": lambda value: _is_dict(value, _is_text),
    "samples": lambda value: isinstance(value, list) and len(value) > 0,
    "baselines": lambda value: _is_dict(value, lambda scores: _is_dict(scores, _is_score)),
    "leaks": lambda value: _is_dict(value, lambda names: _is_list(names, _is_text)),
    "broken": lambda value: _is_list(value, _is_text),
}


def _is_sample(sample: Any, thresholds: int) -> bool:
    if not isinstance(sample, dict):
        return False
    if not all(_is_text(sample.get(key)) for key in ("taxonomy", "id")):
        return False
    if type(sample.get("n_views")) is not int or not _is_text(sample.get("truth", "")):
        return False
    if not _is_dict(sample.get("scores", {}), _is_score):
        return False
    if "histogram" in sample and not _is_histogram(sample["histogram"]):
        return False
    pair = sample.get("intersection"), sample.get("union")
    if not all(_is_list(counts, _is_count) and len(counts) == thresholds for counts in pair):
        return False
    return all(i <= u for i, u in zip(*pair, strict=True))


def _is_histogram(value: Any) -> bool:
    kinds = {"count": _is_count, "occupied": _is_count, "probability": _is_number}
    return isinstance(value, dict) and all(
        _is_list(value.get(key), holds) and len(value[key]) == BINS for key, holds in kinds.items()
    )
