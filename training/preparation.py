"""From raw text to token ids and teacher vectors: what every training starts from."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from babelet.configs import record, schema
from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.data import building, trained_vocabulary, vocabulary
from babelet.data.corpus import format_counts
from babelet.data.download import cache_folder
from babelet.data.enough_text import too_little
from babelet.data.sources import parallel_files
from babelet.data.splits import TEST, TRAIN, VALIDATION
from babelet.data.tokenizer import Tokenizer
from babelet.evaluation.retrieval import RetrievalSet
from babelet.model.initialisation import initialise_from_teacher
from babelet.model.precision import preferred_precision
from babelet.model.student import build_encoder
from babelet.model.teachers.base import Teacher
from babelet.tasks.embedding import require_width, student_predict
from babelet.tasks.held_out import alone, held_out
from babelet.training.prepared_text import PreparedText
from babelet.training.teacher_cache import TeacherCache
from babelet.training.teachers import open_teacher

# What the preparation leaves in a workdir, and --prepared takes over from another.
OUTPUTS = ("corpus", "tokenizer.model", "tokens")
# What it leaves besides, as the settings may be.
OPTIONAL_OUTPUTS = ("teacher_cache", "teacher_ids.npy", "vocabulary_report.json")


class Preparation(PreparedText):
    """Does the preparing steps of a run, and opens what they left."""

    @cached_property
    def teacher(self) -> Teacher:
        """The teacher, loaded at first use."""
        return open_teacher(self._config.teacher, cache_folder())

    @cached_property
    def origin(self) -> Teacher:
        """Whose layers and vocabulary the student starts from."""
        kind, _, path = self._config.student.init_from.partition(":")
        if not kind:
            return self.teacher
        length = self._config.teacher.max_length
        config = schema.TeacherConfig(kind=kind, path=path, max_length=length)
        return open_teacher(config, cache_folder())

    @cached_property
    def cache(self) -> TeacherCache:
        """The teacher's vectors."""
        folder = self._config.teacher.cache_dir or self._path / "teacher_cache"
        return TeacherCache(self.teacher, Path(folder))

    def adopt(self, other: Path) -> None:
        """Links the preparation of another run into this one's folder.

        Raises:
            BabeletError: The other run has none, or other settings for it.
        """
        path, theirs = other, record.read_config_like(other, self._config)
        for section in ("data", "folds", "vocabulary", "teacher"):
            if getattr(self._config, section) != getattr(theirs, section):
                raise BabeletError(
                    f"{other} was prepared with other {section} settings",
                    remedy="run without --prepared, or with the same settings",
                )
        if self._config.student.init_from != theirs.student.init_from:
            raise BabeletError(
                f"{other} was prepared with another student.init_from",
                expected=repr(theirs.student.init_from),
                received=repr(self._config.student.init_from),
                remedy="run without --prepared, or with the same setting",
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
        for name in (*OUTPUTS, *OPTIONAL_OUTPUTS):
            link = self._path / name
            if not link.exists() and (path / name).exists():
                link.symlink_to((path / name).resolve())
        steps = record.read_manifest(path)["steps"]
        for name in ("corpus", "vocabulary", "tokens", "teacher", "coverage"):
            if name in steps:
                self._workdir.manifest["steps"][name] = steps[name]

    def run(self) -> None:
        """Does the steps that are not done."""
        config, step = self._config, self._workdir.step
        inputs: dict[str, Any] = {"data": self._workdir.section("data")}
        # A file counts by its content: changed, it is read again; moved, it is not.
        if inputs["data"].pop("files"):
            inputs["files"] = parallel_files.digests(config.data)
        # The text is the same under all weights.
        inputs["data"]["weights"] = bool(config.data.weights)
        if config.folds.count:
            inputs["folds"] = self._workdir.section("folds")
        step("corpus", inputs, ["corpus"], self._build_corpus)
        # Before the teacher runs, which takes longest.
        require_width(config.objective, config.student.output_dim, self.teacher.dim)
        inputs = self._do_tokens()
        inputs["sets"] = self._workdir.section("evaluation")
        inputs["validation_pairs"] = config.training.validation_pairs
        self._forget_if_lost("teacher", "vectors", self.cache)
        step("teacher", inputs, [], self._encode)
        inputs["report"] = self._workdir.section("vocabulary")
        step("coverage", inputs, ["vocabulary_report.json"], self._cover)
        for warning in vocabulary.warnings(self.coverage(), config.vocabulary):
            print(f"warning: {warning}", flush=True)

    def _do_tokens(self) -> dict:
        """Does the steps vocabulary and tokens; returns what they depend on."""
        self.require_layers()
        config, step = self._config, self._workdir.step
        inputs = {
            "corpus": self.corpus.fingerprint,
            "size": config.vocabulary.size,
            "teacher": self.teacher.fingerprint,
        }
        if config.student.init_from:
            inputs["origin"] = self.origin.fingerprint
        if config.vocabulary.method == "trim":
            outputs = ["tokenizer.model", "teacher_ids.npy"]
            step("vocabulary", inputs, outputs, self._trim)
        else:
            inputs["method"] = config.vocabulary.method
            step("vocabulary", inputs, ["tokenizer.model"], self._train_vocabulary)
        inputs["max_length"] = config.student.max_length
        step("tokens", inputs, ["tokens"], lambda: self._tokenize(inputs))
        return dict(inputs)

    def teacher_ids(self) -> np.ndarray | None:
        """Returns the origin's id of each student token, int32 (vocabulary,).

        None if the vocabulary was not trimmed from the origin's.
        """
        if self._config.vocabulary.method != "trim":
            return None
        return np.load(self._path / "teacher_ids.npy")

    def require_layers(self) -> None:
        """Checks what `student.init_layers` names; before the teacher has run.

        Raises:
            BabeletError: A layer that the origin does not have.
        """
        wanted = self._config.student.init_layers
        if not wanted:
            return
        count = self.origin_backbone().num_layers
        absent = [layer for layer in wanted if layer >= count]
        if absent:
            raise BabeletError(
                "The student cannot start from a layer that its teacher does not have",
                expected=f"layers from 0 to {count - 1}",
                received=f"student.init_layers={','.join(map(str, wanted))}",
                remedy="change student.init_layers, or leave it empty: random weights",
            )

    def origin_backbone(self) -> keras.Model:
        """Returns the encoder whose layers the student starts from.

        Raises:
            BabeletError: The origin has no layers of a kind that the student has.
        """
        if self.origin.backbone is None:
            raise BabeletError(
                "This teacher has no layers for the student to start from",
                expected="student.init_layers empty, or a BERT encoder",
                received=f"student.init_layers={self._config.student.init_layers}",
                remedy="set student.init_layers= (random weights), or student.init_from"
                " to another teacher, such as packaged_e5",
            )
        return self.origin.backbone

    def coverage(self) -> list[dict]:
        """Returns the rows of the vocabulary report."""
        return json.loads((self._path / "vocabulary_report.json").read_text("utf-8"))

    def held_out(self, split: int, limit: int) -> list[RetrievalSet]:
        """Returns up to `limit` pairs a language of a split, for retrieval."""
        return held_out(self.corpus, split, limit)

    def alone(self, split: int, limit: int) -> dict[str, list[str]]:
        """Returns up to `limit` sentences a language of a split, not translated."""
        return alone(self.corpus, split, limit)

    def held_out_texts(self, split: int, limit: int) -> dict[str, list[str]]:
        """Returns held-out sentences by language: of `held_out`, or else of `alone`."""
        paired = {g.language: list(g.texts) for g in self.held_out(split, limit)}
        return paired | self.alone(split, limit)

    def training_pivots(self) -> np.ndarray:
        """Returns the ids of what the teacher reads in training, int32, ascending."""
        return np.unique(self.corpus.pairs[self.corpus.pair_split == TRAIN][:, 0])

    def _build_corpus(self) -> dict:
        report = building.build_corpus(
            self._config.data,
            self._path / "corpus",
            cache_folder(),
            self._config.folds,
        )
        print(format_counts(report), flush=True)
        if error := too_little(report, self._config.data):
            raise error
        return {
            "counts": report.counts,
            "monolingual": report.monolingual,
            "rejected": report.rejected,
        }

    def _trim(self) -> dict:
        if self.origin.tokenizer_model is None:
            raise BabeletError(
                "This teacher has no vocabulary to trim",
                expected="a teacher with a SentencePiece tokenizer",
                received=self._config.student.init_from or self._config.teacher.kind,
                remedy="set vocabulary.method=train, or student.init_from to another "
                "teacher, such as packaged_e5",
            )
        trimmed = vocabulary.trim(
            self.origin.tokenizer_model,
            self._training_sentences(),
            self._config.vocabulary.size,
        )
        with atomic_path(self._path / "teacher_ids.npy") as path, path.open("wb") as f:
            np.save(f, trimmed.teacher_ids)
        with atomic_path(self._path / "tokenizer.model") as path:
            path.write_bytes(trimmed.model)
        return {"size": len(trimmed.teacher_ids)}

    def _train_vocabulary(self) -> dict:
        size = self._config.vocabulary.size
        model = trained_vocabulary.train(self._training_sentences(), size)
        with atomic_path(self._path / "tokenizer.model") as path:
            path.write_bytes(model)
        return {"size": size}

    def _training_sentences(self) -> Iterator[tuple[str, str]]:
        corpus = self.corpus
        ids = np.unique(corpus.pairs[corpus.pair_split == TRAIN])
        for sentence in ids:
            language = corpus.languages[corpus.sentence_language[sentence]]
            yield language, corpus.sentences[int(sentence)]

    def _encode(self) -> dict:
        config, sentences = self._config, self.corpus.sentences
        pivots = self.training_pivots()
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
        for split, limit in limits.items():
            held_out += itertools.chain(*self.alone(split, limit).values())
        training = (sentences[int(i)] for i in pivots)
        self.teacher.require(itertools.chain(training, held_out))
        training = (sentences[int(i)] for i in pivots)
        self.cache.ensure(training, "Teacher, training text", len(pivots))
        self.cache.ensure(held_out, "Teacher, held-out text")
        return {"vectors": len(self.cache)}

    def _cover(self) -> dict:
        limit = self._config.vocabulary.report_sentences
        held_out = self.held_out_texts(
            VALIDATION, self._config.training.validation_pairs
        )
        texts = {language: rows[:limit] for language, rows in held_out.items()}
        full, proto = None, self.origin.tokenizer_model
        if proto is not None:
            full = Tokenizer(proto, self._config.teacher.max_length)
        rows = vocabulary.coverage(full, self.tokenizer, texts)
        facts = self._measure_agreement(rows, texts)
        with atomic_path(self._path / "vocabulary_report.json") as path:
            path.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
        _print_coverage(rows)
        return facts

    def _measure_agreement(self, rows: list[dict], texts: dict[str, list[str]]) -> dict:
        """Adds "agreement" to each row, if the vocabulary was trimmed.

        It is the mean cosine of the origin on the student's vocabulary with itself.
        """
        backbone = self.origin.backbone
        if self._config.vocabulary.method != "trim" or backbone is None:
            return {}
        whole = self.origin.encode if self._config.student.init_from else None
        whole, predict = whole or self.cache.encode, self._trimmed_origin(backbone)
        for row in rows:
            own = texts[row["language"]]
            row["agreement"] = float(np.sum(whole(own) * predict(own), axis=1).mean())
        return {"mean_agreement": float(np.mean([row["agreement"] for row in rows]))}

    def _trimmed_origin(
        self, backbone: keras.Model
    ) -> Callable[[Sequence[str]], np.ndarray]:
        """Returns `predict` of the whole origin on the student's vocabulary."""
        prefix = self.origin.prefix
        model = build_encoder(
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
    columns = {
        "tokens_per_word_before": ("tokens/word before", "{:.2f}"),
        "tokens_per_word_after": ("tokens/word", "{:.2f}"),
        "unknown_rate_before": ("unknown before", "{:.2%}"),
        "unknown_rate_after": ("unknown", "{:.2%}"),
        "agreement": ("agreement", "{:.3f}"),
    }
    columns = {key: value for key, value in columns.items() if key in rows[0]}
    print("  ".join(["language", *(title for title, _ in columns.values())]))
    for row in rows:
        cells = (
            style.format(row[key]).rjust(len(title))
            for key, (title, style) in columns.items()
        )
        print("  ".join([f"{row['language']:8}", *cells]))
