"""Classification across languages: teacher, student, and a student without teacher.

python -m benchmarks.transfer --workdir=runs/intents/transfer

Under each setting of the labels (all; a few in each target language; none there) it
tunes the teacher on the visible labels once, then trains with several seeds a student
distilled from it, and one on the visible labels alone (alpha 1) at a learning rate of
its own search and the same steps. One corpus and vocabulary serve all. It writes
`table.md` and `tables.json`, which a report in the folder above shows, anew whenever a
setting is finished. The same command continues where it stopped.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from absl import flags

from babelet.configs import overrides
from babelet.configs.schema import Config
from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.core.run_files import read_json
from benchmarks.baseline import TRAIN, Run, Runner, comparing, tune
from benchmarks.comparison import markdown, summary

# Of each language, and what its table is called.
BY_LANGUAGE = {"accuracy": "Test accuracy", "macro_f1": "Macro-F1 on the test"}
SETTINGS = ("supervised", "few_shot", "zero_shot")
ALONE = "objective.alpha=1"


def scores(metrics: Mapping[str, Any], pivot: str) -> dict[str, float]:
    """Returns the figures of one model in percent, by column.

    Args:
        metrics: What `evaluation.classification.classification` returned.
        pivot: The language with all labels; the others are the targets.
    """
    targets = [row for name, row in metrics["languages"].items() if name != pivot]
    found = {
        "accuracy": metrics["mean"]["accuracy"],
        "macro-F1": metrics["mean"]["macro_f1"],
        "calibration error": metrics["calibration_error"],
    }
    if targets:
        accuracies = [row["accuracy"] for row in targets]
        found["accuracy, targets"] = sum(accuracies) / len(accuracies)
    return {name: 100 * value for name, value in found.items()}


def compare(
    workdir: Path, recipe: str, config: Config, given: Sequence[str], options: dict
) -> tuple[dict[str, dict], dict[str, dict]]:
    """Returns a summary for each row of the table, and figures by language.

    The latter are lists over seeds: by name of BY_LANGUAGE, language, and model.

    Args:
        workdir: Where the runs go.
        recipe: Path of the config.
        config: The recipe with `given` applied.
        given: "key=value" for every run.
        options: `seeds`, `settings` of the labels, `prepared`; `train`, the command
            of a training; `show`, which gets what is returned whenever a setting
            is finished.
    """
    rows: dict[str, dict] = {}
    languages: dict[str, dict] = {figure: {} for figure in BY_LANGUAGE}
    prepared, steps = options["prepared"], config.training.steps
    for setting in options["settings"]:
        runner = Runner(recipe, workdir, prepared, options["train"])
        runner.remaining = 2 * options["seeds"] * steps
        chosen = (*given, f"labels.setting={setting}")
        # The first run of a setting tunes its teacher; the others take that over.
        first = Run(f"{setting}/distilled-seed0", (*chosen, "seed=0"), steps)
        runner.prepared = str(runner.finished(first))
        prepared = prepared or runner.prepared
        distilled = _seeds(runner, f"{setting}/distilled", chosen, options, steps)
        alone = (*chosen, ALONE)
        rate = tune(runner, config, f"{setting}-alone", alone)
        alone = (*alone, f"training.learning_rate={rate:g}")
        labels = _seeds(runner, f"{setting}/alone-rate{rate:g}", alone, options, steps)
        found = {
            f"{setting}, teacher": [distilled[0]["teacher"]],
            f"{setting}, distilled": [metrics["student"] for metrics in distilled],
            f"{setting}, labels alone": [metrics["student"] for metrics in labels],
        }
        for name, models in found.items():
            rows[name] = summary([scores(m, config.data.pivot) for m in models])
            _collect(languages, name, models)
        options["show"](rows, languages)
    return rows, languages


def _collect(languages: dict[str, dict], name: str, models: Sequence[dict]) -> None:
    """Adds what `models`, called `name`, reach in each language."""
    for model in models:
        for language, row in model["languages"].items():
            for figure, table in languages.items():
                found = table.setdefault(language, {}).setdefault(name, [])
                found.append(100 * row[figure])


def _seeds(
    runner: Runner, name: str, settings: Sequence[str], options: dict, steps: int
) -> list[dict]:
    """Returns the metrics of a run for each seed."""
    runs = [
        Run(f"{name}-seed{seed}", (*settings, f"seed={seed}"), steps)
        for seed in range(options["seeds"])
    ]
    return [_read(runner.finished(run) / "metrics.json") for run in runs]


def write(
    workdir: Path, rows: Mapping[str, Mapping], languages: Mapping[str, Mapping]
) -> None:
    """Prints the table and writes it as table.md, and all tables as tables.json."""
    print(markdown(rows))
    with atomic_path(workdir / "table.md") as path:
        path.write_text(markdown(rows) + "\n", "utf-8")
    with atomic_path(workdir / "tables.json") as path:
        text = json.dumps(tables(rows, languages), indent=1)
        path.write_text(text + "\n", "utf-8")


def tables(
    rows: Mapping[str, Mapping], languages: Mapping[str, Mapping]
) -> list[dict[str, Any]]:
    """Returns the tables as a report takes them."""
    columns = list(next(iter(rows.values())))
    models = list(rows)
    return [
        {
            "title": "Transfer across languages",
            "note": "Percent on the test, mean over languages; mean over seeds and "
            "their standard deviation.",
            "columns": ["labels, model", *columns],
            "rows": [
                [name, *(_figure(row[column]) for column in columns)]
                for name, row in rows.items()
            ],
        },
        *(
            {
                "title": "Transfer by language",
                "note": f"{BY_LANGUAGE[figure]}, percent; mean over seeds.",
                "columns": ["language", *models],
                "rows": [
                    [name, *(_mean(found.get(model)) for model in models)]
                    for name, found in table.items()
                ],
            }
            for figure, table in languages.items()
        ),
    ]


def _figure(value: Mapping[str, float | None]) -> str:
    spread = f" ± {value['spread']:.1f}" if value["spread"] is not None else ""
    return f"{value['mean']:.1f}{spread}"


def _mean(values: list[float] | None) -> str:
    return f"{sum(values) / len(values):.1f}" if values else "–"


def _read(file: Path) -> dict:
    return read_json(file)


def main(argv: Sequence[str]) -> None:
    """Runs the comparison."""
    command.require_none_left(argv, "settings are given as --set a.b=value")
    workdir = Path(flags.FLAGS.workdir)
    options = {
        "seeds": flags.FLAGS.seeds,
        "settings": flags.FLAGS.settings,
        "prepared": flags.FLAGS.prepared or "",
        "train": TRAIN,
        "show": partial(write, workdir),
    }
    recipe, given = flags.FLAGS.config, flags.FLAGS.set
    config = overrides.load(recipe, given)
    with comparing(workdir):
        compare(workdir, recipe, config, given, options)


if __name__ == "__main__":
    command.path_flag("config", "configs/intents.py", "The recipe.")
    command.path_flag("workdir", "runs/intents/transfer", "Where the runs go.")
    command.path_flag(
        "prepared", "", "A finished run of the recipe, whose corpus serves here too."
    )
    flags.DEFINE_integer("seeds", 3, "Runs of each row.", lower_bound=1)
    flags.DEFINE_multi_enum("settings", SETTINGS, SETTINGS, "Which labels are seen.")
    flags.DEFINE_multi_string("set", [], "A setting of every run: key=value.")
    command.run(main)
