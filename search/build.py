"""Makes an index of documents, or brings one up to date.

  babelet search build --model=runs/smart_home --input=docs.tsv --index=my.db
  babelet search build --input=docs.tsv --index=my.db      after docs.tsv has changed

--input is a .tsv, .jsonl, .parquet, .txt or .md file, or a folder of them, and may be
given several times. Rows have a `text`; `id` and `language` if there are such columns;
other columns are kept as metadata. A .tsv without a header has one column, the text, or
two, language and text. In a folder each .txt and .md file is one document; hidden files
are skipped.

The index mirrors each input: run again, it embeds what is new or changed and takes out
what is gone. The inputs of other commands stay. An input is known by its path, or by
the --source it is given; --delete=SOURCE takes all of one out again.

A build that was stopped or killed continues with the same command. Others can search
the index meanwhile.

The model's file is noted in the index, so later builds and queries find it. Another
model needs all vectors anew:
  babelet search build --reembed --model=runs/other --index=my.db
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from absl import flags

from babelet.core import command
from babelet.core.errors import BabeletError
from babelet.export.runtime import Embedder
from babelet.search.beside import remove_beside
from babelet.search.connection import (
    connect,
    explained,
    is_index,
    locked,
    require_file,
    shown,
)
from babelet.search.document_files import document_files
from babelet.search.documents import count_documents, read_documents
from babelet.search.embedding import load_embedders, require_same
from babelet.search.lexical import WordRules
from babelet.search.reembed import reembed
from babelet.search.store import Store
from babelet.search.update import Update, update


def build(
    index: Path,
    inputs: list[Path],
    model: Path | None,
    source: str,
    language: str,
    rules: WordRules,
    threads: int,
) -> Update:
    """Makes or updates `index` so that it mirrors `inputs`.

    Args:
        index: The file; made if it is not there.
        inputs: Files and folders.
        model: A run or a .tflite file; None is the one the index was made with.
        source: What to call the input; "" is its path.
        language: Of documents that do not tell theirs.
        rules: How text becomes words, of a new index.
        threads: That embed.

    Raises:
        BabeletError: Something cannot be read, written or loaded.
    """
    total = Update()
    with locked(index), _none_left_empty(index):
        store, embedders = _open(index, model, rules, threads)
        with contextlib.closing(store):
            for path in inputs:
                name = source or shown(path.resolve())
                documents = read_documents(path, name, language)
                expected = count_documents(path)
                total.add(update(store, name, documents, embedders, expected))
    return total


@contextlib.contextmanager
def _none_left_empty(index: Path) -> Iterator[None]:
    """Removes an index that was made in the block, if nothing went in."""
    index = index.resolve()
    is_new = not index.exists()
    try:
        yield
    finally:
        if is_new and not (is_index(index) and _has_documents(index)):
            remove_beside(index)


def _has_documents(index: Path) -> bool:
    with contextlib.closing(connect(index)) as connection:
        return bool(connection.execute("SELECT EXISTS (SELECT 1 FROM documents)").get)


def delete(index: Path, source: str) -> int:
    """Takes all documents of one input out of `index`; returns how many.

    Raises:
        BabeletError: There is no such index or input, or it cannot be written.
    """
    require_file(index)
    with locked(index):
        store = Store.open(index)
        try:
            store.begin(source)
            sources = store.sources()
            if source not in sources:
                raise BabeletError(
                    f"{index} has no documents from {source}",
                    expected=f"one of {', '.join(sources) or 'none: it is empty'}",
                    remedy="babelet search inspect lists the inputs",
                )
            return store.delete_unseen()
        finally:
            store.close()


def _open(
    index: Path, model: Path | None, rules: WordRules, threads: int
) -> tuple[Store, list[Embedder]]:
    if is_index(index):
        store = Store.open(index)
        wanted, embedders = load_embedders(model or store.model.path, threads)
        require_same(index, store.model, wanted)
        return store, embedders
    if model is None:
        raise BabeletError(
            f"There is no index {index} yet, and no model to make it with",
            remedy="add --model=runs/smart_home, or correct --index",
        )
    wanted, embedders = load_embedders(model, threads)
    return Store.create(index, wanted, rules), embedders


def run() -> None:
    """Does what the flags say."""
    given = flags.FLAGS
    index = Path(given.index)
    model = Path(given.model) if given.model else None
    if given.delete:
        print(f"Deleted {delete(index, given.delete):,} documents.")
    elif given.reembed:
        count = reembed(index, model, given.threads)
        print(f"Embedded all {count:,} documents anew.")
    elif not given.input or (given.source and len(given.input) > 1):
        raise BabeletError(
            "It is not clear what to index",
            expected="--input once or several times; once if --source names it",
            received=f"{len(given.input)} inputs",
            remedy="babelet search build --help shows examples",
        )
    else:
        inputs = [Path(path) for path in given.input]
        rules = WordRules(given.stem, given.stop_words)
        done = build(
            index, inputs, model, given.source, given.language, rules, given.threads
        )
        hidden = sum(document_files(path)[1] for path in inputs)
        name = shown(index)
        print(
            f"{name}: {done.read:,} documents read, {done.embedded:,} embedded, "
            f"{done.read - done.embedded:,} as before, {done.deleted:,} taken out."
            + (f" {hidden:,} hidden files skipped." if hidden else "")
        )
        for language in done.unknown_languages():
            print(_warning(language, done), file=sys.stderr)


def _warning(language: str, done: Update) -> str:
    return (
        f"warning: the model knows no letter of {done.unknown[language]:,} of "
        f"{done.passages[language]:,} passages in {language or 'no known language'}. "
        "They all have one vector: queries find them by their words alone. Remedy: "
        "use a model that was trained with this language."
    )


def main(argv: list[str]) -> None:
    """Runs the command line."""
    command.require_none_left(argv, "inputs are given as --input=FILE")
    with explained(Path(flags.FLAGS.index)):
        run()


if __name__ == "__main__":
    command.path_flag("index", None, "The index, an SQLite file.", required=True)
    command.paths_flag("input", [], "A file or folder of documents.")
    command.path_flag(
        "model", None, "A run or a .tflite file; not needed once the index is there."
    )
    flags.DEFINE_string("source", "", "What to call the input; else its path.")
    flags.DEFINE_string("language", "", "Of documents that do not tell theirs.")
    flags.DEFINE_bool("stem", False, "Cut word endings, in a new index's full text.")
    flags.DEFINE_bool("stop_words", False, "Leave the commonest words out of it.")
    flags.DEFINE_integer(
        "threads", os.cpu_count() or 1, "Threads that embed.", lower_bound=1
    )
    flags.DEFINE_bool("reembed", False, "Make all vectors anew, with --model.")
    flags.DEFINE_string("delete", "", "An input to take out, by path or --source.")
    command.run(main)
