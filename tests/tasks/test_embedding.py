"""The embedding task: which candidates a sentence chooses among, and at what odds."""

import keras
import numpy as np
import pytest
from sentencepiece import sentencepiece_model_pb2

from babelet.configs.embedding import ObjectiveConfig
from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer
from babelet.export.predict import keras_predict
from babelet.model.distiller import Distiller
from babelet.model.objective import Objective
from babelet.model.student import build_encoder
from babelet.tasks.ranking import Ranking, distinct_candidates, readable_rows
from babelet.training.task import configured_objective

TEXTS = ["lamp", "turn on the lamp", "a", "", "open the door", "lamp on"]


def student(output_dim=8, **changes):
    keras.utils.set_random_seed(30)
    model = build_encoder(
        vocabulary_size=40,
        num_layers=1,
        hidden_dim=8,
        num_heads=2,
        intermediate_dim=16,
        max_length=20,
        pooling="mean",
        output_dim=output_dim,
        dropout=0.0,
        **changes,
    )
    for variable in model.trainable_variables:
        variable.assign(variable + 0.3 * keras.random.normal(variable.shape, seed=31))
    return model


def unit(rows, width=8, seed=32):
    vectors = np.random.default_rng(seed).standard_normal((rows, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def batch():
    """Four pairs, the second and fourth of one pivot, and a bank of three."""
    random = np.random.default_rng(33)
    pivots = np.array([100, 101, 102, 101], np.int32)
    bank_pivots = np.array([102, 200, 101], np.int32)
    vector = dict(zip([100, 101, 102, 200], unit(4), strict=True))
    mask = np.arange(6) < np.array([6, 3, 4, 2])[:, None]
    return {
        "token_ids": random.integers(4, 40, (4, 6)).astype("int32"),
        "padding_mask": mask,
        "pivot_token_ids": random.integers(4, 40, (4, 6)).astype("int32"),
        "pivot_padding_mask": mask[::-1],
        "pivot": pivots,
        "label_weight": np.ones(4, np.float32),
        "teacher": np.stack([vector[i] for i in pivots]),
        "bank_pivot": bank_pivots,
        "bank": np.stack([vector[i] for i in bank_pivots]),
    }


class Corpus:
    """Sentence ids to texts, and the pairs of one step."""

    texts = {1: "Turn on the lamp", 2: "Mach die Lampe an", 3: "Allume la lampe"}

    def pairs_of(self, step):
        return np.array([[1, 2], [1, 3]])


def task(teacher_dim=8, **objective):
    return Ranking(ObjectiveConfig(**objective), teacher_dim)


def distiller(precision="float32", teacher_dim=8, **objective):
    model = student()
    ranking = task(teacher_dim, **objective)
    return Distiller(
        model,
        configured_objective(ObjectiveConfig(**objective)),
        decide=ranking.decide,
        feature_terms=ranking.feature_terms(model),
        dtype=precision,
    )


def vectors(model, inputs, prefix=""):
    names = ("token_ids", "padding_mask")
    given = {name: inputs[f"{prefix}{name}"] for name in names}
    return np.asarray(model(given), np.float64)


def test_other_copies_of_the_right_answer_are_no_candidates():
    """A sentence punished for choosing its own translation's twin unlearns it."""
    pivots = np.array([7, 8, 7, 8, 9, 7])
    expected = [
        # 7, 8, 7, 8, 9, 7: a row's own stays, and what belongs to others.
        [True, True, False, True, True, False],
        [True, True, True, False, True, True],
        [False, True, True, True, True, False],
    ]
    got = distinct_candidates(pivots, 3)
    np.testing.assert_array_equal(np.asarray(got), expected)


def test_teacher_candidates_against_numpy():
    """A transposed matrix of logits has the right shape wherever it is square."""
    model, data = student(), batch()
    outcome = task(candidates="teacher", scale=0.05).decide(model, data, False)
    own = vectors(model, data)
    teacher = data["teacher"].astype(np.float64)
    candidates = np.concatenate([teacher, data["bank"]])
    to_pivot, from_pivot = (
        outcome.decisions["to_pivot"],
        outcome.decisions["from_pivot"],
    )
    expected = {
        "student": (to_pivot.student_logits, own @ candidates.T / 0.05),
        "teacher": (to_pivot.teacher_logits, teacher @ candidates.T / 0.05),
        "student back": (from_pivot.student_logits, teacher @ own.T / 0.05),
        "teacher back": (from_pivot.teacher_logits, teacher @ teacher.T / 0.05),
    }
    for name, (got, reference) in expected.items():
        np.testing.assert_allclose(got, reference, atol=2e-5, err_msg=name)
    for decisions, width in ((to_pivot, 7), (from_pivot, 4)):
        np.testing.assert_array_equal(np.asarray(decisions.labels), [0, 1, 2, 3])
        assert decisions.candidate_mask.shape == (4, width)
    # Pivot 101 stands at 1, 3 and 6, pivot 102 at 2 and 4.
    excluded = np.argwhere(~np.asarray(to_pivot.candidate_mask)).tolist()
    assert excluded == [[1, 3], [1, 6], [2, 4], [3, 1], [3, 6]]
    student_side, teacher_side = outcome.features["embedding_match"]
    np.testing.assert_allclose(student_side, own, atol=1e-6)
    np.testing.assert_array_equal(teacher_side, data["teacher"])


def test_student_candidates_against_numpy():
    """The student's own translations, where widths differ or there is no teacher."""
    model, data = student(output_dim=5), batch()
    outcome = task(candidates="student", scale=0.1).decide(model, data, False)
    own, pivot = vectors(model, data), vectors(model, data, "pivot_")
    teacher = data["teacher"].astype(np.float64)
    to_pivot, from_pivot = (
        outcome.decisions["to_pivot"],
        outcome.decisions["from_pivot"],
    )
    expected = {
        "student": (to_pivot.student_logits, own @ pivot.T / 0.1),
        "student back": (from_pivot.student_logits, pivot @ own.T / 0.1),
        "teacher": (to_pivot.teacher_logits, teacher @ teacher.T / 0.1),
        "teacher back": (from_pivot.teacher_logits, teacher @ teacher.T / 0.1),
    }
    for name, (got, reference) in expected.items():
        np.testing.assert_allclose(got, reference, atol=2e-5, err_msg=name)
    for decisions in (to_pivot, from_pivot):
        np.testing.assert_array_equal(np.asarray(decisions.labels), [0, 1, 2, 3])
        excluded = np.argwhere(~np.asarray(decisions.candidate_mask)).tolist()
        assert excluded == [[1, 3], [3, 1]]
    student_side, teacher_side = outcome.features["embedding_match"]
    np.testing.assert_allclose(student_side, np.concatenate([own, pivot]), atol=1e-6)
    np.testing.assert_array_equal(teacher_side, np.tile(data["teacher"], (2, 1)))


def test_labels_point_at_the_own_translation():
    """A perfect student must have the least loss there is."""
    data = batch()
    data["teacher"], data["pivot"] = unit(4, seed=34), np.arange(4)
    data["bank"], data["bank_pivot"] = unit(3, seed=35), np.arange(4, 7)

    def perfect(inputs, training=False):
        return data["teacher"]

    outcome = task(candidates="teacher").decide(perfect, data, False)
    for decisions in outcome.decisions.values():
        best = np.argmax(decisions.student_logits, axis=1)
        np.testing.assert_array_equal(best, np.asarray(decisions.labels))


def test_teacher_candidates_need_its_width():
    """A matrix product of wrong widths fails after the teacher has been cached."""
    with pytest.raises(BabeletError, match=r"output_dim = 12.*Received: 8.*Remedy"):
        distiller(teacher_dim=12, candidates="teacher")


def test_the_distiller_has_the_configured_objective():
    """What is left at a default distils another objective than config.json says."""
    settings = {"candidates": "student", "alpha": 0.25, "temperature": 3.0}
    settings["margin"] = 2.0
    model = distiller("mixed_bfloat16", teacher_dim=12, **settings)
    assert model.objective == Objective(alpha=0.25, temperature=3.0, margin=2.0)
    assert model.feature_weights == {"embedding_match": 10.0}
    assert model.dtype_policy.name == "mixed_bfloat16"
    own = len(student().trainable_variables)
    assert len(model.trainable_variables) == own + 1
    plain = distiller(teacher_dim=12, embedding_match=0.0, **settings)
    assert not plain.feature_layers


@pytest.mark.parametrize("candidates", ["teacher", "student"])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_steps_lower_the_loss(candidates, alpha):
    """Parts that fit alone may still not train together."""
    model = distiller(candidates=candidates, alpha=alpha)
    model.compile(optimizer=keras.optimizers.Adam(0.003))
    losses = [float(model.learn(batch()).terms["loss"]) for _ in range(8)]
    assert losses[-1] < losses[0]
    assert np.isfinite(losses).all()


def test_rows_are_readable():
    """Ids in an error message send the user to a debugger."""
    assert readable_rows(Corpus(), Corpus.texts.__getitem__)(5) == [
        "'Mach die Lampe an' <- 'Turn on the lamp'",
        "'Allume la lampe' <- 'Turn on the lamp'",
    ]


@pytest.fixture(scope="module")
def tokenizer():
    """One piece a letter, and the space."""
    proto = sentencepiece_model_pb2.ModelProto()
    pieces = ["<pad>", "<s>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz"]
    for piece in pieces:
        kind = 2 if piece == "<unk>" else 3 if piece.startswith("<") else 1
        proto.pieces.add(piece=piece, score=-1.0 if kind == 1 else 0.0, type=kind)
    spec = proto.trainer_spec
    spec.model_type = spec.UNIGRAM
    spec.pad_id, spec.bos_id, spec.eos_id, spec.unk_id = range(4)
    spec.pad_piece = "<pad>"
    return Tokenizer(proto.SerializeToString(), 20)


@pytest.mark.parametrize("tokens_per_batch", [1, 40, 8192])
def test_prediction_keeps_the_order_of_texts(tokenizer, tokens_per_batch):
    """Sorted by length and never put back, every score is near chance."""
    model = student()
    predict = keras_predict(model, tokenizer, tokens_per_batch)
    got = predict(TEXTS)
    assert got.dtype == np.float32
    for text, vector in zip(TEXTS, got, strict=True):
        ids = np.array(tokenizer.encode([text]))
        alone = model({"token_ids": ids, "padding_mask": np.ones_like(ids, bool)})
        np.testing.assert_allclose(vector, np.asarray(alone)[0], atol=1e-6)
    assert np.abs(got[0] - got[1]).max() > 0.01


def test_no_texts_give_no_vectors(tokenizer):
    """An empty language must not stop the evaluation of the others."""
    assert keras_predict(student(), tokenizer)([]).shape == (0, 8)


def test_prediction_follows_training(tokenizer):
    """Weights frozen into the traced function would validate the first step forever."""
    model = student()
    predict = keras_predict(model, tokenizer)
    before = predict(TEXTS)
    table = model.get_layer("embedding").tokens
    table.assign(table * -1)
    assert np.abs(predict(TEXTS) - before).max() > 0.01


@pytest.mark.parametrize("candidates", ["teacher", "student"])
def test_a_sentence_alone_has_no_hard_label(candidates):
    """Its own copy is the right answer, which teaches only that copies are alike."""
    data = batch() | {"label_weight": np.array([1, 0, 1, 1], np.float32)}
    outcome = task(candidates=candidates).decide(student(), data, False)
    for decisions in outcome.decisions.values():
        np.testing.assert_array_equal(decisions.label_weight, [1, 0, 1, 1])
