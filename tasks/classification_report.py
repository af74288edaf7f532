"""What report, model card and comparison tell of a classifier's run."""

from collections.abc import Sequence

from babelet.evaluation import run_sections as common
from babelet.evaluation.export_sections import exports, files, smaller_and_faster
from babelet.evaluation.finished_run import SAMPLES, TRANSFER, FinishedRun, Metric
from babelet.evaluation.formatting import decimal, percent
from babelet.evaluation.heatmap import confusion_map
from babelet.evaluation.sections import Charts, Figure, Page, Section, Table, bars
from babelet.tasks.origins import origins

METRICS = (
    Metric("test accuracy", ("{model}", "mean", "accuracy"), primary=True),
    Metric("macro-F1", ("{model}", "mean", "macro_f1")),
    Metric("calibration error", ("{model}", "calibration_error")),
    Metric("refused", ("{model}", "refused")),
    Metric("accuracy, accepted", ("{model}", "accepted_accuracy")),
)
# Of each language.
_BY_LANGUAGE = (Metric("", ("accuracy",)), Metric("macro-F1", ("macro_f1",)))
# Of parity.json and of the tiers.
_EXPORTS = (
    Metric("same answer, %", ("same_answer",), primary=True),
    Metric(
        "largest difference of a score",
        ("max_difference",),
        lambda value: decimal(value, 4),
    ),
)
# Pairs of classes that are taken for each other, at most.
CONFUSIONS = 20
# By tuning.scope.
_TUNED = {
    "none": "as it was given",
    "head": "with a linear head tuned on the labels",
    "last_layers": "its last {layers} layers tuned on the labels",
    "all": "all of it tuned on the labels",
}


def page(run: FinishedRun) -> Page:
    """Returns what report and model card show, from the run's folder alone."""
    counts = run.facts("corpus")["counts"]
    classes = list(run.metrics["student"]["f1"])
    note = "Sentences; of a template, or of what reads the same, all are in one split."
    return Page(
        run.name,
        "a small multilingual classifier",
        _lead(run, classes, len(counts)),
        [
            _languages(run),
            *common.comparisons(run.read(TRANSFER, list)),
            common.examples(run, "Each model's class with its score."),
            _confusions(run, classes),
            _classes(run, classes),
            Section(
                "Sentences", [common.split_counts(counts, "sentences", note)], card=True
            ),
            common.rejected(run),
            common.curves(
                run,
                {"training": "", "tuning": "The teacher's tuning"},
                ("accuracy", "macro_f1"),
            ),
            files(run),
            exports(run, _EXPORTS),
            common.origins(origins(run.config)),
            common.limits(run, ()),
            *common.reproduce(run),
        ],
        _headline(run),
        run.read(SAMPLES).get("warnings", []),
        run.config.get("licence", "unstated"),
        list(counts),
        ("text-classification",),
    )


def _lead(run: FinishedRun, classes: Sequence[str], languages: int) -> str:
    config = run.config
    tuning = config["tuning"]
    tuned = _TUNED[tuning["scope"]].format(layers=tuning["num_layers"])
    labels = config["labels"]["setting"].replace("_", "-")
    return (
        f"A small classifier of short texts into {len(classes)} classes, in "
        f"{languages} languages, distilled from a large one "
        f"({config['teacher']['kind']}, {tuned}). Labels: {labels}."
    )


def _headline(run: FinishedRun) -> list[Figure]:
    teacher, student = run.metrics["teacher"], run.metrics["student"]
    named = {"Accuracy": METRICS[0], "Macro-F1": METRICS[1]}
    figures = common.beside_teacher(run, named)
    errors = run.facts("teacher")["calibration_error"]
    note = f"teacher {percent(teacher['calibration_error'])} %; on validation "
    note += f"{percent(errors['raw'])} % before its temperature was fitted, "
    note += f"{percent(errors['calibrated'])} % after"
    error = percent(student["calibration_error"])
    figures.append(Figure("Calibration error", error, "%", note))
    threshold = run.read("calibration.json")["threshold"]
    note = f"score below {threshold:.2f}; of the rest "
    note += f"{percent(student['accepted_accuracy'])} % are right"
    refused = percent(student["refused"])
    figures.append(Figure("Refused as of no known class", refused, "%", note))
    return figures + smaller_and_faster(run)


def _languages(run: FinishedRun) -> Section:
    note = (
        "Held-out sentences, of templates that no training sentence is from. Percent."
    )
    table = common.by_language(run, (), _BY_LANGUAGE, note)
    return Section("By language", [table], card=True)


def _confusions(run: FinishedRun, classes: Sequence[str]) -> Section:
    matrix = run.metrics["student"]["confusion"]
    wrong = [
        (n, classes[i], classes[j])
        for i, row in enumerate(matrix)
        for j, n in enumerate(row)
        if i != j and n
    ]
    wrong.sort(key=lambda item: (-item[0], item[1:]))
    note = f"The student's {min(CONFUSIONS, len(wrong))} most common mistakes."
    rows = [[true, chosen, n] for n, true, chosen in wrong[:CONFUSIONS]]
    caption = "Rows are the true classes, columns those the student chose, by number; "
    caption += "the darker, the larger the share of the row. Counts show on hover."
    drawn = confusion_map(matrix, classes)
    return Section(
        "What is taken for what",
        [
            Table(["class", "taken for", "sentences"], rows, note=note),
            Charts([(caption, drawn)], "Confusion matrix", "wide"),
        ],
    )


def _classes(run: FinishedRun, classes: Sequence[str]) -> Section:
    teacher, student = (run.metrics[m]["f1"] for m in ("teacher", "student"))
    rows = [
        [
            name,
            bars({"teacher": teacher[name], "student": student[name]}),
            percent(teacher[name]),
            percent(student[name]),
        ]
        for name in classes
    ]
    note = "F1 over the sentences of all languages. Percent."
    table = Table(["class", "0 to 100 %", "teacher", "student"], rows, note=note)
    return Section("By class", [table])
