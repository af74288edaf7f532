"""Which pieces of a Unigram vocabulary to keep for a corpus.

Plain usage counts keep the most frequent pieces, and a word that loses its piece
falls into whatever is left. Here the vocabulary shrinks in rounds: each round
tokenizes the corpus with the pieces still there, so that parts gain the usage of the
wholes already gone, and drops the pieces whose absence adds the fewest tokens.
"""

import collections
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import sentencepiece

from babelet.data.tokenizer import valid_unicode

SPACE = "\u2581"
# A character seen once is as likely a typo as a letter.
_MIN_CHARACTER_COUNT = 2
# Share of the places that characters are sure of; beyond it they compete.
_MOST_CHARACTERS = 0.75
# A language writes in a script if this share of its letters is in it.
_MIN_SCRIPT_SHARE = 0.05
# Sentences drawn per language; bounds memory and time for a corpus of any size.
_SAMPLE = 20_000
_ROUNDS = 8
# Taken off each count, as absolute discounting does: what occurs once in the corpus
# is expected to occur half as often in new text.
_DISCOUNT = 0.5
# Weight of the teacher's own text, through its scores, beside the corpus's.
_PRIOR = 0.1
# Tokens that one unknown token counts for: it loses what was written.
_UNKNOWN_COST = 10
_WORD = re.compile(f"{SPACE}?[^{SPACE}]+|{SPACE}")

Processor = sentencepiece.SentencePieceProcessor


class CorpusCounts:
    """The characters of a corpus, and the words of a sample of it.

    Attributes:
        characters: language -> Counter of the normalised characters of all its text.
        words: language -> Counter of its normalised words, drawn from at most
            _SAMPLE sentences.
    """

    def __init__(
        self, processor: Processor, sentences: Iterable[tuple[str, str]]
    ) -> None:
        raw, sample = draw_sample(sentences)
        self.characters: dict[str, Counter[str]] = {}
        self.words: dict[str, Counter[str]] = {}
        for language in sorted(sample):
            characters = self.characters[language] = Counter()
            for character, count in raw[language].items():
                for normal in processor.normalize(character):
                    characters[normal] += count
            words = self.words[language] = Counter()
            for text in processor.normalize(sample[language]):
                words.update(_WORD.findall(text))

    def common_characters(self) -> list[str]:
        """Returns the characters seen twice or more, by mean share of a language."""
        total = Counter({SPACE: _MIN_CHARACTER_COUNT})
        share: dict[str, float] = collections.defaultdict(float, {SPACE: 1.0})
        for counts in self.characters.values():
            for character, count in counts.items():
                total[character] += count
                share[character] += count / counts.total()
        common = [c for c in total if total[c] >= _MIN_CHARACTER_COUNT]
        return sorted(common, key=lambda c: (-share[c], c))

    def scripts(self) -> set[str]:
        """Returns the scripts that some language of the corpus is written in."""
        found = set()
        for counts in self.characters.values():
            share: Counter[str] = Counter()
            for character, count in counts.items():
                share[script(character)] += count
            del share[""]
            least = _MIN_SCRIPT_SHARE * share.total()
            found.update(name for name, count in share.items() if count >= least)
        return found


def choose(
    pieces: Sequence[str],
    scores: np.ndarray,
    corpus: CorpusCounts,
    places: int,
    build: Callable[[np.ndarray], Processor],
) -> np.ndarray:
    """Returns the pieces to keep.

    Args:
        pieces: The N candidates.
        scores: float (N,), their log probabilities.
        corpus: What they are to serve.
        places: How many to keep, at most N.
        build: Returns a tokenizer of normalised words from int (n,) indices into
            `pieces`; its id 0 is unknown, i + 1 the i-th of them.

    Returns:
        int (places,), indices into `pieces`, ascending.
    """
    index = {piece: i for i, piece in enumerate(pieces)}
    common = [index[c] for c in corpus.common_characters() if c in index]
    protected = np.zeros(len(pieces), bool)
    protected[common[: int(places * _MOST_CHARACTERS)]] = True
    everything = np.arange(len(pieces))
    used = _usage(build(everything), corpus) > 0
    kept = np.flatnonzero(used | protected | _letters(pieces, corpus.scripts()))
    kept = _filled(kept, pieces, scores, corpus, places)
    for target in np.geomspace(len(kept), places, _ROUNDS + 1)[1:].round().astype(int):
        if target == len(kept):
            continue
        processor = build(kept)
        usage = _usage(processor, corpus) + _PRIOR * np.exp(scores[kept])
        loss = usage * _added_tokens(processor, [pieces[int(i)] for i in kept])
        order = np.lexsort((-scores[kept], -loss, ~protected[kept]))
        kept = np.sort(kept[order[:target]])
    return kept


