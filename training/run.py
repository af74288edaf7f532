"""One run: prepares, trains, evaluates, exports and reports, each step once."""

import errno
import json
import os
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from configs.atomic import atomic_path
from configs.errors import BabeletError
from configs.schema import Config
from data.pipeline import PairBatches
from data.splits import TEST, TRAIN, VALIDATION
from evaluation.evaluate import evaluate, headline
from evaluation.retrieval import mean_over_languages, retrieval
from export.rebuild import rebuild_student
from export.run import export_run
from model.initialisation import initialise_from_teacher
from model.precision import preferred_precision
from tasks import TASKS
from tasks.embedding import configured_student, student_predict
from training import projector, reporting
from training.callbacks import save_weights
from training.loop import train
from training.preparation import Preparation
from training.workdir import (
    Workdir,
    digest,
    explain_os_error,
    opened,
    peak_memory,
)

# Test pairs a language on which the parity gate compares the exported files.
PARITY_PAIRS = 40


# In their order; `--until` names one of them.
STEPS = ("preparation", "training", "evaluation", "export", "report")


def run(config: Config, path: Path, prepared: str = "", until: str = STEPS[-1]) -> None:
    """Does every step of the run in `path` that is not done yet.

    Args:
        config: The resolved settings.
        path: The workdir.
        prepared: Another workdir whose preparation serves here; "" for none.
        until: The last of `STEPS` to do.

    Raises:
        BabeletError: Something the user can mend.
    """
    try:
        with opened(path, config) as workdir:
            _steps(workdir, Path(prepared) if prepared else None, until)
    except OSError as error:
        raise explain_os_error(error, path) or error from error
    except tf.errors.ResourceExhaustedError as error:
        # TensorFlow's own writers, of logs above all; else it is memory.
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise explain_os_error(full, path) from error


def _steps(workdir: Workdir, prepared: Path | None, until: str) -> None:
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(workdir.config.seed)
    preparation = Preparation(workdir)
    if prepared:
        preparation.adopt(prepared)
    preparation.run()
    before = workdir.manifest["steps"]
    training = _training_inputs(workdir)
    evaluation = {"training": training, "sets": workdir.section("evaluation")}
    exported = {"training": training, "licence": workdir.section("licence")}
    shown = evaluation | reporting.measurements(workdir.path)
    steps = {
        "training": (training, ["student.weights.h5", "student.keras"], _train),
        "evaluation": (evaluation, ["metrics.json"], _evaluate),
        "export": (exported, ["export"], _export),
        "report": (shown, ["report.html", "MODEL_CARD.md"], reporting.report),
    }
    for name in STEPS[1 : STEPS.index(until) + 1]:
        inputs, outputs, work = steps[name]
        workdir.step(name, inputs, outputs, partial(work, workdir, preparation))
    if until == STEPS[-1]:
        scores = before["evaluation"]["facts"]
        print(
            f"Test retrieval, mean over languages: teacher {scores['teacher']:.1%}, "
            f"student {scores['student']:.1%}. Peak memory "
            f"{peak_memory() / 1e9:.1f} GB. Report: {workdir.path / 'report.html'}"
        )


def _training_inputs(workdir: Workdir) -> dict:
    """Returns all that the trained weights depend on, as JSON values."""
    tokens = workdir.manifest["steps"]["tokens"]["inputs"]
    names = ("seed", "task", "student", "objective", "training")
    return {"tokens": tokens} | {name: workdir.section(name) for name in names}


