"""The student's vocabulary: the teacher's SentencePiece, trimmed to a corpus."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from sentencepiece import sentencepiece_model_pb2

from babelet.configs.schema import EncoderVocabularyConfig
from babelet.core.errors import BabeletError
from babelet.core.languages import UNSPACED, primary
from babelet.data.pruning import CorpusCounts, choose
from babelet.data.tokenizer import Tokenizer, load

SPECIAL_PIECES = ("<pad>", "<s>", "</s>", "<unk>")

Proto = sentencepiece_model_pb2.ModelProto
_Piece = Proto.SentencePiece


class Trimmed(NamedTuple):
    """A student's SentencePiece proto, and where its pieces come from."""

    model: bytes
    # int32 (size,): the teacher's id of each student piece.
    teacher_ids: np.ndarray


def trim(model: bytes, sentences: Iterable[tuple[str, str]], size: int) -> Trimmed:
    """Returns the `size` pieces of a teacher that serve a corpus best.

    Every character seen twice is kept (three quarters of the places at most), then
    the pieces without which text would take the most tokens more, each language
    weighing the same (see data/pruning.py). Where the corpus uses fewer than `size`,
    the teacher's most probable pieces written in the corpus's characters fill the
    rest.

    Args:
        model: A SentencePiece Unigram proto.
        sentences: (language, text) in any order; read once, in flat memory.
        size: Pieces of the result, the four special ones included.

    Returns:
        A Unigram proto without byte fallback, ids dense: pad 0, bos 1, eos 2, unk 3,
        then the kept pieces in the teacher's order with the teacher's scores and
        normaliser.

    Raises:
        BabeletError: The proto is not Unigram, or has fewer than `size` pieces.
    """
    teacher = _parse(model)
    candidates = _candidates(teacher, size)
    kept = candidates[
        choose(
            [teacher.pieces[i].piece for i in candidates],
            np.array([teacher.pieces[i].score for i in candidates]),
            CorpusCounts(load(model), sentences),
            size - len(SPECIAL_PIECES),
            build=lambda chosen: load(_bare(teacher, candidates[chosen])),
        )
    ]
    spec = teacher.trainer_spec
    # A teacher without one of the special pieces lends its unknown piece's row.
    special = [spec.pad_id, spec.bos_id, spec.eos_id, spec.unk_id]
    special = [i if i >= 0 else spec.unk_id for i in special]
    teacher_ids = np.concatenate([special, kept]).astype(np.int32)
    return Trimmed(_student(teacher, kept).SerializeToString(), teacher_ids)


def _parse(model: bytes) -> Proto:
    load(model)
    teacher = Proto.FromString(model)
    kind = teacher.trainer_spec.model_type
    if kind != teacher.trainer_spec.UNIGRAM:
        raise BabeletError(
            "This teacher's vocabulary cannot be trimmed",
            expected="a SentencePiece model of type UNIGRAM",
            received=teacher.trainer_spec.ModelType.Name(kind),
            remedy="choose a teacher with a Unigram tokenizer, such as packaged_e5, or "
            "set vocabulary.method=train",
        )
    return teacher


def _candidates(teacher: Proto, size: int) -> np.ndarray:
    """Returns the teacher's ids of the pieces a student may have, int64 (n,)."""
    kept = [
        i
        for i, piece in enumerate(teacher.pieces)
        if piece.type == _Piece.NORMAL and piece.piece not in SPECIAL_PIECES
    ]
    if len(kept) + len(SPECIAL_PIECES) < size:
        most = len(kept) + len(SPECIAL_PIECES)
        raise BabeletError(
            "The teacher's vocabulary is too small to trim",
            expected=f"vocabulary.size of at most {most}",
            received=str(size),
            remedy=f"set vocabulary.size={most} or less",
        )
    return np.array(kept)


