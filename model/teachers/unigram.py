"""Rebuilds a SentencePiece Unigram model from its pieces, scores and normaliser."""

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as protos

from babelet.model.teachers.e5s1 import Pieces


def unigram_model(pieces: Pieces) -> bytes:
    """Returns the serialized model; the id of a piece is its place in `pieces`.

    Whitespace is handled as XLM-R does: runs folded, ends trimmed, one space put
    before the text.
    """
    model = protos.ModelProto()
    special = {pieces.bos, pieces.eos, pieces.pad}
    for index, (text, score) in enumerate(
        zip(pieces.texts, pieces.scores.tolist(), strict=True)
    ):
        piece = model.pieces.add(piece=text, score=score)
        if index == pieces.unk:
            piece.type = piece.UNKNOWN
        elif index in special or text == "<mask>":
            piece.type = piece.CONTROL
    trainer = model.trainer_spec
    trainer.model_type = trainer.UNIGRAM
    trainer.vocab_size = len(pieces.texts)
    trainer.bos_id, trainer.eos_id = pieces.bos, pieces.eos
    trainer.pad_id, trainer.unk_id = pieces.pad, pieces.unk
    trainer.bos_piece = pieces.texts[pieces.bos]
    trainer.eos_piece = pieces.texts[pieces.eos]
    trainer.pad_piece = pieces.texts[pieces.pad]
    trainer.unk_piece = pieces.texts[pieces.unk]
    normalizer = model.normalizer_spec
    normalizer.name = "nmt_nfkc"
    normalizer.precompiled_charsmap = _charsmap(pieces.normaliser)
    normalizer.add_dummy_prefix = True
    normalizer.remove_extra_whitespaces = True
    normalizer.escape_whitespaces = True
    return model.SerializeToString()


def _charsmap(table: dict[str, str]) -> bytes:
    """Returns the compiled rules: the file's, and nmt_nfkc's for sequences.

    The file lists single characters only. The normaliser it was taken from also
    composes sequences (e and a combining accent become one letter), as nmt_nfkc does.
    """
    # Compiling logs its progress.
    sentencepiece.set_min_log_level(1)
    standard = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc").decompile()
    rules = {source: target for source, target in standard if len(source) > 1}
    rules.update(table)
    compiled = sentencepiece.SentencePieceNormalizer(norm_map=list(rules.items()))
    proto = protos.ModelProto.FromString(compiled.serialized_model_proto())
    return proto.normalizer_spec.precompiled_charsmap
