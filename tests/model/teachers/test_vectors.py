"""Vectors that were computed elsewhere, as teachers."""

import io
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.model.teachers import TEACHERS, vector_files
from babelet.model.teachers.vectors import load

TEXTS = ["Turn on the light", "Schalte das Licht ein", "Dim the lamp"]
VECTORS = np.array([[3, 4], [0, 2], [-1, 0]], np.float32)


def write(folder, texts=TEXTS, vectors=VECTORS, newline="\n"):
    np.save(folder / "x.npy", vectors)
    content = "".join(text + newline for text in texts)
    (folder / "x.txt").write_bytes(content.encode())
    return folder / "x.npy"


def open_teacher(path, **settings):
    return load(TeacherConfig(kind="vectors", path=str(path), **settings), path)


def refusal(path, *, match, **settings):
    with pytest.raises(BabeletError, match=match) as caught:
        open_teacher(path, **settings)
    assert path.stem in str(caught.value)
    assert "Expected: " in str(caught.value) and "Remedy: " in str(caught.value)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_each_text_has_its_own_vector(tmp_path, newline):
    """Rows that slip by one teach every sentence its neighbour's meaning."""
    teacher = open_teacher(write(tmp_path, newline=newline))
    vectors = teacher.encode(["Dim the lamp", "Turn on the light", "Dim the lamp"])
    np.testing.assert_allclose(vectors, [[-1, 0], [0.6, 0.8], [-1, 0]], atol=1e-6)
    assert vectors.dtype == np.float32 and teacher.dim == 2
    assert teacher.backbone is None and teacher.tokenizer_model is None


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floating_types(tmp_path, dtype):
    teacher = open_teacher(write(tmp_path, vectors=VECTORS.astype(dtype)))
    np.testing.assert_allclose(teacher.encode(TEXTS[:1]), [[0.6, 0.8]], atol=1e-3)


def test_vectors_are_left_alone_where_told(tmp_path):
    """The cache refuses what is not of unit length: it must get to see it."""
    teacher = open_teacher(write(tmp_path), normalization="none")
    np.testing.assert_array_equal(teacher.encode(TEXTS), VECTORS)


def test_a_changed_vector_changes_the_fingerprint(tmp_path):
    """A cache of the old vectors would go on being used."""
    first = open_teacher(write(tmp_path)).fingerprint
    assert open_teacher(write(tmp_path)).fingerprint == first
    assert open_teacher(write(tmp_path, vectors=VECTORS * 2)).fingerprint != first
    assert open_teacher(write(tmp_path, ["a", "b", "c"])).fingerprint != first


@pytest.mark.parametrize("texts", [TEXTS[:2], [*TEXTS, "One too many"]])
def test_another_count_is_refused(tmp_path, texts):
    path = write(tmp_path, texts)
    refusal(path, match=rf"for each of the 3 vectors.*{len(texts)} texts")


@pytest.mark.parametrize("value", [np.nan, np.inf, 0])
def test_vectors_without_direction_are_refused(tmp_path, value):
    """One NaN makes the whole student NaN, an hour later."""
    vectors = VECTORS.copy()
    vectors[1] = value
    refusal(write(tmp_path, vectors=vectors), match=r"finite.*'Schalte .*row 2")


@pytest.mark.parametrize(
    "vectors",
    [VECTORS[0], VECTORS.astype(int), np.empty((0, 2), np.float32), VECTORS[None]],
)
def test_arrays_of_another_kind_are_refused(tmp_path, vectors):
    path = write(tmp_path, vectors=vectors)
    refusal(path, match=r"shape \(texts, dim\)")


def test_pickled_arrays_are_not_loaded(tmp_path):
    """Unpickling runs whatever program the file holds."""
    path = write(tmp_path)
    np.save(path, np.array([[1.0, None]], object), allow_pickle=True)
    refusal(path, match=r"Received: .*Python objects")


def test_an_archive_under_another_name_is_refused(tmp_path):
    """A .npz named .npy ended in an AttributeError."""
    path = write(tmp_path)
    with path.open("wb") as file:
        np.savez(file, vectors=VECTORS)
    refusal(path, match=r"an archive of arrays \(\.npz\)")


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, -2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (10**9, 10**9), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2**62), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 'ab', }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (3, 2), }",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3, 2), }",
        "{'descr': '<f4', 'fortran_order': 3, 'shape': (3, 2), }",
        "{" * 5000,
        "-" * 9000 + "1",
        "[1, 2",
        "__import__('os').system('true')",
    ],
)
def test_a_hostile_header_is_one_clear_error(tmp_path, header):
    """NumPy raises a dozen types for what may stand there."""
    path = write(tmp_path)
    text = header.encode() + b"\n"
    start = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little")
    path.write_bytes(start + text + VECTORS.tobytes())
    refusal(path, match="Received: ")


def test_a_byte_order_mark_is_no_part_of_the_first_text(tmp_path):
    """It cannot be seen, and the text was missing from its own file."""
    path = write(tmp_path, ["\ufeff" + TEXTS[0], *TEXTS[1:]])
    np.testing.assert_allclose(open_teacher(path).encode(TEXTS[:1]), [[0.6, 0.8]])


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    """A file of one line is no list of texts."""
    monkeypatch.setattr(vector_files, "_LONGEST", 30)
    refusal(write(tmp_path, [*TEXTS[:2], "x" * 31]), match="31 characters in one line")


