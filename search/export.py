"""Writes the compact file that a page in a browser opens and searches offline.

  babelet search export --index=my.db --output=my.index
  babelet search export --index=my.db --output=my.index --language=de,en

The file holds the passages' texts, languages and vectors. Its bytes are described in
export/web/index_file.py: a header in JSON, then arrays that a page opens as they are.
Queries have to be embedded by the student that made the index; the file names it by
the SHA-256 of its weights, which each .tflite file of a run carries too.
"""

from contextlib import closing
from pathlib import Path

import numpy as np
from absl import flags

from babelet.core import command
from babelet.core.errors import BabeletError
from babelet.export.web.index_file import Index, write_index
from babelet.search.connection import connect, shown, transaction
from babelet.search.output import alone, require_output
from babelet.search.passages import Filter
from babelet.search.settings import read_settings


def export(index: Path, output: Path, where: Filter) -> int:
    """Writes the passages of an index to a file that is whole or absent.

    The whole file is in memory meanwhile, as it will be in the page.

    Args:
        index: What `babelet search build` made.
        output: The file.
        where: Which documents.

    Returns:
        How many passages.

    Raises:
        BabeletError: Something cannot be read or written, or no passage is left.
    """
    require_output(output, index)
    clause, values = where.clause("p.id")
    with closing(connect(index)) as connection, transaction(index, connection):
        model, _ = read_settings(connection)
        rows = connection.execute(
            "SELECT d.text, p.start, p.stop, d.language, v.vector FROM passages AS p "
            "JOIN vectors AS v ON v.passage = p.id "
            f"JOIN documents AS d ON d.id = p.document WHERE true{clause} "
            "ORDER BY p.id",
            values,
        )
        texts, languages, vectors = [], [], bytearray()
        for text, start, stop, language, vector in rows:
            texts.append(text[start:stop])
            languages.append(language)
            vectors += vector
        if not texts:
            raise BabeletError(
                f"{index} has no passage to export",
                remedy="build the index first, or choose another --language",
            )
        quantised = np.frombuffer(vectors, np.int8).reshape(len(texts), model.dim)
    name, weights = shown(index.stem), model.weights_sha256
    with alone(output):
        write_index(output, Index(name, texts, languages, weights, quantised))
    return len(texts)


def main(argv: list[str]) -> None:
    """Runs the command line."""
    command.require_none_left(argv, "the index is given as --index=FILE")
    index, output = Path(flags.FLAGS.index), Path(flags.FLAGS.output)
    languages = tuple(code for code in flags.FLAGS.language.split(",") if code)
    count = export(index, output, Filter(languages))
    print(f"{output}: {count:,} passages, {output.stat().st_size / 1e6:.1f} MB.")


if __name__ == "__main__":
    command.path_flag("index", None, "What babelet search build made.", required=True)
    command.path_flag("output", None, "The file to write.", required=True)
    flags.DEFINE_string("language", "", "Only these, as de,en.")
    command.run(main)
