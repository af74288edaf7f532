"""A whole run in miniature: text in four languages, a teacher, and the command."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import h5py
import pytest

from babelet.configs import overrides
from babelet.training.run import run
from tests import e5s1_writer
from tests.training.settings_recorder import recording

ROOT = Path(__file__).resolve().parents[2]
# English, German, Spanish, Finnish.
ACTIONS = [
    (
        "Turn on {} in {}",
        "Schalte {} {} ein",
        "Enciende {} en {}",
        "Kytke {} {} päälle",
    ),
    ("Turn off {} in {}", "Schalte {} {} aus", "Apaga {} en {}", "Sammuta {} {} nyt"),
    ("Clean {} in {}", "Reinige {} {} bitte", "Limpia {} en {}", "Puhdista {} {}"),
    ("Where is {} in {}", "Wo ist {} {} denn", "Dónde está {} en {}", "Missä {} {} on"),
    ("Remove {} from {}", "Entferne {} {}", "Quita {} de {}", "Poista {} {}"),
]
THINGS = [
    ("the lamp", "die Lampe", "la lámpara", "lamppu"),
    ("the heating", "die Heizung", "la calefacción", "lämmitys"),
    ("the radio", "das Radio", "la radio", "radio"),
    ("the fan", "den Ventilator", "el ventilador", "tuuletin"),
    ("the camera", "die Kamera", "la cámara", "kamera"),
    ("the printer", "den Drucker", "la impresora", "tulostin"),
]
ROOMS = [
    ("the kitchen", "in der Küche", "la cocina", "keittiössä"),
    ("the bedroom", "im Schlafzimmer", "el dormitorio", "makuuhuoneessa"),
    ("the garage", "in der Garage", "el garaje", "autotallissa"),
    ("the garden", "im Garten", "el jardín", "puutarhassa"),
    ("the cellar", "im Keller", "el sótano", "kellarissa"),
    ("the office", "im Büro", "la oficina", "toimistossa"),
]
LANGUAGES = ("de", "es", "fi")
RECIPE = """
from babelet.configs.embedding import *

def get_config():
    return EmbeddingConfig(
        name="tiny",
        data=DataConfig(
            source="parallel_files",
            files=({text!r},),
            languages=("de", "es", "fi"),
            validation_fraction=0.1,
            test_fraction=0.15,
        ),
        vocabulary=VocabularyConfig(size=128, min_agreement=0.5),
        teacher=TeacherConfig(path={teacher!r}, max_length=24, tokens_per_batch=16),
        student=StudentConfig(
            num_layers=1, hidden_dim=32, num_heads=4, intermediate_dim=64,
            max_length=24, output_dim=32, dropout=0.1, init_layers=(0,),
        ),
        objective=ObjectiveConfig(bank_size=32),
        training=TrainingConfig(
            steps=40, batch_size=64, learning_rate=3e-2, warmup_steps=4,
            precision="float32", checkpoint_every=4, validate_every=10,
        ),
    )
"""

LABELS = ["on", "off", "clean", "where", "remove"]
LABELLED_RECIPE = """
from babelet.configs.classification import *

def get_config():
    return ClassificationConfig(
        name="tiny_intents",
        data=DataConfig(
            source="labelled_files",
            files=({text!r},),
            languages=("de", "es", "fi"),
            validation_fraction=0.15,
            test_fraction=0.25,
        ),
        vocabulary=VocabularyConfig(size=128, min_agreement=0.5),
        teacher=TeacherConfig(path={teacher!r}, max_length=24, tokens_per_batch=16),
        student=StudentConfig(
            num_layers=1, hidden_dim=32, num_heads=4, intermediate_dim=64,
            max_length=24, init_layers=(0,),
        ),
        training=TrainingConfig(
            steps=40, batch_size=32, learning_rate=2e-2, warmup_steps=4,
            precision="float32", checkpoint_every=20, validate_every=20,
        ),
        tuning=TuningConfig(
            scope="last_layers", num_layers=1, steps=40, batch_size=32,
            learning_rate=2e-2, warmup_steps=4, validate_every=20,
        ),
    )
"""

TRANSLATION_RECIPE = """
from babelet.configs.translation import *

def get_config():
    return TranslationConfig(
        name="tiny",
        data=DataConfig(
            source="parallel_files", files=({text!r},), languages=("de",),
            validation_fraction=0.1, test_fraction=0.15,
        ),
        vocabulary=VocabularyConfig(size=80),
        student=StudentConfig(
            num_layers=1, hidden_dim=32, num_heads=4, intermediate_dim=64,
            max_length=32, dropout=0.1,
        ),
        objective=ObjectiveConfig(alpha=0.5),
        training=TrainingConfig(
            steps=60, batch_size=32, learning_rate=1e-2, warmup_steps=10,
            precision="float32", checkpoint_every=20, validate_every=30,
            validation_pairs=10, metric="chrf",
        ),
        evaluation=EvaluationConfig(pairs_per_language=20),
        # Twenty sentences of a beginner: one other word is several points.
        export=ExportConfig(max_bleu_loss=100),
        translation=TargetsConfig(
            teacher=TeacherConfig(
                encoder_layers=1, decoder_layers=2, hidden_dim=48, intermediate_dim=96,
                dropout=0.1, steps=60, learning_rate=1e-2, warmup_steps=10,
            ),
            soft_candidates=8, beam_size=2, recombined=30,
        ),
    )
