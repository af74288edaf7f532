"""Prints what an index holds, and verifies that it is whole.

  babelet search inspect --index=my.db
  babelet search inspect --index=my.db --repair

Counts documents and passages, by language and by input; names the model; checks every
page of the file, that every passage has its vector, bits and words, and that no text
changed unnoticed. Exit status 1 if something is wrong.

--repair makes bits and words anew from texts and vectors: a damaged page of these
tables is replaced. Of texts and vectors themselves restore a copy, or build anew.
"""

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
from absl import flags

from babelet.core import command
from babelet.core.boundary import described
from babelet.search.beside import path_beside, remove_beside, replace_content
from babelet.search.connection import (
    connect,
    guarded,
    locked,
    require_file,
    transaction,
)
from babelet.search.documents import Document
from babelet.search.settings import read_settings
from babelet.search.store import Store, content_hash


def format_facts(facts: dict[str, Any]) -> str:
    """Returns what `inspect` found, as lines to print."""
    languages = ", ".join(f"{x or '??'} {n:,}" for x, n in facts["languages"].items())
    lines = [
        f"Documents  {facts['documents']:,} in {facts['passages']:,} passages; "
        f"{facts['empty']:,} without text",
        f"Languages  {languages or 'none'}",
        *(f"Input      {name}: {n:,}" for name, n in facts["sources"].items()),
        f"Model      {facts['model']}",
        f"           SHA-256 {facts['model_sha256']}, dimension {facts['dim']}",
        f"Words      {facts['words']}",
        f"Size       {facts['bytes'] / 1e6:,.1f} MB",
        *(f"PROBLEM    {problem}" for problem in facts["problems"]),
    ]
    return "\n".join([*lines, *([] if facts["problems"] else ["Whole: yes"])])


def main(argv: list[str]) -> None:
    """Runs the command line."""
    command.require_none_left(argv, "the index is given as --index=FILE")
    index = Path(flags.FLAGS.index)
    if flags.FLAGS.repair:
        repair(index)
    facts = inspect(index)
    print(json.dumps(facts, indent=2) if flags.FLAGS.json else format_facts(facts))
    sys.exit(1 if facts["problems"] else 0)


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
        # A page differs from its checksum, a table is missing, or a number stands where
        # text should: the rest cannot be read.
        found.append(f"SQLite: {described(error)}")
    return found


_DOCUMENTS = "SELECT source, key, language, text, metadata, hash FROM documents"


def _is_changed(row: tuple) -> bool:
    return content_hash(Document(*row[:5])) != row[5]


# What is copied; the rest is made of it.
_KEPT = {
    "documents": "id, source, key, language, text, metadata, hash",
    "passages": "id, document, start, stop",
    "vectors": "passage, vector",
}


def repair(index: Path) -> None:
    """Makes the indexes over texts and vectors anew, in one transaction.

    A file beside the index gets its texts and vectors, so that no damaged page has to
    be read; then its content becomes the index's.

    Raises:
        BabeletError: The file cannot be written, or texts or vectors are damaged.
    """
    require_file(index)
    with locked(index):
        old = Store.open(index)
        beside = path_beside(index, "repair")
        try:
            remove_beside(beside)
            new = Store.create(beside, old.model, old.rules)
            try:
                _copy(index, old, new)
                new.renew(always=True)
                with guarded(index):
                    replace_content(old, new)
            finally:
                new.close()
                remove_beside(beside)
        finally:
            old.close()


def _copy(index: Path, old: Store, new: Store) -> None:
    with transaction(index, new.connection):
        for table, columns in _KEPT.items():
            marks = ", ".join("?" * len(columns.split(",")))
            new.connection.executemany(
                f"INSERT INTO {table} ({columns}) VALUES ({marks})",
                old.connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1"),
            )


if __name__ == "__main__":
    command.path_flag("index", None, "What babelet search build made.", required=True)
    flags.DEFINE_bool("repair", False, "Make bits and words anew first.")
    flags.DEFINE_bool("json", False, "Print JSON.")
    command.run(main)
