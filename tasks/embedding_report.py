"""What report, model card and comparison tell of a sentence encoder's run."""

from collections.abc import Mapping, Sequence
from typing import Any

from babelet.evaluation import run_sections as common
from babelet.evaluation.export_sections import exports, files, smaller_and_faster
from babelet.evaluation.finished_run import BASELINE, SAMPLES, FinishedRun, Metric
from babelet.evaluation.formatting import count, decimal, points
from babelet.evaluation.languages import name_of
from babelet.evaluation.sections import (
    Charts,
    Code,
    Figure,
    Page,
    Part,
    Section,
    Sentences,
    Table,
    Text,
    language,
    prose,
)
from babelet.evaluation.translation_map import translation_map
from babelet.tasks.origins import origins, teacher_note

_RETRIEVAL = ("{model}", "retrieval", "mean")
METRICS = (
    Metric("test retrieval", (*_RETRIEVAL, "mean"), primary=True),
    Metric("no near neighbour", (*_RETRIEVAL, "without_near", "mean")),
    Metric("STS", ("{model}", "sts", "mean")),
    Metric("agreement", ("{model}", "agreement", "cross_lingual")),
    Metric("agreement alone", ("{model}", "agreement_alone", "mean")),
    Metric("*", ("{model}", "tatoeba", "*", "mean", "mean")),
)
# Of all models, beside METRICS.
_DETAILS = (
    Metric("Retrieval, both directions, %", (*_RETRIEVAL, "mean")),
    Metric("Retrieval, xx → pivot, %", (*_RETRIEVAL, "to_pivot")),
    Metric("Retrieval, pivot → xx, %", (*_RETRIEVAL, "from_pivot")),
    Metric("Retrieval, no near neighbour, %", (*_RETRIEVAL, "without_near", "mean")),
    Metric(
        "Cosine of translations", ("{model}", "cosine", "mean", "translations"), decimal
    ),
    Metric("Cosine of wrong pairs", ("{model}", "cosine", "mean", "random"), decimal),
    Metric("Gap between the two", ("{model}", "cosine", "mean", "gap"), decimal),
    Metric("Agreement within the pivot", ("{model}", "agreement", "pivot"), decimal),
    Metric(
        "Agreement across languages", ("{model}", "agreement", "cross_lingual"), decimal
    ),
    Metric(
        "Cosine with the teacher's vectors", ("{model}", "agreement", "cosine"), decimal
    ),
    Metric("Tatoeba *, xx → en, %", ("{model}", "tatoeba", "*", "mean", "to_pivot")),
    Metric("Tatoeba *, en → xx, %", ("{model}", "tatoeba", "*", "mean", "from_pivot")),
    Metric("Tatoeba *, mean, %", ("{model}", "tatoeba", "*", "mean", "mean")),
    Metric("STS *", ("{model}", "sts", "files", "*", "spearman")),
    Metric("STS, mean", ("{model}", "sts", "mean")),
)
# Of each language.
_BY_LANGUAGE = (
    Metric("", ("mean",)),
    Metric("no near neighbour", ("without_near", "mean")),
)
_WAYS = (Metric("xx → pivot", ("to_pivot",)), Metric("pivot → xx", ("from_pivot",)))
# Of parity.json and of the tiers.
_EXPORTS = (
    Metric("smallest cosine", ("min_cosine",), lambda value: decimal(value, 5)),
    Metric("mean cosine", ("mean_cosine",), lambda value: decimal(value, 5)),
    Metric("gate", ("gate",), lambda value: decimal(value, 4)),
    Metric("retrieval, %", ("retrieval",)),
    Metric(
        "retrieval, % of all",
        ("metrics", "retrieval", "mean", "mean"),
        lambda value: decimal(None if value is None else 100 * value, 2),
        primary=True,
    ),
    Metric("STS", ("metrics", "sts", "mean")),
    Metric("worst text", ("worst_text",), prose),
)
_HOW_TO_USE = """import tensorflow as tf
import tensorflow_text  # registers the tokenizer's operations

encode = tf.saved_model.load("export/saved_model").signatures["serving_default"]
texts = tf.constant(["Turn on the light", "Schalte das Licht ein"])
vectors = encode(text=texts)["embedding"]
print(float(vectors[0] @ vectors[1]))"""
_FROM_TOKENS = """import numpy as np
import sentencepiece
from ai_edge_litert.interpreter import Interpreter

tokenizer = sentencepiece.SentencePieceProcessor(model_file="tokenizer.model")
ids = [tokenizer.bos_id(), *tokenizer.encode("Turn on the light"), tokenizer.eos_id()]
token_ids = np.array([ids], np.int32)
encode = Interpreter("export/student_int8.tflite").get_signature_runner()
vector = encode(token_ids=token_ids, padding_mask=np.ones_like(token_ids))
print(vector["embedding"].shape)"""


