"""Builds a labelled corpus: reads a source, cleans and splits its rows, writes them.

A template is in one split. In each cell, a language and a class, templates are dealt
in the order of a hash; a cell of fewer than three only trains. Whatever folds to the
same words as a sentence of an earlier split is then left out of a later one.
"""

import dataclasses
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np

from babelet.configs.classification import LabelsConfig, class_name
from babelet.configs.schema import DataConfig, FoldsConfig
from babelet.core.atomic import atomic_path
from babelet.core.checksums import seal
from babelet.core.errors import BabeletError
from babelet.data import cleaning, splits
from babelet.data.class_names import is_unfit
from babelet.data.labelled_corpus import UNLABELLED, LabelledReport
from babelet.data.sources import LABELLED_SOURCES
from babelet.data.sources.raw import RawLabelled, RawPair

# Templates of a cell below which none is held out.
MIN_TEMPLATES = 3


def build_labelled_corpus(
    config: DataConfig,
    labels: LabelsConfig,
    folder: Path,
    cache: Path,
    folds: FoldsConfig = splits.NO_FOLDS,
) -> LabelledReport:
    """Writes `folder`, whole or not at all, for `LabelledCorpus` to open.

    Beside the corpus it holds `rejected.tsv`: file, line, language, reason, label,
    text of each row that was not taken.

    Args:
        config: The source, its languages and limits.
        labels: The classes, and how many sentences a template gives.
        folder: Replaced if it exists.
        cache: Folder that keeps downloads.
        folds: The fold of a cross-validation, if there is one.

    Raises:
        BabeletError: Unknown source or language, fewer than two classes, a wanted
            class without a sentence, or the source's own errors.
    """
    if config.source not in LABELLED_SOURCES:
        raise BabeletError(
            f"Unknown data.source {config.source!r} of labelled text",
            expected=f"one of {', '.join(LABELLED_SOURCES)}",
            remedy="change data.source in the recipe or with --set",
        )
    source = LABELLED_SOURCES[config.source]
    with (
        closing(source(config, labels, Path(cache))) as rows,
        atomic_path(folder) as partial,
    ):
        partial.mkdir()
        report = _build(config, labels, rows, partial, folds)
        seal(partial, but=("rejected.tsv",))
    return report


def _build(
    config: DataConfig,
    labels: LabelsConfig,
    rows: Iterable[RawLabelled],
    folder: Path,
    folds: FoldsConfig,
) -> LabelledReport:
    with Rejected(folder / "rejected.tsv") as rejected:
        accepted = _clean(rows, config, labels.classes, rejected)
        accepted = _without_ambiguous(accepted, rejected)
        classes = _classes(accepted, labels.classes, rejected.counts)
        split, cells, rare = deal(accepted, config, folds)
        kept = _without_leaks(accepted, split, rejected)
    languages = (config.pivot, *config.languages)
    arrays = _arrays([accepted[i] for i in kept], languages, classes)
    arrays["split"] = split[kept]
    report = _report(arrays, languages, classes, rejected.counts, (cells, rare))
    _write(folder, [accepted[i].text for i in kept], arrays)
    about = {"languages": languages, "classes": classes}
    about["report"] = dataclasses.asdict(report)
    about["fingerprint"] = _fingerprint(folder, languages, classes)
    text = json.dumps(about, indent=2, ensure_ascii=False)
    (folder / "corpus.json").write_text(text + "\n", "utf-8")
    return report


class Rejected:
    """The file of the rows that were not taken, written as they come.

    Attributes:
        counts: Of the rows by reason.
    """

    def __init__(self, path: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._file = open(path, "w", encoding="utf-8", errors="backslashreplace")
        self._file.write("\t".join((*cleaning.COLUMNS[:4], "label", "text")) + "\n")

    def __enter__(self) -> "Rejected":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, reason: str, row: RawLabelled) -> None:
        """Counts and lists a row."""
        self.counts[reason] += 1
        pair = RawPair(row.origin, row.line, row.language, row.label, row.text)
        cleaning.write_rejected(self._file, pair, reason)


