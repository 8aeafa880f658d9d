# SPDX-License-Identifier: MIT
import base64
import copy
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from results_files import make_results

from voxrecon.errors import FileError
from voxrecon.evaluation import build_results, read_results, write_results
from voxrecon.evaluation.page import GalleryRow, write_page

VOID = {"meta", "br", "img"}
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
NO_FSCORE = {"fscore_classes": {}, "fscore_overall": None, "fscore_views": {}}
PUBLISHED = [
    SimpleNamespace(
        method="Older",
        source="A paper, table 1",
        mark="another split; mean of classes",
        classes={"02691156": 0.513},
        overall=0.56,
        views={1: 0.56, 4: 0.625},
        fscore_classes={"02691156": 0.446},
        fscore_overall=0.351,
        fscore_views={1: 0.351, 4: 0.368},
    ),
    SimpleNamespace(
        method="Newer",
        source="Another",
        mark="",
        classes={},
        overall=0.6612,
        views={3: 0.7},
        **NO_FSCORE,
    ),
]


class Page(HTMLParser):
    """Checks that tags are balanced, and collects tables, references, ids and texts."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.rows, self.references, self.texts = [], [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attrs = dict(attrs)
        assert not any(name.startswith("on") for name in attrs)
        self.references += [attrs[name] for name in ("src", "href", "xlink:href") if name in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += ("|" if self.open[-1] == "small" else "") + data.strip()

    def row(self, label):
        """Cells of the first row of this label."""
        return next(row[1:] for row in self.rows if row[:1] == [label])


@pytest.fixture
def results():
    return make_results(26, (1, 3))


def written(folder, *args, **kwargs):
    path = folder / "page.html"
    write_page(path, *args, **kwargs)
    return path.read_text(encoding="utf-8")


def picture(seed):
    return np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8)


def gallery(n=2):
    return [GalleryRow(f"Best {i}", "IoU 0.9", [("view 1", picture(i))]) for i in range(n)]


def test_page_is_balanced_and_asks_nobody_for_anything(tmp_path, results):
    html = written(tmp_path, results, gallery(), PUBLISHED)
    page = Page(html)
    assert html.startswith("<!DOCTYPE html>")
    assert len(page.references) == 2
    assert all(reference.startswith("data:image/") for reference in page.references)
    assert not {"script", "link", "iframe", "object", "base", "form", "a"} & set(page.tags)
    rest = re.sub('"data:image/[^"]*"', "", html)
    assert not re.search(r"https?:|//|@import|url\(", rest)
    assert "default-src 'none'" in html
    assert page.tags.count("h1") == 1 and page.tags.count("img") == 2


def test_headline_holds_figures_intervals_and_baselines(tmp_path, results):
    page = Page(written(tmp_path, results))
    summary = results["summary"]["1"]
    ends, scores = summary["interval"], summary["scores"]
    ends = [f"{low:.3f}–{high:.3f}" for low, high in (ends["overall"][1], ends["class_mean"][1])]
    fscore, ceiling = scores["fscore"], scores["ceiling"]
    assert page.row("1 view")[:6] == [
        "26",
        f"{summary['overall'][1]:.3f}|{ends[0]}",
        f"{summary['class_mean'][1]:.3f}|{ends[1]}",
        f"{summary['without_leaks']['overall'][1]:.3f}",
        f"{fscore['mean']:.3f}|{fscore['interval'][0]:.3f}–{fscore['interval'][1]:.3f}",
        f"{ceiling['mean']:.3f}|{ceiling['interval'][0]:.3f}–{ceiling['interval'][1]:.3f}",
    ]
    for name, by_key in results["baselines"].items():
        values = np.array(list(by_key.values()))
        kept = [v for k, v in by_key.items() if k not in results["leaks"]]
        assert page.row(name)[:4] == [
            "26",
            f"{values.mean():.3f}",
            f"{values.mean():.3f}",  # two samples of each class
            f"{np.mean(kept):.3f}",
        ]


def test_other_thresholds_means_and_signs(tmp_path, results):
    results["protocol"].update(threshold=0.4, mean="class", strict=True, view_order="azimuth")
    html = written(tmp_path, results)
    page, text = Page(html), " ".join(Page(html).texts)
    summary = results["summary"]["1"]
    assert page.row("1 view")[2].startswith(f"{summary['class_mean'][2]:.3f}|")
    assert "probability is >\u00a00.4 (IoU at 0.2, 0.3, 0.5 is" in text
    assert (
        "the mean over classes of the means of their samples." in text
        and "sorted by azimuth" in text
    )
    low, high = summary["interval"]["class_mean"][2]
    assert f"IoU {summary['class_mean'][2]:.3f} (95 % interval {low:.3f} to {high:.3f})" in text


def test_every_mean_is_the_one_of_the_protocol(tmp_path):
    results = make_results(20, (1, 3), mean="class")  # of 7 classes two samples, of 6 one
    page = Page(written(tmp_path, results))
    summary = results["summary"]["1"]
    score = summary["scores"]["fscore"]
    cell = "{class_mean:.3f}|{class_interval[0]:.3f}–{class_interval[1]:.3f}".format(**score)
    assert abs(score["class_mean"] - score["mean"]) > 0.002
    assert page.row("1 view")[4] == cell
    assert ["Mean over classes", "1 view", "3 views"] in page.rows  # of the further scores
    shown = [row for row in page.rows if row[0] == "F-score at 1 %"]
    assert [len(row) for row in shown] == [3, 3] and shown[-1][1][:6] == (
        f"{score['class_mean']:.4f}"
    )
    clean = summary["without_leaks"]
    assert clean["class_mean"][1] != clean["overall"][1]
    assert page.row("1 view")[3] == f"{clean['class_mean'][1]:.3f}"
    kept = {}
    for key, value in results["baselines"]["oracle"].items():
        if key not in results["leaks"]:
            kept.setdefault(key[:8], []).append(value)
    assert page.row("oracle")[3] == f"{np.mean([np.mean(v) for v in kept.values()]):.3f}"
    assert "Classes,without leaks" in [cell for row in page.rows for cell in row]


def test_a_class_of_one_sample_has_no_interval(tmp_path):
    results = make_results(14, (1,), baselines=False)
    first, second = (Page(written(tmp_path, results)).row(name) for name in ("aeroplane", "bench"))
    assert re.fullmatch(r"0\.\d{3}\|0\.\d{3}–0\.\d{3}", first[1])
    assert re.fullmatch(r"0\.\d{3}", second[1])


def test_without_leaks_where_all_leak(tmp_path):
    results = make_results(13, (1,), leaks=13)
    assert results["summary"]["1"]["without_leaks"]["n"] == 0
    assert Page(written(tmp_path, results)).row("1 view")[3] == "–"


def test_classes_stand_beside_baselines(tmp_path, results):
    page = Page(written(tmp_path, results))
    c = results["summary"]["1"]["classes"]["02691156"]
    mean = np.mean([v for k, v in results["baselines"]["oracle"].items() if k[:8] == "02691156"])
    row = page.row("aeroplane")
    assert row[0] == "2" and row[5] == f"{mean:.3f}"
    assert row[1] == f"{c['iou'][1]:.3f}|{c['interval'][1][0]:.3f}–{c['interval'][1][1]:.3f}"


def test_published_rows_stand_beside_ours(tmp_path, results):
    html = written(tmp_path, results, published=PUBLISHED)
    page = Page(html)
    own = results["summary"]["1"]["classes"]["02691156"]["iou"][1]
    assert page.row("this network, 1 view")[1] == f"{own:.3f}"
    assert page.row("Oldera,b|A paper, table 1") == ["0.560", "0.513", *["–"] * 12]
    ours = [f"{results['summary'][n]['overall'][1]:.3f}" for n in "13"]
    assert page.row("IoU by number of views") == ["1", "3", "4"]
    assert page.row("this network") == [*ours, "–"]
    assert page.row("1Oldera,b|A paper, table 1") == ["0.560", "–", "0.625"]
    assert page.row("2Newer|Another") == ["0.661", "0.700", "–"]
    scores = [results["summary"][n]["scores"]["fscore"] for n in "13"]
    by_class, by_views = (
        next(i for i, row in enumerate(page.rows) if row[0] == f"F-score at 1 % by {what}")
        for what in ("class, 1 view", "number of views")
    )
    own = scores[0]["classes"]["02691156"]
    assert page.rows[by_class + 1][1:3] == [f"{scores[0]['mean']:.3f}", f"{own:.3f}"]
    assert page.rows[by_class + 2][:3] == ["Oldera,b|A paper, table 1", "0.351", "0.446"]
    assert page.rows[by_views][1:] == ["1", "3", "4"]
    assert page.rows[by_views + 1][1:] == [*(f"{s['mean']:.3f}" for s in scores), "–"]
    assert page.rows[by_views + 2] == ["Oldera,b|A paper, table 1", "0.351", "–", "0.368"]
    assert len(page.rows[by_views + 3]) != 4  # the other row has no F-score
    text = " ".join("".join(page.texts).split())
    assert "a another split b mean of classes" in text
    assert "<details open>" in html
    # a row that cannot be compared is no line
    assert re.findall('<text class="tag"[^>]*>(.*?)</text>', html) == ["2"]


def test_published_fscores_only_beside_our_own(tmp_path):
    without = make_results(13, (1,), scores=False)
    html = written(tmp_path, without, published=PUBLISHED)
    assert "IoU by class, 1 view" in html and "F-score" not in html


def test_published_rows_that_cannot_be_compared_are_folded_and_not_drawn(tmp_path, results):
    html = written(tmp_path, results, published=PUBLISHED[:1])
    assert "<details open>" not in html and 'class="tag"' not in html
    assert "here every row has one" in html


def test_baselines_above_the_network_are_marked(tmp_path, results):
    key = next(k for k in results["baselines"]["mean grid"])
    marked = written(tmp_path, results).count('class="above"')
    results["baselines"]["mean grid"][key] = 1.0
    for other in results["baselines"]["mean grid"]:
        if other[:8] == key[:8]:
            results["baselines"]["mean grid"][other] = 1.0
    assert written(tmp_path, results).count('class="above"') == marked + 1


def test_undefined_baselines_are_left_out_of_the_means(tmp_path, results):
    by_key = results["baselines"]["class mean"]
    for key in by_key:
        by_key[key] = None if key < "03" else 0.25
    page = Page(written(tmp_path, results))
    assert page.row("class mean")[:3] == ["18", "0.250", "0.250"]
    assert page.row("bench")[4] == "–" and page.row("chair")[4] == "0.250"


def test_failures_are_the_samples_of_lowest_iou(tmp_path, results):
    page = Page(written(tmp_path, results))
    ious = {
        f"{s['taxonomy']}/{s['id']}": s["intersection"][1] / s["union"][1]
        for s in results["samples"]
        if s["n_views"] == 1
    }
    worst = sorted(ious, key=ious.get)[:20]
    listed = [row for row in page.rows if row[0] in ious]
    assert [row[0] for row in listed] == worst
    assert [row[2] for row in listed] == [f"{ious[key]:.3f}" for key in worst]
    assert {row[0] for row in listed if row[-1] == "sofa"} == set(results["leaks"]) & set(worst)
    assert "00.png: image file is truncated" in "".join(page.texts)


def test_scores_not_defined_everywhere_say_for_how_many(tmp_path, results):
    results["summary"]["3"]["scores"]["chamfer"].update(n=20, mean=0.0123, interval=[0.01, 0.02])
    page = Page(written(tmp_path, results))
    assert page.row("Chamfer distance (↓)")[1] == "0.0123|0.0100–0.0200|20 samples"


def test_page_of_the_least_results(tmp_path):
    least = make_results(13, (1,), scores=False, baselines=False, leaks=0, calibration=False)
    html = written(tmp_path, least)
    page = Page(html)
    headings = re.findall("<h2>(.*?)</h2>", html)
    assert "Calibration" not in headings and "Gallery" not in headings
    assert "Further scores" not in headings
    assert "No baselines were given" in html and len(page.row("1 view")) == 4
    assert html.count('<svg class="chart"') == 2  # thresholds and distribution


def test_best_thresholds_stand_in_for_one(tmp_path, results):
    results["protocol"]["threshold"] = None
    for n, best in (("1", 0.2), ("3", 0.3)):
        results["summary"][n]["best_threshold"] = best
    page = Page(written(tmp_path, results))
    assert page.row("1 view, t = 0.2")[1][:5] == f"{results['summary']['1']['overall'][0]:.3f}"
    assert page.row("3 views, t = 0.3")[1][:5] == f"{results['summary']['3']['overall'][1]:.3f}"
    assert "is ≥\u00a0the best threshold, of 4, for each number of views." in "".join(page.texts)


def test_results_as_they_are_built(tmp_path, results):
    records = [
        {**s, "name": results["classes"][s["taxonomy"]], "scores": {"chamfer": None}}
        for s in results["samples"]
    ]
    built = build_results(records[:-1], results["thresholds"])  # no run, no intervals
    page = Page(written(tmp_path, built))
    ious = [s["intersection"][1] / s["union"][1] for s in records[:-1] if s["n_views"] == 3]
    assert page.row("3 views")[:2] == ["25", f"{np.mean(ious):.3f}"]
    assert page.row("Chamfer distance (↓)") == ["–|0 samples", "–|0 samples"]
    # the same page from a file, whose reader makes the intervals
    path = tmp_path / "results.json"
    write_results(path, built)
    page = Page(written(tmp_path, read_results(path, intervals=True)))
    assert re.fullmatch(r"0\.\d{3}\|0\.\d{3}–0\.\d{3}", page.row("3 views")[1])


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "\"><img src=x onerror='alert(1)'>",
        "]]></svg><script>",
        "</details></pre></style></title><!--",
        "{{ 7 * 7 }}{% raw %}$\\frac{1}{2}$",
        "a\x00b\x1b[31m\ud800\u202eevil\u2066",
    ],
)
def test_hostile_texts_are_only_text(tmp_path, results, text):
    hostile = copy.deepcopy(results)
    hostile["run"] = {
        **dict.fromkeys(hostile["run"], text),
        "environment": {text: text, "voxrecon": text},
    }
    hostile["classes"] = dict.fromkeys(hostile["classes"], text)
    hostile["broken"] = [text]
    hostile["protocol"].update(name=text, view_order=text, view_selection=text)
    hostile["baselines"] = {text: hostile["baselines"]["oracle"]}
    hostile["leaks"] = {key: [text] for key in hostile["leaks"]}
    for summary in hostile["summary"].values():
        summary["scores"] = {text: summary["scores"]["fscore"]}
        for c in summary["classes"].values():
            c["name"] = text
    paper = SimpleNamespace(
        method=text,
        source=text,
        mark=text,
        classes={text: 0.5},
        overall=0.5,
        views={1: 0.5},
        **NO_FSCORE,
    )
    row = GalleryRow(text, text, [(text, picture(0))])
    plain = SimpleNamespace(**{**vars(paper), "mark": "", "views": {1: 0.5, 2: 0.6}})
    html = written(tmp_path, hostile, [row], [paper, plain])
    page = Page(html)
    assert not {"script", "a"} & set(page.tags) and page.tags.count("img") == 1
    assert page.tags.count("title") == len(re.findall("</title>", html))
    shown = re.sub("[\x00\x1b\ud800\u202e\u2066]", "\ufffd", text)
    assert "".join(page.texts).count(shown) > 30
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", html)


def test_same_arguments_give_the_same_bytes(tmp_path, results):
    first = written(tmp_path, results, gallery(), PUBLISHED)
    assert written(tmp_path, results, gallery(), PUBLISHED) == first


def test_500_samples_at_9_view_counts_stay_below_5_mb(tmp_path):
    large = make_results(500, (1, 2, 3, 4, 5, 8, 12, 16, 20), scores=False)
    noise = np.random.default_rng(0).integers(0, 256, (137, 137, 3), np.uint8)  # no codec's friend
    rows = [GalleryRow("t", "c", [("x", noise)] * 7)] * 12
    assert len(written(tmp_path, large, rows).encode()) < 5_000_000


def test_pictures_come_back_as_they_went_in(tmp_path, results):
    flat = np.zeros((64, 64, 3), np.uint8)
    flat[10:30, 20:50] = 250, 120, 30
    large = np.full((600, 300, 3), 128, np.uint8)
    html = written(tmp_path, results, [GalleryRow("t", "c", [("a", flat), ("b", large)])])
    codes = re.findall(r'src="data:image/(?:png|webp);base64,([^"]+)"', html)
    a, b = (cv2.imdecode(np.frombuffer(base64.b64decode(c), np.uint8), 1) for c in codes)
    off = np.abs(a[..., ::-1].astype(int) - flat)
    assert off[14:26, 24:46].max() <= 4 and off[:6].max() <= 4  # WebP blurs colors at edges
    assert b.shape == (288, 144, 3)


def test_page_that_cannot_be_written_is_one_line(tmp_path, results):
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"file/page\.html: cannot be written: "):
        write_page(tmp_path / "file" / "page.html", results)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH")
def test_browser_shows_every_picture_without_a_word_or_a_request(tmp_path, results):
    html = written(tmp_path, results, gallery(3), PUBLISHED)
    policy, probe = (
        "default-src 'none'; script-src 'unsafe-inline'",
        """<script>onload = () => document.body.dataset.found = [
        [...document.images].filter(i => i.naturalWidth > 0).length,
        performance.getEntriesByType("resource").filter(e => !e.name.startsWith("data:")).length,
        [...document.querySelectorAll("svg.chart")].filter(s => s.clientHeight > 100).length,
        document.documentElement.scrollWidth <= innerWidth].join()</script>""",
    )
    probed = html.replace("default-src 'none'", policy, 1).replace("</body>", probe + "</body>")
    (tmp_path / "probed.html").write_text(probed, encoding="utf-8")
    done = subprocess.run(
        [
            CHROMIUM,
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,1000"),
            *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=5000"),
            *("--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"),
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            (tmp_path / "probed.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    found = re.search(r'data-found="([^"]*)"', done.stdout)
    assert found and found[1] == "3,0,5,true"
    assert "CONSOLE" not in done.stderr
