"""TMX: translation units in several languages, read as a stream."""

from collections.abc import Iterator
from xml.parsers import expat

from configs.errors import BabeletError
from configs.schema import DataConfig
from data.sources.language_tags import match
from data.sources.location import Location
from data.sources.opening import opened
from data.sources.raw import RawPair

EXPECTED = "<tu> units with a <tuv> in the pivot language and one in another"
CHUNK = 1 << 16
# Elements inside a segment whose content is markup of the text's own format.
CODES = {"bpt", "ept", "it", "ph", "ut"}


def read(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields a row for each language of a unit but the pivot; `line` is the unit's.

    Raises:
        BabeletError: The file cannot be read, is not XML, or declares entities.
    """
    units = _Units(location.path, config.pivot)
    with opened(location.path, lambda: f", after line {units.line}") as file:
        while chunk := file.read(CHUNK):
            units.feed(chunk)
            yield from units.taken()
        units.feed(b"", last=True)
        yield from units.taken()


class _Units:
    """The rows of the units parsed so far."""

    def __init__(self, path: str, pivot: str) -> None:
        self._path, self._pivot = path, pivot
        self._rows: list[RawPair] = []
        self._unit: list[tuple[str, str]] = []
        self._unit_line = 0
        self._tag = ""
        # The text of the open segment, None outside; how many codes are open in it.
        self._text: list[str] | None = None
        self._codes = 0
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        # Entities can name files, or grow a small file into gigabytes. The usual
        # <!DOCTYPE tmx SYSTEM "tmx14.dtd"> is no entity, and is not fetched.
        parser.EntityDeclHandler = self._refuse_entity
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    @property
    def line(self) -> int:
        """The line that parsing has come to."""
        return self._parser.CurrentLineNumber

    def feed(self, data: bytes, last: bool = False) -> None:
        """Parses more of the file."""
        try:
            self._parser.Parse(data, last)
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
            self._unit, self._unit_line = [], self.line
        elif name == "tuv":
            self._tag = attributes.get("xml:lang") or attributes.get("lang", "")
        elif name == "seg":
            self._text, self._codes = [], 0
        elif name in CODES:
            self._codes += 1

    def _end(self, name: str) -> None:
        if name == "seg" and self._text is not None:
            self._unit.append((self._tag, "".join(self._text)))
            self._text = None
        elif name in CODES:
            self._codes -= 1
        elif name == "tu":
            self._close_unit()

    def _characters(self, data: str) -> None:
        if self._text is not None and not self._codes:
            self._text.append(data)

    def _close_unit(self) -> None:
        pivots = [text for tag, text in self._unit if match(tag, (self._pivot,))]
        others = [item for item in self._unit if not match(item[0], (self._pivot,))]
        problem = "" if pivots else "no_pivot"
        pivot = pivots[0] if pivots else ""
        for tag, text in others:
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
