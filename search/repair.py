"""Bits and words anew, from texts and vectors, whatever has become of them."""

from pathlib import Path

from babelet.search.beside import path_beside, remove_beside, replace_content
from babelet.search.connection import guarded, locked, require_file, transaction
from babelet.search.store import Store

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
