"""Which rows of a source are good, and why the others are not."""

import re
import unicodedata
from typing import TextIO

from babelet.configs.data import PairDataConfig
from babelet.data.sources.raw import RawPair

COLUMNS = ("file", "line", "language", "reason", "pivot_text", "text")

# Characters carry more where a script is denser. In Home Assistant's texts a median
# English sentence has 3.0 characters for one of Chinese, 2.0 for Korean and 1.9 for
# Japanese, which mixes ideographs with kana; 0.8 to 1.3 otherwise.
IDEOGRAPH, IDEOGRAPH_WEIGHT = re.compile("[\u3400-\u9fff\uf900-\ufaff]"), 3
SYLLABLE, SYLLABLE_WEIGHT = re.compile("[\u3041-\u30ff\uac00-\ud7af]"), 2

# Invisible joiners that spell words in Persian and several Indian scripts.
JOINERS = "\u200c\u200d"


class _Invisible(dict):
    """A table for str.translate: drops format characters, line breaks to spaces."""

    def __missing__(self, code: int) -> int | str | None:
        character = chr(code)
        if character.isspace():
            value: int | str | None = " "
        elif unicodedata.category(character) == "Cf" and character not in JOINERS:
            value = None
        else:
            value = code
        self[code] = value
        return value


_INVISIBLE = _Invisible()


def clean_text(text: str) -> str:
    """Returns `text` in NFKC, without invisible marks, its whitespace folded."""
    if not text.isprintable():
        text = text.translate(_INVISIBLE)
    return " ".join(unicodedata.normalize("NFKC", text).split())


def weighted_length(text: str) -> int:
    """Returns the characters of `text`, ideographs and syllables counted for more."""
    if text.isascii():
        return len(text)
    return (
        len(text)
        + (IDEOGRAPH_WEIGHT - 1) * len(IDEOGRAPH.findall(text))
        + (SYLLABLE_WEIGHT - 1) * len(SYLLABLE.findall(text))
    )


def clean(row: RawPair) -> RawPair:
    """Returns `row` with both texts cleaned."""
    return row._replace(
        pivot_text=clean_text(row.pivot_text), text=clean_text(row.text)
    )


def rejection(row: RawPair, config: PairDataConfig) -> str:
    """Returns why a cleaned row is rejected, "" if it is good.

    Reasons: the source's own ("no_pivot"; "not_text"; "choice", a text for each number
    or gender, all in one); "empty"; "control" (control characters, broken encoding);
    "placeholder" (a brace, unless those are kept); "short" (the pivot side); "long";
    and of two texts "equal" (but for case, unless those are kept), "ratio" (of
    weighted lengths).
    """
    pivot, text = row.pivot_text, row.text
    lengths = (len(pivot), len(text))
    if row.problem:
        return row.problem
    if not min(lengths):
        return "empty"
    if _is_broken(pivot) or _is_broken(text):
        return "control"
    if not config.keep_placeholders and ("{" in pivot or "{" in text):
        return "placeholder"
    if weighted_length(pivot) < config.min_characters:
        return "short"
    if max(lengths) > config.max_characters:
        return "long"
    if row.monolingual:
        return ""
    if not config.keep_equal and pivot.casefold() == text.casefold():
        return "equal"
    shorter, longer = sorted((weighted_length(pivot), weighted_length(text)))
    return "ratio" if longer > config.max_length_ratio * shorter else ""


def text_rejection(text: str, max_characters: int) -> str:
    """Returns why a cleaned text that stands alone is rejected, "" if it is good."""
    if not text:
        return "empty"
    if _is_broken(text):
        return "control"
    return "long" if len(text) > max_characters else ""


def _is_broken(text: str) -> bool:
    """Tells whether control, surrogate, private or replacement characters are left."""
    if text.isprintable():
        return "\ufffd" in text
    return any(unicodedata.category(c) in ("Cc", "Cs", "Co") for c in text)


def write_rejected(file: TextIO, row: RawPair, reason: str) -> None:
    """Writes a line of rejected.tsv; tabs, line breaks, backslashes are escaped."""
    pivot_text = "" if row.monolingual else row.pivot_text
    cells = (row.origin, row.line, row.language, reason, pivot_text, row.text)
    file.write("\t".join(_escape(str(cell)) for cell in cells) + "\n")


def _escape(cell: str) -> str:
    if cell.isprintable() and "\\" not in cell:
        return cell
    cell = cell.replace("\\", "\\\\").replace("\t", "\\t")
    return cell.replace("\n", "\\n").replace("\r", "\\r")
