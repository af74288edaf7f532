import dataclasses
import shutil
from pathlib import Path

import keras
import pytest

from babelet.configs import embedding, smart_home
from babelet.data.build_corpus import build_corpus
from babelet.data.tokenizer import Tokenizer
from babelet.export.run import write_artefacts
from babelet.export.task_export import write_texts
from babelet.tasks.students import configured_encoder
from tests import run_record
from tests.small_tokenizer import unigram_model

PAIRS = {
    "de": [
        ("Turn on the lamp", "Schalte die Lampe ein"),
        ("The door is open", "Die Tür ist offen"),
        ("Battery is low", "Der Akku ist fast leer"),
        ("Unknown device", "Unbekanntes Gerät"),
    ],
    "ja": [
        ("Turn on the lamp", "ランプをつけて"),
        ("The door is open", "ドアが開いています"),
        ("Battery is low", "電池残量が少なくなっています"),
        ("Unknown device", "不明なデバイス"),
    ],
    "he": [
        ("Turn on the lamp", "הדלק את המנורה"),
        ("The door is open", "הדלת פתוחה"),
        ("Battery is low", "הסוללה חלשה"),
        ("Unknown device", "מכשיר לא ידוע"),
    ],
    "ru": [
        ("Turn on the lamp", "Включи лампу"),
        ("The door is open", "Дверь открыта"),
        ("Battery is low", "Батарея разряжена"),
        ("Unknown device", "Неизвестное устройство"),
    ],
}
SHAPE = embedding.StudentConfig(
    num_layers=2,
    hidden_dim=32,
    num_heads=4,
    intermediate_dim=64,
    max_length=24,
    output_dim=16,
)


@pytest.fixture(scope="session")
def pairs():
    """Translations by language, as the gate takes them."""
    return PAIRS


@pytest.fixture(scope="session")
def tokenizer_model() -> bytes:
    """A SentencePiece Unigram model of the pairs, with the ids Babelet uses."""
    sentences = [text for pairs in PAIRS.values() for pair in pairs for text in pair]
    return unigram_model(sentences, 160)


@pytest.fixture(scope="session")
def tokenizer(tokenizer_model) -> Tokenizer:
    return Tokenizer(tokenizer_model, SHAPE.max_length)


@pytest.fixture(scope="session")
def make_student(tokenizer):
    """A function of the pooling that builds the student, always of equal weights."""

    def make(pooling: str = "mean") -> keras.Model:
        keras.utils.set_random_seed(1)
        shape = dataclasses.replace(SHAPE, pooling=pooling, dropout=0.1)
        student = configured_encoder(shape, tokenizer.vocabulary_size)
        table = student.get_layer("embedding").tokens
        # Freshly initialised, all sentences have nearly one vector.
        table.assign(table * 20)
        return student

    return make


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> Path:
    """The corpus of the pairs, all of them for testing."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = [
        f"{language}\t{pivot}\t{text}\n"
        for language, pairs in PAIRS.items()
        for pivot, text in pairs
    ]
    (folder / "pairs.tsv").write_text("".join(lines), encoding="utf-8")
    config = embedding.DataConfig(
        source="parallel_files",
        files=(str(folder / "pairs.tsv"),),
        languages=tuple(PAIRS),
        validation_fraction=0.001,
        test_fraction=0.998,
    )
    build_corpus(config, folder / "corpus", folder)
    return folder / "corpus"


@pytest.fixture(scope="session")
def make_workdir(make_student, tokenizer_model, corpus):
    """A function that lays a finished run with `student` into a folder."""

    def make(folder: Path, student: keras.Model) -> Path:
        folder.mkdir()
        config = dataclasses.replace(smart_home.get_config(), student=SHAPE)
        shutil.copytree(corpus, folder / "corpus")
        (folder / "tokenizer.model").write_bytes(tokenizer_model)
        student.save_weights(folder / "student.weights.h5")
        run_record.write(folder, config)
        write_texts(folder, PAIRS)
        return folder

    return make


@pytest.fixture(scope="session")
def workdir(tmp_path_factory, make_student, make_workdir) -> Path:
    """A finished run without an export."""
    return make_workdir(tmp_path_factory.mktemp("runs") / "home", make_student())


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory, workdir) -> Path:
    """Unchecked artefacts of `workdir`; copy the folder before changing it."""
    folder = tmp_path_factory.mktemp("artefacts")
    write_artefacts(workdir, folder)
    return folder
