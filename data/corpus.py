"""A corpus on disk: sentences, pairs and splits, opened without being loaded."""

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from babelet.core.boundary import run_folder
from babelet.core.checksums import require_seal
from babelet.core.errors import BabeletError
from babelet.core.run_files import read_json
from babelet.data.splits import SPLITS


@dataclasses.dataclass(frozen=True)
class CorpusReport:
    """What `data.build_corpus.build_corpus` found."""

    # Rejected rows by reason.
    rejected: dict[str, int]
    # Pairs by language and split.
    counts: dict[str, dict[str, int]]
    # Pivot sentences, their groups, and the pivot sentences of the largest group.
    pivots: int
    groups: int
    largest_group: int
    # Of held-out pairs, those with a near neighbour in training.
    near_share: float
    # Sentences without a translation, by language and split.
    monolingual: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)


class SentenceStore(Sequence[str]):
    """Texts in a file, read on demand.

    They are read, not mapped: pages of a mapping that were touched would count as
    this process's memory.
    """

    def __init__(self, folder: Path) -> None:
        self._file = open(folder / "sentences.bin", "rb")
        self._offsets = np.load(folder / "sentence_offsets.npy", mmap_mode="r")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, i: int) -> str:
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        i %= len(self)
        start, end = int(self._offsets[i]), int(self._offsets[i + 1])
        return os.pread(self._file.fileno(), end - start, start).decode()

    def texts(self, ids: Iterable[int]) -> list[str]:
        """Returns the sentences with these ids, in their order."""
        return [self[int(i)] for i in ids]


def description(folder: Path) -> dict:
    """Returns the `corpus.json` of a corpus.

    Raises:
        BabeletError: There is none, or it is damaged.
    """
    file = folder / "corpus.json"
    if not file.is_file():
        raise BabeletError(
            f"There is no corpus at {folder}",
            remedy="run babelet distill with this --workdir first",
        )
    require_seal(folder, remedy=f"delete {folder} and run the command again")
    return read_json(file, ("languages", "fingerprint", "report"))


class Corpus:
    """The folder that `data.build_corpus.build_corpus` wrote.

    Attributes:
        languages: The pivot first; a language's id is its index.
        sentences: First those that the teacher reads in training, which are pivot
            sentences and sentences without a translation, then translations; unique
            by (language, text) among either.
        sentence_language: int16 (sentences,).
        pairs: int32 (pairs, 2), sentence ids of the pivot and of its translation; of
            a sentence without one, its own id twice.
        pair_language: int16 (pairs,), of the translation.
        pair_entry: int32 (pairs,), the entry of `data.files` it comes from, where
            these have weights.
        pair_split: int8 (pairs,) of TRAIN, VALIDATION, TEST.
        pair_near: bool (pairs,), held-out pairs whose pivot sentence has a near
            neighbour in training.
        fingerprint: SHA-256 of the content.
        report: What building it found.
    """

    def __init__(self, folder: Path) -> None:
        folder = Path(folder)
        about = description(folder)
        with run_folder(folder / "corpus.json"):
            self.languages = tuple(about["languages"])
            self.fingerprint: str = about["fingerprint"]
            self.report = CorpusReport(**about["report"])
        with run_folder(folder):
            self._open_arrays(folder)

    def _open_arrays(self, folder: Path) -> None:
        self.sentences = SentenceStore(folder)
        self.sentence_language = _open(folder, "sentence_language")
        self.pairs = _open(folder, "pairs")
        self.pair_language = _open(folder, "pair_language")
        self.pair_split = _open(folder, "pair_split")
        self.pair_near = _open(folder, "pair_near")
        self.pair_entry = None
        if (folder / "pair_entry.npy").exists():
            self.pair_entry = _open(folder, "pair_entry")

    def counts(self) -> dict[str, dict[str, int]]:
        """Returns the number of pairs by language and name of the split."""
        return self.report.counts

    def pairs_of(
        self, split: int, language: str, limit: int | None = None
    ) -> np.ndarray:
        """Returns pairs of one language in which no sentence occurs twice.

        Retrieval is ill-posed with two right answers, so of the pairs that share a
        sentence one is kept. The choice is fixed and spread over the corpus; a
        smaller limit gives the beginning of what a larger one gives.

        Args:
            split: TRAIN, VALIDATION or TEST of data.splits.
            language: One of `languages`, not the pivot.
            limit: Pairs at most; None for all.

        Returns:
            int32 (n, 2) of sentence ids.
        """
        pairs = self._spread(split, self._language_id(language), alone=False)
        chosen: list[int] = []
        seen: set[int] = set()
        for row, (pivot, translation) in enumerate(pairs.tolist()):
            if limit is not None and len(chosen) >= limit:
                break
            if pivot not in seen and translation not in seen:
                seen |= {pivot, translation}
                chosen.append(row)
        return pairs[chosen]

    def sentences_of(
        self, split: int, language: str, limit: int | None = None
    ) -> list[str]:
        """Returns sentences without a translation, chosen as `pairs_of` does.

        Args:
            split: TRAIN, VALIDATION or TEST of data.splits.
            language: One of `languages`.
            limit: Sentences at most; None for all.
        """
        rows = self._spread(split, self.languages.index(language), alone=True)
        return self.sentences.texts(rows[:limit, 0])

    def _spread(self, split: int, language_id: int, alone: bool) -> np.ndarray:
        """Returns int32 (n, 2), the rows of a split and language in a mixed order."""
        mask = (self.pair_split == split) & (self.pair_language == language_id)
        pairs = self.pairs[np.flatnonzero(mask)]
        pairs = pairs[(pairs[:, 0] == pairs[:, 1]) == alone]
        # Fibonacci hashing: an even spread, and the same pivot sentences are chosen
        # for every language that has them, which spares encoding.
        order = pairs[:, 0].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        return pairs[np.argsort(order, kind="stable")]

    def _language_id(self, language: str) -> int:
        if language not in self.languages[1:]:
            raise BabeletError(
                f"The corpus has no translations into {language!r}",
                expected=f"one of {' '.join(self.languages[1:])}",
                remedy="choose one of these, or add it to data.languages",
            )
        return self.languages.index(language)


def format_counts(report: CorpusReport) -> str:
    """Returns lines to print: rejected rows by reason, the others by language, split.

    Sentences without a translation are told from pairs by "alone".
    """
    reasons = sorted(report.rejected.items(), key=lambda item: -item[1])
    lines = ["Rejected: " + ", ".join(f"{name} {n:,}" for name, n in reasons)]
    lines.append(f"{'':10}" + "".join(f"{split:>12}" for split in SPLITS))
    alone = {f"{name} alone": row for name, row in report.monolingual.items()}
    for language, counts in (report.counts | alone).items():
        cells = "".join(f"{counts[split]:12,}" for split in SPLITS)
        lines.append(f"{language:10}{cells}")
    return "\n".join(lines)


def _open(folder: Path, name: str) -> np.ndarray:
    return np.load(folder / f"{name}.npy", mmap_mode="r")
