"""A confusion matrix as inline SVG: the darker a cell, the larger its row's share."""

from collections.abc import Sequence

from markupsafe import Markup, escape

CELL = 15
# Of the widest class name, in characters; longer ones are cut.
NAME_LENGTH = 34


def confusion_map(matrix: Sequence[Sequence[int]], classes: Sequence[str]) -> Markup:
    """Draws a square for each pair of classes that occurs, with its count on hover.

    Args:
        matrix: Counts; rows are true classes, columns those chosen.
        classes: Their names, in order.
    """
    left = 6 * min(NAME_LENGTH, max(map(len, classes))) + 34
    size = CELL * len(classes)
    parts = []
    for i, (name, row) in enumerate(zip(classes, matrix, strict=True)):
        y = CELL * (i + 1)
        short = name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"
        parts += [
            f'<text x="{left - 6}" y="{y + 11}" text-anchor="end">'
            f"{escape(short)} {i + 1}</text>",
            f'<text x="{left + CELL * (i + 0.5)}" y="11" text-anchor="middle">'
            f"{i + 1}</text>",
            f'<line x1="{left}" x2="{left + size}" y1="{y + CELL}" y2="{y + CELL}"/>',
        ]
        parts += [
            _cell(left + CELL * j, y, count / sum(row), i == j)
            + f"<title>{escape(name)}, taken for {escape(classes[j])}: {count} of "
            f"{sum(row)}</title></rect>"
            for j, count in enumerate(row)
            if count
        ]
    return Markup(
        f'<svg class="confusion" viewBox="0 0 {left + size + 1} {size + CELL + 2}" '
        f'width="{left + size + 1}" role="img" aria-label="Confusion matrix">'
        f"{''.join(parts)}</svg>"
    )


def _cell(x: float, y: float, share: float, right: bool) -> str:
    # Rare mistakes are what one looks for: the root makes them visible.
    return (
        f'<rect class="{"right" if right else "wrong"}" x="{x + 0.5}" y="{y + 0.5}" '
        f'width="{CELL - 1}" height="{CELL - 1}" fill-opacity="{share**0.5:.2f}">'
    )
