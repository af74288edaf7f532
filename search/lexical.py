"""Words for the full-text side: pairs of characters where no spaces part the words."""

import dataclasses
import functools
import importlib
import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator

# Scripts written without spaces, and Korean, whose words carry their particles.
_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # ideographs
    "\uac00-\ud7af"  # Hangul
)
# Vowel signs are no letters to Python, and part of words in Hebrew, Arabic and India.
_SIGNS = "\u0300-\u036f\u0591-\u05c7\u064b-\u0670\u0900-\u0963\u0966-\u0dff"
# Letters and signs in any order, written so that no character is looked at twice.
_LETTERS = f"[^\\W_{_UNSPACED}]"
_RUN = re.compile(
    f"([{_UNSPACED}]+)|"
    f"({_LETTERS}+(?:[{_SIGNS}]+{_LETTERS}*)*|[{_SIGNS}]+(?:{_LETTERS}+[{_SIGNS}]*)*)"
)
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
# Snowball's names of the languages it has rules for.
_SNOWBALL = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}


@dataclasses.dataclass(frozen=True)
class WordRules:
    """How text becomes words; an index keeps the rules it was made with."""

    # Endings are cut by the rules of the document's language (Snowball).
    stem: bool = False
    # The commonest words of the document's language are left out.
    stop_words: bool = False

    def to_json(self) -> str:
        """Returns the rules as JSON."""
        return json.dumps(dataclasses.asdict(self))

    def terms(self, text: str, language: str) -> list[str]:
        """Returns the terms of a passage, in order; see `cut`.

        `WordRules().terms("Die Küche: 電池", "de") == ["die", "kuche", "電池", "池"]`:
        the last character of a run stands alone too, so that a query of one character
        finds it wherever it is in a run, by the beginnings of terms.
        """
        stops = _stop_words(language) if self.stop_words else frozenset()
        stem = _stemmer(language) if self.stem else str
        found = []
        for run, unspaced in _runs(text):
            if unspaced:
                found += _pairs(run)
                found.append(run[-1])
            elif run not in stops:
                found.append(_bare(stem(run)))
        return found

    def query(self, text: str, languages: Iterable[str]) -> list["Word"]:
        """Returns the words of a query, each once.

        Args:
            text: What the user typed, in any language.
            languages: Of the documents that may be found: a word is looked for in
                the form it would have in each of them.
        """
        languages = sorted(languages)
        words: dict[Word, None] = {}
        common: dict[Word, None] = {}
        for run, unspaced in _runs(text):
            if unspaced:
                pairs = [Word((pair,)) for pair in _pairs(run)]
                words.update(dict.fromkeys(pairs or [Word((run,), beginning=True)]))
                continue
            forms = {_bare(run)}
            if self.stem:
                forms |= {_bare(_stemmer(language)(run)) for language in languages}
            stops = self.stop_words and any(run in _stop_words(x) for x in languages)
            (common if stops else words)[Word(tuple(sorted(forms)))] = None
        return list(words) or list(common)


@dataclasses.dataclass(frozen=True)
class Word:
    """A word of a query: a text that has any of the forms has it."""

    forms: tuple[str, ...]
    # A form need only begin a term: one character of a script without spaces.
    beginning: bool = False

    def expression(self) -> str:
        """Returns it as FTS5 is asked."""
        star = "*" if self.beginning else ""
        return "(" + " OR ".join(f'"{form}"{star}' for form in self.forms) + ")"

    def is_in(self, terms: Collection[str]) -> bool:
        """Tells whether a passage of these terms has it."""
        if self.beginning:
            return any(term.startswith(self.forms) for term in terms)
        return any(form in terms for form in self.forms)


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Yields words, and runs of a script without spaces, for which it says True."""
    # A composed letter is one character; an isolated mark would be a term.
    folded = unicodedata.normalize("NFKC", text).casefold()
    for unspaced, word in _RUN.findall(folded):
        yield unspaced or word, bool(unspaced)


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def _bare(word: str) -> str:
    """Returns the word without accents and vowel points, as it is often typed."""
    return word if word.isascii() else _without_marks(word)


@functools.lru_cache(1 << 14)
def _without_marks(word: str) -> str:
    parts = _MARKS.sub("", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", parts) or word


@functools.cache
def _stemmer(language: str) -> Callable[[str], str]:
    name = _SNOWBALL.get(_primary(language))
    if not name:
        return str
    module = importlib.import_module("snowballstemmer")
    return functools.lru_cache(1 << 16)(module.stemmer(name).stemWord)


@functools.cache
def _stop_words(language: str) -> frozenset[str]:
    module = importlib.import_module("stop_words")
    words = module.safe_get_stop_words(_primary(language))
    return frozenset(unicodedata.normalize("NFKC", word).casefold() for word in words)


def _primary(language: str) -> str:
    return re.split("[-_]", language)[0].casefold()
