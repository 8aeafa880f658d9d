# SPDX-License-Identifier: MIT
import re
import xml.etree.ElementTree as ET

import pytest

from voxrecon.evaluation.charts import (
    Axis,
    Boxes,
    Line,
    box_chart,
    interval_mark,
    line_chart,
    nice_axis,
    ramp,
)

UNIT = Axis("u", 0, 1, (0, 0.5, 1))
HOSTILE = "<script>alert(1)</script>\"'&]]>$x$"


def test_axis_places_values_and_labels_ticks_alike():
    assert [UNIT.at(v) for v in (0, 0.25, 1)] == [0, 0.25, 1]
    log = Axis("n", 1, 16, (1, 4, 16), log=True)
    assert [log.at(v) for v in (1, 2, 4, 16)] == pytest.approx([0, 0.25, 0.5, 1])
    assert Axis("n", 3, 3, (3,)).at(3) == 0.5  # one value stands in the middle
    assert UNIT.tick_labels() == ["0.0", "0.5", "1.0"]
    assert Axis("n", 0.001, 1, (0.001, 0.01, 1), log=True).tick_labels() == ["0.001", "0.01", "1"]


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ((0.31, 0.69), [0.3, 0.4, 0.5, 0.6, 0.7]),
        ((0.6, 0.601), [0.55, 0.56, 0.57, 0.58, 0.59, 0.6, 0.61]),  # noise does not fill it
        ((0.97, 1.0), [0.95, 0.96, 0.97, 0.98, 0.99, 1.0]),
        ((0.0, 0.5), [0, 0.1, 0.2, 0.3, 0.4, 0.5]),
    ],
)
def test_nice_axis_has_round_ticks_around_the_values(values, ticks):
    axis = nice_axis("IoU", values, most=1)
    assert list(axis.ticks) == ticks
    assert axis.low <= min(values) and max(values) <= axis.high <= 1


def test_ramp_goes_from_dark_to_light():
    assert ramp(1) == ["#440154"]
    assert ramp(2) == ["#440154", "#5ec962"]

    def luminance(color):
        return sum(w * int(color[i : i + 2], 16) for w, i in ((0.3, 1), (0.6, 3), (0.1, 5)))

    shades = [luminance(color) for color in ramp(20)]
    assert shades == sorted(shades) and len(set(shades)) == 20


def test_points_of_a_line_stand_where_the_axes_say():
    lines = [Line("a", [(0, 0), (0.5, 1), (1, 0.5)], band=[(0, 0.1), (0.9, 1), (0.4, 0.6)])]
    root = ET.fromstring(line_chart(lines, UNIT, UNIT, "title"))
    circles = [(float(c.get("cx")), float(c.get("cy"))) for c in root.iter("circle")]
    (left, bottom), (middle, top), (right, half) = circles
    assert middle == (left + right) / 2 and half == (bottom + top) / 2 and top < bottom
    titles = [c.find("title").text for c in root.iter("circle")]
    assert titles == ["a, u 0: 0.000", "a, u 0.5: 1.000", "a, u 1: 0.500"]
    band = next(p.get("d") for p in root.iter("path") if p.get("opacity"))
    corners = [tuple(map(float, pair.split())) for pair in band[1:-1].split("L")]
    assert len(corners) == 6 and corners[-1] == (left, bottom) and corners[1] == (middle, top)


def test_tags_at_one_height_are_pushed_apart():
    ends = {"1": 0.5, "2": 0.5, "3": 0.5, "4": 0.9, "5": 0.1}
    lines = [Line(tag, [(0, 0.5), (1, y)], tag=tag) for tag, y in ends.items()]
    root = ET.fromstring(line_chart(lines, UNIT, UNIT, "t"))
    at = {t.text: float(t.get("y")) for t in root.iter("text") if t.get("class") == "tag"}
    assert list(at) == ["4", "1", "2", "3", "5"]  # from the top
    assert at["2"] - at["1"] == at["3"] - at["2"] == 11
    assert at["2"] - at["4"] == pytest.approx(at["5"] - at["2"], abs=0.11)  # about their middle


def test_tick_labels_do_not_run_into_each_other():
    views = list(range(1, 21))
    x = Axis("views", 1, 20, views, log=True)
    root = ET.fromstring(line_chart([Line("a", [(n, 0.5) for n in views])], x, UNIT, "t"))
    places = [float(t.get("x")) for t in root.iter("text") if (t.text or "").isdigit()]
    assert len(places) > 8
    assert min(b - a for a, b in zip(places, places[1:], strict=False)) >= 20


def test_box_has_quartiles_median_and_every_value():
    values = [0, 0.25, 0.5, 0.75, 1]
    root = ET.fromstring(box_chart([Boxes("a", [(values, "#123456")])], UNIT, "t"))
    dots = next(p.get("d") for p in root.iter("path") if p.get("class") == "dots")
    at = [float(x) for x in re.findall(r"M([\d.]+)", dots)]
    assert len(at) == 5
    (box,) = root.iter("rect")
    assert float(box.get("x")) == at[1]
    assert float(box.get("width")) == pytest.approx(at[3] - at[1], abs=0.1)
    median = next(p.get("d") for p in root.iter("path") if p.get("stroke-width") == "2.4")
    assert float(median[1:].split()[0]) == at[2]


def test_long_names_are_cut_and_kept_as_title():
    name = "卓" * 30
    root = ET.fromstring(box_chart([Boxes(name, [([0.5], "#000")])], UNIT, "t"))
    text = next(t for t in root.iter("text") if t.text and "卓" in t.text)
    assert text.text == "卓" * 8 + "…" and text.find("title").text == name


def test_interval_mark_is_hollow_without_an_interval():
    root = ET.fromstring(interval_mark(0.5, (0.25, 0.75)))
    assert root.find("circle").get("cx") == "100"
    assert root.findall("path")[1].get("d") == "M52 4.5v7M52 8H148M148 4.5v7"
    assert ET.fromstring(interval_mark(0.5, None)).find("circle").get("fill") == "#fff"


def test_texts_are_escaped_everywhere():
    lines = [Line(HOSTILE, [(0, 0), (1, 1)], tag=HOSTILE)]
    axis = Axis(HOSTILE, 0, 1, (0, 1))
    for picture in (
        line_chart(lines, axis, axis, HOSTILE),
        box_chart([Boxes(HOSTILE, [([0.5], "#000")])], axis, HOSTILE),
    ):
        assert "<script" not in picture
        root = ET.fromstring(picture)  # well-formed
        assert root.get("aria-label") == HOSTILE
        assert HOSTILE in [t.text for t in root.iter("text")]
