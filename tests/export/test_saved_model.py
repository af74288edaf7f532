import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from babelet.export.metadata import SAVED_METADATA
from babelet.export.predict import keras_predict, saved_model_predict
from babelet.export.tokenization import tokenize_function

UNUSUAL = [
    "",
    "   ",
    "Turn on the lamp " * 20,
    "🏠 👩‍👩‍👧",
    "<s> </s> <pad> <unk>",
    "a\x00b",
    "\ufefflamp \u200b \u00ad",
    "ﬁ ½ ｶﾞ ① e\u0301",
    "▁lamp",
]
LOADER = """
import json, sys
import tensorflow as tf, tensorflow_text
model = tf.saved_model.load(sys.argv[1])
texts = json.loads(sys.argv[2])
out = model.signatures["serving_default"](text=tf.constant(texts))
print(json.dumps({name: each.numpy().tolist() for name, each in out.items()}))
"""


@pytest.fixture(scope="module")
def tokenize(tokenizer):
    return tokenize_function(tokenizer)


@pytest.fixture(scope="module")
def served(artefacts):
    return tf.saved_model.load(str(artefacts / "saved_model")).signatures


def test_token_ids_in_the_graph_are_those_of_sentencepiece(tokenize, tokenizer, pairs):
    """Another id for one piece moves vectors a little, in one language, silently."""
    real = [text for rows in pairs.values() for pair in rows for text in pair]
    texts = real + UNUSUAL
    ids, mask = tokenize(tf.constant(texts))
    rows = [
        row[seen].tolist() for row, seen in zip(ids.numpy(), mask.numpy(), strict=True)
    ]
    assert rows == tokenizer.encode(texts)
    assert (ids.numpy()[~mask.numpy()] == tokenizer.pad_id).all()


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_token_ids_agree_on_any_unicode(tokenize, tokenizer, text):
    """A normaliser that differs on rare characters goes unseen in ordinary text."""
    assert tokenize(tf.constant([text]))[0].numpy().tolist() == tokenizer.encode([text])


def test_a_text_over_the_limit_is_cut_and_keeps_its_end_token(tokenize, tokenizer):
    """A student never trained without the end token gives another vector."""
    ids = tokenize(tf.constant(["Turn on the lamp " * 20]))[0].numpy()[0]
    assert len(ids) == tokenizer.max_length
    assert (ids[0], ids[-1]) == (tokenizer.bos_id, tokenizer.eos_id)


def test_bytes_that_are_not_utf8_give_a_vector(served):
    """One bad byte in a log line must not end the server's whole batch."""
    out = served["serving_default"](text=tf.constant([b"\xff lamp \xe2\x82", b"lamp"]))
    assert np.allclose(np.linalg.norm(out["embedding"], axis=1), 1, atol=1e-5)


def test_no_text_gives_no_rows_and_an_empty_text_gives_one(served, tokenizer):
    """Batches of 0 and of one empty string are the first thing a server sends."""
    none = served["serving_default"](text=tf.zeros([0], tf.string))["embedding"]
    assert none.shape == (0, 16)
    one = served["serving_default"](text=tf.constant([""]))["embedding"]
    edges = [[tokenizer.bos_id, tokenizer.eos_id]]
    tokens = served["from_tokens"](
        token_ids=tf.constant(edges), padding_mask=tf.constant([[True, True]])
    )["embedding"]
    assert np.allclose(one, tokens, atol=1e-6)


def test_more_tokens_than_positions_are_an_error(served, tokenizer):
    """Positions that wrap or repeat would give a wrong vector without a word."""
    shape = (1, tokenizer.max_length + 1)
    with pytest.raises(tf.errors.InvalidArgumentError):
        served["from_tokens"](
            token_ids=tf.ones(shape, tf.int32), padding_mask=tf.ones(shape, tf.bool)
        )


def test_a_new_process_without_babelet_gives_the_students_vectors(
    artefacts, make_student, tokenizer, tmp_path
):
    """A model that only its own process can load is no export."""
    texts = ["Turn on the lamp", "ドアが開いています", ""]
    done = subprocess.run(
        [sys.executable, "-c", LOADER, artefacts / "saved_model", json.dumps(texts)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (name, rows), *others = json.loads(done.stdout).items()
    assert (name, others) == ("embedding", [])
    expected = keras_predict(make_student(), tokenizer)(texts)
    assert np.allclose(rows, expected, atol=1e-5)


def test_each_weight_is_stored_once(artefacts, make_student):
    """Tracked by the model and by the function, weights double the download."""
    weights = sum(variable.value.numpy().nbytes for variable in make_student().weights)
    files = (artefacts / "saved_model" / "variables").glob("*.data-*")
    stored = sum(file.stat().st_size for file in files)
    assert weights < stored < 1.2 * weights


def test_dropout_is_off(artefacts, tokenizer):
    """Exported in training mode, every call gives another vector."""
    predict = saved_model_predict(artefacts / "saved_model")
    first, second = predict(["The door is open"]), predict(["The door is open"])
    assert (first == second).all()


def test_metadata_says_which_run_it_came_from(artefacts):
    """A file that cannot be traced to its run cannot be trusted a month later."""
    metadata = json.loads((artefacts / "saved_model" / SAVED_METADATA).read_text())
    assert len(metadata["config_sha256"]) == 64
    assert metadata["max_length"] == 24
