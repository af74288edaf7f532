"""Settings of the text: where it comes from, and which of its rows are used."""

import dataclasses
from typing import Annotated, ClassVar

from babelet.configs.checks import Range, Section, named, require
from babelet.configs.values import Count, CountOrNone, Part


@dataclasses.dataclass(frozen=True)
class DataConfig(Section):
    """Which text, translated, labelled or neither, and which of its rows."""

    section: ClassVar[str] = "data"
    # home_assistant, home_assistant_frontend or parallel_files.
    source: str = "home_assistant"
    # Paths or globs for "parallel_files" and "labelled_files", relative to the working
    # directory. {language} in a path stands for each language in turn. "home_assistant"
    # and "home_assistant_frontend" as entries mix those sources in.
    files: tuple[str, ...] = ()
    # What the columns of tables hold: the code of the pivot or of a language,
    # "language" (the code of the row's language), "text" (the translation), "label",
    # "-" (unused). By position for TSV without a header; elsewhere by name, as in
    # "en=source,de=target". Empty: by the names in the file, or language, pivot, text,
    # or pivot, text.
    columns: tuple[str, ...] = ()
    # Languages of the translations, or of labelled text beside the pivot, as the source
    # names them. Empty: text in the pivot language alone.
    languages: tuple[str, ...] = ()
    # The language that the others are translations of, which the teacher reads in
    # training. Of labelled text: the language whose labels are always used.
    pivot: str = "en"
    # Characters of a text, at most, after cleaning.
    max_characters: Count = 300
    # Share of the groups of equal or related text that validate.
    validation_fraction: Part = 0.03
    # Share of the groups of equal or related text that test.
    test_fraction: Part = 0.07

    def __post_init__(self) -> None:
        super().__post_init__()
        named("data.pivot", self.pivot)
        named("data.languages", self.languages)
        require(
            bool(self.languages or self.files),
            "data.languages",
            "at least one language, or text in the pivot language in data.files",
            "()",
        )
        require(
            self.pivot not in self.languages,
            "data.languages",
            f"languages other than the pivot {self.pivot!r}",
            str(self.languages),
        )
        self._check_columns()
        held_out = self.validation_fraction + self.test_fraction
        require(
            held_out < 1,
            "data.validation_fraction + data.test_fraction",
            "a sum below 1",
            str(held_out),
        )

    def _check_columns(self) -> None:
        """Refuses columns in which there are no pairs, nor the text that is wanted."""
        if not self.columns:
            return
        roles = [column.partition("=")[0] for column in self.columns]
        used = [role for role in roles if role != "-"]
        known = {self.pivot, *self.languages, "language", "text"}
        if "label" in used:
            return
        texts = bool({"text", *self.languages} & set(used))
        enough = self.pivot in used and texts
        expected = f"{self.pivot}, and text or a language"
        if not self.languages:
            enough = self.pivot in used or texts
            expected = f"{self.pivot} or text"
        require(
            set(used) <= known and len(set(used)) == len(used) and enough,
            "data.columns",
            f"{expected}, each once, from {' '.join(sorted(known))} and -",
            ",".join(self.columns),
        )


@dataclasses.dataclass(frozen=True)
class PairDataConfig(DataConfig):
    """Which text and its translations, and which pairs of it."""

    # Characters of the pivot text, at least, after cleaning. An ideograph counts for
    # three.
    min_characters: CountOrNone = 9
    # Whether texts with a placeholder, such as {name}, are kept.
    keep_placeholders: bool = False
    # Whether pairs of the same text twice are kept: names and loan words, which a
    # translator has to leave as they are.
    keep_equal: bool = False
    # Longer side over shorter side of a pair, at most, in characters weighted by
    # script.
    max_length_ratio: Annotated[float, Range(1, 1_000_000)] = 4.0
    # Whether rows in evidently other languages are rejected. Needs pip install
    # py3langid.
    check_language: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.min_characters <= self.max_characters,
            "data.min_characters",
            f"at most data.max_characters ({self.max_characters})",
            str(self.min_characters),
        )
