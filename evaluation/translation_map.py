"""The map of translations as inline SVG: one colour and one number per sentence."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

WIDTH, HEIGHT, MARGIN = 900, 620, 34
Box = tuple[float, float, float, float]


def translation_map(points: Sequence[Mapping[str, Any]], label: str) -> Markup:
    """Draws each sentence's translations, tied to their middle.

    Args:
        points: Mappings with `pair` (which sentence), `language`, `text`, `x`, `y`;
            a sentence's first point is the one in the pivot language.
        label: What is shown, for screen readers.
    """
    placed = _on_canvas(points)
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y, _ in placed]
    groups: dict[Any, list] = {}
    for x, y, point in placed:
        groups.setdefault(point["pair"], []).append((x, y, point))
    spokes, dots, labels = [], [], []
    for index, members in enumerate(groups.values()):
        centre = _mean(x for x, _, _ in members), _mean(y for _, y, _ in members)
        style = f'class="sentence" style="--hue:{hue(index, len(groups))}"'
        spokes.append(f"<g {style}>{_spokes(centre, members)}</g>")
        dots.append(f"<g {style}>{_dots(members)}</g>")
        labels.append(f"<g {style}>{_number(index + 1, centre, taken)}</g>")
    # Numbers first: languages get the room that is left, the far ones before others.
    for index, members in enumerate(groups.values()):
        style = f'class="sentence" style="--hue:{hue(index, len(groups))}"'
        labels.append(f"<g {style}>{_languages(members, taken)}</g>")
    return Markup(
        f'<svg class="map" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">{"".join(spokes + dots + labels)}</svg>'
    )


def hue(index: int, count: int) -> int:
    """Returns the hue, in degrees, of sentence `index` of `count`."""
    return round(15 + 360 * index / max(1, count)) % 360


def _on_canvas(points: Sequence[Mapping[str, Any]]) -> list[tuple[float, float, Any]]:
    """Scales both axes alike, so that distances can be compared by eye."""
    xs, ys = [p["x"] for p in points], [p["y"] for p in points]
    width, height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    spans = [(max(xs) - min(xs)) / width, (max(ys) - min(ys)) / height]
    scale = 1 / max(*spans, 1e-9)
    middle = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    return [
        (
            WIDTH / 2 + scale * (p["x"] - middle[0]),
            HEIGHT / 2 - scale * (p["y"] - middle[1]),
            p,
        )
        for p in points
    ]


def _spokes(centre: tuple[float, float], members: Sequence) -> str:
    return "".join(
        f'<line x1="{centre[0]:.1f}" y1="{centre[1]:.1f}" x2="{x:.1f}" y2="{y:.1f}"/>'
        for x, y, _ in members
    )


def _dots(members: Sequence) -> str:
    return "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3 if i else 4.5}" '
        f'class="{_role(i)}">'
        f"<title>{escape(point['language'])}: {escape(point['text'])}</title></circle>"
        for i, (x, y, point) in enumerate(members)
    )


def _role(index: int) -> str:
    return "other" if index else "pivot"


def _number(value: int, centre: tuple[float, float], taken: list[Box]) -> str:
    """Puts a sentence's number as near its middle as there is room."""
    width = 11.0 * len(str(value))
    spots = [
        (
            centre[0] + radius * math.cos(turn * math.pi / 8) - width / 2,
            centre[1] - radius * math.sin(turn * math.pi / 8) + 6,
        )
        for radius in range(12, 200, 6)
        for turn in range(16)
    ]
    x, y = _free(spots, (width, 14), taken) or spots[0]
    return f'<text class="number" x="{x:.1f}" y="{y:.1f}">{value}</text>'


def _languages(members: Sequence, taken: list[Box]) -> str:
    centre = _mean(x for x, _, _ in members), _mean(y for _, y, _ in members)
    far_first = sorted(
        members, key=lambda m: -((m[0] - centre[0]) ** 2 + (m[1] - centre[1]) ** 2)
    )
    parts = []
    for x, y, point in far_first:
        code = point["language"]
        width = 6.5 * len(code)
        spots = [(x + 6, y + 4), (x - 6 - width, y + 4)]
        spots += [(x - width / 2, y - 7), (x - width / 2, y + 15)]
        spot = _free(spots, (width, 9), taken)
        if spot:
            parts.append(
                f'<text x="{spot[0]:.1f}" y="{spot[1]:.1f}">{escape(code)}</text>'
            )
    return "".join(parts)


def _free(
    spots: Iterable[tuple[float, float]], size: tuple[float, float], taken: list[Box]
) -> tuple[float, float] | None:
    """Takes the first spot (a text's left end and baseline) that overlaps nothing."""
    for x, y in spots:
        box = (x, y - size[1], x + size[0], y)
        inside = box[0] > 2 and box[1] > 2 and box[2] < WIDTH - 2 and y < HEIGHT - 2
        if inside and not any(
            box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3]
            for t in taken
        ):
            taken.append(box)
            return x, y
    return None


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values)
