"""Moses pairs: `x.en` and `x.de`, whose lines correspond."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources.language_tags import match
from babelet.data.sources.location import COMPRESSED, Location
from babelet.data.sources.opening import lines
from babelet.data.sources.raw import RawPair

EXPECTED = "the same number of lines as in the pivot's file"


def read(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields the lines of a file with those of the pivot's file beside it.

    The pivot's own file, which a glob such as `x.*` names too, has no rows.

    Raises:
        BabeletError: A file cannot be read or is missing, or their lines differ in
            number.
    """
    ending = location.ending[1:]
    language = match(ending, (config.pivot, *config.languages)) or ending
    if language == config.pivot:
        return
    beside = pivot_file(location, config)
    counts = [0, 0]
    for pivot, own in zip_longest(lines(beside), lines(location.path)):
        counts[0] += pivot is not None
        counts[1] += own is not None
        if pivot and own:
            yield RawPair(location.path, own[0], language, pivot[1], own[1])
    if counts[0] != counts[1]:
        raise BabeletError(
            f"{beside} has {counts[0]} lines and {location.path} has {counts[1]}",
            expected="as many in both: line n of one translates line n of the other",
            consequence="From the missing line on, every pair would be wrong",
            remedy="get both files again from where they were made, or change "
            "data.files",
        )


def pivot_file(location: Location, config: DataConfig) -> str:
    """Returns the path of the pivot's file, compressed in the same or another way.

    Raises:
        BabeletError: There is none.
    """
    path = Path(location.path)
    while path.suffix in COMPRESSED:
        path = path.with_suffix("")
    stem = path.with_suffix("")
    names = [f"{stem}.{config.pivot}{packed}" for packed in ("", *COMPRESSED)]
    own = Path(location.path).suffix
    preferred = sorted(names, key=lambda name: not name.endswith(own))
    for name in preferred:
        if Path(name).is_file():
            return name
    raise BabeletError(
        f"{location.path} has no file of the pivot beside it",
        expected=f"{names[0]}, whose lines it translates",
        remedy="put it there, or correct data.pivot or data.files",
    )
