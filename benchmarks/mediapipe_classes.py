"""Whether MediaPipe's own `TextClassifier` answers as the student does.

    python -m benchmarks.mediapipe_classes --workdir=runs/intents

Takes the test sentences that the parity gate takes, which the student has not seen,
through MediaPipe and through the student in Keras, and compares the names of the
classes. MediaPipe is no part of Babelet; it runs in a process of its own, with a limit
of time: after one error it can wait for itself for ever.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from babelet.core import command
from babelet.core.child import run_child
from babelet.core.errors import BabeletError

_CLASSIFY = """
import json, sys
from mediapipe.tasks.python.text import TextClassifier
with TextClassifier.create_from_model_path(sys.argv[1]) as classifier:
    for text in json.load(sys.stdin):
        best = classifier.classify(text).classifications[0].categories[0]
        print(json.dumps([best.category_name, best.score]))
"""


def mediapipe_classes(
    model: Path, texts: Sequence[str], seconds: float = 600
) -> list[tuple[str, float]]:
    """Returns name and score of the class that MediaPipe gives each text.

    Args:
        model: A classifier's .tflite file for MediaPipe Tasks.
        texts: Without NUL, where MediaPipe's Python ends a string.
        seconds: After them MediaPipe is given up.

    Raises:
        BabeletError: MediaPipe is not installed, fails, or does not end in time.
    """
    command = [sys.executable, "-c", _CLASSIFY, str(model)]
    given = json.dumps(list(texts))
    try:
        done = run_child(
            command,
            given=given,
            seconds=seconds,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except subprocess.TimeoutExpired as error:
        raise _failure(model, f"no end after {seconds:.0f} s") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise _failure(model, lines[-1] if lines else f"status {done.returncode}")
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def _failure(model: Path, received: str) -> BabeletError:
    return BabeletError(
        f"MediaPipe does not run {model}",
        expected="a class for every text",
        received=received,
        remedy="install requirements-dev.txt and, on Debian or Ubuntu, the packages "
        "libegl1 and libgles2; give a classifier's student_mediapipe_*.tflite",
    )


def agreement(workdir: Path, model: Path) -> dict[str, tuple[int, int]]:
    """Returns by language how many texts have the same class, and how many there are.

    Args:
        workdir: A finished run of classification.
        model: The exported file.

    Raises:
        BabeletError: MediaPipe does not run the file, or a part of the run is missing.
    """
    # Imported here: TensorFlow says much while it loads, and --help needs none.
    from babelet.export.predict import keras_predict
    from babelet.export.rebuild import describe, served_student
    from babelet.export.task_export import read_texts

    texts = read_texts(workdir)
    rows = [(language, text) for language in texts for _, text in texts[language]]
    labels = describe(workdir)["labels"]
    got = mediapipe_classes(model, [text for _, text in rows])
    student, tokenizer, _ = served_student(workdir)
    scores = keras_predict(student, tokenizer)([text for _, text in rows])
    found: dict[str, tuple[int, int]] = dict.fromkeys(texts, (0, 0))
    for (language, _), (name, _), best in zip(
        rows, got, scores.argmax(axis=1), strict=True
    ):
        same, count = found[language]
        found[language] = (same + (name == labels[best]), count + 1)
    return found


def main(_: list[str]) -> None:
    """Prints one line for each language and one for all."""
    workdir = Path(flags.FLAGS.workdir)
    model = workdir / "export" / f"student_{flags.FLAGS.format}.tflite"
    found = agreement(workdir, model)
    total = tuple(map(sum, zip(*found.values(), strict=True)))
    for language, (same, count) in [*found.items(), ("all", total)]:
        print(f"{language:8}{count:6} texts, the same class for {same / count:.1%}")


if __name__ == "__main__":
    command.path_flag("workdir", None, "A finished run.", required=True)
    flags.DEFINE_enum(
        "format", "mediapipe_int8", ["mediapipe_int8", "mediapipe_fp32"], "The file."
    )
    command.run(main)
