"""The translator's graph: what may influence what, and that caches change nothing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from babelet.model.encoder_decoder import Context, EncoderDecoder

START, END = 1, 2
CAT = [START, 7, 8, END]
LONG_CAT = [START, 7, 9, 10, 8, END]
KATZE = [START, 20, 21, 22]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = build()
    for variable in model.trainable_variables:
        if variable.name in ("kernel", "tokens", "positions"):
            # Wide enough for one token to matter to another's logits.
            variable.assign(10 * variable)
    return model


def build(**changes):
    shape = {"hidden_dim": 16, "num_heads": 2, "intermediate_dim": 32, "dropout": 0.0}
    depth = {"encoder_layers": 2, "decoder_layers": 2}
    size = {"vocabulary_size": 30, "max_length": 12}
    return EncoderDecoder(**(size | depth | shape | changes))


def inputs(sources, targets, width=0, target_width=0):
    width = max(width, *map(len, sources))
    target_width = max(target_width, *map(len, targets))
    return {
        "token_ids": np.array([row + [0] * (width - len(row)) for row in sources]),
        "padding_mask": np.array(
            [[True] * len(row) + [False] * (width - len(row)) for row in sources]
        ),
        "target_ids": np.array(
            [row + [0] * (target_width - len(row)) for row in targets]
        ),
    }


def logits(model, *args, **kwargs):
    return np.array(model(inputs(*args, **kwargs)))


def test_padding_of_source_and_target_changes_nothing(model):
    """Attention to padding makes a translation depend on its batch's longest text."""
    alone = logits(model, [CAT], [KATZE])
    padded = logits(model, [CAT], [KATZE], width=9, target_width=8)
    np.testing.assert_allclose(padded[:, :4], alone, atol=1e-5)


def test_another_sentence_in_the_batch_changes_nothing(model):
    """The same, where the padding comes from a longer neighbour."""
    alone = logits(model, [CAT], [KATZE])
    both = logits(model, [CAT, LONG_CAT], [KATZE, [START, 25, 26, 27, 28, 29]])
    np.testing.assert_allclose(both[:1, :4], alone, atol=1e-5)


def test_no_position_sees_a_later_one(model):
    """A decoder that sees the answer has no loss in training and says nothing after."""
    first = logits(model, [CAT], [KATZE])
    changed = logits(model, [CAT], [[*KATZE[:2], 28, 29]])
    np.testing.assert_allclose(changed[:, :2], first[:, :2], atol=1e-5)
    assert np.abs(changed[:, 2:] - first[:, 2:]).max() > 0.1


def test_every_source_token_is_read(model):
    """Without cross attention the model says likely things, whatever the source."""
    changed = logits(model, [[START, 9, 8, END]], [KATZE])
    assert np.abs(changed - logits(model, [CAT], [KATZE])).min() > 0


@pytest.mark.parametrize("length", [4, 11])
def test_steps_with_caches_give_the_logits_of_the_whole(model, length):
    """A cache at the wrong position gives good training and bad translations."""
    data = inputs([CAT, LONG_CAT], [KATZE, KATZE])
    whole = np.array(model(data))

    @tf.function
    def step(token_ids, position, cache):
        sources, mask = model.read_source(data["token_ids"], data["padding_mask"])
        return model.step(token_ids, position, cache, sources, mask)

    cache = model.empty_cache(2, length)
    for position in range(4):
        tokens = tf.constant(data["target_ids"][:, position], tf.int32)
        found, cache = step(tokens, tf.constant(position), cache)
        np.testing.assert_allclose(found, whole[:, position], atol=1e-4)


def test_the_table_is_one(model):
    """Three tables would be most of a small translator."""
    tables = [v for v in model.variables if tuple(v.shape) == (30, 16)]
    assert len(tables) == 1


def test_a_saved_model_is_the_same_model(model, tmp_path):
    """A model whose config lacks an argument loads with that argument's default."""
    model.save(tmp_path / "translator.keras")
    loaded = keras.saving.load_model(tmp_path / "translator.keras")
    expected = logits(model, [CAT], [KATZE])
    np.testing.assert_allclose(logits(loaded, [CAT], [KATZE]), expected, atol=1e-6)


def test_mixed_precision_is_near_float32(model):
    """A mask that overflows in 16 bits lets padding in, or makes all NaN."""
    mixed = build(dtype=keras.dtype_policies.get("mixed_bfloat16"))
    mixed.set_weights(model.get_weights())
    small = logits(mixed, [CAT], [KATZE], width=9).astype("float32")
    expected = logits(model, [CAT], [KATZE])
    assert np.corrcoef(small.ravel(), expected.ravel())[0, 1] > 0.99


def test_heads_must_divide_the_width():
    """The reshape's own error names neither."""
    with pytest.raises(ValueError, match="hidden_dim=16, num_heads=3"):
        build(num_heads=3)


@pytest.fixture(scope="module")
def informed():
    keras.utils.set_random_seed(1)
    return build(context_dim=6)


def context(*lengths, width=0):
    random = np.random.default_rng(2)
    width = max(width, *lengths)
    vectors = np.zeros((len(lengths), width, 6), np.float16)
    for row, length in enumerate(lengths):
        vectors[row, :length] = random.standard_normal((length, 6))
    mask = np.arange(width)[None] < np.array(lengths)[:, None]
    return {"context": vectors, "context_mask": mask}


def test_the_context_is_read_and_its_padding_is_not(informed):
    """A teacher that ignores it trains as well as one without, and no better."""
    plain = inputs([CAT], [KATZE])
    alone = np.array(informed(plain | context(5)))
    padded = np.array(informed(inputs([CAT], [KATZE], width=9) | context(5, width=8)))
    np.testing.assert_allclose(padded, alone, atol=1e-5)
    other = context(5)
    other["context"] = -other["context"]
    assert np.abs(np.array(informed(plain | other)) - alone).min(-1).max() > 0


def test_steps_read_the_context_as_the_whole_does(informed):
    """Trained with it and decoding without it, a teacher would translate noise."""
    data = inputs([CAT, LONG_CAT], [KATZE, KATZE]) | context(3, 5)
    whole = np.array(informed(data))
    given = Context(data["context"], data["context_mask"])
    sources, mask = informed.read_source(
        data["token_ids"], data["padding_mask"], context=given
    )
    cache = informed.empty_cache(2, 4)
    for position in range(4):
        tokens = tf.constant(data["target_ids"][:, position], tf.int32)
        found, cache = informed.step(
            tokens, tf.constant(position), cache, sources, mask
        )
        np.testing.assert_allclose(found, whole[:, position], atol=1e-4)
