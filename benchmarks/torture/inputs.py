"""Text, teacher and recipes of runs that take seconds, one for each task."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.torture import tiny_teacher

TASKS = ("embedding", "classification", "translation")
LABELS = ("on", "off", "clean", "where", "remove")
# English, German, Spanish.
_ACTIONS = (
    ("Turn on {} in {}", "Schalte {} {} ein", "Enciende {} en {}"),
    ("Turn off {} in {}", "Schalte {} {} aus", "Apaga {} en {}"),
    ("Clean {} in {}", "Reinige {} {} bitte", "Limpia {} en {}"),
    ("Where is {} in {}", "Wo ist {} {} denn", "Dónde está {} en {}"),
    ("Remove {} from {}", "Entferne {} {}", "Quita {} de {}"),
)
_THINGS = (
    ("the lamp", "die Lampe", "la lámpara"),
    ("the heating", "die Heizung", "la calefacción"),
    ("the radio", "das Radio", "la radio"),
    ("the fan", "den Ventilator", "el ventilador"),
)
_ROOMS = (
    ("the kitchen", "in der Küche", "la cocina"),
    ("the bedroom", "im Schlafzimmer", "el dormitorio"),
    ("the garage", "in der Garage", "el garaje"),
    ("the garden", "im Garten", "el jardín"),
)
_LANGUAGES = ("de", "es")

_RECIPE = """
from babelet.configs.{task} import *

def get_config():
    return {config}(
        name="tiny",
        data=DataConfig(
            source={source!r}, files=({text!r},), languages={languages!r},
            validation_fraction=0.15, test_fraction=0.2,
        ),
        student=StudentConfig(
            num_layers=1, hidden_dim=32, num_heads=4, intermediate_dim=64,
            max_length=24, dropout=0.1, {student}
        ),
        training=TrainingConfig(
            steps=24, batch_size=32, learning_rate=2e-2, warmup_steps=4,
            precision="float32", checkpoint_every=6, validate_every=12,
            validation_pairs=10,
        ),
        evaluation=EvaluationConfig(pairs_per_language=20),
        {sections}
    )
"""
_TEACHER = """
        vocabulary=VocabularyConfig(size=100, min_agreement=0.5),
        teacher=TeacherConfig(path={teacher!r}, max_length=24, tokens_per_batch=64),
"""


class _Recipe(NamedTuple):
    """What a task's recipe has of its own."""

    config: str
    source: str
    languages: tuple[str, ...]
    student: str
    sections: str


# Of twenty sentences one is several points: no gate refuses them.
_OF_TASKS = {
    "embedding": _Recipe(
        "EmbeddingConfig",
        "parallel_files",
        _LANGUAGES,
        "output_dim=32, init_layers=(0,)",
        _TEACHER
        + """
        objective=ObjectiveConfig(bank_size=32),
        export=ExportConfig(min_cosine=0.5, max_retrieval_loss=1.0),
""",
    ),
    "classification": _Recipe(
        "ClassificationConfig",
        "labelled_files",
        _LANGUAGES,
        "init_layers=(0,)",
        _TEACHER
        + """
        tuning=TuningConfig(
            scope="last_layers", num_layers=1, steps=12, batch_size=32,
            learning_rate=2e-2, warmup_steps=4, validate_every=6,
        ),
""",
    ),
    "translation": _Recipe(
        "TranslationConfig",
        "parallel_files",
        ("de",),
        "",
        """
        vocabulary=VocabularyConfig(size=70),
        export=ExportConfig(max_bleu_loss=100),
        translation=TargetsConfig(
            teacher=TeacherConfig(
                encoder_layers=1, decoder_layers=1, hidden_dim=32,
                intermediate_dim=64, dropout=0.1, steps=24, learning_rate=1e-2,
                warmup_steps=4,
            ),
            soft_candidates=8, beam_size=2, recombined=20,
        ),
""",
    ),
}


class Inputs(NamedTuple):
    """What the commands of a torture take."""

    recipes: dict[str, Path]  # By task.
    documents: Path  # For an index.
    more_documents: Path  # The same, some changed, gone and new.
    texts: Path  # One text a line, for babelet.export.infer.


def sentences() -> list[tuple[str, ...]]:
    """Returns 80 rows (English, German, Spanish)."""
    return [
        tuple(
            template.format(thing, room)
            for template, thing, room in zip(action, things, rooms, strict=True)
        )
        for action in _ACTIONS
        for things in _THINGS
        for rooms in _ROOMS
    ]


def write_inputs(folder: Path) -> Inputs:
    """Writes text, teacher, recipes and documents into a folder, always the same."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, teacher = sentences(), folder / "teacher.bin"
    every = [f"query: {text}" for row in rows for text in row]
    pieces, scores = tiny_teacher.unigram(every, 200)
    tiny_teacher.write_e5s1(
        teacher,
        pieces,
        scores,
        tiny_teacher.Shape(),
        rules=tiny_teacher.nmt_nfkc(),
        spread=0.05,
    )
    texts = {
        "embedding": _write(folder / "pairs.tsv", _pairs(rows, _LANGUAGES)),
        "classification": _write(folder / "labelled.csv", _labelled(rows)),
        "translation": _write(folder / "german.tsv", _pairs(rows, ("de",))),
    }
    recipes = {}
    for task, own in _OF_TASKS.items():
        recipes[task] = folder / f"{task}.py"
        named = own._replace(sections=own.sections.format(teacher=str(teacher)))
        recipe = _RECIPE.format(task=task, text=str(texts[task]), **named._asdict())
        recipes[task].write_text(recipe, "utf-8")
    return Inputs(
        recipes,
        _write(folder / "documents.tsv", _documents(0, 4000, "")),
        _write(folder / "more.tsv", _documents(500, 4500, " again")),
        _write(folder / "texts.txt", [text for row in rows[::8] for text in row]),
    )


def _write(path: Path, lines: list[str] | Iterator[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def _pairs(rows: list[tuple[str, ...]], languages: tuple[str, ...]) -> Iterator[str]:
    for english, *translations in rows:
        for language, text in zip(languages, translations, strict=False):
            yield f"{language}\t{english}\t{text}"


def _labelled(rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield "text,label,language"
    for number, row in enumerate(rows):
        for language, text in zip(("en", *_LANGUAGES), row, strict=True):
            yield f"{text},{LABELS[number // 16]},{language}"


def _documents(first: int, last: int, changed: str) -> Iterator[str]:
    yield "id\tlanguage\ttext"
    rows = sentences()
    for number in range(first, last):
        language = number % 3
        text = rows[number // 3 % len(rows)][language]
        # Every fifth document is another one in the second file.
        end = changed if number % 5 == 0 else ""
        yield f"d{number}\t{('en', *_LANGUAGES)[language]}\t{text} {number}{end}"
