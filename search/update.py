"""Reads, embeds and stores at the same time, in steady memory."""

import dataclasses
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np
from tqdm import tqdm

from babelet.export.runtime import Embedder
from babelet.search.documents import Document
from babelet.search.store import Embedded, Store

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


# An end of a sentence with the spaces after it; without spaces where none are used.
_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])[」』”）]*|\n+")
# Characters that no sentence is longer than: what is, is cut at a space.
_LONGEST = 400

# Texts to the number of tokens of each.
Count = Callable[[Sequence[str]], list[int]]
Window = tuple[int, int]


def windows(texts: Sequence[str], count: Count, most: int) -> list[list[Window]]:
    """Returns where the passages of each document start and stop, in code points.

    A document that fits the model is one passage; of a longer one each passage has
    as many sentences as fit, and begins with the last of the one before, if that is
    short, so that what spans two sentences is in one passage. A text of spaces alone
    has none.

    Args:
        texts: Of the documents.
        count: Texts to their numbers of tokens.
        most: Tokens that a passage may have.
    """
    whole = [_trimmed(text, 0, len(text)) for text in texts]
    short = [
        i
        for i, (start, stop) in enumerate(whole)
        if start < stop and len(texts[i]) <= _LONGEST
    ]
    # All at once: for each call the tokenizer starts threads of its own.
    tokens = count([texts[i][slice(*whole[i])] for i in short])
    fits = {i for i, length in zip(short, tokens, strict=True) if length <= most}
    return [
        [whole[i]] if i in fits else _of_sentences(text, count, most)
        for i, text in enumerate(texts)
    ]


def _of_sentences(text: str, count: Count, most: int) -> list[Window]:
    sentences = _sentences(text)
    if not sentences:
        return []
    sentences = _fitting(text, sentences, count, most)
    lengths = count([text[start:stop] for start, stop in sentences])
    return _packed(sentences, lengths, most)


def _sentences(text: str) -> list[Window]:
    ends = [match.end() for match in _END.finditer(text)]
    bounds = zip([0, *ends], [*ends, len(text)], strict=True)
    parts = [part for start, stop in bounds for part in _cut(text, start, stop)]
    trimmed = [_trimmed(text, *part) for part in parts]
    return [(start, stop) for start, stop in trimmed if start < stop]


def _cut(text: str, start: int, stop: int) -> list[Window]:
    """Returns parts of at most `_LONGEST` characters, cut at spaces if there are."""
    parts = []
    while stop - start > _LONGEST:
        middle = start + _LONGEST
        space = max(text.rfind(mark, start, middle) for mark in " \t\n,;")
        middle = space + 1 if space > start + _LONGEST // 2 else middle
        parts.append((start, middle))
        start = middle
    return [*parts, (start, stop)]


def _fitting(text: str, parts: list[Window], count: Count, most: int) -> list[Window]:
    """Returns the parts, halved until each fits or is one character."""
    lengths = count([text[start:stop] for start, stop in parts])
    fitting = []
    for (start, stop), length in zip(parts, lengths, strict=True):
        if length <= most or stop - start < 2:
            fitting.append((start, stop))
            continue
        middle = (start + stop) // 2
        space = text.rfind(" ", start + 1, middle)
        middle = space + 1 if space > 0 else middle
        halves = [_trimmed(text, start, middle), _trimmed(text, middle, stop)]
        halves = [half for half in halves if half[0] < half[1]]
        fitting += _fitting(text, halves, count, most)
    return fitting


def _packed(sentences: list[Window], lengths: list[int], most: int) -> list[Window]:
    packed = []
    first = total = 0
    for i, length in enumerate(lengths):
        if total + length > most and i > first:
            packed.append((sentences[first][0], sentences[i - 1][1]))
            overlaps = i - 1 > first and lengths[i - 1] + length <= most
            overlaps = overlaps and lengths[i - 1] <= most // 3
            first = i - 1 if overlaps else i
            total = lengths[i - 1] if overlaps else 0
        total += length
    if sentences:
        packed.append((sentences[first][0], sentences[-1][1]))
    return packed


def _trimmed(text: str, start: int, stop: int) -> Window:
    part = text[start:stop]
    start += len(part) - len(part.lstrip())
    return start, max(start, stop - (len(part) - len(part.rstrip())))