def script(character: str) -> str:
    """Returns such as "LATIN" or "CJK" for a letter or mark, "" for the rest."""
    if unicodedata.category(character)[0] not in "LM":
        return ""
    return unicodedata.name(character, "").partition(" ")[0]


def _letters(pieces: Sequence[str], scripts: set[str]) -> np.ndarray:
    """Returns bool (N,): single letters of `scripts`, seen in the corpus or not."""
    return np.array([len(p) == 1 and script(p) in scripts for p in pieces])


def _filled(
    kept: np.ndarray,
    pieces: Sequence[str],
    scores: np.ndarray,
    corpus: CorpusCounts,
    places: int,
) -> np.ndarray:
    """Returns `kept` and, up to `places`, the most probable pieces beside it.

    Those written in the corpus's characters come first.
    """
    spare = np.setdiff1d(np.arange(len(pieces)), kept)
    seen = set(corpus.common_characters())
    foreign = np.array([not seen.issuperset(pieces[i]) for i in spare], bool)
    order = np.lexsort((-scores[spare], foreign))
    return np.sort(np.append(kept, spare[order[: max(places - len(kept), 0)]]))


def _usage(processor: Processor, corpus: CorpusCounts) -> np.ndarray:
    """Returns the mean over languages of each piece's share of tokens, float64 (n,)."""
    usage = np.zeros(processor.vocab_size())
    for words in corpus.words.values():
        rows = processor.encode(list(words))
        repeats = np.repeat(list(words.values()), [len(row) for row in rows])
        ids = np.fromiter((i for row in rows for i in row), np.int64, len(repeats))
        counts = np.bincount(ids, repeats, minlength=len(usage))
        usage += np.maximum(counts - _DISCOUNT, 0) / max(counts.sum(), 1)
    return usage[1:] / max(len(corpus.words), 1)


def _added_tokens(processor: Processor, pieces: list[str]) -> np.ndarray:
    """Returns how many tokens more each piece's text takes without it, float64 (n,).

    Zero for a piece that its own parts outscore: it is never used.
    """
    added = np.full(len(pieces), _UNKNOWN_COST - 1.0)
    for i, piece in enumerate(pieces):
        ways = processor.nbest_encode_as_ids(piece, 2)
        if len(ways[0]) > 1:
            added[i] = 0.0
        elif len(ways) > 1:
            parts = ways[1]
            added[i] = len(parts) - 1 + (_UNKNOWN_COST - 1) * parts.count(0)
    return added


def draw_sample(
    sentences: Iterable[tuple[str, str]],
) -> tuple[dict[str, Counter[str]], dict[str, list[str]]]:
    """Returns by language the counts of all characters, and up to _SAMPLE sentences.

    The same sentences in the same order give the same sample.
    """
    characters: dict[str, Counter[str]] = {}
    sample: dict[str, list[str]] = {}
    seen: Counter[str] = Counter()
    draw = random.Random(0)
    for language, text in sentences:
        text = valid_unicode(text)
        characters.setdefault(language, Counter()).update(text)
        chosen = sample.setdefault(language, [])
        seen[language] += 1
        if len(chosen) < _SAMPLE:
            chosen.append(text)
        elif (place := draw.randrange(seen[language])) < _SAMPLE:
            chosen[place] = text
    return characters, sample
