"""Classification: each sentence chooses its class.

Where a label is hidden the teacher's class probabilities teach alone.
"""

import keras

from babelet.configs.schema import StudentConfig
from babelet.data.labelled_batches import LabelledBatches
from babelet.model.distiller import Outcome
from babelet.model.objective import Decisions
from babelet.model.student import build_classifier
from babelet.tasks.base import Task


class ClassificationTask(Task):
    """One decision a sentence, among the classes."""

    _batches: LabelledBatches

    def rows(self, step: int) -> list[str]:
        """Returns each sentence of the batch of `step`."""
        return [repr(self._text_of(i)) for i in self._batches.sentences_of(step)]

    def decide(self, student: keras.Model, batch: dict, training: bool) -> Outcome:
        """Returns the sentences' decisions.

        Args:
            student: Token ids to logits (batch, classes).
            batch: As `LabelledBatches.batch` makes it.
            training: Whether dropout is on.
        """
        inputs = {name: batch[name] for name in ("token_ids", "padding_mask")}
        decisions = Decisions(
            student(inputs, training=training),
            batch["label"],
            batch.get("teacher_logits"),
            label_weight=batch["label_weight"],
        )
        return Outcome({"class": decisions}, {})


def configured_classifier(
    settings: StudentConfig,
    vocabulary_size: int,
    classes: int,
    precision: str = "float32",
) -> keras.Model:
    """Returns `build_classifier` for the settings, under a Keras precision policy."""
    return build_classifier(
        classes=classes,
        vocabulary_size=vocabulary_size,
        num_layers=settings.num_layers,
        hidden_dim=settings.hidden_dim,
        num_heads=settings.num_heads,
        intermediate_dim=settings.intermediate_dim,
        max_length=settings.max_length,
        pooling=settings.pooling,
        dropout=settings.dropout,
        dtype=precision,
    )
