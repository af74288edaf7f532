"""The teacher learns the task: a linear head, its last layers, or all of them.

Deeper than the head it is plain training, the same code as a student's with alpha 1,
on the student's vocabulary: of the teacher's, that part which the text uses.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from babelet.configs.classification import ClassificationConfig, TrainingConfig
from babelet.configs.record import digest
from babelet.core.errors import BabeletError
from babelet.data.labelled_batches import LabelledBatches
from babelet.data.tokenizer import Tokenizer
from babelet.evaluation.calibration import scores_of
from babelet.evaluation.classification import LabelledSet, classification
from babelet.export.predict import keras_predict
from babelet.model.initialisation import initialise_from_teacher
from babelet.model.linear_head import fit_linear_head
from babelet.model.objective import Objective
from babelet.model.precision import preferred_precision
from babelet.model.student import build_classifier
from babelet.model.teachers.base import Teacher
from babelet.tasks.labelled_text import decide_labelled, readable_rows
from babelet.training.loop import StepDistiller, TrainingData, train
from babelet.training.saving import save_weights

WEIGHTS = "teacher.weights.h5"
Predict = Callable[[Sequence[str]], np.ndarray]


def tune_head(
    config: ClassificationConfig,
    vectors_of: Predict,
    training: LabelledSet,
    weights: np.ndarray,
    validation: Sequence[LabelledSet],
    classes: int,
    folder: Path,
) -> None:
    """Fits the linear head and writes its weights.

    Args:
        config: `tuning.seed` is used.
        vectors_of: Texts to the teacher's vectors, cached.
        training: Sentences whose labels may be seen.
        weights: float32 (n,), of those in the loss.
        validation: Sentences whose labels may decide.
        classes: Their number.
        folder: For the weights.
    """
    held_out = [text for group in validation for text in group.texts]
    truth = np.concatenate([group.labels for group in validation])
    head = fit_linear_head(
        vectors_of(training.texts),
        training.labels,
        weights,
        classes,
        (vectors_of(held_out), truth),
        config.tuning.seed,
    )
    save_weights(head, folder / WEIGHTS)


def tune_layers(
    config: ClassificationConfig,
    teacher: Teacher,
    teacher_ids: np.ndarray | None,
    batches: LabelledBatches,
    text_of: Callable[[int], str],
    tokenizer: Tokenizer,
    validation: Sequence[LabelledSet],
    classes: Sequence[str],
    folder: Path,
    identity: str,
) -> dict:
    """Trains the last layers, or all, and writes the weights of the whole teacher.

    Returns:
        The validation state of `training.loop.train`.
    """
    precision = preferred_precision()
    keras.utils.set_random_seed(config.tuning.seed)
    model = initial_teacher(config, teacher, teacher_ids, len(classes), precision)

    def validate(model: keras.Model) -> dict[str, float]:
        predict = scores_of(keras_predict(model, tokenizer))
        return dict(classification(predict, validation, classes)["mean"])

    data = TrainingData(batches, readable_rows(batches, text_of), validate)
    distiller = StepDistiller(
        model, Objective(alpha=1.0), decide=decide_labelled, dtype=precision
    )
    settings = tuning_as_training(config)
    state = train(distiller, data, settings, folder, identity)
    save_weights(model, folder / WEIGHTS)
    return state


def initial_teacher(
    config: ClassificationConfig,
    teacher: Teacher,
    teacher_ids: np.ndarray | None,
    classes: int,
    precision: str,
) -> keras.Model:
    """Returns the teacher with a random head, frozen below the layers to be tuned.

    Raises:
        BabeletError: The teacher has no backbone to tune.
    """
    backbone = teacher.backbone
    # Ids of another teacher's vocabulary would give it the vectors of other pieces.
    if backbone is None or teacher_ids is None or config.student.init_from:
        raise BabeletError(
            f"The layers of the teacher {config.teacher.kind} cannot be tuned",
            expected="a BERT encoder from whose vocabulary the student's is trimmed",
            received=f"tuning.scope={config.tuning.scope}, "
            f"vocabulary.method={config.vocabulary.method}, "
            f"student.init_from={config.student.init_from!r}",
            remedy="set tuning.scope=head",
        )
    model = build_classifier(
        classes=classes,
        vocabulary_size=len(teacher_ids),
        num_layers=backbone.num_layers,
        hidden_dim=backbone.hidden_dim,
        num_heads=backbone.num_heads,
        intermediate_dim=backbone.intermediate_dim,
        max_length=config.student.max_length,
        pooling="mean",
        dropout=0.0,
        dtype=precision,
    )
    layers = range(backbone.num_layers)
    initialise_from_teacher(model, backbone, layers=layers, teacher_ids=teacher_ids)
    if config.tuning.scope == "last_layers":
        frozen = backbone.num_layers - config.tuning.num_layers
        names = {"embedding", *(f"layer_{index}" for index in range(frozen))}
        for layer in model.layers:
            layer.trainable = layer.name not in names
    return model


def tuning_as_training(config: ClassificationConfig) -> TrainingConfig:
    """Returns the settings of the teacher's tuning as those of a training."""
    tuning = config.tuning
    return TrainingConfig(
        steps=tuning.steps,
        batch_size=tuning.batch_size,
        learning_rate=tuning.learning_rate,
        warmup_steps=tuning.warmup_steps,
        clip_norm=tuning.clip_norm,
        checkpoint_every=tuning.validate_every,
        validate_every=tuning.validate_every,
        patience=tuning.patience,
    )


def fingerprint(identity: str, weights: Path) -> str:
    """Returns what names a tuned teacher: all it depends on, and its weights."""
    with open(weights, "rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return digest(json.dumps([identity, content]))
