"""Long documents as windows of whole sentences, each short enough for the model."""

import re
from collections.abc import Callable, Sequence

# An end of a sentence with the spaces after it; without spaces where none are used.
_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])[」』”）]*|\n+")
# Characters that no sentence is longer than: what is, is cut at a space.
_LONGEST = 400

# Texts to the number of tokens of each.
Count = Callable[[Sequence[str]], list[int]]
Window = tuple[int, int]


def windows(texts: Sequence[str], count: Count, most: int) -> list[list[Window]]:
    """Returns where the passages of each document start and stop, in code points.

    A document that fits the model is one passage; of a longer one each passage has
    as many sentences as fit, and begins with the last of the one before, if that is
    short, so that what spans two sentences is in one passage. A text of spaces alone
    has none.

    Args:
        texts: Of the documents.
        count: Texts to their numbers of tokens.
        most: Tokens that a passage may have.
    """
    whole = [_trimmed(text, 0, len(text)) for text in texts]
    short = [
        i
        for i, (start, stop) in enumerate(whole)
        if start < stop and len(texts[i]) <= _LONGEST
    ]
    # All at once: for each call the tokenizer starts threads of its own.
    tokens = count([texts[i][slice(*whole[i])] for i in short])
    fits = {i for i, length in zip(short, tokens, strict=True) if length <= most}
    return [
        [whole[i]] if i in fits else _of_sentences(text, count, most)
        for i, text in enumerate(texts)
    ]


def _of_sentences(text: str, count: Count, most: int) -> list[Window]:
    sentences = _sentences(text)
    if not sentences:
        return []
    sentences = _fitting(text, sentences, count, most)
    lengths = count([text[start:stop] for start, stop in sentences])
    return _packed(sentences, lengths, most)


def _sentences(text: str) -> list[Window]:
    ends = [match.end() for match in _END.finditer(text)]
    bounds = zip([0, *ends], [*ends, len(text)], strict=True)
    parts = [part for start, stop in bounds for part in _cut(text, start, stop)]
    trimmed = [_trimmed(text, *part) for part in parts]
    return [(start, stop) for start, stop in trimmed if start < stop]


def _cut(text: str, start: int, stop: int) -> list[Window]:
    """Returns parts of at most `_LONGEST` characters, cut at spaces if there are."""
    parts = []
    while stop - start > _LONGEST:
        middle = start + _LONGEST
        space = max(text.rfind(mark, start, middle) for mark in " \t\n,;")
        middle = space + 1 if space > start + _LONGEST // 2 else middle
        parts.append((start, middle))
        start = middle
    return [*parts, (start, stop)]


def _fitting(text: str, parts: list[Window], count: Count, most: int) -> list[Window]:
    """Returns the parts, halved until each fits or is one character."""
    lengths = count([text[start:stop] for start, stop in parts])
    fitting = []
    for (start, stop), length in zip(parts, lengths, strict=True):
        if length <= most or stop - start < 2:
            fitting.append((start, stop))
            continue
        middle = (start + stop) // 2
        space = text.rfind(" ", start + 1, middle)
        middle = space + 1 if space > 0 else middle
        halves = [_trimmed(text, start, middle), _trimmed(text, middle, stop)]
        halves = [half for half in halves if half[0] < half[1]]
        fitting += _fitting(text, halves, count, most)
    return fitting


def _packed(sentences: list[Window], lengths: list[int], most: int) -> list[Window]:
    packed = []
    first = total = 0
    for i, length in enumerate(lengths):
        if total + length > most and i > first:
            packed.append((sentences[first][0], sentences[i - 1][1]))
            overlaps = i - 1 > first and lengths[i - 1] + length <= most
            overlaps = overlaps and lengths[i - 1] <= most // 3
            first = i - 1 if overlaps else i
            total = lengths[i - 1] if overlaps else 0
        total += length
    if sentences:
        packed.append((sentences[first][0], sentences[-1][1]))
    return packed


def _trimmed(text: str, start: int, stop: int) -> Window:
    part = text[start:stop]
    start += len(part) - len(part.lstrip())
    return start, max(start, stop - (len(part) - len(part.rstrip())))
