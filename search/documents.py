"""Documents from files: tables, JSON lines, Parquet, and folders of text files.

A table has a row for each document: `text`, and if there are such columns `id` and
`language`; all other columns are its metadata. A .tsv without such a header has one
column, the text, or two, language and text. In a folder, at any depth, every .txt and
.md file is a document, and the tables are read as such.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from configs.errors import BabeletError
from data.optional_package import require_package
from data.sources.opening import decoded
from data.tokenizer import valid_unicode

_BATCH_ROWS = 1024


@dataclasses.dataclass(frozen=True)
class Document:
    """A text to be found."""

    source: str
    key: str
    language: str
    text: str
    # A JSON object.
    metadata: str
    # Where it was read, for errors.
    place: str = ""
    # The input gave the key; else it is made of the content.
    named: bool = True


def read_documents(path: Path, source: str, language: str = "") -> Iterator[Document]:
    """Yields the documents of a file or folder, in a fixed order.

    Args:
        path: A .tsv, .jsonl, .parquet, .txt or .md file, or a folder of them.
        source: What the index calls this input.
        language: Of documents whose input does not tell.

    Raises:
        BabeletError: A file is missing, unreadable, not UTF-8, or without the
            columns; or there is no document at all.
    """
    empty = True
    for file, prefix in _files(path):
        for place, row in _READERS[file.suffix.lower()](file):
            empty = False
            yield _document(row, source, prefix, language, place)
    if empty:
        raise BabeletError(
            f"{path} has no document",
            consequence="The index was left as it is",
            remedy="check the path; python -m search.build --delete takes documents "
            "out of an index",
        )


def count_documents(path: Path) -> int:
    """Returns about how many documents a file or folder has, 0 if not known.

    For estimates of time: headers and empty lines count, Parquet files do not.
    """
    count = 0
    for file, _ in _files(path):
        if _READERS[file.suffix.lower()] in (_read_tsv, _read_jsonl):
            with _opened(file) as lines:
                count += sum(1 for _ in lines)
        count += _READERS[file.suffix.lower()] is _read_text
    return count


def _files(path: Path) -> Iterator[tuple[Path, str]]:
    """Yields files, and what comes before the ids in them."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in _READERS and file.is_file():
                name = file.relative_to(path).as_posix()
                is_text = _READERS[file.suffix.lower()] is _read_text
                yield file, name.removesuffix(file.name) if is_text else f"{name}#"
        return
    if not path.exists():
        raise BabeletError(f"There is no input {path}", remedy="check the path")
    if path.suffix.lower() not in _READERS:
        raise BabeletError(
            f"Nothing is known to read {path}",
            expected=f"a folder, or a name that ends in {' '.join(_READERS)}",
            received=path.suffix or "no ending",
            remedy="rename or convert the file",
        )
    yield path, ""


def _document(
    row: dict[str, Any], source: str, prefix: str, language: str, place: str
) -> Document:
    text = row.pop("text", None)
    if not isinstance(text, str):
        raise BabeletError(
            f"{place} has no text",
            expected='a "text" of letters',
            received=repr(text)[:80],
            remedy="correct the row, or name the column with the texts text",
        )
    key, told = row.pop("id", None), row.pop("language", None)
    language = valid_unicode(str(told or language)).strip()
    # A surrogate has no place in UTF-8, nor in the database.
    text = valid_unicode(text)
    metadata = valid_unicode(
        json.dumps(row, ensure_ascii=False, sort_keys=True, default=str)
    )
    named = key is not None and str(key) != ""
    if not named:
        content = "\0".join((language, text, metadata))
        key = hashlib.sha256(content.encode()).hexdigest()[:16]
    key = prefix + valid_unicode(str(key))
    return Document(source, key, language, text, metadata, place, named)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with _opened(path) as file:
        for line, data in enumerate(file, start=1):
            yield line, decoded(str(path), line, data).rstrip("\r\n")


def _opened(path: Path) -> Any:
    try:
        return open(path, "rb")
    except OSError as error:
        raise BabeletError(
            f"Cannot read {path}: {error.strerror}",
            expected="a readable file",
            remedy="change its permissions or the path",
        ) from error


def _read_text(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    text = "".join(f"{line}\n" for _, line in _lines(path))
    yield str(path), {"id": path.name, "text": text.removesuffix("\n")}


def _read_tsv(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    names: list[str] = []
    for line, text in _lines(path):
        cells = text.split("\t")
        place = f"{path}, line {line}"
        if not names:
            names = [cell.strip() for cell in cells]
            if "text" in names:
                _require_each_once(place, names)
                continue
            names = _by_number(place, len(cells))
        if len(cells) != len(names):
            raise BabeletError(
                f"{place} has another number of columns than the first line",
                expected=f"{len(names)}: {' '.join(names)}",
                received=str(len(cells)),
                remedy="correct the line; a tab or line break inside a text needs "
                "a .jsonl file",
            )
        yield place, dict(zip(names, cells, strict=True))


def _by_number(place: str, columns: int) -> list[str]:
    if columns > 2:
        raise BabeletError(
            f"{place} does not name the columns",
            expected="a first line with the names of the columns, text among them",
            received=f"{columns} columns without a name",
            remedy="add the line, for example id<TAB>language<TAB>text",
        )
    return ["language", "text"][-columns:]


def _require_each_once(place: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BabeletError(
            f"{place} has two columns named {twice[0]!r}",
            remedy="remove or rename one of them",
        )


def _read_jsonl(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for line, text in _lines(path):
        if not text.strip():
            continue
        place = f"{path}, line {line}"
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            row = str(error)
        if not isinstance(row, dict):
            raise BabeletError(
                f"{place} is no JSON object",
                expected='{"text": "…"} in each line',
                received=str(row)[:80],
                remedy="correct the line",
            )
        yield place, row


def _read_parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    parquet = require_package("pyarrow.parquet", "pyarrow", f"Reading {path}")
    number = 0
    try:
        with _opened(path) as binary, parquet.ParquetFile(binary) as file:
            for batch in file.iter_batches(_BATCH_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {number}", row
    # What pyarrow raises for files that are not whole.
    except (ValueError, OSError) as error:
        raise BabeletError(
            f"Cannot read {path}, after row {number}",
            expected="a whole Parquet file",
            received=str(error),
            remedy="write or download the file again",
        ) from error


_READERS: dict[str, Callable[[Path], Iterator[tuple[str, dict[str, Any]]]]] = {
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
    ".txt": _read_text,
    ".md": _read_text,
}
