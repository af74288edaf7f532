"""From a batch to decisions, and from texts to translations that cannot run away."""

import keras
import numpy as np
import pytest

from babelet.configs.translation import DataConfig, StudentConfig, TranslationConfig
from babelet.data import trained_vocabulary
from babelet.data.tokenizer import Tokenizer
from babelet.data.tokens import TokenStore
from babelet.data.translation_batches import TranslationBatches, laid_out
from babelet.model.distiller import Distiller
from babelet.model.objective import Objective
from babelet.tasks import translation_targets
from babelet.tasks.next_token import decide_next_token, keras_translate
from babelet.tasks.students import configured_translator

CONFIG = TranslationConfig(
    name="test",
    data=DataConfig(languages=("de",)),
    student=StudentConfig(
        num_layers=1,
        hidden_dim=16,
        num_heads=2,
        intermediate_dim=32,
        max_length=40,
        dropout=0.0,
    ),
)
SOURCES = ["Turn on the lamp", "Turn off the radio in the kitchen", "Stop"]
TARGETS = ["Schalte die Lampe ein", "Schalte das Radio in der Küche aus", "Stopp"]


@pytest.fixture(scope="module")
def tokenizer():
    sentences = [("en", text) for text in SOURCES] + [("de", text) for text in TARGETS]
    return Tokenizer(trained_vocabulary.train(sentences, 38, split_digits=True), 40)


@pytest.fixture(scope="module")
def student(tokenizer):
    keras.utils.set_random_seed(0)
    student = configured_translator(CONFIG, tokenizer.vocabulary_size)
    for variable in student.trainable_variables:
        if variable.name in ("kernel", "tokens", "positions"):
            variable.assign(8 * variable)
    return student


@pytest.fixture
def stores(tokenizer, tmp_path):
    return [
        TokenStore.build(tokenizer, texts, tmp_path / name, "x")
        for name, texts in (("sources", SOURCES), ("targets", TARGETS))
    ]


def losses(student, batch, alpha=1.0):
    distiller = Distiller(student, Objective(alpha), decide=decide_next_token)
    terms = distiller.losses_of(batch, training=False).terms
    return {name: float(value) for name, value in terms.items()}


def test_the_loss_is_the_cross_entropy_of_the_whole_vocabulary(student, stores):
    """Candidates that were the rest of another row would train on noise."""
    batch = laid_out(*stores, np.arange(3), np.arange(3))
    names = ("token_ids", "padding_mask", "target_ids")
    logits = np.array(student({name: batch[name] for name in names}), "float64")
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    own = np.take_along_axis(logs, batch["labels"][..., None], -1)[..., 0]
    expected = -(own * batch["weight"]).sum() / batch["weight"].sum()
    assert losses(student, batch)["loss"] == pytest.approx(expected, rel=1e-5)


def test_padding_does_not_change_the_loss(student, stores):
    """Padding that counts makes the loss fall by learning to pad."""
    batch = laid_out(*stores, np.arange(3), np.arange(3))
    wider = {name: np.pad(array, ((0, 0), (0, 5))) for name, array in batch.items()}
    wider["labels"][:, -5:] = 7
    assert losses(student, wider)["loss"] == pytest.approx(
        losses(student, batch)["loss"], rel=1e-6
    )


def test_another_sentence_does_not_change_a_sentences_loss(student, stores):
    """The loss of two is the mean over their tokens of the losses of each."""
    alone = [laid_out(*stores, np.array([i]), np.array([i])) for i in range(2)]
    both = laid_out(*stores, np.arange(2), np.arange(2))
    weights = [batch["weight"].sum() for batch in alone]
    own = [losses(student, batch)["loss"] for batch in alone]
    assert losses(student, both)["loss"] == pytest.approx(
        np.average(own, weights=weights), rel=1e-5
    )


def test_a_teachers_own_beliefs_cost_it_nothing(student, stores, tmp_path):
    """Beliefs cached at other positions, or of other tokens, cost even the teacher."""
    pairs = np.array([[2, 0], [0, 1], [1, 2]], np.int32)
    folder = tmp_path / "beliefs"
    translation_targets.write_beliefs(student, *stores, pairs, 6, folder)
    soft = translation_targets.open_beliefs(folder, stores[1])
    batch = TranslationBatches(*stores, pairs, batch_size=3, seed=0, soft=soft).batch(0)
    labels = batch["labels"][..., None]
    assert not ((batch["soft_tokens"] == labels) & (labels > 0)).any()
    found = losses(student, batch, alpha=0.0)
    assert found["loss"] == pytest.approx(0, abs=1e-5)
    total = np.exp(batch["soft_logits"]).sum(-1)[batch["weight"] > 0]
    np.testing.assert_allclose(total, 1, atol=5e-3)


@pytest.mark.parametrize("beams", [1, 2])
def test_no_input_makes_it_run_away(student, tokenizer, beams):
    """Empty, one word, far too long, another language: the length is limited."""
    texts = ["", "Lamp", " ".join(["lamp"] * 512), "Включи свет", "Turn on the lamp"]
    translate = keras_translate(student, tokenizer, beams)
    translations = translate(texts)
    assert translations[0] == "" and all(translations[1:])
    for source, text in zip(tokenizer.encode(texts), translations, strict=True):
        (pieces,) = tokenizer.pieces([text])
        assert len(pieces) <= 2 * (len(source) - 2) + 10
        assert "⁇" not in text
    assert translate(texts[:2]) == translations[:2]
    assert translate([]) == []
