"""From parallel text to a teacher and its answers: what a student starts from."""

import dataclasses
import functools
import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from configs.atomic import atomic_path
from configs.errors import BabeletError
from configs.schema import Config, TrainingConfig
from data import building, trained_vocabulary
from data.corpus import format_counts
from data.download import cache_folder
from data.sources import parallel_files
from data.splits import TRAIN, VALIDATION
from data.tokens import TokenStore
from data.translation_batches import SoftTargets, TranslationBatches
from evaluation.translation import Translate, score
from model.encoder_decoder import EncoderDecoder
from model.precision import resolved_precision
from tasks.translation import TranslationTask, configured_teacher, keras_translate
from training import translation_targets
from training.callbacks import save_weights
from training.foreign_teacher import fingerprint, foreign_translate
from training.loop import train
from training.prepared_text import PreparedText
from training.translation_sources import build_sources, fragments_of, text_lookup
from training.workdir import digest

TEACHER = "teacher.weights.h5"
# What another run's preparation consists of, and what it may have beside that.
_PREPARED = ("corpus", "tokenizer.model", "tokens", "teacher")
_TAUGHT = ("teacher_translations", "sources", "targets", "target_pairs.npy", "beliefs")


class TranslationPreparation(PreparedText):
    """Does the preparing steps of a translator's run, and opens what they left."""

    @cached_property
    def teacher(self) -> EncoderDecoder | None:
        """The trained teacher in float32; None where translation.teacher_path is."""
        if self._config.translation.teacher_path:
            return None
        teacher = configured_teacher(self._config, self.tokenizer.vocabulary_size)
        teacher.load_weights(self._path / "teacher" / TEACHER)
        return teacher

    @cached_property
    def precision(self) -> str:
        """The Keras policy to train in."""
        return resolved_precision(self._config.training.precision)

    def adopt(self, other: Path) -> None:
        """Links corpus, vocabulary, teacher and its answers of another run.

        Each of their steps is done again if its settings are not the same.

        Raises:
            BabeletError: There is no finished preparation.
        """
        absent = [name for name in _PREPARED if not (other / name).exists()]
        if absent:
            raise BabeletError(
                f"{other} is not prepared: it lacks {absent[0]}",
                remedy="finish that run first, or run without --prepared",
            )
        steps = json.loads((other / "manifest.json").read_text("utf-8"))["steps"]
        for name in (*_PREPARED, *_TAUGHT):
            link = self._path / name
            if (other / name).exists() and not link.exists():
                link.symlink_to((other / name).resolve())
        shared = ("corpus", "vocabulary", "tokens", "teacher", "targets", "beliefs")
        for name in shared:
            if name in steps:
                self._workdir.manifest["steps"].setdefault(name, steps[name])

    def run(self) -> None:
        """Does the steps that are not done."""
        config, step = self._config, self._workdir.step
        _check(config)
        inputs = {"data": self._workdir.section("data")}
        if inputs["data"].pop("files"):
            inputs["files"] = parallel_files.digests(config.data)
        step("corpus", inputs, ["corpus"], self._build_corpus)
        inputs = {"corpus": self.corpus.fingerprint, "size": config.vocabulary.size}
        step("vocabulary", inputs, ["tokenizer.model"], self._train_vocabulary)
        inputs["max_length"] = config.student.max_length
        step("tokens", inputs, ["tokens"], lambda: self._tokenize(inputs))
        inputs["teacher"] = self._teacher_inputs()
        if not config.translation.teacher_path:
            identity = digest(json.dumps(inputs, sort_keys=True))
            outputs = [f"teacher/{TEACHER}"]
            step("teacher", inputs, outputs, lambda: self._train_teacher(identity))
        kind, settings = config.translation.targets, config.translation
        inputs |= {"targets": kind}
        if kind != "reference":
            inputs |= {"beams": [settings.beam_size, settings.length_penalty]}
        outputs = ["targets", "target_pairs.npy"]
        if self._with_fragments:
            inputs |= {"fragments": settings.fragments}
            outputs.append("sources")
        step("targets", inputs, outputs, lambda: self._write_targets(inputs))
        if config.objective.alpha < 1:
            inputs |= {"candidates": settings.soft_candidates}
            step("beliefs", inputs, ["beliefs"], self._write_beliefs)

    def inputs(self) -> dict:
        """Returns what the student's training depends on of all this."""
        steps = self._workdir.manifest["steps"]
        names = (
            ("targets", "beliefs") if self._config.objective.alpha < 1 else ("targets",)
        )
        return {name: steps[name]["inputs"] for name in names}

    def student_batches(self) -> TranslationBatches:
        """Returns the batches the student learns from."""
        targets = TokenStore(self._path / "targets")
        soft: SoftTargets | None = None
        if self._config.objective.alpha < 1:
            soft = translation_targets.open_beliefs(self._path / "beliefs", targets)
        return TranslationBatches(
            self.sources,
            targets,
            np.load(self._path / "target_pairs.npy"),
            batch_size=self._config.training.batch_size,
            seed=self._config.seed,
            soft=soft,
        )

    @property
    def sources(self) -> TokenStore:
        """Token ids of all that the student may read."""
        if not self._with_fragments:
            return self.tokens
        return TokenStore(self._path / "sources")

    @property
    def source_text(self) -> Callable[[int], str]:
        """A function of a row of `sources` to its text."""
        return text_lookup(self.corpus, self._fragments)

    def held_out(self, split: int, limit: int) -> tuple[list[str], list[str], list]:
        """Returns sources, references and whether each has a near neighbour."""
        corpus = self.corpus
        pairs = corpus.pairs_of(split, corpus.languages[1], limit)
        near = np.unique(corpus.pairs[corpus.pair_near][:, 0])
        return (
            corpus.sentences.texts(pairs[:, 0]),
            corpus.sentences.texts(pairs[:, 1]),
            np.isin(pairs[:, 0], near).tolist(),
        )

    def validation(self) -> Callable[[keras.Model], dict[str, float]]:
        """Returns a function of a model to its scores on the validation split."""
        limit = self._config.training.validation_pairs
        sources, references, _ = self.held_out(VALIDATION, limit)
        language = self.corpus.languages[1]
        # One graph for all validations of a training.
        opened = functools.lru_cache(maxsize=1)(
            lambda model: keras_translate(model, self.tokenizer)
        )

        def validate(model: keras.Model) -> dict[str, float]:
            found = score(sources, references, opened(model)(sources), language)
            return {name: found[name] for name in ("bleu", "chrf", "exact")}

        return validate

    def _build_corpus(self) -> dict:
        report = building.build_corpus(
            self._config.data, self._path / "corpus", cache_folder()
        )
        print(format_counts(report))
        return {"counts": report.counts, "rejected": report.rejected}

    def _train_vocabulary(self) -> dict:
        corpus = self.corpus
        sentences = (
            (corpus.languages[corpus.sentence_language[i]], corpus.sentences[int(i)])
            for i in np.unique(self._training_pairs())
        )
        size = self._config.vocabulary.size
        model = trained_vocabulary.train(sentences, size, split_digits=True)
        with atomic_path(self._path / "tokenizer.model") as path:
            path.write_bytes(model)
        return {"size": size}

    def _teacher_inputs(self) -> dict:
        settings = self._config.translation
        if settings.teacher_path:
            return {"teacher_path": fingerprint(Path(settings.teacher_path))}
        named = {
            name: value
            for name, value in dataclasses.asdict(settings).items()
            if name.startswith("teacher_")
        }
        # It is among the settings of the training.
        del named["teacher_warmup_steps"]
        return named | dataclasses.asdict(self._teacher_training())

    def _teacher_training(self) -> TrainingConfig:
        settings = self._config.translation
        return dataclasses.replace(
            self._config.training,
            steps=settings.teacher_steps,
            learning_rate=settings.teacher_learning_rate,
            warmup_steps=settings.teacher_warmup_steps,
            precision=self.precision,
        )

    def _train_teacher(self, identity: str) -> dict:
        config, settings = self._config, self._teacher_training()
        seed = config.translation.teacher_seed
        keras.utils.set_random_seed(seed)
        teacher = configured_teacher(
            config, self.tokenizer.vocabulary_size, self.precision
        )
        pairs = np.asarray(self._training_pairs())
        batches = TranslationBatches(
            self.tokens, self.tokens, pairs, batch_size=settings.batch_size, seed=seed
        )
        task = TranslationTask(
            1.0,
            1.0,
            batches,
            self.corpus.sentences.__getitem__,
            self.validation(),
        )
        print(f"teacher: {teacher.count_params():,} parameters, {self.precision}")
        folder = self._path / "teacher"
        if folder.is_symlink():
            # Another run's, of other settings: it stays as it is.
            folder.unlink()
        state = train(task, teacher, settings, self.precision, folder, identity)
        save_weights(teacher, folder / TEACHER)
        return state | {"parameters": teacher.count_params()}

    def _write_targets(self, inputs: dict) -> dict:
        corpus, kind = self.corpus, self._config.translation.targets
        pairs = self._training_pairs()
        references, translations = [], []
        if kind != "teacher":
            texts = corpus.sentences.texts(pairs[:, 1])
            references = list(zip(pairs[:, 0].tolist(), texts, strict=True))
        if kind != "reference":
            ids = self._training_sources()
            # What its translations of the sentences do not depend on.
            others = ("targets", "fragments")
            named = {k: value for k, value in inputs.items() if k not in others}
            sources = corpus.sentences.texts(ids)
            texts = self._translated(sources, self.teacher_translate(), named)
            translations = list(zip(ids.tolist(), texts, strict=True))
            translations += self._translated_fragments(named)
        rows, texts = translation_targets.merged(references, translations)
        with atomic_path(self._path / "target_pairs.npy") as path, path.open("wb") as f:
            np.save(f, rows)
        TokenStore.build(
            self.tokenizer,
            texts,
            self._path / "targets",
            json.dumps(inputs, sort_keys=True),
        )
        return {
            "targets": len(texts),
            "references": len(set(references)),
            "fragments": len(self._fragments),
        }

    def _translated_fragments(self, named: dict) -> list[tuple[int, str]]:
        """Returns number and translation of each fragment, by greedy search.

        Writes the token ids of all sources meanwhile.
        """
        if not self._with_fragments:
            return []
        extra = self._fragments
        named = named | {"fragments": len(extra), "beams": 1}
        name, folder = json.dumps(named, sort_keys=True), self._path / "sources"
        build_sources(self.corpus, extra, self.tokenizer, folder, name)
        texts = self._translated(extra, self.teacher_translate(1), named)
        return list(enumerate(texts, start=len(self.corpus.sentences)))

    @property
    def _with_fragments(self) -> bool:
        settings = self._config.translation
        return settings.fragments > 0 and settings.targets != "reference"

    @cached_property
    def _fragments(self) -> list[str]:
        """What the teacher translates beside the sentences."""
        if not self._with_fragments:
            return []
        count = self._config.translation.fragments
        return fragments_of(self.corpus, self._training_sources(), count)

    def _translated(
        self, texts: list[str], translate: Translate, named: dict
    ) -> list[str]:
        """Returns the teacher's translations, kept under all they depend on."""
        named = {"sources": self.corpus.fingerprint} | named
        name = digest(json.dumps(named, sort_keys=True))[:16]
        folder = self._path / "teacher_translations" / name
        description = "Teacher's translations"
        return translation_targets.translate_all(translate, texts, folder, description)

    def tested_teacher(self, beams: int, limit: int) -> Translate:
        """Returns the trained teacher as a function of the test's sources.

        What it said is kept: runs that share a teacher, and a run that was killed
        in its evaluation, ask it once.

        Args:
            beams: 1 is greedy search.
            limit: That of `held_out`.
        """
        penalty = self._config.translation.length_penalty
        trained = self._workdir.manifest["steps"]["teacher"]["inputs"]
        named = {"teacher": trained, "beams": [beams, penalty], "test": limit}
        translate = self.teacher_translate(beams)
        return lambda texts: self._translated(list(texts), translate, named)

    def teacher_translate(self, beams: int | None = None) -> Translate:
        """Returns the teacher as a function of texts, with beam search by default."""
        settings = self._config.translation
        if settings.teacher_path:
            return foreign_translate(Path(settings.teacher_path))
        return keras_translate(
            self.teacher,
            self.tokenizer,
            settings.beam_size if beams is None else beams,
            settings.length_penalty,
        )

    def _write_beliefs(self) -> dict:
        targets = TokenStore(self._path / "targets")
        pairs = np.load(self._path / "target_pairs.npy")
        translation_targets.write_beliefs(
            self.teacher,
            self.sources,
            targets,
            pairs,
            self._config.translation.soft_candidates,
            self._path / "beliefs",
        )
        return {"positions": int(targets.lengths.sum())}

    def _training_pairs(self) -> np.ndarray:
        """Returns int32 (n, 2), without the sentences that have no translation."""
        pairs = self.corpus.pairs[self.corpus.pair_split == TRAIN]
        return pairs[pairs[:, 0] != pairs[:, 1]]

    def _training_sources(self) -> np.ndarray:
        """Returns the sentences to be translated, those alone among them."""
        ids = np.unique(self.corpus.pairs[self.corpus.pair_split == TRAIN][:, 0])
        return ids[np.asarray(self.corpus.sentence_language)[ids] == 0]


