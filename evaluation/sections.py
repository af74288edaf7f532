"""What a page about a run consists of, and the page: HTML, or Markdown for a card."""

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import jinja2
from markupsafe import Markup, escape

from babelet.core.atomic import atomic_path
from babelet.evaluation import charts, formatting
from babelet.evaluation.languages import name_of
from babelet.evaluation.translation_map import hue

_TEMPLATES = Path(__file__).parent / "templates"


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell of a table with a look of its own; Markdown has the text alone."""

    text: str
    html: Markup
    # Of the style sheet.
    look: str = ""

    def __str__(self) -> str:
        return self.text


def bars(values: Mapping[str, float | None], maximum: float = 1.0) -> Cell:
    """Returns bars of the colours of "teacher", "student" or "plain"."""
    return Cell("", charts.bars(values, maximum), "chart")


def gain(difference: float | None) -> Cell:
    """Returns a difference of shares as coloured points."""
    text, look = formatting.points(difference), "up"
    if difference is None or difference < 0:
        look = "" if difference is None else "down"
    return Cell(text, Markup('<span class="{}">{}</span>').format(look, text))


def prose(text: Any) -> Cell:
    """Returns text that may be long and wraps."""
    text = "–" if text is None else str(text)
    return Cell(text, escape(text), "text wrap")


def language(code: str) -> Cell:
    """Returns a language's name, with its code."""
    name = name_of(code)
    if name == code:
        return Cell(code, escape(code))
    html = Markup('{}<span class="code">{}</span>').format(name, code)
    return Cell(f"{name} ({code})", html)


@dataclasses.dataclass(frozen=True)
class Text:
    """A paragraph; what is between backticks is code."""

    kind: ClassVar[str] = "text"
    text: str
    # "", "quiet", "note" or "missing".
    look: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of numbers, texts and cells; the first column names the row."""

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    title: str = ""
    note: str = ""
    # Shown when its title is clicked.
    folded: bool = False
    # The last row sums up the others.
    total: bool = False
    # Names of colours, by CSS class.
    key: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def wide(self) -> bool:
        """Whether it takes the page's whole width: for charts, text, many columns."""
        looks = {getattr(value, "look", "") for row in self.rows for value in row}
        return len(self.columns) > 5 or bool(looks & {"chart", "text wrap"})

    @property
    def plain(self) -> tuple[list[str], list[list[str]]]:
        """Columns and rows without those that hold charts."""
        rows = formatting.aligned(self.rows)
        kept = [
            i
            for i in range(len(self.columns))
            if not any(isinstance(r[i], Cell) and r[i].look == "chart" for r in rows)
        ]
        return [self.columns[i] for i in kept], [
            [str(r[i]) for i in kept] for r in rows
        ]


@dataclasses.dataclass(frozen=True)
class Charts:
    """Drawings side by side, by caption."""

    kind: ClassVar[str] = "charts"
    drawings: Sequence[tuple[str, Markup]]
    title: str = ""
    # "", "small" or "wide" (one below the other).
    look: str = ""
    # Lines of the key, by CSS class: "student", "teacher", "line", "run0".
    key: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Sentences:
    """Texts by number, in the colours of a map."""

    kind: ClassVar[str] = "sentences"
    texts: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Code:
    """A command, a snippet or settings."""

    kind: ClassVar[str] = "code"
    text: str
    language: str = ""
    # Folded where there is a title.
    title: str = ""


Part = Text | Table | Charts | Sentences | Code


@dataclasses.dataclass(frozen=True)
class Section:
    """One heading of the report, of the model card, or of both."""

    title: str
    parts: Sequence[Part]
    report: bool = True
    card: bool = False


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number of the headline."""

    title: str
    value: str
    unit: str = ""
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Page:
    """All of a page: what the run is, its headline, and its sections in order."""

    name: str
    # Such as "a small multilingual classifier".
    kind: str
    lead: str
    sections: Sequence[Section]
    figures: Sequence[Figure] = ()
    # What a reader must know before anything else.
    warnings: Sequence[str] = ()
    # Of the model card.
    licence: str = ""
    languages: Sequence[str] = ()
    tags: Sequence[str] = ()
    # How many runs are compared, each with a colour of its own.
    runs: int = 0


def table_of(found: Mapping[str, Any], **changes: Any) -> Table:
    """Returns a table that a benchmark left: `title`, `note`, `columns`, `rows`."""
    names = ("columns", "rows", "title", "note")
    return Table(**{name: found[name] for name in names} | changes)


def write_html(path: Path, page: Page) -> None:
    """Writes the report: one file that needs no network and no JavaScript.

    Raises:
        BabeletError: The file cannot be written.
    """
    _write(path, "report.html.jinja", page, [s for s in page.sections if s.report])


def write_card(path: Path, page: Page) -> None:
    """Writes the model card in Markdown, of the sections that are for it.

    Raises:
        BabeletError: The file cannot be written.
    """
    _write(path, "model_card.md.jinja", page, [s for s in page.sections if s.card])


def _write(path: Path, template: str, page: Page, sections: Iterable[Section]) -> None:
    hues = [hue(i, page.runs) for i in range(page.runs)]
    found = _environment().get_template(template)
    text = found.render(page=page, sections=sections, hues=hues)
    with atomic_path(path) as file:
        file.write_text(text, encoding="utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=lambda name: bool(name) and ".html" in name,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "aligned": formatting.aligned,
        "cell": formatting.cell,
        "markdown_table": formatting.markdown_table,
        "code": _with_code,
        "anchor": lambda title: re.sub(r"\W+", "-", title.casefold()),
    }
    environment.globals["hue"] = hue
    return environment


def _with_code(text: str) -> Markup:
    """Returns escaped text in which what is between backticks is code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))
