"""Sentence embeddings: each sentence chooses its translation among candidates.

Translation ranking as in LaBSE (Feng et al. 2022) and LEALLA (Mao & Nakagawa 2023),
with the teacher's similarities as soft labels. Logits are cosines over a scale tau.
"""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from babelet.configs.embedding import ObjectiveConfig
from babelet.core.errors import BabeletError
from babelet.data.pair_batches import PairBatches
from babelet.model.features import EmbeddingMatch, FeatureTerm
from babelet.model.objective import Decisions, Outcome


def require_width(
    objective: ObjectiveConfig, student_dim: int, teacher_dim: int
) -> None:
    """Raises a BabeletError for teacher vectors as candidates, at another width."""
    if objective.candidates == "teacher" and student_dim != teacher_dim:
        raise BabeletError(
            "The student's vectors cannot be compared with the teacher's",
            expected=f"student.output_dim = {teacher_dim}",
            received=str(student_dim),
            remedy="set objective.candidates=student (the teacher's vectors then "
            "reach the student through a learned projection), or change "
            "student.output_dim",
        )


class Ranking:
    """Two decisions a pair: sentence to translation, and translation to sentence."""

    def __init__(self, objective: ObjectiveConfig, teacher_dim: int) -> None:
        """Takes the settings of the loss.

        Args:
            objective: Shares, scale and candidates.
            teacher_dim: Width of the teacher's vectors.
        """
        self._settings = objective
        self._teacher_dim = teacher_dim

    def feature_terms(self, student: keras.Model) -> Sequence[FeatureTerm]:
        """Returns the embedding match, where it counts.

        Raises:
            BabeletError: Teacher vectors as candidates, at another width.
        """
        settings, student_dim = self._settings, student.output_shape[-1]
        require_width(settings, student_dim, self._teacher_dim)
        if not settings.embedding_match:
            return ()
        layer = EmbeddingMatch(student_dim, self._teacher_dim)
        return (FeatureTerm(layer, settings.embedding_match),)

    def decide(self, student: keras.Model, batch: dict, training: bool) -> Outcome:
        """Returns both directions' decisions, and what the embedding match reads.

        Args:
            student: Token ids to unit vectors.
            batch: As `PairBatches.batch` makes it.
            training: Whether dropout is on.
        """
        vectors = student(_inputs(batch, ""), training=training)
        teacher = batch["teacher"]
        features = {"embedding_match": (vectors, teacher)}
        if self._settings.candidates == "student":
            own = student(_inputs(batch, "pivot_"), training=training)
            features["embedding_match"] = (
                ops.concatenate([vectors, own]),
                ops.concatenate([teacher, teacher]),
            )
            decisions = self._choose(
                vectors, own, teacher, teacher, batch["pivot"], batch["label_weight"]
            )
        else:
            bank = ops.concatenate([teacher, batch["bank"]])
            pivots = ops.concatenate([batch["pivot"], batch["bank_pivot"]])
            decisions = self._choose(
                vectors, teacher, teacher, bank, pivots, batch["label_weight"], bank
            )
        return Outcome(decisions, features)

    def _choose(
        self,
        vectors: object,
        translations: object,
        teacher: object,
        teacher_candidates: object,
        pivots: object,
        label_weight: object,
        candidates: object = None,
    ) -> dict[str, Decisions]:
        if candidates is None:
            candidates = translations
        batch_size = ops.shape(vectors)[0]
        allowed = distinct_candidates(pivots, batch_size)
        labels = ops.arange(batch_size)
        scale = self._settings.scale
        soft = ops.matmul(teacher, ops.transpose(teacher_candidates)) / scale
        return {
            "to_pivot": Decisions(
                ops.matmul(vectors, ops.transpose(candidates)) / scale,
                labels,
                soft,
                label_weight=label_weight,
                candidate_mask=allowed,
            ),
            "from_pivot": Decisions(
                ops.matmul(translations, ops.transpose(vectors)) / scale,
                labels,
                soft[:, :batch_size],
                label_weight=label_weight,
                candidate_mask=allowed[:, :batch_size],
            ),
        }


def readable_rows(
    batches: PairBatches, text_of: Callable[[int], str]
) -> Callable[[int], list[str]]:
    """Returns a function from a step to "sentence <- pivot" of each row of its batch.

    Args:
        batches: Of pairs of sentence ids.
        text_of: Sentence id to text.
    """
    return lambda step: [
        f"{text_of(source)!r} <- {text_of(pivot)!r}"
        for pivot, source in batches.pairs_of(step)
    ]


def distinct_candidates(
    pivots: keras.KerasTensor, batch_size: int
) -> keras.KerasTensor:
    """Returns bool (batch, candidates), False at other copies of a row's pivot.

    Args:
        pivots: int (candidates,), the pivot of each; row i's own is at i.
        batch_size: Number of rows.
    """
    same = ops.expand_dims(pivots[:batch_size], 1) == ops.expand_dims(pivots, 0)
    own = ops.expand_dims(ops.arange(batch_size), 1) == ops.expand_dims(
        ops.arange(ops.shape(pivots)[0]), 0
    )
    return ops.logical_or(ops.logical_not(same), own)


def _inputs(batch: dict, prefix: str) -> dict[str, object]:
    return {name: batch[f"{prefix}{name}"] for name in ("token_ids", "padding_mask")}