def _check(config: Config) -> None:
    """Refuses settings that are good for other tasks and not for this one."""
    if len(config.data.languages) != 1:
        raise BabeletError(
            "A translator has one target language",
            expected="one language in data.languages",
            received=", ".join(config.data.languages),
            remedy="set data.languages=de, say",
        )
    if config.data.weights:
        raise BabeletError(
            "A translator reads every pair as often as every other",
            received="data.weights",
            remedy="leave data.weights empty",
        )
    if config.objective.temperature != 1:
        raise BabeletError(
            "Translation needs a temperature of 1",
            received=f"objective.temperature={config.objective.temperature}",
            consequence="The tokens that are one candidate together cannot be tempered",
            remedy="set objective.temperature=1",
        )
    if config.student.init_layers or config.student.init_from:
        raise BabeletError(
            "A translator's student starts from random weights",
            received="student.init_layers or student.init_from",
            remedy="leave both empty",
        )
    foreign, targets = config.translation.teacher_path, config.translation.targets
    if foreign and (config.objective.alpha < 1 or targets == "reference"):
        raise BabeletError(
            "Nothing can be learned from this teacher so",
            expected="objective.alpha=1 and translation.targets=teacher or both: of "
            "translation.teacher_path only the translations are known",
            received=f"{config.objective.alpha} and {targets}",
            remedy="change them, or leave translation.teacher_path empty",
        )
