"""What report, model card and comparison tell of a translator's run."""

from collections.abc import Mapping
from typing import Any

from babelet.evaluation import run_sections as common
from babelet.evaluation.export_sections import (
    exports,
    files,
    parameters_of,
    smaller_and_faster,
)
from babelet.evaluation.finished_run import FinishedRun, Metric
from babelet.evaluation.formatting import count, decimal, size
from babelet.evaluation.languages import name_of
from babelet.evaluation.sections import Figure, Page, Section, Table, Text
from babelet.tasks.origins import origins


def _one(value: Any) -> str:
    return decimal(value, 1)


def _two(value: Any) -> str:
    return decimal(value, 2)


# The encoder that a teacher may read.
ENCODER = "packaged_e5"
METRICS = (
    Metric("test BLEU", ("{model}, greedy", "bleu"), _one, primary=True, maximum=100),
    Metric("BLEU, beam *", ("{model}, beam *", "bleu"), _one, maximum=100),
    Metric("BLEU, no near neighbour", ("{model}, greedy", "bleu_without_near"), _one),
    Metric("chrF++", ("{model}, greedy", "chrf"), _one, maximum=100),
    Metric("exact", ("{model}, greedy", "exact")),
)
# Of each model in metrics.json.
_DETAILS = (
    Metric("BLEU", ("bleu",), _one),
    Metric("BLEU, no near neighbour", ("bleu_without_near",), _one),
    Metric("chrF++", ("chrf",), _one),
    Metric("exact %", ("exact",)),
    Metric("length ratio", ("length_ratio",), _two),
    Metric("repeating %", ("repeating",)),
    Metric("empty %", ("empty",)),
    Metric("placeholders kept %", ("placeholders_kept",)),
    Metric("numbers kept %", ("numbers_kept",)),
)
# Of parity.json and of the tiers.
_EXPORTS = (
    Metric("size", ("bytes",), size),
    Metric("same translation, %", ("same",)),
    Metric("BLEU", ("bleu",), _two),
    Metric("BLEU, Keras", ("bleu_keras",), _two),
)
_BLEU = (
    "BLEU depends on the text: these figures compare models on this test split, and "
    "nothing else. Texts of a user interface are short and full of set phrases."
)


def page(run: FinishedRun) -> Page:
    """Returns what report and model card show, from the run's folder alone."""
    data = run.config["data"]
    languages = [data["pivot"], data["languages"][0]]
    source, target = map(name_of, languages)
    note = "No group of pairs that share a text is in two splits."
    counts = common.split_counts(run.facts("corpus")["counts"], "pairs", note)
    return Page(
        run.name,
        "a small translator",
        f"A small translator from {source} into {target}, distilled from a larger one.",
        [
            Section("What was trained on what", [Text(_told(run)), counts], card=True),
            common.origins(_origins(run)),
            _models(run),
            common.examples(run, ""),
            common.curves(
                run, {"training": "Student", "teacher": "Teacher"}, ("exact",)
            ),
            common.rejected(run),
            files(run),
            exports(run, _EXPORTS),
            common.limits(run, _LIMITS),
            *common.reproduce(run),
        ],
        _headline(run),
        [_BLEU],
        run.config.get("licence", "unstated"),
        languages,
        ("translation",),
    )


_LIMITS = (
    "It knows the texts of one domain and one direction. On others it writes fluent "
    "nonsense.",
    "A translation has at most twice the tokens of its source and ten more, and "
    "repeats no run of tokens more than three times in a row.",
)


def _origins(run: FinishedRun) -> list[tuple[str, str, str]]:
    """Returns where the text comes from, and the encoder that its teacher may read."""
    reads = run.config["translation"]["teacher"]["reads_encoder"]
    config = dict(run.config) | {"teacher": {"kind": ENCODER}}
    return [row for row in origins(config) if reads or row[0] == "text"]


def _headline(run: FinishedRun) -> list[Figure]:
    figures = [
        Figure(f"BLEU, {model}", _one(row["bleu"]), "", f"chrF++ {_one(row['chrf'])}")
        for model, row in run.metrics.items()
    ]
    return figures + smaller_and_faster(run)


def _told(run: FinishedRun) -> str:
    """Returns what was trained on what, in words."""
    config = run.config
    translation, student, training = (
        config[name] for name in ("translation", "student", "training")
    )
    parameters = parameters_of(run)
    teacher = translation["teacher"]
    informed = teacher["reads_encoder"]
    told = ""
    if parameters["teacher"] is not None:
        told = (
            f"A teacher of {teacher['encoder_layers']} + "
            f"{teacher['decoder_layers']} layers, {teacher['hidden_dim']} wide "
            f"({count(parameters['teacher'])} parameters), was trained on the text in "
            f"{count(teacher['steps'])} steps"
        )
        if informed:
            told += f"; it reads what the encoder `{ENCODER}` makes "
            told += "of a text, which is counted with it"
        told += ". "
    told += (
        f"The student has {student['num_layers']} + {student['decoder_layers']} "
        f"layers, {student['hidden_dim']} wide ({count(parameters['student'])} "
        f"parameters), and {count(config['vocabulary']['size'])} pieces; it was "
        f"trained in {count(training['steps'])} steps of {training['batch_size']} "
        "pairs."
    )
    if student["init_from_teacher"]:
        told += " It started as its teacher" + ", without the encoder" * informed + "."
    text = f"Text: `{config['data']['source']}`, seed {config['seed']}."
    return f"{told} {_targets(run)} {text}"


def _targets(run: FinishedRun) -> str:
    translation, objective = run.config["translation"], run.config["objective"]
    # As many as there were, which may be far fewer than were asked for.
    renamed = run.facts("sources").get("renamed")
    told = f"Its targets: {translation['targets']}"
    if renamed:
        told += f", {count(renamed)} pairs once more with other names"
    if translation["recombined"]:
        told += f", and what the teacher says of {count(translation['recombined'])} "
        told += "recombined sentences"
    told += f"; hard labels weigh {objective['alpha']}"
    if objective.get("margin"):
        told += f" (learned up to a margin of {objective['margin']})"
    return f"{told}, the teacher's distribution {round(1 - objective['alpha'], 3)}."


def _models(run: FinishedRun) -> Section:
    rows = [
        [model, *(figure.write(figure.value(row)) for figure in _DETAILS)]
        for model, row in run.metrics.items()
    ]
    some: Mapping[str, Any] = next(iter(run.metrics.values()))
    note = f'{count(some["sentences"])} test sentences. "Repeating": some run of words '
    note += "three times in a row. Placeholders and numbers are kept where the "
    note += "translation has exactly the source's."
    signatures = f"sacrebleu: `{some['bleu_signature']}` `{some['chrf_signature']}`"
    table = Table(["model", *(figure.name for figure in _DETAILS)], rows, note=note)
    return Section("Models", [table, Text(signatures, "quiet")], card=True)
