# SPDX-License-Identifier: MIT
"""Results of evaluations that never took place, plausible and always the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxrecon.evaluation import PROTOCOLS, build_results, summarise
from voxrecon.evaluation.calibration import curve_counts

CLASSES = {
    "02691156": "aeroplane",
    "02828884": "bench",
    "02933112": "cabinet",
    "02958343": "car",
    "03001627": "chair",
    "03211117": "display",
    "03636649": "lamp",
    "03691459": "speaker",
    "04090263": "rifle",
    "04256520": "sofa",
    "04379243": "table",
    "04401088": "telephone",
    "04530566": "watercraft",
}
VIEWS = {"view_order": "first", "view_selection": "first"}
MEASURES = [
    {"type": "FScore", "threshold": 0.3, "strict": False, "level": 0.0, "points": 8192, "seed": 0},
    {"type": "ChamferDistance", "threshold": 0.3, "strict": False, "points": 8192, "seed": 0},
    {"type": "Calibration"},
]
RUN = {
    "config": "configs/pix2voxpp_small.py",
    "config_text": "model = dict(type='VoxelReconstructor')\n" * 20,
    "checkpoint": "work_dirs/small/best.pth",
    "checkpoint_sha256": "0123456789abcdef" * 4,
    "network": "TimmBackbone > ConvNeck > UpConvDecoder > ContextAwareFusion",
    "scope": "per_view",
    "data_root": "data/shapes13",
    "split": "test",
    "environment": {"voxrecon": "0.1", "python": "3.11.2", "torch": "2.6.0", "device": "cpu"},
}
PLACES = (np.arange(20) + 0.5) / 20  # middles of the bins of probability


def make_results(
    samples: int = 26,
    views: tuple[int, ...] = (1, 3, 5),
    classes: dict[str, str] = CLASSES,
    scores: bool = True,
    baselines: bool = True,
    leaks: int = 2,
    calibration: bool = True,
    seed: int = 0,
    mean: str = "sample",
) -> dict[str, Any]:
    """Results (schema 2) of ``samples`` objects, dealt to the classes in turn, with intervals."""
    rng = np.random.default_rng(seed)
    records, baseline = (
        [],
        {name: {} for name in ("mean grid", "class mean", "oracle", "retrieval")},
    )
    for i in range(samples):
        taxonomy = list(classes)[i % len(classes)]
        size, sharpness = rng.integers(800, 6000), rng.uniform(1.5, 3.5)
        ceiling = rng.uniform(0.5, 0.75)
        for n in views:
            found = _histogram(size, sharpness + 0.3 * np.log2(n) + rng.normal(0, 0.1))
            # the bins end at 0.05, 0.1 ...; these are 0.2, 0.3, 0.4, 0.5
            both, either = (part[[3, 5, 7, 9]] for part in curve_counts(found))
            f = float(np.clip(0.7 * both[1] / either[1] + rng.normal(0, 0.02), 0, 1))
            values = {"fscore": f, "precision": f + 0.02, "recall": f - 0.02, "ceiling": ceiling}
            values |= {"chamfer": 0.05 * (1.05 - f), "brier": 0.04 * (1.1 - f)}
            record = {"taxonomy": taxonomy, "id": f"{i * 2654435761 % (1 << 32):08x}"}
            record |= {"name": classes[taxonomy], "n_views": n, "truth": f"{i:016x}"}
            record |= {"intersection": both.tolist(), "union": either.tolist()}
            record |= {"scores": values} if scores else {}
            records.append(record | ({"histogram": found} if calibration else {}))
        for by_key, level in zip(baseline.values(), (0.19, 0.32, 0.53, 0.39), strict=True):
            by_key[f"{taxonomy}/{record['id']}"] = float(np.clip(rng.normal(level, 0.08), 0, 1))
    keys = sorted(baseline["oracle"])
    results = build_results(
        records,
        (0.2, 0.3, 0.4, 0.5),
        ["03001627/ab12: 00.png: image file is truncated"],
        PROTOCOLS["pix2vox"].record() | VIEWS | {"mean": mean},
        {key: ["sofa"] for key in keys[:: max(samples // leaks, 1)][:leaks]} if leaks else None,
        MEASURES if scores else (),
    )
    results |= {"run": {**RUN}, "data_sha256": "fedcba9876543210" * 4}
    results["baselines"] = baseline if baselines else {}
    results["summary"] = summarise(results, intervals=True)
    return results


def _histogram(size: float, sharpness: float) -> dict[str, list]:
    """Of a grid of 32^3 with so many occupied voxels, those of them with high probability."""
    full, empty = np.exp(sharpness * PLACES), np.exp(-4 * sharpness * PLACES)
    occupied = np.rint(size * full / full.sum()).astype(int)
    count = occupied + np.rint((32**3 - size) * empty / empty.sum()).astype(int)
    return {
        "count": count.tolist(),
        "occupied": occupied.tolist(),
        "probability": (count * PLACES).tolist(),
    }
