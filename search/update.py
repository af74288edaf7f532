"""Reads, embeds and stores at the same time, in steady memory."""

import dataclasses
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np
from tqdm import tqdm

from babelet.export.runtime import Embedder
from babelet.search.documents import Document
from babelet.search.store import Embedded, Store
from babelet.search.windows import windows

# One transaction: large enough that little is padded, small enough that a kill costs
# a second or two.
BATCH_DOCUMENTS = 1024
BATCH_CHARACTERS = 1 << 20
# Share of a language's passages with one and the same vector that is worth a warning.
_DEGENERATE = 0.1


@dataclasses.dataclass
class Update:
    """What happened to an index."""

    read: int = 0
    embedded: int = 0
    deleted: int = 0
    # By language: passages embedded, and those of whose letters the model knows none.
    passages: Counter[str] = dataclasses.field(default_factory=Counter)
    unknown: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, other: "Update") -> None:
        """Counts what happened in another update as well."""
        for field in dataclasses.fields(self):
            total = getattr(self, field.name) + getattr(other, field.name)
            setattr(self, field.name, total)

    def unknown_languages(self) -> list[str]:
        """Returns the languages in which the model cannot tell texts apart."""
        return sorted(
            language
            for language, count in self.unknown.items()
            if count >= _DEGENERATE * self.passages[language]
        )


def update(
    store: Store,
    source: str,
    documents: Iterable[Document],
    embedders: Sequence[Embedder],
    expected: int = 0,
) -> Update:
    """Makes the index's part from `source` equal to `documents`.

    Only what is new or has another text or language is embedded. After a kill, the
    same call continues: what was stored is not embedded again. What the documents no
    longer have is taken out last.

    Args:
        store: The index.
        source: What it calls this input.
        documents: All of the input.
        embedders: Of one model; each works in a thread of its own.
        expected: About how many documents there are, for the time left; 0: unknown.

    Raises:
        BabeletError: The input or the index cannot be read or written.
    """
    done = Update()
    store.begin(source)
    free: SimpleQueue[Embedder] = SimpleQueue()
    for embedder in embedders:
        free.put(embedder)

    def embed(batch: list[Document]) -> list[Embedded]:
        embedder = free.get()
        try:
            return embedded(batch, embedder)
        finally:
            free.put(embedder)

    with (
        ThreadPoolExecutor(len(embedders)) as pool,
        tqdm(desc="Indexing", unit=" documents", total=expected or None) as progress,
    ):
        waiting: deque[Future[list[Embedded]]] = deque()
        try:
            for batch in batches(documents):
                done.read += len(batch)
                changed = store.changed(batch)
                progress.update(len(batch) - len(changed))
                if changed:
                    waiting.append(pool.submit(embed, changed))
                # As many again as are being embedded, so that no thread waits.
                while len(waiting) > 2 * len(embedders):
                    _store(store, waiting, progress, done)
            while waiting:
                _store(store, waiting, progress, done)
        finally:
            for future in waiting:
                future.cancel()
    done.deleted = store.delete_unseen()
    store.renew()
    return done


def _store(
    store: Store, waiting: deque[Future[list[Embedded]]], progress: tqdm, done: Update
) -> None:
    batch = waiting.popleft().result()
    store.put(batch)
    done.embedded += len(batch)
    for each in batch:
        done.passages[each.document.language] += len(each.windows)
        done.unknown[each.document.language] += each.unknown
    progress.update(len(batch))


def batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Yields the documents in groups of limited number and size."""
    batch: list[Document] = []
    characters = 0
    for document in documents:
        batch.append(document)
        characters += len(document.text)
        if len(batch) >= BATCH_DOCUMENTS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def embedded(batch: Sequence[Document], embedder: Embedder) -> list[Embedded]:
    """Returns the documents with their passages' vectors, each text encoded once."""
    whole = [document.text for document in batch]
    cut = windows(whole, embedder.count_tokens, embedder.max_length)
    texts = [
        document.text[start:stop]
        for document, found in zip(batch, cut, strict=True)
        for start, stop in found
    ]
    rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    vectors = embedder.encode(list(rows))[[rows[text] for text in texts]]
    unknown = np.array([not known for known in embedder.knows(texts)], bool)
    ends = np.cumsum([len(found) for found in cut])
    return [
        Embedded(
            document,
            found,
            vectors[end - len(found) : end],
            int(unknown[end - len(found) : end].sum()),
        )
        for document, found, end in zip(batch, cut, ends, strict=True)
    ]
