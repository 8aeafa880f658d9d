# SPDX-License-Identifier: MIT
"""Results of evaluations that never took place, plausible and always the same."""

from __future__ import annotations

from typing import Any

import numpy as np

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
THRESHOLDS = (0.2, 0.3, 0.4, 0.5)
CURVE = [round(0.05 * i, 2) for i in range(1, 20)]
BINS = 20


def make_results(
    samples: int = 26,
    views: tuple[int, ...] = (1, 3, 5),
    classes: dict[str, str] = CLASSES,
    scores: bool = True,
    baselines: bool = True,
    leaks: int = 2,
    calibration: bool = True,
    seed: int = 0,
) -> dict[str, Any]:
    """Results (schema 2) of ``samples`` objects, dealt to the classes in turn.

    The summary's means follow from the samples; its intervals are those of a normal distribution.
    """
    rng = np.random.default_rng(seed)
    owner = np.sort(np.arange(samples) % len(classes))
    taxonomies = [list(classes)[k] for k in owner]
    ids = [f"{i:08x}" for i in rng.permutation(1 << 20)[:samples]]
    order = sorted(range(samples), key=lambda i: (taxonomies[i], ids[i]))
    level = rng.uniform(0.35, 0.75, len(classes))[owner] + rng.normal(0, 0.12, samples)
    keys = [f"{taxonomies[i]}/{ids[i]}" for i in order]
    leaking = {key: ["sofa"] for key in keys[:: max(samples // leaks, 1)][:leaks]} if leaks else {}

    records, summary = {}, {}
    for place, n in enumerate(views):
        gain = 0.06 * np.log2(n) / (1 + 0.3 * np.log2(n)) + rng.normal(0, 0.01, samples)
        offset = 0.35 * (np.array(THRESHOLDS) - 0.33) ** 2
        iou = np.clip(level[:, None] + gain[:, None] - offset, 0.01, 0.97)  # (N, T)
        union = rng.integers(800, 6000, (samples, 1)).repeat(len(THRESHOLDS), 1)
        intersection = np.rint(iou * union).astype(int)
        iou = intersection / union
        fscore = np.clip(0.7 * iou[:, 1] ** 1.2 + rng.normal(0, 0.02, samples), 0, 1)
        values = {
            "fscore": fscore,
            "precision": np.clip(fscore + 0.02, 0, 1),
            "recall": np.clip(fscore - 0.02, 0, 1),
            "ceiling": np.clip(0.62 + rng.normal(0, 0.05, samples), 0, 1),
            "chamfer": 0.05 * (1.05 - iou[:, 1]),
            "brier": 0.04 * (1.1 - iou[:, 1]),
        }
        for i in order:
            records[taxonomies[i], ids[i], n] = {
                "taxonomy": taxonomies[i],
                "id": ids[i],
                "n_views": n,
                "intersection": intersection[i].tolist(),
                "union": union[i].tolist(),
                "truth": f"{i:016x}",
                "scores": {name: float(v[i]) for name, v in values.items()} if scores else {},
            }
        clean = [f"{t}/{d}" not in leaking for t, d in zip(taxonomies, ids, strict=True)]
        summary[str(n)] = {
            **_means(iou, owner, classes),
            "scores": {name: _score(v, owner, classes) for name, v in values.items()}
            if scores
            else {},
            "without_leaks": {"n": sum(clean), "overall": iou[clean].mean(0).tolist()}
            if leaking
            else None,
            "calibration": _calibration(1 - 0.25 / (1 + place)) if calibration else None,
            "curve": {
                "thresholds": CURVE,
                "overall": [
                    float(iou[:, 1].mean() - 0.35 * ((t - 0.33) ** 2 - 0.03**2)) for t in CURVE
                ],
            }
            if calibration
            else None,
        }

    def by_key(mean: float) -> dict[str, float]:
        return dict(zip(keys, rng.normal(mean, 0.08, samples).clip(0, 1).tolist(), strict=True))

    return {
        "schema": 2,
        "protocol": {
            "name": "pix2vox",
            "threshold": 0.3,
            "mean": "sample",
            "strict": False,
            "view_order": "first",
            "view_selection": "first",
        },
        "run": {
            "config": "configs/pix2voxpp_small.py",
            "config_text": "model = dict(type='VoxelReconstructor')\n" * 20,
            "checkpoint": "work_dirs/small/best.pth",
            "checkpoint_sha256": "0123456789abcdef" * 4,
            "network": "TimmBackbone > ConvNeck > UpConvDecoder > ContextAwareFusion",
            "scope": "per_view",
            "data_root": "data/shapes13",
            "split": "test",
            "environment": {
                "voxrecon": "0.1",
                "python": "3.11.2",
                "torch": "2.6.0",
                "device": "cpu",
            },
        },
        "data_sha256": "fedcba9876543210" * 4,
        "thresholds": list(THRESHOLDS),
        "views": list(views),
        "classes": {k: name for k, name in classes.items() if k in taxonomies},
        "samples": [records[key] for key in sorted(records)],
        "baselines": {
            "mean grid": by_key(0.19),
            "class mean": by_key(0.32),
            "oracle": by_key(0.53),
            "retrieval": by_key(0.39),
        }
        if baselines
        else {},
        "leaks": leaking,
        "broken": ["03001627/ab12: 00.png: image file is truncated"],
        "summary": summary,
    }


def _means(iou: np.ndarray, owner: np.ndarray, classes: dict[str, str]) -> dict[str, Any]:
    by_class = {k: iou[owner == i] for i, k in enumerate(classes) if (owner == i).any()}
    means = np.array([part.mean(0) for part in by_class.values()])
    overall = iou.mean(0)
    return {
        "overall": overall.tolist(),
        "class_mean": means.mean(0).tolist(),
        "best_threshold": THRESHOLDS[int(overall.argmax())],
        "interval": {"overall": _interval(iou), "class_mean": _interval(iou)},
        "classes": {
            k: {
                "name": classes[k],
                "n": len(part),
                "iou": part.mean(0).tolist(),
                "interval": _interval(part),
            }
            for k, part in by_class.items()
        },
    }


def _score(values: np.ndarray, owner: np.ndarray, classes: dict[str, str]) -> dict[str, Any]:
    by_class = {
        k: float(values[owner == i].mean()) for i, k in enumerate(classes) if (owner == i).any()
    }
    return {
        "n": len(values),
        "mean": float(values.mean()),
        "class_mean": float(np.mean(list(by_class.values()))),
        "interval": _interval(values[:, None])[0],
        "classes": by_class,
    }


def _interval(values: np.ndarray) -> list[list[float]]:
    reach = 1.96 * values.std(0) / len(values) ** 0.5
    return np.stack((values.mean(0) - reach, values.mean(0) + reach), 1).tolist()


def _calibration(sharpness: float) -> dict[str, Any]:
    edges = np.linspace(0, 1, BINS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    occupied = 0.5 + sharpness * (middle - 0.5)
    count = np.rint(1e6 * (np.exp(-30 * middle) + 0.1 * np.exp(-25 * (1 - middle)) + 2e-3))
    weight = count / count.sum()
    return {
        "ece": float((weight * abs(occupied - middle)).sum()),
        "bins": [
            {"low": lo, "high": hi, "count": int(n), "probability": p, "occupied": o}
            for lo, hi, n, p, o in zip(
                *map(np.ndarray.tolist, (edges[:-1], edges[1:], count, middle, occupied)),
                strict=True,
            )
        ],
    }
