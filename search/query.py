"""Asks an index in any language; answers come in all of its languages.

  babelet search query --index=my.db "QUERY"

  babelet search query --index=my.db "wo ist der Lichtschalter"
  babelet search query --index=my.db 電池 --language=en --top=3
  babelet search query --index=my.db "low battery" --where=room=kitchen --json

An answer is a document, with the passage that fits best: the cosine of its meaning and
the query's, the document's language, source and id, and the text. By default meaning
and words count (--mode=hybrid); --mode=vectors and --mode=words take one of them.
--exact compares with every vector, where otherwise bits choose the candidates.

--json writes one object a line: score, by_vector and by_words (the places in the two
rankings), source, key, language, text, start, stop (code points in the document),
metadata.

A query that begins with a dash is written after two of them:
  babelet search query --index=my.db -- "-heating"
"""

import dataclasses
import json
import sys
from pathlib import Path

from absl import flags

from babelet.core import command
from babelet.core.errors import BabeletError
from babelet.search.passages import Filter
from babelet.search.searcher import MODES, Hit, Searcher


def format_hit(number: int, hit: Hit) -> str:
    """Returns an answer as two lines to print."""
    places = f"meaning {hit.by_vector or '-'}, words {hit.by_words or '-'}"
    where = f"{hit.language or '??'}  {hit.key}  ({places})"
    text = " ".join(hit.text.split())
    return f"{number:2}. {hit.score:.3f}  {where}\n    {text}"


def where_from(languages: str, conditions: list[str]) -> Filter:
    """Returns the filter that --language=de,en and --where=name=value mean.

    Raises:
        BabeletError: A condition is not name=value.
    """
    pairs = []
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals:
            raise BabeletError(
                f"--where={condition} is no condition",
                expected="--where=NAME=VALUE",
                remedy="babelet search query --help shows an example",
            )
        pairs.append((name, value))
    codes = tuple(code.strip() for code in languages.split(",") if code.strip())
    return Filter(codes, tuple(pairs))


def run(query: str) -> None:
    """Prints the answers to `query`, as the flags say."""
    given = flags.FLAGS
    where = where_from(given.language, given.where)
    model = Path(given.model) if given.model else None
    searcher = Searcher(Path(given.index), model)
    hits = searcher.search(query, given.top, given.mode, where, given.exact)
    for number, hit in enumerate(hits, start=1):
        if given.json:
            print(json.dumps(dataclasses.asdict(hit), ensure_ascii=False))
        else:
            print(format_hit(number, hit))
    if not hits:
        print("Nothing was found.", file=sys.stderr)
    for line in warnings(searcher, query, hits):
        print(f"warning: {line}", file=sys.stderr)


def warnings(searcher: Searcher, query: str, hits: list[Hit]) -> list[str]:
    """Returns what makes the places of the answers doubtful, one line each."""
    found = []
    if not all(searcher.knows([query])):
        found.append(
            "the model knows no letter of the query: the answers are by words alone, "
            "and --mode=vectors tells nothing. Remedy: write it in a language the "
            "model was trained with"
        )
    known = searcher.knows([hit.text for hit in hits])
    unknown = sum(
        hit.by_vector is not None and not k for hit, k in zip(hits, known, strict=True)
    )
    if unknown:
        found.append(
            f"the model knows no letter of {unknown:,} of {len(hits):,} answers: by "
            "meaning their place is chance. Remedy: --mode=words, or an index made "
            "with a model that was trained with their language"
        )
    return found


def hint_at_dashes(arguments: list[str]) -> None:
    """Ends the process, with a hint, if a query was taken for a flag.

    Args:
        arguments: The command line, from the program's name.
    """
    try:
        flags.FLAGS(arguments)
    except flags.UnrecognizedFlagError as error:
        if error.flagname.startswith(("help", "?")):  # Known later.
            return
        sys.exit(
            f"error: There is no flag --{error.flagname}. Remedy: --help shows the "
            'flags; put -- before a query that begins with a dash: -- "-heating"'
        )
    except flags.Error:
        return  # Whoever parses the line for good tells.
    finally:
        flags.FLAGS.unparse_flags()


def main(argv: list[str]) -> None:
    """Runs the command line."""
    if len(argv) != 2:
        sys.exit(f'One query, received {len(argv) - 1}: write it in quotes, "...".')
    run(argv[1])


if __name__ == "__main__":
    command.path_flag("index", None, "What babelet search build made.", required=True)
    flags.DEFINE_string("language", "", "Of the answers: one code or several, de,en.")
    flags.DEFINE_multi_string("where", [], "NAME=VALUE that the metadata must have.")
    flags.DEFINE_integer("top", 10, "Answers at most.", lower_bound=1, upper_bound=500)
    flags.DEFINE_enum("mode", "hybrid", MODES, "What ranks the answers.")
    flags.DEFINE_bool("exact", False, "Compare with every vector.")
    flags.DEFINE_bool("json", False, "One JSON object a line.")
    command.path_flag("model", None, "The index's model, if it was moved.")
    hint_at_dashes(sys.argv)
    command.run(main)