def _student(teacher: Proto, kept: np.ndarray) -> Proto:
    """Returns the proto of the special pieces and `kept`, with dense ids."""
    student = Proto()
    for name in SPECIAL_PIECES:
        kind = _Piece.UNKNOWN if name == "<unk>" else _Piece.CONTROL
        student.pieces.add(piece=name, score=0.0, type=kind)
    student.pieces.extend(teacher.pieces[i] for i in kept)
    spec = student.trainer_spec
    spec.model_type = spec.UNIGRAM
    spec.vocab_size = len(student.pieces)
    spec.pad_id, spec.bos_id, spec.eos_id, spec.unk_id = range(4)
    spec.pad_piece, spec.bos_piece, spec.eos_piece, spec.unk_piece = SPECIAL_PIECES
    spec.unk_surface = teacher.trainer_spec.unk_surface
    spec.treat_whitespace_as_suffix = teacher.trainer_spec.treat_whitespace_as_suffix
    student.normalizer_spec.CopyFrom(teacher.normalizer_spec)
    student.denormalizer_spec.CopyFrom(teacher.denormalizer_spec)
    return student


def _bare(teacher: Proto, kept: np.ndarray) -> bytes:
    """Returns a model of normalised words: <unk>, then `kept`, no normaliser."""
    model = Proto()
    spec = model.trainer_spec
    spec.model_type = spec.UNIGRAM
    spec.unk_id, spec.bos_id, spec.eos_id, spec.pad_id = 0, -1, -1, -1
    model.pieces.add(piece="<unk>", type=_Piece.UNKNOWN)
    model.pieces.extend(teacher.pieces[i] for i in kept)
    model.normalizer_spec.add_dummy_prefix = False
    model.normalizer_spec.remove_extra_whitespaces = False
    return model.SerializeToString()


def coverage(
    full: Tokenizer | None,
    student: Tokenizer,
    texts_by_language: Mapping[str, Sequence[str]],
) -> list[dict]:
    """Measures a vocabulary in each language, on text it did not see.

    Args:
        full: The tokenizer that it was trimmed from; None if there is none.
        student: The student's.
        texts_by_language: Held-out sentences.

    Returns:
        A row per language: "language"; "sentences"; "words" (whitespace words, or
        characters where words are not spaced); "tokens_per_word_after";
        "unknown_rate_after", unknown tokens over tokens; the same with "_before" of
        `full`; "inflation", tokens after over before. Start and end tokens do not
        count.
    """
    rows = []
    for language, texts in texts_by_language.items():
        words = sum(_count_words(language, text) for text in texts)
        after, unknown_after = _count_tokens(student, texts)
        row = {
            "language": language,
            "sentences": len(texts),
            "words": words,
            "tokens_per_word_after": after / max(words, 1),
            "unknown_rate_after": unknown_after / max(after, 1),
        }
        if full is not None:
            before, unknown_before = _count_tokens(full, texts)
            row |= {
                "tokens_per_word_before": before / max(words, 1),
                "inflation": after / max(before, 1),
                "unknown_rate_before": unknown_before / max(before, 1),
            }
        rows.append(row)
    return rows


def warnings(rows: Iterable[Mapping], config: EncoderVocabularyConfig) -> list[str]:
    """Returns a sentence for each language the vocabulary serves badly.

    Args:
        rows: Of `coverage`; "agreement", the trimmed teacher's mean cosine with the
            full one, is judged where the caller has added it.
        config: The thresholds.
    """
    sentences = []
    for row in rows:
        language, rate = row["language"], row["unknown_rate_after"]
        if rate > config.max_unknown_rate:
            before = ""
            if "unknown_rate_before" in row:
                before = f"; the full vocabulary has {row['unknown_rate_before']:.1%}"
            sentences.append(
                f"{language}: {rate:.1%} of the tokens are unknown "
                f"(vocabulary.max_unknown_rate is {config.max_unknown_rate:.1%}"
                f"{before}). Raise vocabulary.size or add text in this language."
            )
        if row.get("agreement", 1.0) < config.min_agreement:
            sentences.append(
                f"{language}: with the trimmed vocabulary the teacher agrees with "
                f"itself at {row['agreement']:.3f} only (vocabulary.min_agreement is "
                f"{config.min_agreement}; {row['inflation']:.2f} times the tokens). "
                "Raise vocabulary.size or add text in this language."
            )
    return sentences


def _count_words(language: str, text: str) -> int:
    if primary(language) in UNSPACED:
        return sum(not character.isspace() for character in text)
    return len(text.split())


def _count_tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[int, int]:
    """Returns the pieces and the unknown pieces of `texts`."""
    rows = tokenizer.pieces(texts)
    return sum(map(len, rows)), sum(row.count(tokenizer.unk_id) for row in rows)
