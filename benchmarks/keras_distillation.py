"""The soft-label loss of `keras.distillation` beside ours, on one input.

python -m benchmarks.keras_distillation
"""

from collections.abc import Sequence

import keras
import numpy as np

from babelet.core import command
from babelet.model.objective import soft_label_loss

TEMPERATURE = 3.0  # The default of LogitsDistillation.


def logits(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns random student and teacher logits, float32 (4, 5) each."""
    random = np.random.default_rng(seed)
    student, teacher = random.standard_normal((2, 4, 5)).astype(np.float32)
    return student, teacher


def reference(student: np.ndarray, teacher: np.ndarray) -> float:
    """Returns the mean T²·KL(softmax(t/T) ‖ softmax(s/T)) over rows, in float64."""
    log_student, log_teacher = (
        x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
        for x in (student.astype(np.float64) / TEMPERATURE, teacher / TEMPERATURE)
    )
    terms = np.exp(log_teacher) * (log_teacher - log_student)
    return float(TEMPERATURE**2 * terms.sum(axis=-1).mean())


def compare(student: np.ndarray, teacher: np.ndarray) -> dict[str, float]:
    """Returns the loss by who computed it, for logits float32 (rows, candidates)."""
    default = keras.distillation.LogitsDistillation(TEMPERATURE)
    explicit = keras.distillation.LogitsDistillation(
        TEMPERATURE, loss=keras.losses.KLDivergence()
    )
    ours = soft_label_loss(student, teacher, TEMPERATURE)
    return {
        "NumPy, float64": reference(student, teacher),
        "babelet": float(keras.ops.mean(ours)),
        "keras.distillation, default": float(default.compute_loss(teacher, student)),
        "keras.distillation, loss=KLDivergence()": float(
            explicit.compute_loss(teacher, student)
        ),
    }


def main(_: Sequence[str]) -> None:
    """Prints the comparison for three inputs."""
    print(f"T²·KL at T = {TEMPERATURE:g}, keras {keras.__version__}")
    print(f"{'':40}{'seed 0':>10}{'seed 1':>10}{'seed 2':>10}")
    columns = [compare(*logits(seed)) for seed in range(3)]
    for name in columns[0]:
        print(f"{name:40}" + "".join(f"{column[name]:10.5f}" for column in columns))


if __name__ == "__main__":
    command.run(main)