def _clean(
    rows: Iterable[RawLabelled],
    config: DataConfig,
    classes: tuple[str, ...],
    rejected: Rejected,
) -> list[RawLabelled]:
    """Returns the good rows: texts cleaned, labels as they are given."""
    accepted, seen, known = [], set(), frozenset(classes)
    for row in rows:
        text, label = cleaning.clean_text(row.text), class_name(row.label)
        row = row._replace(text=text, label=label)
        reason = row.problem or cleaning.text_rejection(text, config.max_characters)
        if not reason and is_unfit(label):
            reason = "label"
        if not reason and known and label and label not in known:
            reason = "other_class"
        key = (row.language, label, text.casefold())
        if not reason and key in seen:
            reason = "duplicate"
        if reason:
            rejected.add(reason, row)
        else:
            seen.add(key)
            accepted.append(row)
    return accepted


def _without_ambiguous(rows: list[RawLabelled], rejected: Rejected) -> list:
    """Returns the rows whose text has one label in its language."""
    found = defaultdict(set)
    for row in rows:
        if row.label:
            found[row.language, row.text.casefold()].add(row.label)
    kept = []
    for row in rows:
        several = found[row.language, row.text.casefold()]
        if len(several) > 1:
            rejected.add("ambiguous", row)
        elif several and not row.label:
            rejected.add("duplicate", row)
        else:
            kept.append(row)
    return kept


def _classes(
    rows: list[RawLabelled], wanted: tuple[str, ...], rejected: Counter[str]
) -> tuple[str, ...]:
    counts = Counter(row.label for row in rows if row.label)
    classes = wanted or tuple(sorted(counts))
    empty = [name for name in classes if not counts[name]]
    if empty:
        raise BabeletError(
            f"The class {empty[0]!r} has no sentence",
            expected="at least one for each name of labels.classes",
            received=f"none for {len(empty)} of {len(classes)}; the text has "
            f"{', '.join(sorted(counts))[:200] or 'no labels'}",
            remedy="correct labels.classes or the labels in the text: they are "
            "compared letter by letter",
        )
    if len(classes) < 2:
        raise BabeletError(
            "There is nothing to classify",
            expected="text of two classes or more after cleaning",
            received=f"{', '.join(classes) or 'no label'}; rejected rows: "
            f"{', '.join(f'{name} {n:,}' for name, n in rejected.items()) or 'none'}",
            remedy="look at data.files and data.columns: the column of labels, or of "
            "texts, may be another",
        )
    return classes


def deal(
    rows: list[RawLabelled], config: DataConfig, folds: FoldsConfig = splits.NO_FOLDS
) -> tuple[np.ndarray, int, int]:
    """Deals templates to splits, cell by cell.

    In a cross-validation, what is left of a cell after the test is dealt to the folds
    in turn.

    Args:
        rows: A row without template is one by itself, by its folded text.
        config: The fractions.
        folds: The fold of a cross-validation, if there is one.

    Returns:
        int8 (rows,) of TRAIN, VALIDATION, TEST; the number of cells; and of cells
        with fewer than `MIN_TEMPLATES` templates, which only train.
    """
    cells: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    unit_of = [row.template or splits.group_key(row.text) for row in rows]
    for row, unit in zip(rows, unit_of, strict=True):
        if row.label:
            cells[row.language, row.label].setdefault(unit)
    split_of: dict[tuple[str, str, str], int] = {}
    rare = 0
    for (language, label), templates in cells.items():
        count = len(templates)
        rare += count < MIN_TEMPLATES
        if count >= MIN_TEMPLATES:
            ordered = sorted(templates, key=_hash)
            test = max(1, round(count * config.test_fraction))
            validation = max(1, round(count * config.validation_fraction))
            held_out = ordered[test : test + validation]
            if folds.count:
                held_out = _fold(ordered[test:], f"{language}\t{label}", folds)
            for split, units in (
                (splits.TEST, ordered[:test]),
                (splits.VALIDATION, held_out),
            ):
                split_of |= {(language, label, unit): split for unit in units}
    keys = ((row.language, row.label) for row in rows)
    split = [
        split_of.get((*key, unit), splits.TRAIN)
        for key, unit in zip(keys, unit_of, strict=True)
    ]
    return np.array(split, np.int8), len(cells), rare


