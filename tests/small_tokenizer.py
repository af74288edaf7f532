"""A student's tokenizer of a handful of sentences."""

import io

import sentencepiece


def unigram_model(sentences, size) -> bytes:
    """Returns a SentencePiece Unigram model with the ids that Babelet uses."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        # Repeated: whole words become pieces.
        sentence_iterator=iter(list(sentences) * 4),
        model_writer=model,
        vocab_size=size,
        hard_vocab_limit=False,
        character_coverage=1.0,
        model_type="unigram",
        normalization_rule_name="nmt_nfkc",
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        minloglevel=2,
    )
    return model.getvalue()
