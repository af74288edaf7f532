"""All vectors anew, with another model, while the old ones still answer."""

from collections.abc import Iterator
from pathlib import Path

import apsw

from configs.errors import BabeletError
from search.connection import explained, locked
from search.documents import Document
from search.embedding import load_embedders
from search.store import Store
from search.update import update


def reembed(index: Path, model: Path | None, threads: int) -> int:
    """Embeds all documents of `index` with another model; returns how many.

    They go into a file beside the index, so a build that is killed continues. When it
    is whole, its content becomes the index's, in one transaction.

    Args:
        index: An index.
        model: A run or a .tflite file; None is the model it was made with.
        threads: That embed.

    Raises:
        BabeletError: Something cannot be read, written or loaded.
    """
    with locked(index):
        old = Store.open(index)
        wanted, embedders = load_embedders(model or old.model.path, threads)
        beside = index.with_name(f".{index.name}.reembed")
        new = _open_beside(beside, wanted.sha256)
        new = new or Store.create(beside, wanted, old.rules)
        count = 0
        with explained(index):
            for source in {*new.sources()} - {*old.sources()}:
                new.begin(source)
                new.delete_unseen()
            for source in old.sources():
                documents = _documents(old.connection, source)
                count += update(new, source, documents, embedders).read
            with old.connection.backup("main", new.connection, "main") as backup:
                backup.step()
        old.close()
        new.close()
        _remove(beside)
    return count


def _open_beside(path: Path, sha256: str) -> Store | None:
    """Returns what a killed attempt left, if it was with the same model."""
    if path.is_file():
        try:
            found = Store.open(path)
            if found.model.sha256 == sha256:
                return found
            found.close()
        except BabeletError:
            pass  # A file without tables: killed in its first moment.
    _remove(path)
    return None


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _documents(connection: apsw.Connection, source: str) -> Iterator[Document]:
    rows = connection.execute(
        "SELECT key, language, text, metadata FROM documents WHERE source = ? "
        "ORDER BY id",
        (source,),
    )
    for row in rows:
        yield Document(source, *row)
