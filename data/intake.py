"""Takes the rows of a source one by one: rejects, numbers and groups them."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from configs.schema import DataConfig
from data import cleaning, splits
from data.numbering import Numbering, scratch_database
from data.sources.raw import RawPair


class Intake:
    """A context in which rows are taken, appended to files in `folder`.

    Files of raw numbers and UTF-8, in the order of ids: `pivot.bin`, `pivot.length`,
    `translation.bin`, `.length`, `.language`; `pair.ids` (pivot and translation),
    `pair.language`; and `rejected.tsv`.

    Attributes:
        rejected: Rows by reason.
        groups: Of pivot sentences, one for each in `pivot.bin`.
        pairs: Rows accepted.
        translations: Different ones, by (language, text).
    """

    def __init__(self, config: DataConfig, folder: Path) -> None:
        self.rejected: Counter[str] = Counter()
        self.groups = splits.Groups()
        self.pairs = self.translations = 0
        self._config = config
        self._folder = folder
        self._language_id = {name: i for i, name in enumerate(config.languages, 1)}
        self._stack = ExitStack()

    def __enter__(self) -> "Intake":
        enter = self._stack.enter_context
        database = enter(scratch_database(self._folder / "numbers.sqlite"))
        self._pair_ids = Numbering(database, "pairs")
        self._pivot_ids = Numbering(database, "pivots")
        self._translation_ids = Numbering(database, "translations")
        self._group_ids = Numbering(database, "groups")
        self._pivot = enter(_TextFile(self._folder / "pivot"))
        self._translation = enter(_TextFile(self._folder / "translation"))
        self._pair = enter(open(self._folder / "pair.ids", "wb"))
        self._pair_language = enter(open(self._folder / "pair.language", "wb"))
        self._text_language = enter(open(self._folder / "translation.language", "wb"))
        self._rejected = enter(
            open(
                self._folder / "rejected.tsv",
                "w",
                encoding="utf-8",
                errors="backslashreplace",
                newline="\n",
            )
        )
        self._rejected.write("\t".join(cleaning.COLUMNS) + "\n")
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.__exit__(*exception)

    def take(self, row: RawPair) -> None:
        """Adds the row to the corpus or to the rejected ones."""
        row = cleaning.clean(row)
        reason = cleaning.rejection(row, self._config)
        if not reason:
            key = f"{row.language}\t{row.pivot_text}\t{row.text}"
            if self._pair_ids.setdefault(key, self.pairs) < self.pairs:
                reason = "duplicate"
        if reason:
            self.rejected[reason] += 1
            cleaning.write_rejected(self._rejected, row, reason)
        else:
            self._accept(row)

    def _accept(self, row: RawPair) -> None:
        pivot = self._pivot_ids.setdefault(row.pivot_text, len(self.groups))
        if pivot == len(self.groups):
            self.groups.add(row.pivot_text)
            self._pivot.append(row.pivot_text)
            self._unite(pivot, self._config.pivot, row.pivot_text)
        language = np.int16(self._language_id[row.language]).tobytes()
        key = f"{row.language}\t{row.text}"
        translation = self._translation_ids.setdefault(key, self.translations)
        if translation == self.translations:
            self.translations += 1
            self._translation.append(row.text)
            self._text_language.write(language)
        self._unite(pivot, row.language, row.text)
        self._pair.write(np.array([pivot, translation], np.int32).tobytes())
        self._pair_language.write(language)
        self.pairs += 1

    def _unite(self, pivot: int, language: str, text: str) -> None:
        key = f"{language}\t{splits.group_key(text)}"
        self.groups.unite(pivot, self._group_ids.setdefault(key, pivot))


class _TextFile:
    """Texts one after the other in `<path>.bin`, their bytes in `<path>.length`."""

    def __init__(self, path: Path) -> None:
        self._texts = open(path.with_suffix(".bin"), "wb")
        self._lengths = open(path.with_suffix(".length"), "wb")

    def __enter__(self) -> "_TextFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._texts.close()
        self._lengths.close()

    def append(self, text: str) -> None:
        data = text.encode()
        self._texts.write(data)
        self._lengths.write(np.int32(len(data)).tobytes())
