"""The student before its first step."""

import dataclasses

import keras
import numpy as np
import pytest
from sentencepiece import sentencepiece_model_pb2

from babelet.configs import embedding
from babelet.core.errors import BabeletError
from babelet.tasks.embedding import EmbeddingTask
from babelet.training.workdir import Workdir
from tests import e5s1_writer


@pytest.fixture
def preparation(tmp_path):
    """A prepared workdir, as far as a random student needs one."""
    config = embedding.EmbeddingConfig(
        "home",
        embedding.DataConfig(languages=("de",)),
        student=embedding.StudentConfig(
            num_layers=1,
            hidden_dim=8,
            num_heads=2,
            intermediate_dim=16,
            max_length=10,
            output_dim=4,
            dropout=0.5,
        ),
    )
    proto = sentencepiece_model_pb2.ModelProto()
    for piece in ["<pad>", "<s>", "</s>", "<unk>", "a", "b"]:
        kind = 2 if piece == "<unk>" else 3 if piece.startswith("<") else 1
        proto.pieces.add(piece=piece, score=-1.0 if kind == 1 else 0.0, type=kind)
    spec = proto.trainer_spec
    spec.model_type = spec.UNIGRAM
    spec.pad_id, spec.bos_id, spec.eos_id, spec.unk_id = range(4)
    spec.pad_piece = "<pad>"
    (tmp_path / "tokenizer.model").write_bytes(proto.SerializeToString())
    return EmbeddingTask(Workdir(tmp_path, config))


def state(preparation, seed=0):
    """All numbers of the student: weights, and the random state of its dropout."""
    config = dataclasses.replace(preparation.config, seed=seed)
    task = EmbeddingTask(Workdir(preparation.path, config))
    student = task.seeded_student("float32")
    return [np.asarray(variable) for variable in student.variables]


def test_it_depends_on_the_seed_and_not_on_what_ran_before(preparation):
    """A run killed before its first checkpoint would start from other weights.

    Steps that are done are skipped, so the random numbers they drew are not drawn.
    """
    keras.utils.set_random_seed(0)
    expected = state(preparation)
    keras.layers.Dense(3).build((None, 5))
    for ours, theirs in zip(state(preparation), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    other = state(preparation, seed=1)
    assert (other[0] != expected[0]).any()


def vocabulary_inputs(folder, config):
    """What is asked before the vocabulary, and so before the teacher, is made."""
    task = EmbeddingTask(Workdir(folder, config))
    steps = {step.name: step for step in task.preparation()}
    assert list(steps).index("vocabulary") < list(steps).index("teacher")
    return steps["vocabulary"].beside()


@pytest.mark.parametrize("layers", [(2,)])
def test_layers_that_are_not_there_are_told_before_the_teacher_runs(tmp_path, layers):
    """The teacher encoded for an hour, and then the run ended."""
    pieces = [*e5s1_writer.SPECIAL, "▁a", "b"]
    file = tmp_path / "tiny.bin"
    shape = e5s1_writer.Shape()
    e5s1_writer.write_e5s1(file, pieces, [0.0] * 4 + [-1.0] * 2, shape)
    config = embedding.EmbeddingConfig(
        "home",
        embedding.DataConfig(languages=("de",)),
        teacher=embedding.TeacherConfig(path=str(file), max_length=24),
        student=embedding.StudentConfig(num_layers=1, init_layers=layers),
    )
    # There is no corpus: whatever comes after the check fails otherwise.
    with pytest.raises(BabeletError, match=r"layers from 0 to 1.*init_layers"):
        vocabulary_inputs(tmp_path, config)


def test_a_teacher_without_layers_is_told_before_it_runs(tmp_path):
    np.save(tmp_path / "x.npy", np.eye(2, dtype=np.float32))
    (tmp_path / "x.txt").write_text("a\nb\n")
    config = embedding.EmbeddingConfig(
        "home",
        embedding.DataConfig(languages=("de",)),
        teacher=embedding.TeacherConfig("vectors", str(tmp_path / "x.npy")),
        student=embedding.StudentConfig(num_layers=1, init_layers=(0,)),
    )
    with pytest.raises(BabeletError, match="has no layers for the student"):
        vocabulary_inputs(tmp_path, config)
