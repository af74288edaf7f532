"""What an index holds, and whether it is whole."""

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw

from babelet.core.boundary import described
from babelet.search.connection import connect, guarded, transaction
from babelet.search.documents import Document
from babelet.search.settings import read_settings
from babelet.search.store import content_hash

# What is wrong, if a query finds something, and the query.
_CHECKS = {
    "passages without a vector": "SELECT count(*) FROM passages "
    "WHERE id NOT IN (SELECT passage FROM vectors)",
    "vectors without a passage": "SELECT count(*) FROM vectors "
    "WHERE passage NOT IN (SELECT id FROM passages)",
    "passages without a document": "SELECT count(*) FROM passages "
    "WHERE document NOT IN (SELECT id FROM documents)",
    "vectors of another dimension": "SELECT count(*) FROM vectors WHERE "
    "length(vector) <> (SELECT value FROM settings WHERE name = 'dim')",
    "documents with a value of another type": "SELECT count(*) FROM documents "
    "WHERE typeof(source) || typeof(key) || typeof(language) || typeof(text) || "
    "typeof(metadata) || typeof(hash) <> 'texttexttexttexttextblob' "
    "OR NOT json_valid(metadata, 2) OR json_type(metadata) <> 'object'",
    "passages that are no part of a text": "SELECT count(*) FROM passages "
    "WHERE typeof(start) || typeof(stop) <> 'integerinteger' "
    "OR start < 0 OR stop <= start",
    "passages without a sketch": "SELECT count(*) FROM passages "
    "WHERE id NOT IN (SELECT rowid FROM sketches_rowids)",
    "sketches without a passage": "SELECT count(*) FROM sketches_rowids "
    "WHERE rowid NOT IN (SELECT id FROM passages)",
    "passages without words": "SELECT count(*) FROM passages "
    "WHERE id NOT IN (SELECT id FROM words_docsize)",
    "words without a passage": "SELECT count(*) FROM words_docsize "
    "WHERE id NOT IN (SELECT id FROM passages)",
}
_COUNTS = "SELECT {}, count(*) FROM documents GROUP BY 1 ORDER BY 2 DESC, 1"


def inspect(index: Path) -> dict[str, Any]:
    """Returns counts, sizes, model and problems of an index.

    Args:
        index: What `babelet search build` made.

    Returns:
        "documents", "passages" and "empty" (documents without a passage): numbers;
        "languages" and "sources": documents by each; "bytes": of the file and of
        what is not yet merged into it; "model", "dim", "words"; and "problems", one
        line each, none if the file is whole.

    Raises:
        BabeletError: It is not there, or so damaged that nothing can be read.
    """
    with closing(connect(index)) as connection:
        with transaction(index, connection):
            facts = _facts(index, connection)
        # Not in the transaction: SQLite ends it at a damaged page.
        with guarded(index):
            return facts | {"problems": problems(connection)}


def _facts(index: Path, connection: apsw.Connection) -> dict[str, Any]:
    model, rules = read_settings(connection)

    def ask(query: str) -> Any:
        return connection.execute(query).get

    def by(column: str) -> dict[str, int]:
        rows: list[Any] = connection.execute(_COUNTS.format(column)).fetchall()
        return dict(rows)

    return {
        "documents": ask("SELECT count(*) FROM documents"),
        "passages": ask("SELECT count(*) FROM passages"),
        "empty": ask(
            "SELECT count(*) FROM documents "
            "WHERE id NOT IN (SELECT document FROM passages)"
        ),
        "languages": by("language"),
        "sources": by("source"),
        "bytes": sum(
            file.stat().st_size
            for end in ("", "-wal")
            if (file := index.with_name(index.name + end)).is_file()
        ),
        "model": str(model.path),
        "model_sha256": model.sha256,
        "dim": model.dim,
        "words": rules.to_json(),
    }


def problems(connection: apsw.Connection) -> list[str]:
    """Returns what is wrong with an index, one line each."""
    found = []
    try:
        for (line,) in connection.execute("PRAGMA integrity_check"):
            found += [] if line == "ok" else [f"SQLite: {' '.join(line.split())}"]
        for name, query in _CHECKS.items():
            count = connection.execute(query).get
            found += [f"{count:,} {name}"] if count else []
        changed = sum(_is_changed(row) for row in connection.execute(_DOCUMENTS))
        found += [f"{changed:,} documents differ from their hash"] if changed else []
    except (apsw.Error, TypeError, AttributeError) as error:
        # A page that differs from its checksum, a table that is missing, a number
        # in the place of a text: what else there is cannot be read.
        found.append(f"SQLite: {described(error)}")
    return found


_DOCUMENTS = "SELECT source, key, language, text, metadata, hash FROM documents"


def _is_changed(row: tuple) -> bool:
    return content_hash(Document(*row[:5])) != row[5]
