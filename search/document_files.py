"""The rows of files of documents: tables, JSON lines, Parquet, and texts as they are.

A row is a dict; `text`, `id` and `language` are called so in any case.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from babelet.core.errors import BabeletError
from babelet.data.optional_package import require_package
from babelet.data.sources.opening import decoded
from babelet.search.connection import shown

Rows = Iterator[tuple[str, dict[str, Any]]]

_KNOWN = ("text", "id", "language")
_BATCH_ROWS = 1024
# What can be a language's code: "de", "zh-Hant", "pt_BR".
_CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")


def document_files(path: Path) -> tuple[list[tuple[Path, str]], int]:
    """Returns the files of an input, in a fixed order, and how many were skipped.

    Args:
        path: A file, or a folder with files at any depth. Its hidden files and
            folders are skipped: what a system or an editor keeps there is no text.

    Returns:
        Each file, and what comes before the ids in it; and the number of hidden files
        that would have been read otherwise.

    Raises:
        BabeletError: It is not there, is of no known kind, or a folder in it cannot
            be read: its documents would be missing.
    """
    if not path.is_dir():
        return [(_require_known(path), "")], 0
    found, hidden = [], 0
    for file in _files_in(path):
        if file.suffix.lower() not in READERS or not file.is_file():
            continue
        inner = file.relative_to(path)
        if any(part.startswith(".") for part in inner.parts):
            hidden += 1
            continue
        name = shown(inner.as_posix())
        is_text = READERS[file.suffix.lower()] is _read_text
        before = name.removesuffix(shown(file.name)) if is_text else f"{name}#"
        found.append((file, before))
    return found, hidden


def read_rows(file: Path) -> Rows:
    """Yields where each row of a file is, for errors, and the row."""
    for place, row in READERS[file.suffix.lower()](file):
        yield place, _with_known_names(place, row)


def count_rows(file: Path) -> int:
    """Returns about how many rows a file has; a Parquet file counts none."""
    reader = READERS[file.suffix.lower()]
    if reader in (_read_tsv, _read_jsonl):
        with _opened(file) as lines:
            return sum(1 for _ in lines)
    return int(reader is _read_text)


def _files_in(folder: Path) -> list[Path]:
    def stop(error: OSError) -> None:
        raise BabeletError(
            f"Cannot read the folder {error.filename}: {error.strerror}",
            consequence="Its documents would be missing; the index was left as it is",
            remedy="change its permissions, or move it out of the input",
        ) from error

    return sorted(
        Path(parent, name)
        for parent, _, names in os.walk(folder, onerror=stop)
        for name in names
    )


def _require_known(path: Path) -> Path:
    if not path.exists():
        raise BabeletError(f"There is no input {path}", remedy="check the path")
    if path.suffix.lower() not in READERS:
        raise BabeletError(
            f"Nothing is known to read {path}",
            expected=f"a folder, or a name that ends in {' '.join(READERS)}",
            received=path.suffix or "no ending",
            remedy="rename or convert the file",
        )
    return path


def _with_known_names(place: str, row: dict[str, Any]) -> dict[str, Any]:
    """Returns the row with `text`, `id` and `language` in lower case."""
    found = {}
    for name, value in row.items():
        folded = name.strip().casefold()
        name = folded if folded in _KNOWN else name
        if name in found:
            raise _twice(place, name)
        found[name] = value
    return found


def _twice(place: str, name: str) -> BabeletError:
    return BabeletError(
        f"{place} has two columns named {name!r}",
        remedy="remove or rename one of them",
    )


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


def _read_text(path: Path) -> Rows:
    text = "".join(f"{line}\n" for _, line in _lines(path))
    yield str(path), {"id": shown(path.name), "text": text.removesuffix("\n")}


def _read_tsv(path: Path) -> Rows:
    names: list[str] = []
    is_named = False
    for line, text in _lines(path):
        cells = text.split("\t")
        place = f"{path}, line {line}"
        if not names:
            names = [cell.strip() for cell in cells]
            is_named = "text" in map(str.casefold, names)
            if is_named:
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
        if len(cells) == 2 and not is_named:
            _require_code(place, cells[0].strip())
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


def _require_code(place: str, cell: str) -> None:
    if cell and not _CODE.fullmatch(cell):
        raise BabeletError(
            f"{place} has no language in its first column",
            expected="without names of columns: a code such as de, and the text",
            received=repr(cell)[:80],
            consequence="The column would be indexed as languages",
            remedy="name the columns in a first line, for example id<TAB>text; of "
            "pairs of translations put each text in a line of its own, after its code",
        )


def _require_each_once(place: str, names: list[str]) -> None:
    for name in sorted({name for name in names if names.count(name) > 1}):
        raise _twice(place, name)


def _read_jsonl(path: Path) -> Rows:
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


def _read_parquet(path: Path) -> Rows:
    parquet = require_package("pyarrow.parquet", "pyarrow", f"Reading {path}")
    number = 0
    try:
        with _opened(path) as binary, parquet.ParquetFile(binary) as file:
            _require_each_once(str(path), file.schema_arrow.names)
            for batch in file.iter_batches(_BATCH_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {number}", row
    # What pyarrow raises for files that are not whole, or types it cannot turn.
    except (ValueError, OSError, NotImplementedError, TypeError, ArithmeticError) as e:
        raise BabeletError(
            f"Cannot read {path}, after row {number}",
            expected="a whole Parquet file",
            received=str(e),
            remedy="write or download the file again",
        ) from e


READERS: dict[str, Callable[[Path], Rows]] = {
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
    ".txt": _read_text,
    ".md": _read_text,
}
