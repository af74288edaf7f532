"""What a gate found of an export folder, and what becomes of it."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.export.metadata import read_metadata, read_saved_metadata
from babelet.export.published import GOLDEN, PARITY

# Versions of packages, name and licence change no result.
_OF_NO_EFFECT = {"versions", "name", "licence", "config_sha256"}


class Verdict(NamedTuple):
    """What the gate found of a folder.

    Attributes:
        report: What parity.json holds; "artefacts" has a row for each way into a file.
        refused: By the path of each file that is not its student's: why.
        golden: Lines of golden.jsonl: texts with what any port should give for them.
    """

    report: dict[str, Any]
    refused: dict[str, BabeletError]
    golden: list[dict[str, Any]]

    def require_some(self) -> None:
        """Requires that a file passed, for an export to consist of.

        Raises:
            BabeletError: That of the first file, after the others' are printed.
        """
        if not any(row.get("kept", True) for row in self.report["artefacts"].values()):
            self.require_all()

    def require_all(self) -> None:
        """Requires that every file passed; raises and prints as `require_some`."""
        errors = list(self.refused.values())
        for other in errors[1:]:
            print(other)
        if errors:
            raise errors[0]

    def write(self, folder: Path) -> None:
        """Writes parity.json and golden.jsonl."""
        with atomic_path(folder / GOLDEN) as path:
            lines = (json.dumps(row, ensure_ascii=False) for row in self.golden)
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        with atomic_path(folder / PARITY) as path:
            text = json.dumps(self.report, indent=2) + "\n"
            path.write_text(text, encoding="utf-8")

    def print_refused(self) -> None:
        """Prints a line for each file that is left out."""
        for path, error in self.refused.items():
            print(f"warning: {path} is not written: {error}")


def require_metadata(path: Path, own: dict[str, Any]) -> None:
    """Requires what an exported file says of itself to be true of the student.

    Args:
        path: A LiteRT file or a SavedModel.
        own: What `export.rebuild.describe` says of the run.

    Raises:
        BabeletError: The file is of another student, whose results may be equal.
    """
    said = read_saved_metadata(path) if path.is_dir() else read_metadata(path)
    for name in own.keys() - _OF_NO_EFFECT:
        if said.get(name) != own[name]:
            raise BabeletError(
                f"{path.name} says something else of itself than its run",
                expected=f"{name} {own[name]}",
                received=str(said.get(name)),
                consequence="Its results would be wrong",
                remedy="export the run again",
            )
