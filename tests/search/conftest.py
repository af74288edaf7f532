import shutil
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from babelet.configs.embedding import StudentConfig
from babelet.data.tokenizer import Tokenizer
from babelet.export.litert import convert
from babelet.search.embedding import load_embedders
from babelet.search.lexical import WordRules
from babelet.search.store import Store
from babelet.search.update import update
from babelet.tasks.students import configured_encoder
from tests.index_documents import DOCUMENTS, write_tsv
from tests.small_tokenizer import unigram_model

ROOT = Path(__file__).resolve().parents[2]
# An odd width: bits come in whole bytes, vectors do not.
SHAPE = StudentConfig(
    num_layers=1,
    hidden_dim=32,
    num_heads=4,
    intermediate_dim=32,
    max_length=24,
    output_dim=36,
)


def make_model(folder, seed):
    """An untrained student: equal texts are nearest, others by their words."""
    model = unigram_model([row[2] for row in DOCUMENTS], 200)
    (folder / "tokenizer.model").write_bytes(model)
    size = Tokenizer(model, SHAPE.max_length).vocabulary_size
    keras.utils.set_random_seed(seed)
    student = configured_encoder(SHAPE, size)
    table = student.get_layer("embedding").tokens
    table.assign(table * 20)
    path = folder / "student_int8.tflite"
    metadata = {"max_length": SHAPE.max_length, "weights_sha256": f"weights {seed}"}
    convert(student, path, "int8", metadata)
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"), 1)


@pytest.fixture(scope="session")
def other_model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("other"), 2)


@pytest.fixture(scope="session")
def embedders(model):
    return load_embedders(model, 2)


@pytest.fixture
def tsv(tmp_path):
    return write_tsv(tmp_path / "docs.tsv")


@pytest.fixture
def make_index(tmp_path, embedders):
    """A function from documents to the path of their index."""

    def make(documents, name="my.db", rules=WordRules()):  # noqa: B008
        path = tmp_path / name
        store = Store.create(path, embedders[0], rules)
        for source in dict.fromkeys(each.source for each in documents):
            own = [each for each in documents if each.source == source]
            update(store, source, own, embedders[1])
        store.close()
        return path

    return make


@pytest.fixture
def run():
    """A function that runs an entry module; its arguments are flags."""

    def start(module, *arguments, wait=True):
        command = [
            sys.executable,
            "-m",
            f"babelet.search.{module}",
            *map(str, arguments),
        ]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
        if not wait:
            return process
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    return start


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 600 kilobytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    order = ["-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
    if not mount or subprocess.run([mount, *order], capture_output=True).returncode:
        pytest.skip("mounting a small disk takes root")
    yield folder
    subprocess.run(["umount", str(folder)], capture_output=True)
