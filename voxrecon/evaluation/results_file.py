# SPDX-License-Identifier: MIT
"""Files of results: JSON, written as a whole, not believed when read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import FileError
from ..fileio import atomic_write, read_file
from .calibration import BINS
from .results import SCHEMA, summarise

MAX_BYTES = 2 << 30  # 40,000 samples at 20 view counts with all metrics are 900 MB
MAX_VIEWS = 10_000
MAX_SCORE = 1e9  # so that no mean or difference overflows
MAX_NAME = 255  # characters of an id or a name
MAX_TEXT = 1 << 20  # of a config
BRIEF = 80  # characters of a value in a message


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


def read_results(path: str | os.PathLike, intervals: bool = False) -> dict[str, Any]:
    """Read a file of results, see ``docs/evaluation.md``.

    Its summary is not believed but made anew from its samples, if asked for with intervals.

    Raises:
        FileError: the file is missing, too large, not JSON or of another schema, or one of its
            entries is not what it should be.
    """
    path = Path(path)
    try:
        results = json.loads(read_file(path, MAX_BYTES))
    except json.JSONDecodeError as error:
        raise FileError(f"{path}: not JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path}: not JSON of sensible numbers and depth") from error
    if not isinstance(results, dict) or "schema" not in results:
        raise FileError(f"{path}: {_brief(results)}, expected results of voxrecon test")
    schema = results["schema"]
    if type(schema) is not int or schema != SCHEMA:
        raise FileError(
            f"{path}: results of schema {_brief(schema)}, expected {SCHEMA}: test the checkpoint "
            "again"
        )
    for key, holds in ENTRIES.items():
        if key not in results or not holds(results[key]):
            given = _brief(results[key]) if key in results else "missing"
            raise FileError(f"{path}: {key!r} is {given}, expected as docs/evaluation.md has it")
    _check(results, path)
    results["summary"] = summarise(results, intervals)
    return results


def _check(results: dict, path: Path) -> None:
    """FileError where entries do not fit each other."""
    thresholds, protocol = results["thresholds"], results["protocol"]
    if protocol["threshold"] is not None and protocol["threshold"] not in thresholds:
        raise FileError(
            f"{path}: thresholds {_brief(thresholds)}, expected {protocol['threshold']} too"
        )
    seen = set()
    for i, sample in enumerate(results["samples"]):
        if not _is_sample(sample, len(thresholds)):
            raise FileError(
                f"{path}: sample {i} is {_brief(sample)}, expected as docs/evaluation.md has it"
            )
        key = (sample["taxonomy"], sample["id"], sample["n_views"])
        if key in seen:
            raise FileError(f"{path}: sample {i} is {_brief(key)} again, expected once")
        if key[0] not in results["classes"] or key[2] not in results["views"]:
            raise FileError(f"{path}: sample {i} has a class or number of views that is not listed")
        seen.add(key)
    missing = set(results["views"]) - {n for _, _, n in seen}
    if missing:
        raise FileError(f"{path}: no sample of {min(missing)} views, expected some")


def _brief(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer of too many digits
        text = "a number"
    return text if len(text) <= BRIEF else f"{text[:BRIEF]}..."


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= MAX_SCORE  # NaN is not


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _is_dict(value: Any, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(holds(item) for item in value.values())


def _is_list(value: Any, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(holds(item) for item in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _is_name(value: Any) -> bool:
    return _is_text(value) and 0 < len(value) <= MAX_NAME


def _is_setting(value: Any) -> bool:
    return value is None or _is_number(value) or _is_text(value) or isinstance(value, bool)


def _are_distinct(value: Any, holds: Callable[[Any], bool]) -> bool:
    return _is_list(value, holds) and len(set(value)) == len(value) > 0


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
        and all(_is_name(value.get(key, "-")) for key in ("metric", "view_selection", "view_order"))
    )


def _is_run(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    texts = {key: text for key, text in value.items() if key != "environment"}
    return _is_dict(texts, _is_text) and _is_dict(value.get("environment", {}), _is_text)


ENTRIES = {  # what each holds
    "protocol": _is_protocol,
    "measures": lambda value: _is_list(value, lambda m: _is_dict(m, _is_setting)),
    "run": _is_run,
    "data_sha256": _is_text,
    "thresholds": lambda value: _are_distinct(value, lambda t: _is_number(t) and 0 <= t <= 1),
    "views": lambda value: _are_distinct(value, lambda n: type(n) is int and 0 < n <= MAX_VIEWS),
    "classes": lambda value: _is_dict(value, _is_text),
    "samples": lambda value: isinstance(value, list) and len(value) > 0,
    "baselines": lambda value: _is_dict(value, lambda scores: _is_dict(scores, _is_score)),
    "leaks": lambda value: _is_dict(value, lambda names: _is_list(names, _is_text)),
    "broken": lambda value: _is_list(value, _is_text),
}


def _is_sample(sample: Any, thresholds: int) -> bool:
    if not isinstance(sample, dict):
        return False
    if not all(_is_name(sample.get(key)) for key in ("taxonomy", "id")):
        return False
    if type(sample.get("n_views")) is not int or not _is_name(sample.get("truth", "-")):
        return False
    scores = sample.get("scores", {})
    if not _is_dict(scores, _is_score) or not all(map(_is_name, scores)):
        return False
    if not _is_list(sample.get("view_numbers", []), _is_count):
        return False
    if "histogram" in sample and not _is_histogram(sample["histogram"]):
        return False
    pair = sample.get("intersection"), sample.get("union")
    if not all(_is_list(counts, _is_count) and len(counts) == thresholds for counts in pair):
        return False
    return all(i <= u for i, u in zip(*pair, strict=True))


def _is_histogram(value: Any) -> bool:
    kinds = {"count": _is_count, "occupied": _is_count, "probability": _is_number}
    if not isinstance(value, dict):
        return False
    parts = [value.get(key) for key in kinds]
    if not all(
        _is_list(p, h) and len(p) == BINS for p, h in zip(parts, kinds.values(), strict=True)
    ):
        return False
    return all(o <= n and 0 <= p <= n + 1e-3 for n, o, p in zip(*parts, strict=True))
