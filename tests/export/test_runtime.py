import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from babelet.core.errors import BabeletError
from babelet.export.array_gate import EDGE_CASES
from babelet.export.litert import convert
from babelet.export.predict import keras_predict
from babelet.export.runtime import Embedder

ROOT = Path(__file__).resolve().parents[2]
ALONE = """
import importlib.abc, sys

class Others(importlib.abc.MetaPathFinder):
    allowed = {"babelet", "ai_edge_litert", "numpy", "sentencepiece"}

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in self.allowed and top not in sys.stdlib_module_names:
            raise ImportError(f"{name} is not installed here")

sys.meta_path.insert(0, Others())
from pathlib import Path
from babelet.export.runtime import Embedder

vectors = Embedder(Path(sys.argv[1])).encode(["Die Tür ist offen", ""])
print(vectors.shape, "tensorflow" in sys.modules)
"""


@pytest.fixture
def folder(artefacts, tmp_path):
    """An export folder of a test's own, to break."""
    return Path(shutil.copytree(artefacts, tmp_path / "export"))


@pytest.fixture(scope="module")
def embedder(artefacts):
    return Embedder(artefacts / "student_fp32.tflite")


def test_it_needs_no_package_but_litert_sentencepiece_and_numpy(artefacts):
    """One import too many, and an app carries 600 MB of TensorFlow."""
    command = [sys.executable, "-c", ALONE, artefacts / "student_int8.tflite"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "(2, 16) False\n", done.stderr


def test_vectors_are_the_students(embedder, make_student, tokenizer, pairs):
    """Another order, batch or padding than in training changes vectors unseen."""
    texts = [text for both in pairs.values() for pair in both for text in pair]
    expected = keras_predict(make_student(), tokenizer)(texts)
    assert np.abs(embedder.encode(texts) - expected).max() < 1e-5


def test_unusual_text_has_the_students_vector_too(embedder, make_student, tokenizer):
    """An emoji or a NUL that ends the text early is found by the users."""
    texts = [*EDGE_CASES, "lamp \ud83d off", "\udc80", "a\x00b", "مرحبا 👋"]
    vectors = embedder.encode(texts)
    assert vectors.shape == (len(texts), embedder.dim) and vectors.dtype == np.float32
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    expected = keras_predict(make_student(), tokenizer)(texts)
    assert np.abs(vectors - expected).max() < 1e-5
    assert np.abs(embedder.encode(["a\x00b"]) - embedder.encode(["a"])).max() > 1e-3


def test_long_text_is_cut_at_a_token_and_keeps_its_end(embedder, tokenizer):
    """Cut without its end token, a text has a vector training never saw."""
    text = "Turn on the lamp " * 50
    pieces = tokenizer.pieces([text])[0][: embedder.max_length - 2]
    shown = tokenizer.encode([text])[0]
    assert shown == [tokenizer.bos_id, *pieces, tokenizer.eos_id]
    longer = embedder.encode([text, text + "and unlock the door"])
    assert np.array_equal(longer[0], longer[1])


def test_no_texts_are_no_rows(embedder):
    """An empty page of results must not end the app."""
    assert embedder.encode([]).shape == (0, 16)


def test_int8_vectors_are_of_unit_length(artefacts, pairs):
    """Quantised after it was normalised, a vector's dot products are no cosines."""
    vectors = Embedder(artefacts / "student_int8.tflite").encode(
        ["", "lamp", "👋" * 99]
    )
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5


def test_a_string_is_not_a_list_of_its_letters(embedder):
    """`encode("lamp")` would give four vectors, and nobody would know why."""
    with pytest.raises(TypeError, match="list of texts"):
        embedder.encode("lamp")
    with pytest.raises(TypeError, match="float at position 1"):
        embedder.encode(["lamp", float("nan")])


def test_threads_may_share_it(embedder):
    """A web server's threads would overwrite each other's input."""
    texts = [f"Turn on lamp {number}" for number in range(16)]
    expected = [embedder.encode([text]) for text in texts]
    wrong = []

    def check(mine):
        for _ in range(10):
            for text, vector in mine:
                try:
                    if not np.array_equal(embedder.encode([text]), vector):
                        wrong.append(text)
                except Exception as error:
                    wrong.append(repr(error))

    rows = list(zip(texts, expected, strict=True))
    threads = [threading.Thread(target=check, args=(rows[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_tokenizer_is_beside_the_model_or_in_its_run_or_given(folder, tokenizer):
    """An export folder that was copied alone must be enough."""
    model = folder / "student_int8.tflite"
    expected = Embedder(model).encode(["lamp"])
    above = (folder / "tokenizer.model").rename(folder.parent / "tokenizer.model")
    assert np.array_equal(Embedder(model).encode(["lamp"]), expected)
    elsewhere = above.rename(folder / "elsewhere.model")
    with pytest.raises(BabeletError, match=r"no tokenizer .* Remedy: copy it"):
        Embedder(model)
    assert np.array_equal(Embedder(model, elsewhere).encode(["lamp"]), expected)


def test_the_tokenizer_of_another_student_is_refused(folder, tokenizer_model):
    """Its ids are all valid, and every vector would be wrong."""
    other = tokenizer_model + b"\x7a\x00"  # A field of the proto that nothing reads.
    (folder / "tokenizer.model").write_bytes(other)
    with pytest.raises(BabeletError, match="tokenizer of another student"):
        Embedder(folder / "student_int8.tflite")


def test_a_bad_file_is_one_line_with_the_remedy(folder, make_student):
    """LiteRT's own messages speak of identifiers and buffers."""
    model = folder / "student_fp32.tflite"
    content = model.read_bytes()
    (folder / "cut.tflite").write_bytes(content[: len(content) // 2])
    (folder / "foreign.tflite").write_bytes(content[: content.rindex(b"PK\x03\x04")])
    (folder / "damaged.tflite").write_bytes(b"\0" * 64 + content[64:])
    (folder / "empty.tflite").touch()
    convert(make_student(), folder / "old.tflite", "fp32", {})
    for name, message in {
        "missing.tflite": "No such file",
        "saved_model": "no exported model",
        "cut.tflite": "no model of Babelet, or is damaged",
        "foreign.tflite": "no model of Babelet",
        "empty.tflite": "no model of Babelet",
        "golden.jsonl": "Cannot read",
        "tokenizer.model": "no model of Babelet",
        "damaged.tflite": "is damaged",
        "old.tflite": "max_length in its metadata",
    }.items():
        with pytest.raises(BabeletError, match=rf"{message}.* Remedy: ") as caught:
            Embedder(folder / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)


def test_one_flipped_bit_of_a_weight_is_noticed(folder):
    """Its vectors are of unit length, and those of no student."""
    model = folder / "student_int8.tflite"
    content = bytearray(model.read_bytes())
    for place in (200, len(content) // 3, len(content) // 2):
        content[place] ^= 128
        model.write_bytes(content)
        with pytest.raises(BabeletError, match=r"student_int8\.tflite is damaged"):
            Embedder(model)
        content[place] ^= 128
    model.write_bytes(content)
    assert Embedder(model).dim == 16


@pytest.mark.parametrize(
    "document", ["README.md", "docs/index.md", "docs/embedding.md"]
)
def test_the_examples_of_the_documents_run(artefacts, document):
    """The first lines a user copies."""
    text = (ROOT / document).read_text(encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (example,) = [each for each in examples if "import Embedder" in each]
    assert "runs/smart_home/export" in example
    names = {}
    exec(example.replace("runs/smart_home/export", str(artefacts)), names)
    assert names["vectors"].shape == (2, 16)
