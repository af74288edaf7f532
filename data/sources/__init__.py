"""Where parallel and labelled text comes from, one file per source.

A source is a function of the settings and of the folder that keeps downloads; it
yields every row it has in the wanted languages, and judges none but the unreadable.
"""

from collections.abc import Callable, Generator
from pathlib import Path

from babelet.configs.classification import LabelsConfig
from babelet.configs.schema import DataConfig
from babelet.data.sources import (
    home_assistant,
    home_assistant_frontend,
    home_assistant_intents,
    labelled_files,
    parallel_files,
)
from babelet.data.sources.raw import RawLabelled, RawPair

SOURCES: dict[str, Callable[[DataConfig, Path], Generator[RawPair, None, None]]] = {
    "home_assistant": home_assistant.pairs,
    "home_assistant_frontend": home_assistant_frontend.pairs,
    "parallel_files": parallel_files.pairs,
}
LABELLED_SOURCES: dict[
    str, Callable[[DataConfig, LabelsConfig, Path], Generator[RawLabelled, None, None]]
] = {
    "home_assistant_intents": home_assistant_intents.rows,
    "labelled_files": labelled_files.rows,
}