def test_numbers_beyond_float32_are_refused_without_a_warning(tmp_path):
    path = write(tmp_path, vectors=VECTORS.astype(np.float64) * 1e300)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refusal(path, match="finite numbers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("vectors")


@settings(max_examples=120)
@given(data=st.data())
def test_any_damage_is_one_clear_error_or_other_vectors(folder, data):
    """Never a traceback, and never more vectors than lines."""
    stored = io.BytesIO()
    np.save(stored, VECTORS)
    damaged = {"npy": bytearray(stored.getvalue())}
    damaged["txt"] = bytearray("".join(f"{text}\n" for text in TEXTS), "utf-8")
    for _ in range(data.draw(st.integers(1, 4))):
        content = damaged[data.draw(st.sampled_from(["npy", "txt"]))]
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        if data.draw(st.booleans()):
            content[at : at + 1] = data.draw(st.binary(max_size=3))
        else:
            del content[at:]
    for suffix, content in damaged.items():
        (folder / f"x.{suffix}").write_bytes(content)
    lines = bytes(damaged["txt"]).split(b"\n")
    path = folder / "x.npy"
    try:
        config = TeacherConfig(kind="vectors", path=str(path))
        teacher = TEACHERS["vectors"].open(config, path)
    except BabeletError as error:
        assert "Remedy: " in str(error)
    else:
        assert len(teacher._vectors) <= len(lines)
        known = lines[0].decode("utf-8-sig").removesuffix("\r")
        assert np.isfinite(teacher.encode([known])).all()


def test_missing_and_damaged_files_are_refused(tmp_path):
    path = write(tmp_path)
    path.write_bytes(path.read_bytes()[:-3])
    refusal(path, match="an array of numbers")
    path.unlink()
    refusal(path, match="No such file")
    write(tmp_path).with_suffix(".txt").unlink()
    refusal(path, match=r"x\.txt.*No such file")
    refusal(tmp_path / "x.csv", match=r"\.npy.*or a \.parquet.*'\.csv'")


def test_a_text_with_two_vectors_is_refused(tmp_path):
    """Which of them is taught would depend on the order of the file."""
    path = write(tmp_path, [TEXTS[0], "b", TEXTS[0]])
    refusal(path, match=r"two for 'Turn on the light', in rows 1 and 3")
    same = open_teacher(write(tmp_path, ["a", "b", "a"], VECTORS[[0, 1, 0]]))
    np.testing.assert_allclose(same.encode(["a"]), [[0.6, 0.8]], atol=1e-6)


def test_missing_texts_are_listed(tmp_path):
    """A user told of one missing text at a time would need a thousand runs."""
    teacher = open_teacher(write(tmp_path))
    teacher.require(TEXTS)
    with pytest.raises(BabeletError, match=r"none for 'Close', and 1 more.*missing"):
        teacher.require(iter(["Close", *TEXTS, "Öffne", "Close"]))
    listed = (tmp_path / "x.missing.txt").read_text("utf-8")
    assert listed == "Close\nÖffne\n"
    with pytest.raises(BabeletError, match="none for 'Open'"):
        teacher.encode([TEXTS[0], "Open"])


def test_settings_without_effect_are_refused(tmp_path):
    path = write(tmp_path)
    with pytest.raises(BabeletError, match=r"teacher\.prefix has no effect"):
        open_teacher(path, prefix="query: ")


def test_parquet_without_pyarrow_is_one_clear_error(tmp_path, monkeypatch):
    """Who never installed pyarrow reads the name of one of our modules."""
    # None: Python refuses to import it, as if it were not installed.
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pyarrow.parquet", raising=False)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(BabeletError, match=r"needs.*pyarrow.*pip install"):
        open_teacher(tmp_path / "x.parquet")


def write_parquet(folder, texts, rows):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = folder / "x.parquet"
    parquet.write_table(pyarrow.table({"text": texts, "vector": rows}), path)
    return path


def test_parquet(tmp_path):
    path = write_parquet(tmp_path, TEXTS, VECTORS.tolist())
    vectors = open_teacher(path).encode(TEXTS)
    expected = open_teacher(write(tmp_path)).encode(TEXTS)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("rows", "row"),
    [
        ([[1.0, 2.0], [1.0], [1.0, 2.0]], 2),
        ([[1.0, 2.0], [1.0, 2.0], None], 3),
    ],
)
def test_parquet_vectors_of_several_widths(tmp_path, rows, row):
    path = write_parquet(tmp_path, TEXTS, rows)
    refusal(path, match=rf"a vector of 2 numbers.*row {row}")


@pytest.mark.parametrize(
    ("texts", "rows"),
    [
        ([1, 2], [[1.0], [2.0]]),
        (["a", None], [[1.0], [2.0]]),
        (["a", "b"], [[1], [2]]),
        (["a", "b"], ["1.0", "2.0"]),
        (["a", "b"], [[1.0, None], [2.0, 3.0]]),
        (["a", "b"], [[["x"]], [["y"]]]),
        (["a", "b"], [1.0, 2.0]),
    ],
)
def test_parquet_of_other_types_is_one_clear_error(tmp_path, texts, rows):
    """Arrow's own error names neither file nor remedy."""
    refusal(write_parquet(tmp_path, texts, rows), match="Received: ")


@pytest.mark.parametrize("cut", [0, 3, 100])
def test_damaged_parquet_is_one_clear_error(tmp_path, cut):
    path = write_parquet(tmp_path, TEXTS, VECTORS.tolist())
    path.write_bytes(path.read_bytes()[:cut])
    refusal(path, match="Received: ")


def test_parquet_that_unpacks_to_gigabytes_is_refused(tmp_path):
    """A file of a kilobyte can hold a billion equal rows."""
    path = write_parquet(tmp_path, ["a" * 99] * 900_000, [[1.0, 2.0]] * 900_000)
    refusal(path, match="bytes when unpacked")
