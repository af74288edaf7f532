"""One SentencePiece Unigram model for both languages of a translator."""

import io
from collections.abc import Iterable

import sentencepiece

from configs.errors import BabeletError


def train(texts: Iterable[str], size: int) -> bytes:
    """Returns a Unigram proto of `size` pieces: pad 0, bos 1, eos 2, unk 3.

    Kudo 2018. Digits are pieces of their own, so that a number is copied and not
    remembered; every character that occurs has a piece. No byte fallback: the
    tokenizer inside exported files does not know it.

    Args:
        texts: Sentences of both languages; the result does not depend on the machine.
        size: Pieces, the four special ones included.

    Raises:
        BabeletError: The text is too little for so many pieces.
    """
    written = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=written,
            model_type="unigram",
            vocab_size=size,
            character_coverage=1.0,
            split_digits=True,
            pad_id=0,
            bos_id=1,
            eos_id=2,
            unk_id=3,
            # Sums of several threads are rounded in the order they end in.
            num_threads=1,
            minloglevel=2,
        )
    except (RuntimeError, ValueError) as error:
        raise BabeletError(
            "No vocabulary could be trained on this corpus",
            expected=f"text enough for {size} pieces",
            received=str(error).strip(),
            remedy="lower vocabulary.size, or add text",
        ) from error
    return written.getvalue()
