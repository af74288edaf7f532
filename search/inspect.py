"""Prints what an index holds, and verifies that it is whole.

  babelet search inspect --index=my.db
  babelet search inspect --index=my.db --repair

Counts documents and passages, by language and by input; names the model; checks every
page of the file, that every passage has its vector, bits and words, and that no text
changed unnoticed. Exit status 1 if something is wrong.

--repair makes bits and words anew from texts and vectors: a damaged page of these
tables is replaced. Of texts and vectors themselves restore a copy, or build anew.
"""

import json
import sys
from pathlib import Path
from typing import Any

from absl import flags

from babelet.core import command
from babelet.search.inspection import inspect
from babelet.search.repair import repair


def format_facts(facts: dict[str, Any]) -> str:
    """Returns what `inspect` found, as lines to print."""
    languages = ", ".join(f"{x or '??'} {n:,}" for x, n in facts["languages"].items())
    lines = [
        f"Documents  {facts['documents']:,} in {facts['passages']:,} passages; "
        f"{facts['empty']:,} without text",
        f"Languages  {languages or 'none'}",
        *(f"Input      {name}: {n:,}" for name, n in facts["sources"].items()),
        f"Model      {facts['model']}",
        f"           SHA-256 {facts['model_sha256']}, dimension {facts['dim']}",
        f"Words      {facts['words']}",
        f"Size       {facts['bytes'] / 1e6:,.1f} MB",
        *(f"PROBLEM    {problem}" for problem in facts["problems"]),
    ]
    return "\n".join([*lines, *([] if facts["problems"] else ["Whole: yes"])])


def main(argv: list[str]) -> None:
    """Runs the command line."""
    if len(argv) > 1:
        sys.exit(f"Unknown argument {argv[1]}: the index is given as --index=FILE.")
    index = Path(flags.FLAGS.index)
    if flags.FLAGS.repair:
        repair(index)
    facts = inspect(index)
    print(json.dumps(facts, indent=2) if flags.FLAGS.json else format_facts(facts))
    sys.exit(1 if facts["problems"] else 0)


if __name__ == "__main__":
    command.path_flag("index", None, "What babelet search build made.", required=True)
    flags.DEFINE_bool("repair", False, "Make bits and words anew first.")
    flags.DEFINE_bool("json", False, "Print JSON.")
    command.run(main)
