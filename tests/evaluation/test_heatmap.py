"""The confusion matrix as a drawing."""

import re

from babelet.evaluation.heatmap import confusion_map


def test_every_count_is_where_it_belongs_and_nothing_else():
    """A transposed matrix blames the wrong class."""
    svg = confusion_map([[9, 1, 0], [0, 4, 0], [0, 0, 0]], ["on", "off", "<dim>"])
    cells = re.findall(r'class="(\w+)" x="([\d.]+)" y="([\d.]+)".*?<title>(.*?)<', svg)
    titles = [title for *_, title in cells]
    assert titles == [
        "on, taken for on: 9 of 10",
        "on, taken for off: 1 of 10",
        "off, taken for off: 4 of 4",
    ]
    assert [kind for kind, *_ in cells] == ["right", "wrong", "right"]
    (_, x0, y0, _), (_, x1, y1, _), (_, x2, y2, _) = cells
    assert y0 == y1 < y2 and x0 < x1 == x2
    assert "&lt;dim&gt; 3" in svg and "<dim>" not in svg


def test_rare_mistakes_can_be_seen():
    """One in a hundred at its own share would be white."""
    svg = confusion_map([[99, 1], [0, 1]], ["on", "off"])
    assert 'fill-opacity="0.10"' in svg
