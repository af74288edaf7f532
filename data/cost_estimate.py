"""What a run will take of disk, time and memory, from what one run took.

That run is configs/smart_home.py on 2 cores of x86-64 with bfloat16. Each part is
scaled by what it grows with; expect it within a factor of two on a like machine.
"""

import dataclasses
from pathlib import Path

from babelet.configs.embedding import EmbeddingConfig, StudentConfig
from babelet.data.corpus import Corpus

# The text of that run, its teacher vectors, and what it was evaluated on.
TEXT_BYTES, SENTENCES, VECTORS = 12_425_238, 298_352, 40_874
TOKENS = 3_499_577
TEST_PAIRS, LANGUAGES, REPORT_SENTENCES = 17_285, 23, 100
STEPS, BATCH, LAYER_PARAMETERS = 600, 128, 10_646_784
# Its seconds by step, and its peak of memory beside 16 bytes for each parameter
# (weight, gradient and the optimizer's two).
SECONDS = {
    "vocabulary": 11.6,
    "tokens": 2.0,
    "teacher": 48.6,
    "coverage": 11.3,
    "training": 271.7,
    "evaluation": 26.2,
    "export and report": 31.3,
}
MEMORY = 3.76e9
TEACHER_DIM = 384
# Copies of the weights: checkpoints have the weights twice and the optimizer's two,
# then two files of the student, the SavedModel and two LiteRT files, one in int8.
COPIES = {"checkpoints": 4, "student": 2, "export": 2.25}


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a run will take."""

    # The student's, all of them.
    parameters: int
    # Bytes by folder of the workdir.
    disk: dict[str, float]
    # Seconds by step.
    seconds: dict[str, float]
    # Bytes at the peak.
    memory: float


def predict(
    config: EmbeddingConfig, corpus: Corpus, folder: Path, seconds: float
) -> Prediction:
    """Returns what a run will take of disk, time and memory.

    Args:
        config: Of the run.
        corpus: Its text, built already.
        folder: Where the corpus lies.
        seconds: What building it took.
    """
    parameters = student_parameters(config.student, config.vocabulary.size)
    text_bytes = (folder / "sentences.bin").stat().st_size
    test_pairs = _held_out(corpus, "test", config.evaluation.pairs_per_language)
    validation = _held_out(corpus, "validation", config.training.validation_pairs)
    # Of the training text the teacher encodes the pivot side alone.
    vectors = corpus.report.pivots + test_pairs + validation
    disk = {
        "corpus": sum(file.stat().st_size for file in folder.iterdir()),
        # Ids of 2 bytes; where each sentence begins, and how long it is.
        "tokens": 2 * TOKENS / TEXT_BYTES * text_bytes + 12 * len(corpus.sentences),
        "teacher_cache": vectors * (4 * TEACHER_DIM + 16),
    }
    disk |= {name: 4 * copies * parameters for name, copies in COPIES.items()}
    scale = _scale(config, corpus, text_bytes, vectors, test_pairs)
    times = {name: SECONDS[name] * scale[name] for name in SECONDS}
    memory = MEMORY + 16 * parameters
    return Prediction(parameters, disk, {"corpus": seconds} | times, memory)


def _held_out(corpus: Corpus, split: str, limit: int) -> int:
    return sum(min(row[split], limit) for row in corpus.counts().values())


def _scale(
    config: EmbeddingConfig,
    corpus: Corpus,
    text_bytes: int,
    vectors: int,
    test_pairs: int,
) -> dict[str, float]:
    """Returns, by step, how much more it has to do than in the run measured."""
    length = (text_bytes / len(corpus.sentences)) / (TEXT_BYTES / SENTENCES)
    layers = layer_parameters(config.student) / LAYER_PARAMETERS
    covered = (len(corpus.languages) - 1) * config.vocabulary.report_sentences
    rows = config.training.steps * config.training.batch_size
    if config.objective.candidates == "student":
        # Both sides of each pair go through the student.
        rows *= 2
    return {
        "vocabulary": text_bytes / TEXT_BYTES,
        "tokens": text_bytes / TEXT_BYTES,
        "teacher": vectors / VECTORS * length,
        "coverage": covered / (LANGUAGES * REPORT_SENTENCES) * length,
        "training": rows / (STEPS * BATCH) * layers * length,
        "evaluation": test_pairs / TEST_PAIRS * length,
        "export and report": 1.0,
    }


def layer_parameters(student: StudentConfig) -> int:
    """Returns the weights and biases of the student's Transformer layers."""
    hidden, inner = student.hidden_dim, student.intermediate_dim
    attention = 4 * (hidden * hidden + hidden)
    feed_forward = 2 * hidden * inner + inner + hidden
    return student.num_layers * (attention + feed_forward + 4 * hidden)


def student_parameters(student: StudentConfig, vocabulary: int) -> int:
    """Returns the student's parameters, embeddings and projection included."""
    hidden, output = student.hidden_dim, student.output_dim
    embeddings = (vocabulary + student.max_length + 2) * hidden
    projection = 0 if output == hidden else hidden * output
    return embeddings + layer_parameters(student) + projection


def format_prediction(prediction: Prediction) -> str:
    """Returns lines to print."""
    disk = ", ".join(f"{k} {v / 1e6:,.0f}" for k, v in prediction.disk.items())
    minutes = {k: v / 60 for k, v in prediction.seconds.items()}
    times = ", ".join(f"{name} {value:.1f}" for name, value in minutes.items())
    return "\n".join(
        [
            f"Student: {prediction.parameters / 1e6:.1f} million parameters",
            f"Disk: {sum(prediction.disk.values()) / 1e9:.2f} GB (in MB: {disk})",
            f"Time: {sum(minutes.values()):.0f} minutes (in minutes: {times})",
            f"Memory: {prediction.memory / 1e9:.1f} GB at the peak",
            "Scaled from a run of configs/smart_home.py on 2 cores of x86-64 with "
            "bfloat16; downloads (140 MB, once) are not counted.",
        ]
    )
