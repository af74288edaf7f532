"""Size, latency and quality of several files in one chart, as inline SVG."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from babelet.evaluation.charts import (
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    axes,
    ticks,
    x_of,
    y_of,
)

# Of the largest file, in units of the drawing.
_RADIUS = 24
# The vertical axis spans at least this on both sides of the points: differences of a
# tenth of a point should look like what they are.
_MARGIN = 0.005


class Point(NamedTuple):
    """One file: a disc whose area is its size."""

    name: str
    milliseconds: float
    # A share, written as percent.
    quality: float
    bytes: int
    # False: drawn as a ring.
    kept: bool


def scatter(points: Sequence[Point], *, label: str) -> Markup:
    """Draws milliseconds to the right, quality upwards, sizes as areas.

    Args:
        points: At least one.
        label: What is shown, for screen readers.
    """
    slowest = max(point.milliseconds for point in points)
    qualities = [point.quality for point in points]
    xs = ticks(0.0, 1.15 * slowest, 4)
    ys = ticks(min(qualities) - _MARGIN, max(qualities) + _MARGIN, 4)
    largest = max(point.bytes for point in points)
    # The largest first: a small disc on it stays to be seen. Names above and below in
    # turn: two files of one latency and quality lie on each other.
    discs = [
        _disc(
            point,
            (x_of(point.milliseconds, xs), y_of(point.quality, ys)),
            _RADIUS * math.sqrt(point.bytes / largest),
            below=row % 2 == 1,
        )
        for row, point in enumerate(sorted(points, key=lambda point: -point.bytes))
    ]
    return Markup(
        f'<svg class="lines scatter" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">{axes(xs, ys, True)}{"".join(discs)}'
        f'<text class="tick" text-anchor="end" x="{WIDTH - RIGHT}" '
        f'y="{HEIGHT - 30}">ms</text>'
        f'<text class="tick" x="{LEFT + 4}" y="12">%</text></svg>'
    )


def _disc(point: Point, centre: tuple[float, float], radius: float, below: bool) -> str:
    x, y = centre
    told = (
        f"{point.name}: {point.bytes / 1e6:.1f} MB, {point.milliseconds:.2f} ms, "
        f"{100 * point.quality:.2f} %"
    )
    kind = "disc" if point.kept else "disc refused"
    name_at = y + radius + 14 if below else y - radius - 4
    return (
        f'<g class="{kind}"><circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
        f"<title>{escape(told)}</title></circle>"
        f'<text text-anchor="middle" x="{x:.1f}" y="{name_at:.1f}">'
        f"{escape(point.name)}</text></g>"
    )
