"""Writes the compact file that a page in a browser opens and searches offline.

  python -m search.export --index=my.db --output=my.index
  python -m search.export --index=my.db --output=my.index --language=de,en

The file holds texts, languages, ids and vectors; search/compact.py describes every
byte, and has a reader. Queries have to be embedded by the model that made the index,
which the file names by its SHA-256.
"""

import sys
from pathlib import Path

from absl import app, flags

from configs.errors import BabeletError
from search.compact import write_compact
from search.filters import Filter


def main(argv: list[str]) -> None:
    """Runs the command line; a user's error is one line and exit status 2."""
    if len(argv) > 1:
        sys.exit(f"Unknown argument {argv[1]}: the index is given as --index=FILE.")
    index, output = Path(flags.FLAGS.index), Path(flags.FLAGS.output)
    languages = tuple(code for code in flags.FLAGS.language.split(",") if code)
    try:
        count = write_compact(index, output, Filter(languages))
    except BabeletError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"{output}: {count:,} passages, {output.stat().st_size / 1e6:.1f} MB.")


if __name__ == "__main__":
    flags.DEFINE_string("index", None, "What search.build made.", required=True)
    flags.DEFINE_string("output", None, "The file to write.", required=True)
    flags.DEFINE_string("language", "", "Only these, as de,en.")
    app.run(main)
