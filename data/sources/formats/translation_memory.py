"""TMX: translation units in several languages, read as a stream."""

import codecs
import re
from collections.abc import Iterator
from html.entities import name2codepoint
from typing import BinaryIO
from xml.parsers import expat

from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources.language_tags import match
from babelet.data.sources.location import Location
from babelet.data.sources.opening import MAX_LINE, UTF16_MARKS, encoding_named, opened
from babelet.data.sources.raw import RawPair

EXPECTED = "<tu> units with a <tuv> in the pivot language and one in another"
CHUNK = 1 << 16
# Elements inside a segment whose content is markup of the text's own format.
CODES = {"bpt", "ept", "it", "ph", "ut"}
DECLARED = re.compile(rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([^\"'>]*)")


def read(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields a row for each language of a unit but the pivot; `line` is the unit's.

    Raises:
        BabeletError: The file cannot be read, is not XML or not in its encoding, or
            declares entities.
    """
    units = _Units(location.path, config.pivot)
    with opened(location.path, lambda: f", after line {units.line}") as file:
        for chunk in _chunks(file, location.path, units):
            units.feed(chunk)
            yield from units.taken()
        units.feed("", last=True)
        yield from units.taken()


def _chunks(file: BinaryIO, path: str, units: "_Units") -> Iterator[str]:
    """Yields the file's text; the parser itself knows few encodings."""
    chunk = file.read(CHUNK)
    encoding = _encoding(chunk, path)
    decoder = codecs.getincrementaldecoder(encoding)()
    while True:
        try:
            yield decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise BabeletError(
                f"{path}, after line {units.line}, is not in {encoding.upper()}",
                expected="text in the encoding that its first line names, or UTF-8",
                received=f"{error.object[error.start]:#04x}",
                remedy="correct the encoding in its first line, or export it again in "
                "UTF-8",
            ) from error
        if not chunk:
            return
        chunk = file.read(CHUNK)


def _encoding(start: bytes, path: str) -> str:
    """Returns the encoding of a file that begins so."""
    if start.startswith(UTF16_MARKS):
        return "utf-16"
    if start[:2] in (b"<\0", b"\0<"):
        return "utf-16-le" if start[0] else "utf-16-be"
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    declared = DECLARED.match(start)
    if not declared:
        return "utf-8"
    found = encoding_named(declared[1].decode("latin-1"), f"{path}, line 1")
    # The line was read byte by byte: programs of Windows write "utf-16" into UTF-8.
    return "utf-8" if found.startswith(("utf-16", "utf-32")) else found


class _Units:
    """The rows of the units parsed so far."""

    def __init__(self, path: str, pivot: str) -> None:
        self._path, self._pivot = path, pivot
        self._rows: list[RawPair] = []
        # Language, text and problem of each segment of the open unit.
        self._unit: list[tuple[str, str, str]] = []
        self._unit_line = 0
        self._tag = self._problem = ""
        # The text of the open segment, None outside; how many codes are open in it.
        self._text: list[str] | None = None
        self._codes = self._size = 0
        # What is fed is UTF-8, whatever the first line says.
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        # Entities can name files, or grow a small file into gigabytes. The usual
        # <!DOCTYPE tmx SYSTEM "tmx14.dtd"> is no entity, and is not fetched: what it
        # may declare is skipped, and must not vanish from the text.
        parser.EntityDeclHandler = self._refuse_entity
        parser.SkippedEntityHandler = self._skipped
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    @property
    def line(self) -> int:
        """The line that parsing has come to."""
        return self._parser.CurrentLineNumber

    def feed(self, text: str, last: bool = False) -> None:
        """Parses more of the file."""
        try:
            # A surrogate has no place in XML, and is refused by the parser.
            self._parser.Parse(text.encode("utf-8", "surrogatepass"), last)
        except expat.ExpatError as error:
            raise BabeletError(
                f"{self._path}, line {error.lineno} is not well-formed XML",
                expected="a whole TMX file",
                received=f"{expat.ErrorString(error.code)} at column {error.offset}",
                remedy="export it again from where it was made; xmllint --noout "
                "shows what is wrong",
            ) from error

    def taken(self) -> list[RawPair]:
        """Returns the rows since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "tu":
            self._unit, self._unit_line, self._size = [], self.line, 0
        elif name == "tuv":
            self._tag = attributes.get("xml:lang") or attributes.get("lang", "")
        elif name == "seg":
            self._text, self._codes, self._problem = [], 0, ""
        elif name in CODES:
            self._codes += 1

    def _end(self, name: str) -> None:
        if name == "seg" and self._text is not None:
            self._unit.append((self._tag, "".join(self._text), self._problem))
            self._text = None
        elif name in CODES:
            self._codes -= 1
        elif name == "tu":
            self._close_unit()

    def _characters(self, data: str) -> None:
        if self._text is None or self._codes:
            return
        self._text.append(data)
        self._size += len(data)
        if self._size > MAX_LINE:
            raise BabeletError(
                f"{self._path}, line {self._unit_line} begins a unit of more than "
                f"{MAX_LINE >> 20} million characters",
                expected=EXPECTED,
                consequence="None of the file is used",
                remedy="export it again from where it was made",
            )

    def _skipped(self, name: str, is_parameter: bool) -> None:
        """Writes out an entity of HTML's; any other makes the unit unusable."""
        if is_parameter or self._text is None or self._codes:
            return
        if name in name2codepoint:
            self._characters(chr(name2codepoint[name]))
        else:
            self._text.append(f"&{name};")
            self._problem = "entity"

    def _close_unit(self) -> None:
        pivots = [part for part in self._unit if match(part[0], (self._pivot,))]
        others = [part for part in self._unit if not match(part[0], (self._pivot,))]
        _, pivot, wrong = pivots[0] if pivots else ("", "", "no_pivot")
        for tag, text, problem in others:
            problem = problem or wrong
            row = RawPair(self._path, self._unit_line, tag, pivot, text, problem)
            self._rows.append(row if tag else row._replace(problem="columns"))
        if not others:
            row = RawPair(self._path, self._unit_line, "", pivot, "", "columns")
            self._rows.append(row)

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise BabeletError(
            f"{self._path}, line {self.line} declares the entity {name!r}",
            expected="TMX without entities of its own",
            consequence="They can read other files or fill the memory, so the file "
            "is not used",
            remedy="remove the <!ENTITY declarations, and write out what they stand "
            "for",
        )
