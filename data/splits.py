"""Which sentences are held out, so that no test sentence was in training in disguise.

Pivot sentences that are the same but for case, punctuation, digits and placeholders,
or that share a translation in that sense, form a group; a group is in one split.
Splits depend on the corpus and the fractions alone: runs with different seeds share
their test set.
"""

import hashlib
import re
import unicodedata
from array import array

import numpy as np

from babelet.configs.schema import FoldsConfig

NO_FOLDS = FoldsConfig()
TRAIN, VALIDATION, TEST = 0, 1, 2
SPLITS = ("train", "validation", "test")
SALT = "babelet-split-1"

PLACEHOLDER = re.compile(r"\{[^{}]*\}|%\(\w+\)[sdif]|%[sdif]\b|\[%[^\]]*%\]")


class _Folding(dict):
    """A table for str.translate: all but letters and their marks become spaces."""

    def __missing__(self, code: int) -> int | str:
        letter = unicodedata.category(chr(code))[0] in "LM"
        self[code] = code if letter else " "
        return self[code]


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Returns the words of `text` in folded case, joined by single spaces.

    `fold("Turn on 2 lights in {room}!") == "turn on lights in"`. A text without any
    letter is returned as it is.
    """
    folded = unicodedata.normalize("NFKC", PLACEHOLDER.sub(" ", text)).casefold()
    return " ".join(folded.translate(_FOLDING).split()) or text


def group_key(text: str) -> str:
    """Returns what two texts of one group have in common: `fold` without spaces.

    Without spaces "re-auth", "re auth" and "reauth" agree.
    """
    return fold(text).replace(" ", "")


class Groups:
    """Union-find over pivot sentences, 12 bytes for each."""

    def __init__(self) -> None:
        self._parent = array("i")
        self._digest = array("Q")

    def __len__(self) -> int:
        return len(self._parent)

    def add(self, pivot_text: str) -> int:
        """Adds the next pivot sentence, in a group of its own; returns its id."""
        key = f"{SALT}\t{group_key(pivot_text)}".encode("utf-8", "replace")
        digest = hashlib.sha256(key).digest()
        self._digest.append(int.from_bytes(digest[:8], "big"))
        self._parent.append(len(self._parent))
        return len(self._parent) - 1

    def unite(self, a: int, b: int) -> None:
        """Makes one group of the groups of pivot sentences `a` and `b`."""
        a, b = self._root(a), self._root(b)
        # The smaller id stays root: the order of calls does not show.
        self._parent[max(a, b)] = min(a, b)

    def roots(self) -> np.ndarray:
        """Returns int32 (n,): for each pivot sentence the first one of its group."""
        for i in range(len(self._parent)):
            self._root(i)
        return np.array(self._parent, np.int32)

    def digests(self) -> np.ndarray:
        """Returns uint64 (n,): a hash of each pivot sentence's folded text."""
        return np.array(self._digest, np.uint64)

    def _root(self, i: int) -> int:
        root = i
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[i] != root:
            self._parent[i], i = root, self._parent[i]
        return root


def assign(
    roots: np.ndarray,
    digests: np.ndarray,
    validation_fraction: float,
    test_fraction: float,
    folds: FoldsConfig = NO_FOLDS,
) -> np.ndarray:
    """Returns the split of each pivot sentence, whole groups together.

    Groups are dealt in the order of the smallest hash in them: to the test split
    until its share of sentences is full, then to validation, the rest to training.
    So does a group above a fiftieth of a held-out split: a split is of many groups.
    In a cross-validation, validation are the groups of one fold by that hash; the test
    is the same as without.

    Args:
        roots: int32 (n,), the group of each sentence, named by one of its members.
        digests: uint64 (n,), a hash of each sentence.
        validation_fraction: Share of sentences.
        test_fraction: Share of sentences.
        folds: The fold of a cross-validation, if there is one.

    Returns:
        int8 (n,) of TRAIN, VALIDATION, TEST.
    """
    count = len(roots)
    smallest = np.full(count, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, roots, digests)
    sizes = np.bincount(roots, minlength=count)
    split_of_group = np.full(count, TRAIN, np.int8)
    wanted = {
        TEST: round(count * test_fraction),
        VALIDATION: round(count * validation_fraction),
    }
    if folds.count:
        wanted[VALIDATION] = 0
    room = dict(wanted)
    groups = np.flatnonzero(sizes)
    for group in groups[np.argsort(smallest[groups], kind="stable")]:
        for split, left in room.items():
            if sizes[group] <= min(left, max(10, wanted[split] // 50)):
                split_of_group[group] = split
                room[split] -= int(sizes[group])
                break
    if folds.count:
        fold = smallest % np.uint64(folds.count) == folds.number
        small = sizes <= max(10, count // folds.count // 50)
        split_of_group[fold & small & (split_of_group == TRAIN)] = VALIDATION
    return split_of_group[roots]