def page(run: FinishedRun) -> Page:
    """Returns what report and model card show, from the run's folder alone."""
    corpus, pivot = run.facts("corpus"), run.config["data"]["pivot"]
    counts = corpus["counts"]
    others = {*counts, *corpus.get("monolingual", {})} - {pivot}
    codes = [pivot, *sorted(others)]
    return Page(
        run.name,
        "a small multilingual sentence encoder",
        _lead(codes),
        [
            _data(run, counts),
            common.origins(origins(run.config)),
            _languages(run),
            *_alone(run),
            _figures(run),
            common.examples(run, "The nearest of up to 50 sentences, by cosine."),
            common.curves(run, {"training": ""}, ("retrieval",)),
            _map(run, pivot),
            _coverage(run),
            common.rejected(run),
            files(run),
            exports(run, _EXPORTS),
            *_baseline(run),
            _usage(),
            common.limits(run, _LIMITS),
            *common.reproduce(run),
        ],
        _headline(run),
        [teacher_note(run.config)],
        run.config.get("licence", "unstated"),
        codes,
        ("sentence-similarity", "sentence-embeddings"),
    )


_LIMITS = (
    "Characters that the trimmed vocabulary lacks become unknown tokens; the report "
    "lists how many by language.",
    "Cosines of unrelated sentences are not near zero: compare them with each other, "
    "not with a fixed threshold from another model.",
)


def _lead(codes: Sequence[str]) -> str:
    return (
        "A small multilingual sentence encoder, distilled from a large one, for "
        f"{len(codes)} languages. Translations, and sentences that mean the same, get "
        "vectors that point the same way."
    )


def _headline(run: FinishedRun) -> list[Figure]:
    named = {"Translations found": METRICS[0], "No near neighbour": METRICS[1]}
    figures = common.beside_teacher(run, named)
    if not figures:
        return common.beside_teacher(run, {"Agreement with the teacher": METRICS[4]})
    gains = common.gains(run, ("retrieval",), _BY_LANGUAGE[0])
    if gains:
        above = sum(gain > 0 for gain in gains.values())
        worst = min(gains, key=lambda code: gains[code])
        least = f"languages; least: {name_of(worst)} {points(gains[worst])}"
        figures.append(
            Figure("Above the teacher in", str(above), f"of {len(gains)}", least)
        )
    return figures + smaller_and_faster(run)


def _data(run: FinishedRun, counts: Mapping[str, Mapping[str, int]]) -> Section:
    config = run.config
    student, training = config["student"], config["training"]
    alpha, margin = config["objective"]["alpha"], config["objective"].get("margin")
    told = (
        f"The teacher (`{config['teacher']['kind']}`) taught a student of "
        f"{student['num_layers']} layers, {student['hidden_dim']} wide, with "
        f"{count(config['vocabulary']['size'])} pieces and vectors of "
        f"{student['output_dim']} numbers, in {count(training['steps'])} steps of "
        f"{training['batch_size']} pairs. Text: `{config['data']['source']}`, seed "
        f"{config['seed']}. Hard labels weigh {alpha}"
    )
    told += f" (learned up to a margin of {margin})" if margin else ""
    told += f", the teacher's distribution {round(1 - alpha, 3)}."
    parts: list[Part] = [Text(told)]
    if counts:
        note = "Pairs; no group of pairs that share a translation is in two splits."
        parts.append(common.split_counts(counts, "pairs", note))
    return Section("What was trained on what", parts, card=True)


def _languages(run: FinishedRun) -> Section:
    title = "Translation retrieval by language"
    if not run.metrics["student"]["retrieval"]["languages"]:
        return Section(title, [Text("There were no pairs to find.", "missing")])
    note = "For each held-out sentence: is its translation the nearest of all "
    note += "candidates of that language, by cosine? Percent right, mean of both "
    note += "directions; largest gain first. Without a near neighbour: sentences that "
    note += (
        "resemble no training sentence closely (word Jaccard of the pivot side below "
    )
    note += "0.6), among the same candidates."
    table = common.by_language(run, ("retrieval",), _BY_LANGUAGE, note)
    ways = common.by_language(run, ("retrieval",), _WAYS, "", "Both directions")
    return Section(title, [table, ways], card=True)


