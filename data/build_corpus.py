"""Builds a corpus: reads a source, cleans its rows, numbers, splits and writes them.

Rows stream through; what stays in memory is some bytes per pivot sentence.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import BinaryIO

import numpy as np
from tqdm import tqdm

from babelet.configs.data import PairDataConfig
from babelet.configs.embedding import DataConfig
from babelet.configs.schema import FoldsConfig
from babelet.core.atomic import atomic_path
from babelet.core.checksums import seal
from babelet.core.errors import BabeletError
from babelet.data import splits
from babelet.data.accepted_rows import Intake
from babelet.data.corpus import CorpusReport
from babelet.data.neighbours import near_neighbours
from babelet.data.sources import SOURCES
from babelet.data.sources.raw import RawPair

# Rows of an array file that are in memory at a time.
CHUNK = 65536


def build_corpus(
    config: PairDataConfig,
    folder: Path,
    cache: Path,
    folds: FoldsConfig = splits.NO_FOLDS,
) -> CorpusReport:
    """Writes `folder`, whole or not at all, for `data.corpus.Corpus` to open.

    Beside the corpus it holds `rejected.tsv`: file, line, language, reason,
    pivot_text, text of each row that was not taken.

    Args:
        config: The source, its languages and limits.
        folder: Replaced if it exists.
        cache: Folder that keeps downloads.
        folds: The fold of a cross-validation, if there is one.

    Raises:
        BabeletError: Unknown source or language, no row left, or the source's or the
            disk's own errors.
    """
    if config.source not in SOURCES:
        raise BabeletError(
            f"Unknown data.source {config.source!r}",
            expected=f"one of {', '.join(SOURCES)}",
            remedy="change data.source in the recipe or with --set",
        )
    # Closed, also after an error, so that its progress bar ends its line.
    with (
        closing(SOURCES[config.source](config, Path(cache))) as rows,
        atomic_path(folder) as partial,
    ):
        partial.mkdir()
        report = _build(config, rows, partial, folds)
        seal(partial, but=("rejected.tsv",))
    return report


def _build(
    config: PairDataConfig, rows: Iterable[RawPair], folder: Path, folds: FoldsConfig
) -> CorpusReport:
    with Intake(config, folder) as intake:
        for row in rows:
            intake.take(row)
    if not intake.pairs:
        raise BabeletError(
            f"No row of {config.source} is left after cleaning",
            received=f"rejected rows: {dict(intake.rejected)}",
            remedy="widen data.min_characters, data.max_characters, data.languages",
        )
    languages = (config.pivot, *config.languages)
    roots = intake.groups.roots()
    split_of_pivot = splits.assign(
        roots,
        intake.groups.digests(),
        config.validation_fraction,
        config.test_fraction,
        folds,
    )
    near_of_pivot = _near(folder / "pivot.bin", folder / "pivot.length", split_of_pivot)
    tables, near_share = _write_pairs(
        folder, intake.pairs, split_of_pivot, near_of_pivot, languages
    )
    if isinstance(config, DataConfig) and config.weights:
        _write_entries(folder, intake.pairs)
    _write_sentences(folder, len(roots), intake.translations)
    sizes = np.bincount(roots)
    report = CorpusReport(
        rejected=dict(intake.rejected.most_common()),
        **tables,
        pivots=len(roots),
        groups=int(np.count_nonzero(sizes)),
        largest_group=int(sizes.max()),
        near_share=near_share,
    )
    about = {"languages": languages, "report": dataclasses.asdict(report)}
    about["fingerprint"] = _fingerprint(folder, languages)
    text = json.dumps(about, indent=2, ensure_ascii=False)
    (folder / "corpus.json").write_text(text + "\n", "utf-8")
    return report


def _near(texts: Path, lengths: Path, split_of_pivot: np.ndarray) -> np.ndarray:
    """Returns bool (pivots,): held out, and with a near neighbour in training."""
    held_out = np.flatnonzero(split_of_pivot != splits.TRAIN)

    def words(keep: np.ndarray) -> Iterator[set[str]]:
        for text, wanted in zip(_texts(texts, lengths), keep, strict=True):
            if wanted:
                yield set(splits.fold(text).split())

    queries = words(split_of_pivot != splits.TRAIN)
    training = tqdm(
        words(split_of_pivot == splits.TRAIN),
        desc="Near neighbours",
        total=len(split_of_pivot) - len(held_out),
        unit="sentence",
    )
    near = np.zeros(len(split_of_pivot), bool)
    near[held_out] = near_neighbours(queries, training)
    return near


def _write_pairs(
    folder: Path,
    count: int,
    split_of_pivot: np.ndarray,
    near_of_pivot: np.ndarray,
    languages: tuple[str, ...],
) -> tuple[dict[str, dict[str, dict[str, int]]], float]:
    """Writes the arrays of pairs; returns counts, and the share of near pairs."""
    # Of pairs, and of sentences alone.
    counts = np.zeros((2, len(languages), len(splits.SPLITS)), np.int64)
    near_pairs = 0
    with ExitStack() as stack:
        names = {"pairs": (np.int32, (count, 2)), "pair_language": (np.int16, (count,))}
        names |= {"pair_split": (np.int8, (count,)), "pair_near": (np.bool_, (count,))}
        files = {
            name: stack.enter_context(_array_file(folder / f"{name}.npy", *what))
            for name, what in names.items()
        }
        pair_chunks = _chunks(folder / "pair.ids", np.int32, 2)
        language_chunks = _chunks(folder / "pair.language", np.int16)
        for pairs, language in zip(pair_chunks, language_chunks, strict=True):
            pairs = pairs.reshape(-1, 2)
            split, near = split_of_pivot[pairs[:, 0]], near_of_pivot[pairs[:, 0]]
            alone = pairs[:, 1] < 0
            np.add.at(counts, (alone.astype(int), language, split), 1)
            near_pairs += int(near.sum())
            # Translations are numbered after the pivot sentences.
            pairs[:, 1] += len(split_of_pivot)
            pairs[alone, 1] = pairs[alone, 0]
            files["pairs"].write(pairs.tobytes())
            files["pair_language"].write(language.tobytes())
            files["pair_split"].write(split.tobytes())
            files["pair_near"].write(near.tobytes())
    held_out = int(counts[..., 1:].sum())
    paired, alone = (
        {
            language: dict[str, int](zip(splits.SPLITS, row, strict=True))
            for language, row in zip(languages, table, strict=True)
        }
        for table in counts.tolist()
    )
    del paired[languages[0]]
    alone = {name: row for name, row in alone.items() if any(row.values())}
    tables = {"counts": paired, "monolingual": alone}
    return tables, near_pairs / max(1, held_out)


def _write_entries(folder: Path, count: int) -> None:
    """Writes the entry of `data.files` that each pair comes from."""
    with _array_file(folder / "pair_entry.npy", np.int32, (count,)) as file:
        for entries in _chunks(folder / "pair.entry", np.int32):
            file.write(entries.tobytes())


def _write_sentences(folder: Path, pivots: int, translations: int) -> None:
    """Writes texts, offsets and languages; removes the files they come from."""
    count, end = pivots + translations, 0
    with _array_file(folder / "sentence_offsets.npy", np.int64, (count + 1,)) as file:
        file.write(np.int64(0).tobytes())
        for name in ("pivot", "translation"):
            for lengths in _chunks(folder / f"{name}.length", np.int32):
                offsets = end + np.cumsum(lengths, dtype=np.int64)
                file.write(offsets.tobytes())
                end = int(offsets[-1])
    with _array_file(folder / "sentence_language.npy", np.int16, (count,)) as file:
        for name in ("pivot", "translation"):
            for language in _chunks(folder / f"{name}.language", np.int16):
                file.write(language.tobytes())
    with open(folder / "pivot.bin", "ab") as file:
        for data in _chunks(folder / "translation.bin", np.uint8):
            file.write(data.tobytes())
    (folder / "pivot.bin").rename(folder / "sentences.bin")
    for pattern in ("pivot.*", "translation.*", "pair.*"):
        for path in folder.glob(pattern):
            path.unlink()


def _texts(texts: Path, lengths: Path) -> Iterator[str]:
    with open(texts, "rb") as file:
        for chunk in _chunks(lengths, np.int32):
            for length in chunk.tolist():
                yield file.read(length).decode()


def _chunks(path: Path, dtype: type, width: int = 1) -> Iterator[np.ndarray]:
    """Yields a file of raw numbers, CHUNK rows of `width` at a time."""
    with open(path, "rb") as file:
        while len(chunk := np.fromfile(file, dtype, CHUNK * width)):
            yield chunk


def _array_file(path: Path, dtype: type, shape: tuple[int, ...]) -> BinaryIO:
    """Returns a .npy file with its header written, for chunks to be appended."""
    file = open(path, "wb")
    header = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(file, header)
    return file


def _fingerprint(folder: Path, languages: tuple[str, ...]) -> str:
    """Returns a SHA-256 of the languages and of all files of the corpus."""
    digest = hashlib.sha256(" ".join(languages).encode())
    names = ("sentences.bin", "sentence_offsets", "sentence_language", "pairs")
    for name in (*names, "pair_language", "pair_split", "pair_near", "pair_entry"):
        file = folder / (name if "." in name else f"{name}.npy")
        if name == "pair_entry" and not file.exists():
            continue
        with open(file, "rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()
