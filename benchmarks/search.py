"""Measures an index of real sentences: building, querying, finding across languages.

    python -m benchmarks.search --workdir=runs/smart_home

Sentences of all languages of the run's corpus, without its held-out ones, are only
embedded, indexed, indexed once more into a new file, and only embedded again, in one
process, by as many threads and in the same batches: the ratio of the two times is the
share of the bare model's throughput. A build lasts from no file to a closed one; the
process's memory is noted every 10,000 documents. Queries are held-out sentences, which
the index does not have. Recall is against brute force over the float32 vectors. Across
languages: held-out sentences of each language are looked for among all held-out English
sentences.

Prints the figures, and writes <workdir>/search.json. The index is made in
<workdir>/search_benchmark and removed. Takes about seven minutes on 2 calm cores.
"""

import importlib.metadata
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from absl import flags
from tqdm import tqdm

from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.data.corpus import Corpus
from babelet.data.splits import TEST
from babelet.export.runtime import Embedder
from babelet.search.connection import connect
from babelet.search.documents import Document
from babelet.search.embedding import load_embedders
from babelet.search.lexical import WordRules
from babelet.search.passages import Filter
from babelet.search.searcher import Searcher
from babelet.search.settings import Model
from babelet.search.store import Store
from babelet.search.update import batches, update
from babelet.search.vector_ranking import nearest
from benchmarks.ranking import scores_by_pair

# Two characters each. The corpus has no Thai: these sentences are added.
SHORT_QUERIES = ("电池", "設定", "ไฟ")
THAI = ("เปิดไฟในห้องนอน", "ปิดไฟทั้งหมด", "ประตูหน้าบ้านเปิดอยู่", "ลดอุณหภูมิห้องครัว")
TOP = 10
MEMORY_EVERY = 10_000
_PACKAGES = ("apsw", "sqlite-vec", "ai-edge-litert", "numpy")


