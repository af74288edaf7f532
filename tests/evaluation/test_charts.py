import re
from xml.etree import ElementTree

import pytest

from babelet.evaluation.charts import BOTTOM, HEIGHT, LEFT, TOP, bars, line_chart, ticks


def test_a_bar_is_as_long_as_its_share():
    """Prevents bars that start elsewhere than at zero."""
    svg = bars({"teacher": 0.829, "student": 0.921})
    assert 'class="teacher" y="0" width="82.90%"' in svg
    assert 'class="student" y="9" width="92.10%"' in svg
    assert 'width="25.00%"' in bars({"plain": 50}, maximum=200)


@pytest.mark.parametrize("maximum", [1.0, 0])
def test_no_value_is_no_bar(maximum):
    """Prevents a division by zero where nothing was counted."""
    assert 'class="student" y="0" width="0.00%"' in bars({"student": None}, maximum)


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0, 1000, [0, 250, 500, 750, 1000]),
        (0.66, 0.93, [0.6, 0.7, 0.8, 0.9, 1.0]),
        (-1, 3, [-1, 0, 1, 2, 3]),
    ],
)
def test_ticks_are_round_and_span_the_values(low, high, marks):
    """Prevents a curve that leaves its chart."""
    assert ticks(low, high, 4) == pytest.approx(marks)


@pytest.mark.parametrize("value", [0.0, 0.5, -3.0, 1e9])
def test_ticks_of_one_value_still_span_something(value):
    """Prevents a division by zero for a constant curve."""
    marks = ticks(value, value, 4)
    assert marks[0] < marks[-1]
    assert marks[0] <= value <= marks[-1]


def test_a_curve_runs_from_corner_to_corner():
    """Prevents an axis that is upside down or shifted."""
    svg = line_chart({"student": [(0, 0.0), (1000, 1.0)]}, label="Accuracy")
    (path,) = re.findall(r'points="([^"]+)"', svg)
    assert path == f"{LEFT}.0,{HEIGHT - BOTTOM}.0 348.0,{TOP}.0"
    ElementTree.fromstring(svg)


def test_values_that_are_not_finite_are_left_out():
    """Prevents "nan" in a path, which would blank the whole chart."""
    points = [(0, 1.0), (10, float("nan")), (20, float("inf")), (30, 0.5)]
    svg = line_chart({"student": points}, label="Loss")
    assert svg.count("<circle") == 2
    assert "nan" not in svg and "inf" not in svg
    assert "No finite values" in line_chart({"student": points[1:3]}, label="Loss")


def test_the_teachers_line_is_inside_the_chart():
    """Prevents a reference above all of the student's values from being cut off."""
    svg = line_chart(
        {"student": [(0, 0.2), (10, 0.3)]}, label="Retrieval", reference=0.9
    )
    (y,) = re.findall(r'class="reference"[^>]* y1="([\d.]+)"', svg)
    assert TOP <= float(y) <= HEIGHT - BOTTOM