def _train(workdir: Workdir, preparation: Preparation) -> dict:
    config = workdir.config
    precision = config.training.precision
    if precision == "auto":
        precision = preferred_precision()
    student = initial_student(config, preparation, precision)
    corpus, cache = preparation.corpus, preparation.cache
    left_out = [corpus.languages.index(x) for x in config.training.leave_out]
    chosen = (corpus.pair_split == TRAIN) & ~np.isin(corpus.pair_language, left_out)
    pairs = np.asarray(corpus.pairs[chosen])
    rows = np.full(len(corpus.sentences), -1, np.int64)
    pivots = preparation.training_pivots()
    rows[pivots] = cache.rows(corpus.sentences.texts(pivots))
    batches = PairBatches(
        preparation.tokens,
        pairs,
        corpus.sentence_language,
        cache.vectors,
        rows,
        batch_size=config.training.batch_size,
        pivot_share=config.training.pivot_share,
        bank_size=config.objective.bank_size,
        with_pivot_tokens=config.objective.candidates == "student",
        seed=config.seed,
    )
    sets = preparation.held_out(VALIDATION, config.training.validation_pairs)
    teacher = retrieval(cache.encode, sets)
    reporting.log_teacher(workdir.path / "logs", teacher, config.training.steps)

    def validate(model: keras.Model) -> dict[str, float]:
        result = retrieval(student_predict(model, preparation.tokenizer), sets)
        scores = {f"retrieval/{name}": row["mean"] for name, row in result.items()}
        return {"retrieval": mean_over_languages(result)["mean"]} | scores

    task = TASKS[config.task](
        config.objective,
        batches,
        corpus.sentences.__getitem__,
        validate,
        preparation.teacher.dim,
    )
    print(
        f"{student.count_params():,} parameters, {precision}; {len(pairs):,} pairs, "
        f"{config.training.steps} steps of {config.training.batch_size}",
        flush=True,
    )
    identity = digest(json.dumps(_training_inputs(workdir), sort_keys=True))
    state = train(task, student, config.training, precision, workdir.path, identity)
    _save(student, workdir, preparation)
    return state | {"precision": precision, "parameters": student.count_params()}


def initial_student(
    config: Config, preparation: Preparation, precision: str
) -> keras.Model:
    """Returns the student before training, from teacher layers where configured."""
    # Steps that are done draw no random numbers; what follows must not depend on it.
    keras.utils.set_random_seed(config.seed)
    shape = config.student
    student = configured_student(
        shape, preparation.tokenizer.vocabulary_size, precision
    )
    if shape.init_layers:
        ids = preparation.teacher_ids()
        try:
            copied = initialise_from_teacher(
                student,
                preparation.teacher.backbone,
                layers=shape.init_layers,
                teacher_ids=ids,
            )
        except ValueError as error:
            raise BabeletError(
                str(error), remedy="change student.init_layers"
            ) from error
        trainable = len(student.trainable_variables)
        print(f"initialised {len(copied)} of {trainable} variables from the teacher")
    return student


def _save(student: keras.Model, workdir: Workdir, preparation: Preparation) -> None:
    """Writes the trained student in float32, whatever it was trained in."""
    save_weights(student, workdir.path / "student.weights.h5")
    rebuilt = rebuild_student(workdir.path).student
    with atomic_path(workdir.path / "student.keras") as file:
        named = file.with_name(f"{file.name}.keras")
        rebuilt.save(named)
        named.rename(file)
    projector.write(
        workdir.path / "logs" / "projector",
        student_predict(rebuilt, preparation.tokenizer),
        preparation.held_out(VALIDATION, workdir.config.training.validation_pairs),
    )


def _evaluate(workdir: Workdir, preparation: Preparation) -> dict:
    settings = workdir.config.evaluation
    sets = preparation.held_out(TEST, settings.pairs_per_language)
    rebuilt = rebuild_student(workdir.path)
    models = {
        "teacher": preparation.cache.encode,
        "student": student_predict(rebuilt.student, rebuilt.tokenizer),
    }
    metrics = {
        name: evaluate(
            predict,
            sets,
            tatoeba=settings.tatoeba,
            sts=settings.sts,
            teacher=None if name == "teacher" else preparation.cache.encode,
            description=f"Evaluating the {name}",
        )
        for name, predict in models.items()
    }
    with atomic_path(workdir.path / "metrics.json") as file:
        file.write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
    return {name: headline(values) for name, values in metrics.items()}


def _export(workdir: Workdir, preparation: Preparation) -> dict:
    texts = {
        group.language: list(zip(group.pivot_texts, group.texts, strict=True))
        for group in preparation.held_out(TEST, PARITY_PAIRS)
    }
    return export_run(workdir.path, texts)
