"""Fragments of sentences: text of the same kind that nobody translated.

A translator trained on few sentences knows them nearly by heart, and repeating its
references teaches a student nothing about other text. What it says of their fragments
it has to work out.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from data.splits import group_key

# Of a fragment.
MOST_WORDS = 12
# How often each sentence is cut at most.
_ROUNDS = 10


def fragments(
    texts: Sequence[str], count: int, excluded: Iterable[str], seed: int = 0
) -> list[str]:
    """Returns at most `count` runs of 1 to 12 words, each shorter than its sentence.

    Words are what spaces separate: writing without spaces gives none. No fragment is
    another one, one of the `texts`, or one of `excluded`, in the sense of
    `data.splits.group_key`.

    Args:
        texts: Sentences, at least three words long to be cut.
        count: Of the fragments.
        excluded: Texts that must not be among them, say those held out.
        seed: Of what is cut, and of the order.
    """
    rng = np.random.default_rng((seed, 1))
    known = {group_key(text) for texts in (texts, excluded) for text in texts}
    sentences = [words for words in map(str.split, texts) if len(words) > 2]
    found: list[str] = []
    for _ in range(_ROUNDS):
        for index in rng.permutation(len(sentences)):
            if len(found) == count:
                return found
            fragment = _cut(sentences[index], rng)
            key = group_key(fragment)
            if key and key not in known:
                known.add(key)
                found.append(fragment)
    return found


def _cut(words: Sequence[str], rng: np.random.Generator) -> str:
    length = int(rng.integers(1, min(len(words) - 1, MOST_WORDS) + 1))
    start = int(rng.integers(0, len(words) - length + 1))
    return " ".join(words[start : start + length]).strip(".,;:!?")
