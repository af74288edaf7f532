"""All vectors anew, with another model, while the old ones still answer."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from babelet.core.errors import BabeletError
from babelet.export.runtime import Embedder
from babelet.search.beside import path_beside, remove_beside, replace_content
from babelet.search.connection import guarded, locked, require_file
from babelet.search.documents import Document
from babelet.search.embedding import load_embedders
from babelet.search.passages import require_texts
from babelet.search.store import Store
from babelet.search.update import update


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
    require_file(index)
    with locked(index):
        old = Store.open(index)
        try:
            wanted, embedders = load_embedders(model or old.model.path, threads)
            beside = path_beside(index, "reembed")
            new = _open_beside(beside, wanted.sha256)
            new = new or Store.create(beside, wanted, old.rules)
            try:
                count = _embed_all(old, new, embedders)
                with guarded(index):
                    replace_content(old, new)
            finally:
                new.close()
            remove_beside(beside)
        finally:
            old.close()
    return count


def _embed_all(old: Store, new: Store, embedders: Sequence[Embedder]) -> int:
    """Makes the documents of `new` those of `old`; returns how many there are."""
    for source in {*new.sources()} - {*old.sources()}:
        new.begin(source)
        new.delete_unseen()
    return sum(
        update(new, source, _documents(old, source), embedders).read
        for source in old.sources()
    )


def _open_beside(path: Path, sha256: str) -> Store | None:
    """Returns what a killed attempt left, if it was with the same model."""
    if path.is_file():
        # A file without tables, or a damaged one, is no start either.
        with contextlib.suppress(BabeletError):
            found = Store.open(path)
            if found.model.sha256 == sha256:
                return found
            found.close()
    remove_beside(path)
    return None


def _documents(store: Store, source: str) -> Iterator[Document]:
    with guarded(store.path):
        rows = store.connection.execute(
            "SELECT key, language, text, metadata FROM documents WHERE source = ? "
            "ORDER BY id",
            (source,),
        )
        for row in rows:
            require_texts(*row)
            yield Document(source, *row)