def _alone(run: FinishedRun) -> list[Section]:
    """Returns the sentences without a translation, by language and split."""
    counts = run.facts("corpus").get("monolingual")
    if not counts:
        return []
    found = run.metrics["student"].get("agreement_alone") or {"languages": {}}
    rows = [
        [
            language(name),
            *(count(row[split]) for split in common.SPLITS),
            decimal(found["languages"].get(name)),
        ]
        for name, row in counts.items()
    ]
    note = "Sentences by split; agreement is the rank correlation of the student's "
    note += "similarities with the teacher's over all pairs of test sentences, in "
    note += "languages without pairs."
    table = Table(["language", *common.SPLITS, "agreement"], rows, note=note)
    return [Section("Text without translations", [table], card=True)]


def _figures(run: FinishedRun) -> Section:
    """Returns all figures of all models, and Tatoeba by language."""
    models = list(run.metrics)
    names = {n: m for m in _DETAILS for k in models for n in m.values(run.metrics, k)}
    rows = [
        [name, *(m.write(m.values(run.metrics, k).get(name)) for k in models)]
        for name, m in names.items()
    ]
    note = (
        "The same code scores every model. Cosines of translations against all wrong "
    )
    note += "pairings of the same sentences; agreement is Spearman's correlation with "
    note += "the teacher's similarities of sentence pairs (1 is the same order), STS "
    note += "that with human scores, times 100."
    parts: list[Part] = [Table(["figure", *models], rows, note=note)]
    for folder in run.metrics["student"].get("tatoeba") or {}:
        where, title = ("tatoeba", folder), f"Tatoeba {folder} by language"
        parts.append(common.by_language(run, where, _WAYS, "", title))
    return Section("Every model, every figure", parts)


def _map(run: FinishedRun, pivot: str) -> Section:
    maps = run.read(SAMPLES).get("map") or {}
    if not maps:
        return Section("Map of translations", [Text("No map was drawn.", "missing")])
    note = "Sentences and their translations on the two directions in which they vary "
    note += "most. One colour and number for each sentence, lines to the middle of its "
    note += f"translations; a ring marks {name_of(pivot)}. The tighter a bundle, the "
    note += "better the languages agree. Point at a dot to read it."
    drawings = [
        (model, translation_map(found, label=f"Map of translations: {model}"))
        for model, found in maps.items()
    ]
    first: dict[Any, str] = {}
    for point in next(iter(maps.values())):
        first.setdefault(point["pair"], point["text"])
    parts = [Text(note), Charts(drawings, look="wide"), Sentences(list(first.values()))]
    return Section("Map of translations", parts)


def _coverage(run: FinishedRun) -> Section:
    found = run.read("vocabulary_report.json", list)
    shares = ("unknown_rate_before", "unknown_rate_after")
    rows = [
        [
            language(row["language"]),
            count(row.get("sentences")),
            decimal(row.get("tokens_per_word_before"), 2),
            decimal(row.get("tokens_per_word_after"), 2),
            *(decimal(None if row.get(k) is None else 100 * row[k], 2) for k in shares),
            decimal(row.get("agreement")),
        ]
        for row in found
    ]
    note = "On text that trimming did not see, with the teacher's whole vocabulary and "
    note += "with the student's; agreement is the mean cosine of the teacher's vectors "
    note += "under both."
    columns = ["language", "sentences", "tokens/word, whole", "student's"]
    columns += ["unknown %, whole", "student's", "agreement"]
    parts: list[Part] = [Table(columns, rows, note=note)]
    if not rows:
        parts = [Text("The vocabulary was not measured.", "missing")]
    return Section("Vocabulary coverage", parts)


def _baseline(run: FinishedRun) -> list[Section]:
    """Returns what `benchmarks.baseline` found of the teacher's worth."""
    found = run.read(BASELINE)
    columns = list(dict.fromkeys(name for row in found.values() for name in row))
    rows = [
        [name, *(_spread(row.get(c)) for c in columns)] for name, row in found.items()
    ]
    note = (
        "Same pairs, vocabulary and steps; alpha is the share of the hard label, and "
    )
    note += "with alpha 1 no teacher is used. Percent, mean over seeds and their "
    note += "standard deviation."
    table = Table(["variant", *columns], rows, "What the teacher is worth", note)
    return [Section("Comparisons", [table])] if rows else []


def _spread(value: Mapping[str, Any] | None) -> str:
    if value is None:
        return "–"
    spread = f" ± {value['spread']:.1f}" if value["spread"] is not None else ""
    return f"{value['mean']:.1f}{spread}"


def _usage() -> Section:
    parts: list[Part] = [
        Text("SavedModel, from strings:"),
        Code(_HOW_TO_USE, "python"),
        Text("LiteRT, from token ids:"),
        Code(_FROM_TOKENS, "python"),
        Text(
            "Sentences go in as they are, without a prefix. Vectors have unit length: "
            "their product is the cosine."
        ),
    ]
    return Section("How to use", parts, report=False, card=True)
