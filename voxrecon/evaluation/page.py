# SPDX-License-Identifier: MIT
"""The report of an evaluation as one HTML file that needs nothing else: no script, no request."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np

from ..fileio import atomic_write
from .charts import interval_mark
from .figures import (
    averaged,
    baseline_figures,
    class_figure,
    classes_of,
    count_views,
    criterion,
    find_score,
    ious_by_key,
    network_figures,
    protocol_sentences,
    score_figure,
)
from .page_charts import box_chart_of_classes, calibration_charts, threshold_chart, views_chart
from .published import PublishedRow
from .published_figures import (
    comparable,
    mark_letters,
    reasons_of,
    rows_by_class,
    rows_by_views,
)

FAILURES = 20  # samples listed
PICTURE = 288  # pixels of a picture's longer side; shown at half of that
QUALITY = 90  # of WebP
RUN = (  # what is known of a run, as text
    *("config", "config_text", "checkpoint", "checkpoint_sha256"),
    *("network", "scope", "data_root", "split"),
)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
UNSEEN = re.compile(  # not allowed in HTML, or turning the text that follows around
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]"
)


@dataclass(frozen=True, eq=False)
class GalleryRow:
    """Labelled pictures of one sample, each (H, W, 3) uint8 RGB."""

    title: str
    caption: str
    pictures: Sequence[tuple[str, np.ndarray]]


def write_page(
    path: str | os.PathLike,
    results: Mapping[str, Any],
    gallery: Sequence[GalleryRow] = (),
    published: Sequence[PublishedRow] | None = None,
) -> None:
    """Write the report of a results dictionary (schema 2) as one HTML file.

    The same arguments give the same bytes. All texts are escaped; control characters and those that
    change the direction of text become U+FFFD.

    Raises:
        FileError: the file cannot be written.
    """
    page = _template().render(**_figures(results, list(published or ())), gallery=gallery)
    with atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
    )
    environment.filters.update(
        digits=_digits, embed=_embed, count_views=count_views, score_label=_score_label
    )
    return environment.get_template("page.html")


def _figures(results: Mapping[str, Any], published: list[PublishedRow]) -> dict[str, Any]:
    """What the template shows: the results, and what follows from them."""
    views = sorted(results["views"])
    summaries = {n: results["summary"][str(n)] for n in views}
    ends = sorted({views[0], views[-1]})
    ious = {n: ious_by_key(results, n) for n in ends}
    scores = list(dict.fromkeys(name for s in summaries.values() for name in s["scores"]))
    return {
        "results": results,
        "run": {**dict.fromkeys(RUN, "unknown"), "environment": {}, **results["run"]},
        "name": Path(results["run"].get("config", "")).stem or "Evaluation",
        "classes": classes_of(results),
        "views": views,
        "ends": ends,
        "criterion": criterion(results),
        "averaged": averaged(results),
        "order": results["protocol"].get("view_order", "first"),
        "summaries": summaries,
        "network": network_figures(results),
        "class_figure": partial(class_figure, results),
        "baselines": baseline_figures(results),
        "published": published,
        "comparable": comparable(published),
        "tables": _published_tables(results, published),
        "letters": mark_letters(published),
        "reasons_of": reasons_of,
        "protocol": protocol_sentences(results),
        "mark": interval_mark,
        "scores": scores,
        "score_figure": partial(score_figure, results),
        "class_scores": [name for name in ("fscore", "fscore_mid") if name in scores],
        "distribution": _distribution(results, ious[views[0]]),
        "failures": _failures(results, ious[views[0]], ious[views[-1]]),
        "failure_limit": FAILURES,
        "charts": {
            "threshold": threshold_chart(results),
            "views": views_chart(results, published),
            "boxes": box_chart_of_classes(results, ious),
            **calibration_charts(summaries),
        },
    }


def _published_tables(
    results: Mapping[str, Any], published: Sequence[PublishedRow]
) -> list[dict[str, Any]]:
    """Published figures beside this network's, of the IoU and of the F-score if it has one."""
    network, few = network_figures(results), min(results["views"])
    scores = {n: results["summary"][str(n)]["scores"] for n in network}
    tables = [
        {
            "metric": "iou",
            "label": "IoU",
            "ours": {n: row.mean for n, row in network.items()},
            "ours_by_class": {t: class_figure(results, few, t)[0] for t in classes_of(results)},
        }
    ]
    if "fscore" in scores[few]:
        tables.append(
            {
                "metric": "fscore",
                "label": find_score("fscore").label,
                "ours": {n: score_figure(results, n, "fscore")[0] for n in network},
                "ours_by_class": scores[few]["fscore"]["classes"],
            }
        )
    for table in tables:
        table["by_class"] = rows_by_class(published, table["metric"])
        table["by_views"] = rows_by_views(published, table["metric"])
        counts = (n for _, by_count in table["by_views"] for n in by_count)
        table["counts"] = sorted({*network, *counts})
    return [table for table in tables if table["by_class"] or table["by_views"]]


def _score_label(name: str) -> str:
    score = find_score(name)
    return f"{score.label} (↓)" if score.less else score.label


def _distribution(
    results: Mapping[str, Any], ious: Mapping[str, float]
) -> list[tuple[str, list[float]]]:
    """Quantiles of IoU by class."""
    rows = []
    for taxonomy, name in classes_of(results).items():
        values = [v for key, v in ious.items() if key.startswith(f"{taxonomy}/")]
        rows.append((name, np.quantile(values, QUANTILES).tolist() if values else []))
    return rows


def _failures(
    results: Mapping[str, Any], first: Mapping[str, float], last: Mapping[str, float]
) -> list[dict[str, Any]]:
    """The samples of lowest IoU at the smallest number of views, with that at the greatest."""
    return [
        {
            "class": results["classes"][key.partition("/")[0]],
            "key": key,
            "iou": first[key],
            "last": last.get(key),
            "baselines": [by_key.get(key) for by_key in results["baselines"].values()],
            "leaks": results["leaks"].get(key, ()),
        }
        for key in sorted(first, key=lambda key: (first[key], key))[:FAILURES]
    ]


def _clean(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return type(value)(UNSEEN.sub("\ufffd", value))  # Markup stays Markup


def _digits(value: float | None, decimals: int = 3) -> str:
    """Digits after the point, or two that count where all would be 0; a dash where no value is."""
    if value is None:
        return "–"
    return f"{value:.{decimals}f}" if value == 0 or abs(value) >= 0.1**decimals else f"{value:.2g}"


def _embed(picture: np.ndarray) -> str:
    """A picture as a data URI: WebP, or PNG where that is smaller, as it is for flat colors."""
    factor = PICTURE / max(picture.shape[:2])
    if factor < 1:
        size = [max(round(side * factor), 1) for side in picture.shape[1::-1]]
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    codes = {
        "webp": cv2.imencode(".webp", picture[..., ::-1], (cv2.IMWRITE_WEBP_QUALITY, QUALITY))[1],
        "png": cv2.imencode(".png", picture[..., ::-1])[1],
    }
    kind, code = min(codes.items(), key=lambda item: len(item[1]))
    return f"data:image/{kind};base64,{base64.b64encode(code.tobytes()).decode()}"
