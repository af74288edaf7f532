"""Voice commands of a smart home: which of 42 intents, in 38 languages.

babelet distill --config=configs/intents.py --workdir=runs/intents

Test accuracy, mean over 38 languages, of templates that no training sentence is from:
teacher 94.4%, student 94.8%. With one label a class outside English (`--set
labels.setting=few_shot`): teacher 73.9%, student 76.5%, and 69.7% of a student that
learns the visible labels alone; with four 85.3%, 87.1% and 85.8%; with none
(`zero_shot`) 56.0%, 57.9% and 47.8%. On 2 cores the student, from its teacher's scores
to its files, takes 7.4 minutes; before that the teacher's tuning, 13 on one busy core.
"""

from babelet.configs.classification import (
    ClassificationConfig,
    DataConfig,
    LabelsConfig,
    ObjectiveConfig,
    StudentConfig,
    TrainingConfig,
)

# Those with 25 intents or more, beside English.
LANGUAGES = tuple(
    "ar bg ca cs da de de-CH el es eu fi fr ga gl hr hu it ml nb ne nl pl pt pt-BR ro "
    "ru sk sl sr sr-Latn sv th uk vi zh-CN zh-HK zh-TW".split()
)


def get_config() -> ClassificationConfig:
    """Returns the recipe."""
    return ClassificationConfig(
        name="intents",
        data=DataConfig(
            source="home_assistant_intents",
            languages=LANGUAGES,
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
            validation_pairs=60,
        ),
        labels=LabelsConfig(per_class=1),
    )
