# SPDX-License-Identifier: MIT
"""Deterministic weights for parity tests: every tensor is a pure function of its key and shape.

A published checkpoint of the original networks is several hundred MB, so the parity vectors in this
folder were computed with weights that anyone can rebuild from the list of keys and shapes in
``*.keys.json``.
"""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path

import numpy as np

LAST_LAYERS = ("decoder.layer5.0.weight", "merger.layer6.0.weight", "refiner.layer8.0.weight")


def fill(key: str, shape: tuple[int, ...], gain: float = 1.0) -> np.ndarray:
    """Return the tensor that belongs to ``key`` (e.g. ``"decoder.layer1.0.weight"``), float32
    (int64 for counters).

    ``gain`` scales the last layers, so that no logit is so large that float32 itself blurs the
    comparison.
    """
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, dtype=np.int64)
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
    if key.endswith("running_var") or (
        key.endswith(".weight") and len(shape) == 1
    ):  # BN variance and scale
        return (0.5 + rng.random(shape)).astype(np.float32)
    if len(shape) == 1:  # biases and BN running means
        return (0.1 * rng.standard_normal(shape)).astype(np.float32)
    std = math.sqrt(2.0 / math.prod(shape[1:])) * (gain if key in LAST_LAYERS else 1.0)
    return (rng.standard_normal(shape, dtype=np.float32) * std).astype(np.float32)


def images(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Normalised input images, uniform in [-1, 1), float32."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return (rng.random(shape, dtype=np.float32) * 2.0 - 1.0).astype(np.float32)


def checkpoint(keys_json: str | Path) -> dict[str, dict[str, np.ndarray]]:
    """Rebuild ``{part: {key: array}}`` in the layout of the published files, without the
    ``module.`` prefix.
    """
    spec = json.loads(Path(keys_json).read_text())
    return {
        part: {k: fill(f"{part}.{k}", tuple(s), spec["gain"]) for k, s in entries}
        for part, entries in spec["parts"].items()
    }
