"""Student vectors for TensorBoard's Embedding Projector, coloured by language."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins import projector

# Translations a language: enough to see clusters, few enough to stay quick.
SENTENCES = 40


def write(
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
