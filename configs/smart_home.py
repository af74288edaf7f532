"""Sentence embeddings for a smart home, in 23 languages and English.

babelet distill --config=configs/smart_home.py --workdir=runs/smart_home

About 10 minutes on 2 cores with AMX, 4.6 of them training, after downloads of 140 MB;
4.7 GB of memory. Expected: test retrieval 81% (mean over languages; three seeds 81.3 to
81.5), where the teacher, a general-purpose model in 4-bit weights, has 72.1%.
"""

from babelet.configs.embedding import (
    DataConfig,
    EmbeddingConfig,
    StudentConfig,
    TrainingConfig,
)

LANGUAGES = tuple(
    "bg cs de el es fi fr he hu id it ja ko nl pl pt ro ru sv tr uk vi zh".split()
)


def get_config() -> EmbeddingConfig:
    """Returns the default recipe."""
    return EmbeddingConfig(
        name="smart_home",
        # Home Assistant's text, and the teacher.
        licence="Apache-2.0 AND MIT",
        data=DataConfig(source="home_assistant", languages=LANGUAGES),
        student=StudentConfig(init_layers=(0, 1, 2, 3, 10, 11)),
        training=TrainingConfig(
            steps=600, learning_rate=1e-3, warmup_steps=60, patience=3
        ),
    )
