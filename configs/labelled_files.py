"""A classifier of short texts from labelled files of your own, in many languages.

babelet distill --config=configs/labelled_files.py --workdir=runs/mine \
    --set data.files='texts/*.csv' --set data.languages=de,fi

Look at what would be used first, with the same settings:

babelet inspect --config=configs/labelled_files.py \
    --set data.files='texts/*.csv' --set data.languages=de,fi

Files (plain, .gz or .xz; paths, globs, several with commas between):
  .csv .tsv   columns named text, label, language
  .jsonl      keys as CSV's columns; .parquet as well (pip install pyarrow)
  .txt        unlabelled text, one a line, in the language of its name (news.de.txt)
Without a language column write {language} where the paths have the code, or use a
single language: --set data.pivot=de --set data.languages=. Columns of other names:
--set data.columns=text=Sentence,label=Intent,language=Locale. An empty label is
unlabelled text: the teacher's class probabilities teach it alone.

As long as configs/intents.py with as much text, minutes on 2 cores; its docstring has
the figures there are: 81 to 84% test accuracy from 14,900 sentences of 42 classes.

data.pivot (English) is the language whose labels are always used. Labels in the others:
--set labels.setting=few_shot --set labels.per_class=4, or labels.setting=zero_shot.

A classifier of your own as the teacher, its scores taken as they are: a KerasHub
TextClassifier or a SavedModel (teacher.kind=saved_model) with a labels.txt beside it:
--set tuning.scope=none --set teacher.kind=kerashub --set teacher.path=my_classifier \
--set student.init_from=packaged_e5
"""

from babelet.configs.classification import (
    ClassificationConfig,
    DataConfig,
    ObjectiveConfig,
    StudentConfig,
    TrainingConfig,
)


def get_config() -> ClassificationConfig:
    """Returns the recipe; `data.files` and `data.languages` are yours to set."""
    return ClassificationConfig(
        name="labelled_files",
        data=DataConfig(
            source="labelled_files",
            languages=("de",),
            validation_fraction=0.1,
            test_fraction=0.2,
        ),
        student=StudentConfig(init_layers=(0, 1, 2, 3, 10, 11)),
        objective=ObjectiveConfig(temperature=2.0),
        training=TrainingConfig(
            steps=600,
            learning_rate=5e-4,
            warmup_steps=60,
            patience=3,
        ),
    )
