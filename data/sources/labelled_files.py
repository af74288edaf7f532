"""Labelled files of one's own: CSV, TSV, JSONL or Parquet of text, label, language.

They are read as parallel files whose pivot column is the label, so that formats,
columns, compression and errors are the same. A row without a label is unlabelled text.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from configs.labels import LabelsConfig
from configs.schema import DataConfig
from data.sources import parallel_files
from data.sources.raw import RawLabelled

LABEL = "label"


def rows(config: DataConfig, labels: LabelsConfig, cache: Path) -> Iterator[RawLabelled]:
    """Yields the rows of `config.files` in the pivot and the other languages.

    Args:
        config: `files`, `columns`, `languages` and `pivot` are used.
        labels: Not used: there are no templates.
        cache: Not used: nothing is downloaded.

    Raises:
        BabeletError: See `data.sources.parallel_files.pairs`.
    """
    del labels
    for row in parallel_files.pairs(as_parallel(config), cache):
        problem = "" if row.problem == "no_pivot" else row.problem
        yield RawLabelled(
            row.origin,
            row.line,
            row.language,
            row.pivot_text,
            row.text,
            problem=problem,
        )


def as_parallel(config: DataConfig) -> DataConfig:
    """Returns the settings under which labels are the pivot's sentences."""
    languages = (config.pivot, *config.languages)
    return dataclasses.replace(config, pivot=LABEL, languages=languages)
