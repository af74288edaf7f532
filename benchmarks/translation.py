"""What distillation is worth to a translator: four ways to train the same student.

python -m benchmarks.translation --workdir=runs/translation_comparison

none      cross-entropy of the corpus's translations, at a learning rate of its own
word      and the teacher's distributions at each of their positions
sequence  cross-entropy of the teacher's translations alone
recipe    as the recipe says: both, on both

All share corpus, vocabulary, teacher and steps; "none" first chooses its learning rate
by validation BLEU in runs of a third of the steps. Writes table.md and table.json. The
same command continues where it stopped.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from benchmarks.baseline import (
    TUNING_SHARE,
    USUAL_TRIALS,
    Run,
    Runner,
    read,
    tune,
    write,
)
from benchmarks.comparison import summary
from configs import overrides
from configs.errors import BabeletError
from configs.schema import Config

VARIANTS: dict[str, tuple[str, ...]] = {
    # First: what it prepares serves all the others.
    "recipe": (),
    "word": ("translation.targets=reference",),
    "sequence": ("objective.alpha=1", "translation.targets=teacher"),
    "none": ("objective.alpha=1", "translation.targets=reference"),
}
# Its learning rate is its own; the others have the recipe's.
TUNED = "none"
COLUMNS = {"BLEU": "bleu", "no near neighbour": "bleu_without_near", "chrF++": "chrf"}


def compare(
    runner: Runner, config: Config, settings: Sequence[str], seeds: int
) -> dict[str, dict]:
    """Returns a summary for each row of the table, the teacher's first.

    Args:
        runner: Trains, or finds what was trained.
        config: The recipe with `settings` applied.
        settings: "key=value" for every run.
        seeds: Runs of each variant.
    """
    steps = config.training.steps
    runner.remaining = seeds * len(VARIANTS) * steps
    runner.remaining += USUAL_TRIALS * (steps // TUNING_SHARE)
    rows: dict[str, dict] = {}
    for name, changes in VARIANTS.items():
        given, rate = (*settings, *changes), config.training.learning_rate
        if name == TUNED:
            rate = tune(runner, config, name, given)
        given = (*given, f"training.learning_rate={rate:g}")
        runs = [
            Run(f"{name}-rate{rate:g}-seed{k}", (*given, f"seed={k}"), steps)
            for k in range(seeds)
        ]
        found = [read(runner.finished(run) / "metrics.json") for run in runs]
        for model in found[0]:
            # The teacher is one, whatever the student's seed.
            few = found[:1] if model.startswith("teacher") else found
            row = model if model.startswith("teacher") else f"{name}, {model}"
            rows.setdefault(row, summary([_figures(each[model]) for each in few]))
    return rows


def _figures(metrics: dict) -> dict[str, float]:
    found = {title: metrics[name] for title, name in COLUMNS.items()}
    return {title: value for title, value in found.items() if value is not None}


def main(argv: Sequence[str]) -> None:
    """Runs the comparison; a user's error is one line and exit status 2."""
    if len(argv) > 1:
        sys.exit(f"Unknown argument {argv[1]}: settings are given as --set a.b=value.")
    workdir = Path(flags.FLAGS.workdir)
    try:
        config = overrides.load(flags.FLAGS.config, flags.FLAGS.set)
        runner = Runner(flags.FLAGS.config, workdir, flags.FLAGS.prepared)
        write(compare(runner, config, flags.FLAGS.set, flags.FLAGS.seeds), workdir)
    except BabeletError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    flags.DEFINE_string("config", "configs/translate_smart_home.py", "The recipe.")
    flags.DEFINE_string("workdir", "runs/translation_comparison", "Where runs go.")
    flags.DEFINE_string("prepared", "", "A finished run whose teacher is used.")
    flags.DEFINE_integer("seeds", 3, "Runs of each variant.", lower_bound=1)
    flags.DEFINE_multi_string("set", [], "A setting of every run: key=value.")
    app.run(main)