"""


class Home(NamedTuple):
    """What the command takes."""

    folder: Path
    recipe: Path
    text: Path
    teacher: Path


def sentences():
    """Returns rows (English, German, Spanish, Finnish), 180 of them."""
    return [
        tuple(
            template.format(thing, room)
            for template, thing, room in zip(action, things, rooms, strict=True)
        )
        for action in ACTIONS
        for things in THINGS
        for rooms in ROOMS
    ]


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A recipe, its text and its teacher."""
    folder = tmp_path_factory.mktemp("home")
    home = Home(folder, *(folder / n for n in ("tiny.py", "text.tsv", "teacher.bin")))
    rows = sentences()
    with home.text.open("w", encoding="utf-8") as file:
        for english, *translations in rows:
            for language, text in zip(LANGUAGES, translations, strict=True):
                file.write(f"{language}\t{english}\t{text}\n")
    every = [f"query: {text}" for row in rows for text in row]
    pieces, scores = e5s1_writer.unigram(every, 240)
    e5s1_writer.write_e5s1(
        home.teacher,
        pieces,
        scores,
        e5s1_writer.Shape(),
        rules=e5s1_writer.nmt_nfkc(),
        spread=0.05,
    )
    home.recipe.write_text(
        RECIPE.format(text=str(home.text), teacher=str(home.teacher))
    )
    return home


@pytest.fixture(scope="session")
def translation_recipe(home, tmp_path_factory):
    """A translator's recipe, from English to German; its text lies beside it."""
    folder = tmp_path_factory.mktemp("translation")
    text = folder / "text.tsv"
    lines = home.text.read_text("utf-8").splitlines(keepends=True)
    text.write_text("".join(x for x in lines if x.startswith("de\t")), "utf-8")
    recipe = folder / "recipe.py"
    recipe.write_text(TRANSLATION_RECIPE.format(text=str(text)))
    return recipe


@pytest.fixture(scope="session")
def labelled(home):
    """A recipe of classification, and a table of text, label and language."""
    text = home.folder / "labelled.csv"
    rows = ["text,label,language"]
    rows += [",".join(row) for row in labelled_rows()]
    text.write_text("\n".join(rows) + "\n", encoding="utf-8")
    path = home.folder / "tiny_intents.py"
    recipe = LABELLED_RECIPE.format(text=str(text), teacher=str(home.teacher))
    path.write_text(recipe)
    return path


def labelled_rows():
    """Returns rows (text, label, language), 144 of each of `LABELS`."""
    return [
        (sentence, LABELS[number // 36], language)
        for number, row in enumerate(sentences())
        for language, sentence in zip(("en", *LANGUAGES), row, strict=True)
    ]


def train(recipe, workdir, *settings, **options):
    """Runs in this process: three of such runs cost what one start costs."""
    run(overrides.load(str(recipe), settings), workdir, **options)
    return workdir


class Command(NamedTuple):
    """A command line of the training, from the repository's root."""

    config: Path
    workdir: Path
    settings: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def line(self):
        start = [
            sys.executable,
            "-m",
            "babelet.training.distill",
            f"--config={self.config}",
        ]
        start += [f"--workdir={self.workdir}", *self.flags]
        return [*start, *(f"--set={setting}" for setting in self.settings)]

    def run(self, **variables):
        """Runs it to its end; returns the completed process, output as text."""
        return subprocess.run(
            self.line,
            cwd=ROOT,
            env=environment(**variables),
            capture_output=True,
            text=True,
            timeout=600,
        )

    def succeed(self, **variables):
        """Runs it, shows what went wrong if it fails, and returns its output."""
        done = self.run(**variables)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout


def environment(**variables):
    """Returns the environment of a run: this one's, with less noise and threads."""
    return os.environ | {"OMP_NUM_THREADS": "1"} | variables


def messages(stderr):
    """Returns the lines of `stderr` that are not progress bars."""
    parts = re.split(r"[\r\n]+", stderr)
    return [part for part in parts if part.strip() and not re.search(r"\d+%\|", part)]


def weights(workdir):
    """Returns the bytes of each array in the final weights, by name."""
    found = {}

    def note(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tobytes()

    with h5py.File(workdir / "student.weights.h5") as file:
        file.visititems(note)
    return found


class Run(NamedTuple):
    command: Command
    workdir: Path
    output: str


@pytest.fixture(scope="session")
def command(home):
    """Returns the command for a workdir, settings and flags."""

    def make(workdir, *settings, config=home.recipe, flags=()):
        return Command(config, workdir, settings, tuple(flags))

    return make


@pytest.fixture(scope="session")
def finished(home, command):
    """A whole run that nothing disturbed."""
    line = command(home.folder / "finished")
    return Run(line, line.workdir, line.succeed(**recording(home.folder / "noted")))


@pytest.fixture
def prepared(finished, command, tmp_path):
    """Returns the command of a training on the finished run's preparation."""

    def make(*settings):
        flags = (f"--prepared={finished.workdir}", "--until=training")
        return command(tmp_path / "run", *settings, flags=flags)

    return make
