"""A vocabulary from scratch: SentencePiece Unigram (Kudo 2018) of a corpus alone."""

import io
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

import sentencepiece

from babelet.core.errors import BabeletError
from babelet.data.pruning import draw_sample
from babelet.data.vocabulary import SPECIAL_PIECES

# Share of the characters that get a piece; the rest is unknown.
_CHARACTER_COVERAGE = 0.9999


def train(
    sentences: Iterable[tuple[str, str]], size: int, split_digits: bool = False
) -> bytes:
    """Returns a Unigram model in which each language weighs the same.

    The languages with less text are read again until all have as many characters.

    Args:
        sentences: (language, text) in any order; read once, and a sample is kept.
        size: Pieces of the result, the four special ones included.
        split_digits: Whether each digit is a piece of its own, so that a translator
            copies numbers and does not remember them.

    Returns:
        A serialised proto without byte fallback: pad 0, bos 1, eos 2, unk 3. The same
        sentences in the same order give the same bytes.

    Raises:
        BabeletError: The corpus has too little text for so many pieces, or too many
            characters for so few.
    """
    _, sample = draw_sample(sentences)
    model = io.BytesIO()
    names = ("pad", "bos", "eos", "unk")
    special: dict[str, Any] = {f"{name}_id": i for i, name in enumerate(names)}
    special |= {f"{n}_piece": p for n, p in zip(names, SPECIAL_PIECES, strict=True)}
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=_balanced(sample),
            model_writer=model,
            model_type="unigram",
            vocab_size=size,
            character_coverage=_CHARACTER_COVERAGE,
            normalization_rule_name="nmt_nfkc",
            # With more, the order of summation would depend on the threads.
            num_threads=1,
            shuffle_input_sentence=False,
            split_digits=split_digits,
            minloglevel=2,
            **special,
        )
    except RuntimeError as error:
        raise _refusal(size, str(error)) from error
    return model.getvalue()


def _refusal(size: int, reason: str) -> BabeletError:
    """Returns the error that names the size to set, where SentencePiece tells it."""
    most = re.search(r"value <= (\d+)", reason)
    least = re.search(r"required_chars\. \d+ vs (\d+)", reason)
    if least:
        return BabeletError(
            "A vocabulary of that size has no room for the characters of this corpus",
            expected=f"vocabulary.size of {least[1]} or more",
            received=f"vocabulary.size={size}",
            remedy=f"set vocabulary.size={least[1]} or more",
        )
    return BabeletError(
        "This corpus does not give a vocabulary of that size",
        expected=f"enough text for vocabulary.size={size}",
        received=f"text for {most[1]} pieces" if most else reason,
        remedy=f"set vocabulary.size={most[1]}, or add text" if most else "add text",
    )


def _balanced(sample: dict[str, list[str]]) -> Iterator[str]:
    """Yields every language's sentences, again and again up to the same length."""
    texts = {language: sorted(sample[language]) for language in sorted(sample)}
    most = max((sum(map(len, group)) for group in texts.values()), default=0)
    for group in texts.values():
        # Without a character it would never get there.
        done = 0 if any(group) else most
        for text in itertools.cycle(group):
            if done >= most:
                break
            done += len(text)
            yield text
