"""The range of every number among the settings, by its dotted path.

An upper end is where a typing error is surer than a use: 1e30 steps.
"""

from babelet.configs.checks import Range

_COUNT = Range(1, 10**9)
_COUNT_OR_NONE = Range(0, 10**9)
_LAYERS = Range(1, 256)
_WIDTH = Range(1, 16_384)
_INNER_WIDTH = Range(1, 65_536)
# Two of them are special tokens.
_LENGTH = Range(3, 65_536)
_SHARE = Range(0, 1)
_SHARE_BELOW_1 = Range(0, 1, below=True)
_PART = Range(0, 1, above=True, below=True)
# Rates that are too high are noticed where the loss is not finite.
_ABOVE_0 = Range(0, 1e30, above=True)
# What all random generators take, and tuning's seed + 1 too.
_SEED = Range(0, 2**31 - 2)

RANGES: dict[str, Range] = {
    "seed": _SEED,
    "vocabulary.size": Range(32, 1_000_000),
    "vocabulary.min_agreement": Range(-1, 1),
    "vocabulary.max_unknown_rate": _SHARE,
    "vocabulary.report_sentences": _COUNT,
    "teacher.num_layers": Range(0, 256),
    "teacher.max_length": _LENGTH,
    "teacher.tokens_per_batch": _COUNT,
    "student.num_layers": _LAYERS,
    "student.hidden_dim": _WIDTH,
    "student.num_heads": _WIDTH,
    "student.intermediate_dim": _INNER_WIDTH,
    "student.max_length": _LENGTH,
    "student.output_dim": _WIDTH,
    "student.dropout": _SHARE_BELOW_1,
    "student.init_layers": Range(0, 255),
    "objective.alpha": _SHARE,
    "objective.temperature": Range(1, 1000),
    "objective.margin": Range(0, 1000),
    "objective.scale": Range(1e-6, 1000),
    "objective.bank_size": _COUNT_OR_NONE,
    "objective.embedding_match": Range(0, 1_000_000),
    "training.steps": _COUNT,
    "training.batch_size": _COUNT,
    "training.pivot_share": _SHARE_BELOW_1,
    "training.learning_rate": _ABOVE_0,
    "training.warmup_steps": _COUNT_OR_NONE,
    "training.weight_decay": Range(0, 1000),
    "training.clip_norm": _ABOVE_0,
    "training.checkpoint_every": _COUNT,
    "training.validate_every": _COUNT,
    "training.patience": _COUNT,
    "training.validation_pairs": _COUNT,
    "evaluation.pairs_per_language": _COUNT,
    "translation.decoder_layers": _LAYERS,
    "translation.teacher_encoder_layers": _LAYERS,
    "translation.teacher_decoder_layers": _LAYERS,
    "translation.teacher_hidden_dim": _WIDTH,
    "translation.teacher_num_heads": _WIDTH,
    "translation.teacher_intermediate_dim": _INNER_WIDTH,
    "translation.teacher_dropout": _SHARE_BELOW_1,
    "translation.teacher_steps": _COUNT,
    "translation.teacher_learning_rate": _ABOVE_0,
    "translation.teacher_warmup_steps": _COUNT_OR_NONE,
    "translation.teacher_seed": _SEED,
    "translation.renamed": _COUNT_OR_NONE,
    "translation.recombined": _COUNT_OR_NONE,
    "translation.soft_candidates": Range(1, 65_536),
    "translation.beam_size": Range(1, 1000),
    "translation.length_penalty": Range(0, 100),
    "export.min_cosine": Range(-1, 1),
    "export.max_retrieval_loss": _SHARE,
    # Below 0, a gain is demanded.
    "export.max_bleu_loss": Range(-100, 100),
    "folds.count": Range(0, 1000),
    "folds.number": Range(0, 999),
    "labels.per_class": _COUNT,
    "labels.sentences_per_template": _COUNT,
    "labels.rejected_share": _SHARE_BELOW_1,
    "tuning.num_layers": _LAYERS,
    "tuning.steps": _COUNT,
    "tuning.batch_size": _COUNT,
    "tuning.learning_rate": _ABOVE_0,
    "tuning.warmup_steps": _COUNT_OR_NONE,
    "tuning.clip_norm": _ABOVE_0,
    "tuning.validate_every": _COUNT,
    "tuning.patience": _COUNT,
    "tuning.seed": _SEED,
    "data.weights": _ABOVE_0,
    "data.min_characters": _COUNT_OR_NONE,
    "data.max_characters": _COUNT,
    "data.max_length_ratio": Range(1, 1_000_000),
    "data.validation_fraction": _PART,
    "data.test_fraction": _PART,
}
