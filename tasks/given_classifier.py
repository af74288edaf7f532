"""A teacher that knows the classes already, and which of its outputs is which class."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from babelet.configs.record import digest
from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.data.class_names import LABELS, read_labels
from babelet.evaluation.classification import confusion_matrix, exchanged_classes
from babelet.model.teachers import CLASSIFIERS
from babelet.model.teachers.class_scores import ClassTeacher
from babelet.training.logit_cache import NamedFunction


def load_class_teacher(config: TeacherConfig) -> ClassTeacher:
    """Returns the teacher of the settings, `tuning.scope` being none.

    Raises:
        BabeletError: A kind that gives no class scores, no path, or a damaged file.
    """
    if config.kind not in CLASSIFIERS:
        raise BabeletError(
            f"A teacher of kind {config.kind} gives no scores of classes",
            expected=f"one of {', '.join(CLASSIFIERS)}, with tuning.scope=none",
            remedy="change teacher.kind, or set tuning.scope=all: it is then tuned",
        )
    if not config.path:
        raise BabeletError(
            f"A classifier of kind {config.kind} has to be given",
            expected="teacher.path",
            remedy="add --set teacher.path=... to the command",
        )
    teacher = CLASSIFIERS[config.kind].open(config, Path(config.path))
    return cast(ClassTeacher, teacher)


def class_names(path: Path) -> list[str]:
    """Returns the names of a classifier's outputs, in their order.

    They are in a labels.txt inside its folder or beside it: an order that is assumed
    would teach other classes without an error.

    Args:
        path: The classifier's file or folder.

    Raises:
        BabeletError: There is none, or it does not name classes.
    """
    inside = path / LABELS
    remedy = f"write {LABELS} in the order of the classifier's outputs"
    return read_labels(inside if inside.is_file() else path.parent / LABELS, remedy)


def matched(
    teacher: ClassTeacher, names: Sequence[str], classes: Sequence[str]
) -> NamedFunction:
    """Returns the teacher with its outputs in the order of the corpus.

    Args:
        teacher: Gives logits (N, dim).
        names: Of its outputs.
        classes: Of the corpus.

    Raises:
        BabeletError: Another number of names than of outputs, or other names than
            those of the corpus.
    """
    if len(names) != teacher.dim:
        raise BabeletError(
            f"The teacher's {LABELS} is not its own",
            expected=f"{teacher.dim} names, one for each of its outputs",
            received=f"{len(names)}: {_some(names)}",
            remedy=f"write {LABELS} in the order of the classifier's outputs",
        )
    if set(names) != set(classes):
        own, ours = set(names) - set(classes), set(classes) - set(names)
        raise BabeletError(
            "The teacher has other classes than the text",
            expected=f"the {len(classes)} of the text; missing: {_some(sorted(ours))}",
            received=f"{len(names)}; not in the text: {_some(sorted(own))}",
            remedy="set labels.classes to those of both, correct the labels in the "
            f"text or the names in {LABELS}, or take another teacher",
        )
    columns = [names.index(name) for name in classes]
    fingerprint = digest(f"{teacher.fingerprint} {columns}")
    return NamedFunction(
        fingerprint, len(columns), lambda texts: teacher.encode(texts)[:, columns]
    )


def require_order(
    logits: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> None:
    """Raises a BabeletError if classes are plainly exchanged.

    Args:
        logits: float32 (N, classes), of sentences whose labels may be seen.
        labels: int (N,).
        classes: Their names.
    """
    confusion = confusion_matrix(labels, logits.argmax(axis=1), len(classes))
    exchanged = exchanged_classes(confusion)
    if exchanged:
        shown = [f"{classes[j]} for {classes[i]}" for i, j in exchanged.items()]
        raise BabeletError(
            "The teacher's classes are in another order than its labels.txt says",
            expected="most sentences of a class to be given that class",
            received=f"mostly {_some(shown)}",
            remedy=f"write {LABELS} in the order of the classifier's outputs",
        )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more or "none"
