"""Pairs with other names in both texts: what a translator has to copy.

Names, placeholders and numbers are the same in source and translation. Of 22,698 pairs
a translator learns them by heart, and spells those it has not seen as words that do not
exist. With invented ones in their place, the same in both texts, nothing but copying is
right: synthetic copies as in Currey et al. 2017, inside sentences in the place of whole
ones.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from babelet.data.splits import group_key

_NAME = re.compile(r"\{\w+\}|[^\W\d_][\w.]*\w|\d+")
_WORD = re.compile(r"\b[a-z]{2,10}\b")
# How many of a sentence's names are exchanged, and of these for a real one.
_EXCHANGED, _REAL = 0.8, 0.3
# How often each sentence is taken at most.
_ROUNDS = 100

Pair = tuple[str, str]


def renamed(
    pairs: Sequence[Pair], count: int, excluded: Iterable[str], seed: int = 0
) -> list[Pair]:
    """Returns at most `count` of the pairs, with other names in source and target.

    Args:
        pairs: Texts and their translations. A name is a word with a capital letter,
            a placeholder as {name}, or a number but 1 (which asks for a singular),
            that is as often in the one as in the other.
        count: Of the results.
        excluded: Sources that must not be among them, in the sense of
            `data.splits.group_key`, say those held out.
        seed: Of the names, and of the order.

    Returns:
        Pairs of another source each, none of them one of `pairs`.
    """
    rng = np.random.default_rng((seed, 2))
    names = [names_of(*pair) for pair in pairs]
    invent = _Inventor(pairs, names, rng)
    rows = [row for row, own in enumerate(names) if own]
    held_out = {group_key(text) for text in excluded}
    known = {source for source, _ in pairs}
    found: list[Pair] = []
    for _ in range(_ROUNDS):
        for row in rng.permutation(rows) if rows else ():
            if len(found) == count:
                return found
            source, target = _exchanged(pairs[row], names[row], invent, rng)
            if source not in known and group_key(source) not in held_out:
                known.add(source)
                found.append((source, target))
    return found


def names_of(source: str, target: str) -> list[str]:
    """Returns the names, placeholders and numbers of a pair, each once."""
    theirs, ours = (Counter(_NAME.findall(text)) for text in (source, target))
    return [
        name for name, count in theirs.items() if ours[name] == count and _is_name(name)
    ]


def _is_name(text: str) -> bool:
    if text.isdigit():
        return text != "1"
    return text[0] == "{" or text.lower() != text


def _exchanged(
    pair: Pair, names: Sequence[str], invent: "_Inventor", rng: np.random.Generator
) -> Pair:
    """Returns the pair with other names, or as it is where the dice say so."""
    new = {name: invent(name) for name in names if rng.random() < _EXCHANGED}
    source, target = (
        _NAME.sub(lambda match: new.get(match[0], match[0]), text) for text in pair
    )
    return source, target


class _Inventor:
    """Makes a name of the kind of another one."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        names: Sequence[Sequence[str]],
        rng: np.random.Generator,
    ) -> None:
        self._rng = rng
        self._names = sorted(
            {name for own in names for name in own if name[0].isalpha()}
        )
        words = {word for source, _ in pairs for word in _WORD.findall(source)}
        self._words = sorted(words) or ["name"]

    def __call__(self, name: str) -> str:
        """Returns a placeholder for a placeholder, a number for a number, or a word."""
        if name.isdigit():
            # Of as many digits; "1" alone would ask for a singular.
            first, *others = self._rng.integers(0, 10, len(name))
            return "".join(map(str, (max(first, 2), *others)))
        if name[0] == "{":
            count = self._rng.integers(1, 4)
            return "{" + "_".join(self._any(self._words) for _ in range(count)) + "}"
        if self._rng.random() < _REAL:
            return self._any(self._names)
        first, last = self._any(self._names), self._any(self._names)
        # The beginning of one, as short as a letter, and the end of the other.
        begun = first[: self._rng.integers(1, len(first))]
        return begun + last[self._rng.integers(1, len(last)) :]

    def _any(self, words: Sequence[str]) -> str:
        return words[int(self._rng.integers(len(words)))]
