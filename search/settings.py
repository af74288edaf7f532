"""What an index remembers of how it was made: the table `settings`."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import apsw

from babelet.core.errors import BabeletError
from babelet.search.lexical import WordRules
from babelet.search.quantise import QUANTISATION


@dataclasses.dataclass(frozen=True)
class Model:
    """The file that made an index's vectors."""

    path: Path
    # Of the file: its vectors can be compared with no other's.
    sha256: str
    # Of the student it was made of, which its other exports share; "" if not known.
    weights_sha256: str
    dim: int


# What an index has to remember, as it is called in an error.
_KINDS = {
    "model_path": ("a path", str),
    "model_sha256": ("a text", str),
    "weights_sha256": ("a text", str),
    "dim": ("a whole number", int),
    "words": ("JSON", str),
}


def read_settings(connection: apsw.Connection) -> tuple[Model, WordRules]:
    """Returns the model and the rules that an index was made with.

    Raises:
        BabeletError: One is missing, or of another kind.
    """
    rows: list[Any] = connection.execute("SELECT name, value FROM settings").fetchall()
    found = dict(rows)
    for name, (kind, right) in _KINDS.items():
        if not isinstance(found.get(name), right):
            raise BabeletError(
                f"The index does not say its {name}",
                expected=kind,
                received=repr(found.get(name))[:80],
                consequence="It was left as it is",
                remedy="restore a copy, or move the file away and build it anew",
            )
    model = Model(
        path=Path(found["model_path"]),
        sha256=found["model_sha256"],
        weights_sha256=found["weights_sha256"],
        dim=found["dim"],
    )
    rules = json.loads(found["words"])
    return model, WordRules(stem=rules["stem"], stop_words=rules["stop_words"])


def write_settings(connection: apsw.Connection, model: Model, rules: WordRules) -> None:
    """Notes them in a new index."""
    values = {
        "model_path": str(model.path),
        "model_sha256": model.sha256,
        "weights_sha256": model.weights_sha256,
        "dim": model.dim,
        "quantisation": QUANTISATION,
        "words": rules.to_json(),
    }
    for name, value in values.items():
        put_setting(connection, name, value)


def get_setting(connection: apsw.Connection, name: str, default: Any) -> Any:
    """Returns a value, or `default` if there is none."""
    row = connection.execute(
        "SELECT value FROM settings WHERE name = ?", (name,)
    ).fetchone()
    return default if row is None else row[0]


def put_setting(connection: apsw.Connection, name: str, value: Any) -> None:
    """Writes a value over the one before."""
    connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))
