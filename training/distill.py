"""Distils a teacher into a small student, from raw text to exported files.

  babelet distill --config=smart_home --workdir=runs/smart_home

Steps: corpus, vocabulary, tokens, teacher, coverage, training, evaluation, export,
report. Each is skipped when it is done and nothing it depends on has changed, so the
same command continues a run that was interrupted; training continues mid-epoch.

Change settings with --set, as often as need be:
  --set training.steps=200 --set student.dropout=0.1 --set seed=1
A run is repeated from its own record: --config=runs/smart_home/config.json
Watch it: tensorboard --logdir runs/smart_home/logs
"""

from pathlib import Path

from absl import flags

from babelet.configs import overrides
from babelet.core import command
from babelet.core.startup import import_quietly

CONFIG = command.path_flag(
    "config",
    "smart_home",
    "A recipe (.py, or the name of one of ours) or a config.json.",
)
WORKDIR = command.path_flag(
    "workdir", None, "Folder of the run; created, or continued if it is there."
)
SET = flags.DEFINE_multi_string("set", [], "A setting to change, as a.b=value.")
PREPARED = command.path_flag(
    "prepared",
    "",
    "Another run's folder, whose corpus, vocabulary and teacher vectors serve here "
    "too; its data, vocabulary and teacher settings must be the same.",
)
UNTIL = flags.DEFINE_enum(
    "until",
    "report",
    ["preparation", "training", "evaluation", "export", "report"],
    "The last step to do; the same command without it does the rest.",
)
flags.mark_flag_as_required("workdir")


def main(argv: list[str]) -> None:
    """Runs the command line."""
    command.require_none_left(argv, "settings are given as --set a.b=value")
    config = overrides.load(CONFIG.value, SET.value)
    # After the flags are read: TensorFlow takes seconds to import.
    training = import_quietly("babelet.training.run")
    training.run(config, Path(WORKDIR.value), PREPARED.value or "", UNTIL.value)


if __name__ == "__main__":
    command.run(main, meant=overrides.meant)
