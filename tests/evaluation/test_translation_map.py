import re
from xml.etree import ElementTree

import pytest

from babelet.evaluation.translation_map import HEIGHT, WIDTH, translation_map


def point(pair, language, text, x, y):
    return {"pair": pair, "language": language, "text": text, "x": x, "y": y}


POINTS = [
    point(0, "en", "Turn on the lamp", 0.0, 0.0),
    point(0, "de", "Schalte die Lampe ein", 0.1, 0.0),
    point(1, "en", "Open the door", 1.0, 0.0),
    point(1, "de", "Öffne die Tür", 1.0, 0.2),
]


def circles(svg):
    found = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg)
    return [(float(x), float(y)) for x, y in found]


def test_every_translation_can_be_read_by_pointing_at_it():
    """Prevents dots without their text."""
    svg = translation_map(POINTS, "Map")
    titles = [t.text for t in ElementTree.fromstring(svg).iter("title")]
    assert titles == [
        "en: Turn on the lamp",
        "de: Schalte die Lampe ein",
        "en: Open the door",
        "de: Öffne die Tür",
    ]
    assert svg.count('class="pivot"') == 2


def test_both_axes_have_one_scale_and_y_points_up():
    """Prevents a stretched map, on which distances cannot be compared."""
    (x0, y0), (x1, _), (x2, y2), (_, y3) = circles(translation_map(POINTS, "Map"))
    assert (x2 - x0) / (x1 - x0) == pytest.approx(10, rel=0.01)
    assert (y2 - y3) / (x1 - x0) == pytest.approx(2, rel=0.01)
    assert y3 < y0


def test_points_in_one_place_are_drawn_inside_the_frame():
    """Prevents a division by zero for a collapsed model."""
    svg = translation_map([p | {"x": 3.0, "y": 3.0} for p in POINTS], "Map")
    assert set(circles(svg)) == {(WIDTH / 2, HEIGHT / 2)}


def test_text_on_the_map_is_escaped():
    """Prevents a translation from becoming markup."""
    svg = translation_map([point(0, "<b>", "<script>&", 0, 0)], '"><i>')
    assert "<script>" not in svg and "<b>" not in svg and "<i>" not in svg
    ElementTree.fromstring(svg)
