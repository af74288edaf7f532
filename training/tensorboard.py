"""What TensorBoard shows beside the curves: the test, the teacher, the vectors."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins import projector

from babelet.evaluation.finished_run import SAMPLES, read_run, task_report
from babelet.evaluation.formatting import markdown_table

# Translations a language: enough to see clusters, few enough to stay quick.
SENTENCES = 40


# Of the event files of the test, which another evaluation replaces.
_TEST = ".test"


def log_test(path: Path) -> None:
    """Shows what the evaluation left in a run's folder: scores, and sample outputs.

    The student's scores stand in the run of its training, so that HParams has them.

    Args:
        path: The workdir.
    """
    run = read_run(path)
    step = run.config["training"]["steps"]
    examples = run.read(SAMPLES).get("examples")
    for model, name in {"student": "train", "teacher": "teacher"}.items():
        folder = path / "logs" / name
        for old in folder.glob(f"*{_TEST}"):
            old.unlink()
        found = {
            column: value
            for metric in task_report(run.task).METRICS
            for column, value in metric.values(run.metrics, model).items()
        }
        writer = tf.summary.create_file_writer(str(folder), filename_suffix=_TEST)
        with writer.as_default():
            for column, value in found.items():
                tag = column.removeprefix("test ").replace(" ", "_")
                tf.summary.scalar(f"test/{tag}", value, step=step)
            if examples and model == "student":
                text = markdown_table(examples["columns"], examples["rows"])
                tf.summary.text("examples", text, step=step)
        writer.close()


def log_teacher(logs: Path, scores: Mapping[str, float], steps: int) -> None:
    """Draws the teacher's validation scores as lines beside the student's.

    Args:
        logs: TensorBoard folder of the run.
        scores: By name.
        steps: Length of the lines.
    """
    writer = tf.summary.create_file_writer(str(logs / "teacher"))
    with writer.as_default():
        for name, value in scores.items():
            for step in (0, steps):
                tf.summary.scalar(f"validation/{name}", value, step=step)
    writer.close()
    (logs / "teacher.json").write_text(json.dumps(scores), "utf-8")


def write_vectors(
    folder: Path,
    predict: Callable[[Sequence[str]], np.ndarray],
    texts: Mapping[str, Sequence[str]],
) -> None:
    """Writes vectors.tsv, metadata.tsv and the projector's config into `folder`.

    Args:
        folder: A run of its own under the TensorBoard log folder.
        predict: Texts to float32 (N, dim).
        texts: Sentences by language; the first SENTENCES of each are shown.
    """
    rows = [(name, text) for name, own in texts.items() for text in own[:SENTENCES]]
    vectors = predict([text for _, text in rows])
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "vectors.tsv").open("w", encoding="utf-8") as file:
        for vector in vectors:
            file.write("\t".join(f"{value:.5f}" for value in vector) + "\n")
    with (folder / "metadata.tsv").open("w", encoding="utf-8") as file:
        file.write("language\ttext\n")
        for language, text in rows:
            file.write(f"{language}\t{' '.join(text.split())}\n")
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name = "student"
    embedding.tensor_path = "vectors.tsv"
    embedding.metadata_path = "metadata.tsv"
    projector.visualize_embeddings(str(folder), config)
    # TensorBoard lists a folder only if an event file is in it.
    with tf.summary.create_file_writer(str(folder)).as_default():
        tf.summary.text("about", f"{len(rows)} validation sentences", step=0)
