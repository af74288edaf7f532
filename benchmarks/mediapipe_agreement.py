"""How near MediaPipe's vectors are to the student's, on real text of every language.

    python -m benchmarks.mediapipe_agreement --workdir=runs/smart_home

Takes the test sentences that the parity gate takes, which the student has not seen,
through MediaPipe's `TextEmbedder` and through the student in Keras.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import flags

from babelet.core import command
from babelet.export.formats import FORMATS
from babelet.export.predict import keras_predict
from babelet.export.rebuild import rebuild_student
from babelet.export.task_export import Texts, read_texts
from benchmarks.mediapipe_vectors import mediapipe_vectors


class Agreement(NamedTuple):
    """Cosines between MediaPipe's vectors and the student's in one language."""

    texts: int
    minimum: float
    mean: float


def agreement(workdir: Path, model: Path, texts: Texts) -> dict[str, Agreement]:
    """Compares a file in MediaPipe with the student in Keras.

    Args:
        workdir: Holds config.json, tokenizer.model and student.weights.h5.
        model: A file for MediaPipe Tasks.
        texts: By language pairs of which the second is used.

    Returns:
        By language the cosines.

    Raises:
        BabeletError: MediaPipe does not run the file, or a part of the run is missing.
    """
    student, tokenizer, _ = rebuild_student(workdir)
    rows = [(language, text) for language in texts for _, text in texts[language]]
    got = np.stack(mediapipe_vectors(model, [text for _, text in rows]))
    expected = keras_predict(student, tokenizer)([text for _, text in rows])
    cosines = (got * expected).sum(axis=1) / np.linalg.norm(got, axis=1)
    languages = np.array([language for language, _ in rows])
    return {
        language: Agreement(len(each), float(each.min()), float(each.mean()))
        for language in texts
        for each in [cosines[languages == language]]
    }


def main(_: list[str]) -> None:
    """Prints one line for each language and one for all."""
    workdir = Path(flags.FLAGS.workdir)
    model = workdir / "export" / FORMATS[flags.FLAGS.format].path
    found = agreement(workdir, model, read_texts(workdir))
    count = sum(each.texts for each in found.values())
    mean = sum(each.texts * each.mean for each in found.values()) / count
    minimum = min(each.minimum for each in found.values())
    for language, each in [*found.items(), ("all", Agreement(count, minimum, mean))]:
        print(
            f"{language:5} {each.texts:6} texts   cosine min {each.minimum:.6f} "
            f"mean {each.mean:.6f}"
        )


if __name__ == "__main__":
    command.path_flag("workdir", None, "A finished run.", required=True)
    flags.DEFINE_enum(
        "format",
        "mediapipe_int8",
        [name for name in FORMATS if name.startswith("mediapipe")],
        "The exported file.",
    )
    command.run(main)
