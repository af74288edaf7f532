"""Classification: each sentence chooses its class.

Where a label is hidden the teacher's class probabilities teach alone.
"""

from collections.abc import Callable

import keras

from babelet.configs.classification import StudentConfig
from babelet.data.labelled_batches import LabelledBatches
from babelet.model.label_batch import ANSWERS, decide_class
from babelet.model.objective import Outcome
from babelet.model.student import build_classifier
from babelet.tasks.base import Task

_INPUTS = ("token_ids", "padding_mask")


class ClassificationTask(Task):
    """One decision a sentence, among the classes."""

    def decide(self, student: keras.Model, batch: dict, training: bool) -> Outcome:
        """Returns the sentences' decisions.

        Args:
            student: Token ids to logits (batch, classes).
            batch: As `LabelledBatches.batch` makes it.
            training: Whether dropout is on.
        """
        inputs = {name: batch[name] for name in _INPUTS}
        answers = {name: batch[name] for name in ANSWERS if name in batch}
        return decide_class(student, (inputs, answers), training)


def readable_rows(
    batches: LabelledBatches, text_of: Callable[[int], str]
) -> Callable[[int], list[str]]:
    """Returns a function from a step to the sentences of its batch.

    Args:
        batches: Of sentence ids.
        text_of: Sentence id to text.
    """
    return lambda step: [repr(text_of(i)) for i in batches.sentences_of(step)]


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