def _fold(templates: list[str], cell: str, folds: FoldsConfig) -> list[str]:
    """Returns those of a cell's templates that validate in this fold."""
    # Else the cells of fewer templates than folds would all be in the first folds.
    first = int.from_bytes(_hash(cell)[:8], "big")
    return [
        template
        for place, template in enumerate(templates, start=first)
        if place % folds.count == folds.number
    ]


def _hash(template: str) -> bytes:
    return hashlib.sha256(f"{splits.SALT}\t{template}".encode()).digest()


def _without_leaks(
    rows: list[RawLabelled], split: np.ndarray, rejected: Rejected
) -> np.ndarray:
    """Returns row numbers: of a folded sentence in several splits, the first split's.

    Training keeps it; a test sentence that folds to a training sentence of any
    language would measure memory.
    """
    keys = [splits.group_key(row.text) for row in rows]
    first: dict[str, int] = {}
    for key, number in zip(keys, split.tolist(), strict=True):
        first[key] = min(first.get(key, number), number)
    kept = []
    for i, key in enumerate(keys):
        if split[i] > first[key]:
            rejected.add("in_earlier_split", rows[i])
        else:
            kept.append(i)
    return np.array(kept, np.int64)


def _arrays(
    rows: list[RawLabelled], languages: tuple[str, ...], classes: tuple[str, ...]
) -> dict[str, np.ndarray]:
    language_ids = {name: i for i, name in enumerate(languages)}
    class_ids = {name: i for i, name in enumerate(classes)} | {"": UNLABELLED}
    few = len(classes) <= np.iinfo(np.int16).max
    return {
        "sentence_language": np.array(
            [language_ids[row.language] for row in rows], np.int16
        ),
        "labels": np.array(
            [class_ids[row.label] for row in rows], np.int16 if few else np.int32
        ),
    }


def _report(
    arrays: dict[str, np.ndarray],
    languages: tuple[str, ...],
    classes: tuple[str, ...],
    rejected: Counter[str],
    cells: tuple[int, int],
) -> LabelledReport:
    language, labels, split = (
        arrays[name] for name in ("sentence_language", "labels", "split")
    )
    training = labels[(split == splits.TRAIN) & (labels != UNLABELLED)]
    per_class = np.bincount(training, minlength=len(classes)).tolist()
    counts = {
        name: {
            split_name: int(((language == i) & (split == j)).sum())
            for j, split_name in enumerate(splits.SPLITS)
        }
        for i, name in enumerate(languages)
    }
    return LabelledReport(
        rejected=dict(rejected.most_common()),
        counts=counts,
        classes=dict(zip(classes, per_class, strict=True)),
        cells=cells[0],
        training_only_cells=cells[1],
        unlabelled=int((labels == UNLABELLED).sum()),
    )


def _write(folder: Path, texts: list[str], arrays: dict[str, np.ndarray]) -> None:
    encoded = [text.encode() for text in texts]
    (folder / "sentences.bin").write_bytes(b"".join(encoded))
    lengths = np.array([0, *(len(data) for data in encoded)], np.int64)
    np.save(folder / "sentence_offsets.npy", np.cumsum(lengths))
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def _fingerprint(folder: Path, *names: tuple[str, ...]) -> str:
    digest = hashlib.sha256(json.dumps(names).encode())
    files = ("sentences.bin", "sentence_offsets.npy", "sentence_language.npy")
    for name in (*files, "labels.npy", "split.npy"):
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()
