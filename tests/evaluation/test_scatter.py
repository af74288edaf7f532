import re
from xml.etree import ElementTree

import pytest

from babelet.evaluation.scatter import Point, scatter

POINTS = [
    Point("int8", 0.8, 0.812, 23_000_000, kept=True),
    Point("fp32", 3.2, 0.812, 92_000_000, kept=True),
    Point("int4", 0.8, 0.700, 14_000_000, kept=False),
]


@pytest.fixture
def discs():
    """The circle of each file by name."""
    groups = ElementTree.fromstring(scatter(POINTS, label="files")).iter("g")
    return {g.find("text").text: g.find("circle").attrib for g in groups}


def test_slower_is_to_the_right_and_better_is_above(discs):
    """An axis turned round makes the worst file look best."""
    assert float(discs["fp32"]["cx"]) > float(discs["int8"]["cx"])
    assert float(discs["int8"]["cy"]) < float(discs["int4"]["cy"])
    assert discs["int8"]["cy"] == discs["fp32"]["cy"]


def test_four_times_the_bytes_is_four_times_the_area(discs):
    """A radius in proportion to the bytes shows four times as sixteen times."""
    ratio = float(discs["fp32"]["r"]) / float(discs["int8"]["r"])
    assert ratio == pytest.approx(2, abs=0.02)


def test_a_file_that_was_not_written_is_a_ring():
    """Drawn like the others, it is looked for in the folder."""
    svg = scatter(POINTS, label="files")
    assert re.findall(r'class="(disc[^"]*)"', svg).count("disc refused") == 1
    assert "int4: 14.0 MB, 0.80 ms, 70.00 %" in svg


def test_one_file_alone_and_equal_files_are_drawn():
    """A span of zero must not divide, nor a name become markup."""
    point = Point("<b>", 1.0, 0.5, 1, kept=True)
    svg = scatter([point, point], label="a & b")
    assert "<b>" not in svg and "nan" not in svg
    assert len(ElementTree.fromstring(svg).findall("g")) == 2