def choose(corpus: Corpus, count: int, embedder: Embedder) -> list[Document]:
    """Returns sentences of all languages that no held-out pair has, in mixed order.

    Those that the model takes in one piece: each is one passage, and one vector of
    the brute force.
    """
    held_out = np.unique(corpus.pairs[corpus.pair_split == TEST])
    ids = np.setdiff1d(np.arange(len(corpus.sentences)), held_out)
    ids = np.random.default_rng(0).permutation(ids)[: count + count // 10]
    documents = [_document(corpus, int(i)) for i in ids]
    tokens = embedder.count_tokens([document.text for document in documents])
    fits = [
        d for d, n in zip(documents, tokens, strict=True) if n <= embedder.max_length
    ]
    return fits[:count]


def _document(corpus: Corpus, i: int) -> Document:
    language = corpus.languages[corpus.sentence_language[i]]
    return Document("corpus", str(i), language, corpus.sentences[i], "{}")


def measure_build(
    folder: Path,
    model: Model,
    documents: Sequence[Document],
    embedders: Sequence[Embedder],
) -> dict[str, Any]:
    """Indexes the documents, and embeds them alone for comparison.

    Leaves the index in `folder`/index.db, and in `folder`/vectors the bare model's
    float32 (N, dim).

    Args:
        folder: An empty one.
        model: What the index calls the embedders' model.
        documents: N of them.
        embedders: Of one model, one a thread.

    Returns:
        Documents a second of both, each the mean of two passes; the ratio; the ratio
        of the processor's time, which other work on the machine changes less; and the
        process's memory in megabytes during both builds, every 10,000 documents.
    """
    memory: list[float] = []
    vectors, first = _timed(_embed_alone, documents, embedders)
    vectors.tofile(folder / "vectors")
    del vectors
    builds = []
    for _ in range(2):
        for file in folder.glob("index.db*"):
            file.unlink()
        path = folder / "index.db"
        builds.append(_timed(_build, path, model, documents, embedders, memory)[1])
    _, last = _timed(_embed_alone, documents, embedders)
    bare, build = np.mean([first, last], axis=0), np.mean(builds, axis=0)
    return {
        "documents": len(documents),
        "threads": len(embedders),
        "bare_per_second": len(documents) / bare[0],
        "build_per_second": len(documents) / build[0],
        "ratio": bare[0] / build[0],
        "ratio_of_processor_time": bare[1] / build[1],
        "seconds": [first[0], *(each[0] for each in builds), last[0]],
        "memory_mb": memory,
    }


def _timed(work: Callable[..., Any], *arguments: Any) -> tuple[Any, np.ndarray]:
    """Returns the result, and float64 (2,): seconds of the clock and processor."""
    start = time.perf_counter(), time.process_time()
    result = work(*arguments)
    end = time.perf_counter(), time.process_time()
    return result, np.subtract(end, start)


def _build(
    path: Path,
    model: Model,
    documents: Sequence[Document],
    embedders: Sequence[Embedder],
    memory: list[float],
) -> None:
    def watched() -> Iterator[Document]:
        for i, document in enumerate(documents, 1):
            yield document
            if i % MEMORY_EVERY == 0:
                memory.append(_resident_megabytes())

    store = Store.create(path, model, WordRules())
    update(store, "corpus", watched(), embedders, len(documents))
    store.close()


def _embed_alone(
    documents: Sequence[Document], embedders: Sequence[Embedder]
) -> np.ndarray:
    free: SimpleQueue[Embedder] = SimpleQueue()
    for embedder in embedders:
        free.put(embedder)

    def embed(batch: Sequence[Document]) -> np.ndarray:
        embedder = free.get()
        try:
            return embedder.encode([document.text for document in batch])
        finally:
            free.put(embedder)

    with ThreadPoolExecutor(len(embedders)) as pool:
        parts = pool.map(embed, batches(documents))
        total = len(documents)
        with tqdm(desc="Embedding", unit=" documents", total=total) as progress:
            found = []
            for part in parts:
                found.append(part)
                progress.update(len(part))
    return np.concatenate(found)


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure_queries(searcher: Searcher, queries: Sequence[str]) -> dict[str, float]:
    """Returns median and 95th percentile of milliseconds for a query, by mode.

    Of the clock and, where it says so, of the processor: a query has one thread, so
    on a calm machine they agree.
    """
    ways: dict[str, dict[str, Any]] = {
        "hybrid (default)": {},
        "vectors": {"mode": "vectors"},
        "vectors, plain int8": {"mode": "vectors", "exact": True},
        "words": {"mode": "words"},
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for query in tqdm(queries, desc="Asking", unit=" queries"):
        for name, way in ways.items():
            start = time.perf_counter(), time.process_time()
            searcher.search(query, TOP, **way)
            end = time.perf_counter(), time.process_time()
            times[name].append((1000 * (end[0] - start[0]), 1000 * (end[1] - start[1])))
    return {
        f"{name}, {label}": float(np.percentile(np.array(each)[:, column], share))
        for name, each in times.items()
        for label, share, column in (
            ("p50", 50, 0),
            ("p95", 95, 0),
            ("p50 of the processor", 50, 1),
        )
    }


def measure_recall(
    index: Path, queries: np.ndarray, vectors: np.ndarray
) -> dict[str, float]:
    """Returns recall@10 of the index's vectors against brute force in float32.

    Args:
        index: Its passages are numbered from 1 in the order of `vectors`.
        queries: float32 (Q, dim).
        vectors: float32 (N, dim).
    """
    connection = connect(index)
    hits = {"bits, then int8": [], "plain int8": []}
    for query in tqdm(queries, desc="Comparing", unit=" queries"):
        true = set(np.argsort(-(vectors @ query), kind="stable")[:TOP] + 1)
        for name, exact in zip(hits, (False, True), strict=True):
            found = nearest(connection, query, TOP, Filter(), exact)
            hits[name].append(len(true & {number for number, _ in found}) / TOP)
    return {name: float(np.mean(each)) for name, each in hits.items()}


def measure_languages(
    corpus: Corpus,
    folder: Path,
    model: Model,
    embedders: Sequence[Embedder],
    limit: int,
) -> dict[str, Any]:
    """Returns the ranks' scores by language: its sentences, English documents.

    Args:
        corpus: Its held-out pairs are used.
        folder: Where the index is made: all held-out English sentences.
        model: Embeds.
        embedders: The same, one a thread.
        limit: Queries of a language at most.
    """
    english = np.unique(corpus.pairs[corpus.pair_split == TEST][:, 0])
    documents = [_document(corpus, int(i)) for i in english]
    path = folder / "english.db"
    store = Store.create(path, model, WordRules())
    update(store, "english", documents, embedders)
    store.close()
    searcher = Searcher(path)
    modes = ("hybrid", "vectors")
    ranks: dict[str, list[int]] = {mode: [] for mode in modes}
    pairs = []
    for language in tqdm(corpus.languages[1:], desc="Asking", unit=" languages"):
        for pivot, own in corpus.pairs_of(TEST, language, limit).tolist():
            pairs.append((language, corpus.languages[0]))
            for mode in modes:
                hits = searcher.search(corpus.sentences[own], TOP, mode)
                keys = [hit.key for hit in hits]
                right = str(pivot)
                ranks[mode].append(keys.index(right) + 1 if right in keys else 0)
    found = {mode: scores_by_pair(np.array(ranks[mode]), pairs) for mode in modes}
    return {"documents": len(documents), **found}


def measure_short(searcher: Searcher, documents: Sequence[Document]) -> dict[str, Any]:
    """Returns of each short query how many have it, and how many answers do."""
    found = {}
    for query in SHORT_QUERIES:
        answers = [query in hit.text for hit in searcher.search(query, TOP)]
        by_words = [query in hit.text for hit in searcher.search(query, TOP, "words")]
        found[query] = {
            "documents": sum(query in document.text for document in documents),
            "of 10 answers": sum(answers),
            "of 10 by words": sum(by_words),
        }
    return found


def measure(
    workdir: Path, count: int, queries: int, cases: int, threads: int
) -> Iterator[tuple[str, Any]]:
    """Yields the name and the figures of each part; see the module.

    Args:
        workdir: A finished run.
        count: Documents.
        queries: Held-out sentences that are asked.
        cases: Of each language, across languages.
        threads: That embed.
    """
    corpus = Corpus(workdir / "corpus")
    model, embedders = load_embedders(workdir, threads)
    documents = choose(corpus, count, embedders[0])
    folder = workdir / "search_benchmark"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        path = folder / "index.db"
        yield "build", measure_build(folder, model, documents, embedders)
        thai = [Document("thai", str(i), "th", t, "{}") for i, t in enumerate(THAI)]
        asked = np.unique(corpus.pairs[corpus.pair_split == TEST])
        asked = np.random.default_rng(1).permutation(asked)[:queries]
        texts = corpus.sentences.texts(asked)
        asked_vectors = embedders[0].encode(texts)
        vectors = np.fromfile(folder / "vectors", np.float32).reshape(-1, model.dim)
        yield "recall@10", measure_recall(path, asked_vectors, vectors)
        store = Store.open(path)
        update(store, "thai", thai, embedders)
        store.close()
        yield "bytes", path.stat().st_size
        searcher = Searcher(path)
        yield "query_ms", measure_queries(searcher, texts)
        yield "short_queries", measure_short(searcher, [*documents, *thai])
        found = measure_languages(corpus, folder, model, embedders, cases)
        yield "languages", found
        yield "versions", {name: importlib.metadata.version(name) for name in _PACKAGES}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(_: list[str]) -> None:
    """Prints and writes the figures."""
    workdir, given = Path(flags.FLAGS.workdir), flags.FLAGS
    result = {}
    for name, figures in measure(
        workdir, given.documents, given.queries, given.cases, given.threads
    ):
        result[name] = figures
        print(name, json.dumps(figures, indent=2, ensure_ascii=False), flush=True)
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    with atomic_path(Path(given.output or workdir / "search.json")) as path:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    command.path_flag("workdir", None, "A finished run.", required=True)
    flags.DEFINE_integer("documents", 100_000, "Sentences to index.")
    flags.DEFINE_integer("queries", 300, "Held-out sentences to ask.")
    flags.DEFINE_integer("cases", 200, "Queries of a language, across languages.")
    flags.DEFINE_integer("threads", os.cpu_count() or 1, "Threads that embed.")
    command.path_flag("output", "", "A .json file; else <workdir>/search.json.")
    command.run(main)
