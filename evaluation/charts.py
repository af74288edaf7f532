"""Charts as inline SVG: colours come from the page's CSS, hover from <title>.

Text given to these functions is escaped; what they return is safe markup.
"""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 14, 26


def bars(values: Mapping[str, float | None], maximum: float = 1.0) -> Markup:
    """Draws thin horizontal bars from zero, one below the other, as wide as the cell.

    Args:
        values: Bar lengths by CSS class ("teacher", "student"); None draws nothing.
        maximum: The value of a full-width bar.
    """
    parts = []
    for row, (kind, value) in enumerate(values.items()):
        y, share = row * 9, 100 * (value or 0.0) / (maximum or 1.0)
        parts.append(f'<rect class="track" y="{y}" width="100%" height="7"/>')
        parts.append(
            f'<rect class="{escape(kind)}" y="{y}" width="{share:.2f}%" height="7"/>'
        )
    height = 9 * len(values) - 2
    return Markup(
        f'<svg class="bars" width="100%" height="{height}" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def line_chart(
    lines: Mapping[str, Points],
    *,
    label: str,
    reference: float | None = None,
    span: tuple[float, float] | None = None,
    percent: bool = False,
    steps: int = 4,
) -> Markup:
    """Draws curves over training steps.

    Args:
        lines: (step, value) points by CSS class; values that are not finite are left
            out.
        label: What is shown, for screen readers.
        reference: A horizontal dashed line (the teacher's score).
        span: Values that the vertical axis must reach, so that charts side by side
            share their scale.
        percent: Whether values are shares, written as percentages.
        steps: About how many marks the axis of steps has.
    """
    lines = {
        kind: [(x, y) for x, y in points if math.isfinite(x + y)]
        for kind, points in lines.items()
    }
    every = [point for points in lines.values() for point in points]
    if not every:
        return Markup('<p class="missing">No finite values were recorded.</p>')
    heights = [y for _, y in every] + ([] if reference is None else [reference])
    heights += span or ()
    xs = ticks(0, max(x for x, _ in every), steps)
    ys = ticks(min(heights), max(heights), 4)
    parts = [axes(xs, ys, percent)]
    if reference is not None:
        y = y_of(reference, ys)
        parts.append(
            f'<line class="reference" x1="{LEFT}" x2="{WIDTH - RIGHT}" '
            f'y1="{y:.1f}" y2="{y:.1f}"><title>teacher '
            f"{number(reference, percent)}</title></line>"
        )
    parts += [_curve(kind, points, xs, ys, percent) for kind, points in lines.items()]
    return Markup(
        f'<svg class="lines" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def ticks(low: float, high: float, count: int) -> list[float]:
    """Returns about `count` round numbers in equal steps that span [low, high]."""
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - abs(low) * 0.1 - 1e-6, high + abs(high) * 0.1 + 1e-6
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(m for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, last + 1)]


def number(value: float, percent: bool = False) -> str:
    """Returns an axis number: 92.5 for a share of .925, or three digits."""
    if percent:
        return f"{100 * value:.1f}".removesuffix(".0")
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def x_of(value: float, xs: Sequence[float]) -> float:
    """Returns where `value` is on the horizontal axis with the marks `xs`."""
    return LEFT + (value - xs[0]) / (xs[-1] - xs[0]) * (WIDTH - LEFT - RIGHT)


def y_of(value: float, ys: Sequence[float]) -> float:
    """Returns where `value` is on the vertical axis with the marks `ys`."""
    share = (value - ys[0]) / (ys[-1] - ys[0])
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def axes(xs: Sequence[float], ys: Sequence[float], percent: bool) -> str:
    """Returns grid lines and figures for the marks; `percent` is of the vertical."""
    parts = []
    for value in ys:
        y = y_of(value, ys)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" '
            f'y1="{y:.1f}" y2="{y:.1f}"/><text class="tick" text-anchor="end" '
            f'x="{LEFT - 6}" y="{y + 4:.1f}">{number(value, percent)}</text>'
        )
    for value in xs:
        # The last mark ends where the chart ends: centred, it would be cut off.
        anchor = "end" if value == xs[-1] else "middle"
        parts.append(
            f'<text class="tick" text-anchor="{anchor}" x="{x_of(value, xs):.1f}" '
            f'y="{HEIGHT - 8}">{number(value)}</text>'
        )
    return "".join(parts)


def _curve(
    kind: str, points: Points, xs: Sequence[float], ys: Sequence[float], percent: bool
) -> str:
    path = " ".join(f"{x_of(x, xs):.1f},{y_of(y, ys):.1f}" for x, y in points)
    dots = "".join(
        f'<circle cx="{x_of(x, xs):.1f}" cy="{y_of(y, ys):.1f}" r="2.5">'
        f"<title>step {x:,.0f}: {number(y, percent)}</title></circle>"
        for x, y in points
    )
    dense = " dense" if len(points) > 40 else ""
    return (
        f'<g class="curve {escape(kind)}{dense}"><polyline points="{path}"/>{dots}</g>'
    )
