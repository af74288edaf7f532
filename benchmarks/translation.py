"""What distillation is worth to a translator: five ways to train the same student.

python -m benchmarks.translation --workdir=runs/translation_comparison

recipe    as the recipe says: from the teacher's layers, on the corpus's translations
          and on the teacher's of recombined sentences, with its distributions at each
          of their positions
none      from random weights on the corpus's translations alone, the renamed ones
          among them, at a learning rate of its own
random    the recipe from random weights
sentences the recipe without recombined sentences
sequence  the teacher's translations alone, of sentences and recombined ones

All share corpus, vocabulary, teacher and steps; "none" first chooses its learning rate
by validation BLEU in runs of a third of the steps. The last three have one seed. Writes
table.md and table.json, anew whenever a way is finished. The same command continues
where it stopped.
"""

from collections.abc import Callable, Sequence

from absl import flags

from babelet.configs.schema import Config
from babelet.core import command
from benchmarks import baseline
from benchmarks.baseline import (
    TUNING_SHARE,
    USUAL_TRIALS,
    Rows,
    Run,
    Runner,
    Variant,
    read,
    tune,
)
from benchmarks.comparison import summary

RANDOM = "student.init_from_teacher=false"
SENTENCES = "translation.recombined=0"
VARIANTS = (
    # First: what it prepares serves all the others.
    Variant("recipe", ()),
    Variant(
        "none",
        ("objective.alpha=1", RANDOM, "translation.targets=reference", SENTENCES),
        "none",
    ),
    Variant("random", (RANDOM,), seeds=1),
    Variant("sentences", (SENTENCES,), seeds=1),
    Variant("sequence", ("objective.alpha=1", "translation.targets=teacher"), seeds=1),
)
COLUMNS = {"BLEU": "bleu", "no near neighbour": "bleu_without_near", "chrF++": "chrf"}


def compare(
    runner: Runner,
    config: Config,
    settings: Sequence[str],
    seeds: int,
    show: Callable[[Rows], None] = lambda rows: None,
) -> Rows:
    """Returns a summary for each row of the table, the teacher's first.

    Args:
        runner: Trains, or finds what was trained.
        config: The recipe with `settings` applied.
        settings: "key=value" for every run.
        seeds: Runs of each variant, at most.
        show: Gets the rows so far whenever a variant is finished.
    """
    steps = config.training.steps
    counts = {way.name: min(seeds, way.seeds) for way in VARIANTS}
    runner.remaining = sum(counts.values()) * steps
    runner.remaining += USUAL_TRIALS * (steps // TUNING_SHARE)
    rows: Rows = {}
    for name, changes, tuned_as, _ in VARIANTS:
        given, rate = (*settings, *changes), config.training.learning_rate
        if tuned_as:
            rate = tune(runner, config, tuned_as, given)
        given = (*given, f"training.learning_rate={rate:g}")
        runs = [
            Run(f"{name}-rate{rate:g}-seed{k}", (*given, f"seed={k}"), steps)
            for k in range(counts[name])
        ]
        found = [read(runner.finished(run) / "metrics.json") for run in runs]
        for model in found[0]:
            # The teacher is one, whatever the student's seed.
            few = found[:1] if model.startswith("teacher") else found
            row = model if model.startswith("teacher") else f"{name}, {model}"
            rows.setdefault(row, summary([_figures(each[model]) for each in few]))
        show(rows)
    return rows


def _figures(metrics: dict) -> dict[str, float]:
    found = {title: metrics[name] for title, name in COLUMNS.items()}
    return {title: value for title, value in found.items() if value is not None}


if __name__ == "__main__":
    baseline.define_flags(
        "configs/translate_smart_home.py", "runs/translation_comparison"
    )
    flags.adopt_module_key_flags(baseline)
    command.run(baseline.comparison(compare))
