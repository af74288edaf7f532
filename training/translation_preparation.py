"""From parallel text to a teacher and its answers: what a student starts from."""

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np

from configs.atomic import atomic_path
from configs.errors import BabeletError
from data import building, trained_vocabulary
from data.context_store import ContextStore
from data.corpus import format_counts
from data.download import cache_folder
from data.fragments import MOST_WORDS
from data.sources import parallel_files
from data.tokens import TokenStore
from data.translation_batches import SoftTargets, TranslationBatches
from training import translation_targets, translation_teacher
from training.prepared_pairs import PreparedPairs
from training.translation_checks import check
from training.translation_sources import build_sources, fragments_of, text_lookup
from training.translation_teacher import TranslationTeacher
from training.workdir import digest

# Each step, and what it leaves in the run's folder.
_OUTPUTS = {
    "corpus": ("corpus",),
    "vocabulary": ("tokenizer.model",),
    "tokens": ("tokens",),
    "sources": ("sources",),
    "teacher": ("teacher",),
    "targets": ("targets", "target_pairs.npy"),
    "beliefs": ("beliefs",),
}
# Another run's preparation has at least those of these.
_PREPARED = ("corpus", "vocabulary", "tokens")


class TranslationPreparation(PreparedPairs):
    """Does the preparing steps of a translator's run, and opens what they left."""

    @cached_property
    def teacher(self) -> TranslationTeacher:
        """Whom the student learns from."""
        return TranslationTeacher(self._workdir, self)

    def adopt(self, other: Path) -> None:
        """Links corpus, vocabulary, teacher and its answers of another run.

        Each of their steps is done again if its settings are not the same.

        Raises:
            BabeletError: There is no finished preparation.
        """
        outputs = [name for step in _PREPARED for name in _OUTPUTS[step]]
        absent = [name for name in outputs if not (other / name).exists()]
        if absent:
            raise BabeletError(
                f"{other} is not prepared: it lacks {absent[0]}",
                remedy="finish that run first, or run without --prepared",
            )
        steps = json.loads((other / "manifest.json").read_text("utf-8"))["steps"]
        for name in ("teacher_translations", "context"):
            self._link(other, name)
        for step, outputs in _OUTPUTS.items():
            # What this run made itself is its own step's, even where it is half done.
            taken = [self._link(other, name) for name in outputs]
            if all(taken) and step in steps:
                self._workdir.manifest["steps"].setdefault(step, steps[step])

    def _link(self, other: Path, name: str) -> bool:
        """Returns whether a file or folder is the other run's, linked now if absent."""
        theirs, ours = other / name, self._path / name
        if theirs.exists() and not ours.exists():
            ours.symlink_to(theirs.resolve())
        return ours.is_symlink() and theirs.exists() and ours.samefile(theirs)

    def run(self) -> None:
        """Does the steps that are not done."""
        config, step = self._config, self._workdir.step
        check(config)
        inputs = {"data": self._workdir.section("data")}
        if inputs["data"].pop("files"):
            inputs["files"] = parallel_files.digests(config.data)
        step("corpus", inputs, ["corpus"], self._build_corpus)
        inputs = {"corpus": self.corpus.fingerprint, "size": config.vocabulary.size}
        step("vocabulary", inputs, ["tokenizer.model"], self._train_vocabulary)
        inputs["max_length"] = config.student.max_length
        step("tokens", inputs, ["tokens"], lambda: self._tokenize(inputs))
        if self._with_fragments:
            named = inputs | {"fragments": self._fragments_named}
            step("sources", named, ["sources"], lambda: self._write_sources(named))
        inputs["teacher"] = self.teacher.inputs()
        if not config.translation.teacher_path:
            identity = digest(json.dumps(inputs, sort_keys=True))
            outputs = [translation_teacher.WEIGHTS]
            train = self.teacher.train
            step("teacher", inputs, outputs, lambda: train(identity, self._context))
            if warning := self.teacher.warning():
                print(f"warning: {warning}", flush=True)
        self._teach(inputs)

    def _teach(self, inputs: dict) -> None:
        """Asks the teacher for all that the student learns from."""
        settings, step = self._config.translation, self._workdir.step
        inputs = inputs | {"targets": settings.targets}
        if settings.targets != "reference" or self._with_fragments:
            inputs |= {"beams": [settings.beam_size, settings.length_penalty]}
        if self._with_fragments:
            inputs |= {"fragments": self._fragments_named}
        outputs = list(_OUTPUTS["targets"])
        step("targets", inputs, outputs, lambda: self._write_targets(inputs))
        if self._config.objective.alpha < 1:
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
            for i in np.unique(self.training_pairs())
        )
        size = self._config.vocabulary.size
        model = trained_vocabulary.train(sentences, size, split_digits=True)
        with atomic_path(self._path / "tokenizer.model") as path:
            path.write_bytes(model)
        return {"size": size}

    def _write_sources(self, inputs: dict) -> dict:
        name, folder = json.dumps(inputs, sort_keys=True), self._path / "sources"
        build_sources(self.corpus, self._fragments, self.tokenizer, folder, name)
        return {"fragments": len(self._fragments)}

    @cached_property
    def _context(self) -> ContextStore | None:
        """What the teacher's reader makes of all sources; None if it has none."""
        reader, extra = self.teacher.reader, self._fragments
        if reader is None:
            return None
        named = [reader.fingerprint, self.corpus.fingerprint, self._fragments_named]
        folder = self._path / "context" / digest(json.dumps(named))[:16]
        if folder.is_dir():
            return ContextStore(folder)
        ids, first = self.training_sources(), len(self.corpus.sentences)
        rows = [*ids.tolist(), *range(first, first + len(extra))]
        texts = self.corpus.sentences.texts(ids) + extra
        encode, width = reader.encode_tokens, reader.token_dim
        return ContextStore.build(encode, rows, texts, width, folder)

    def _write_targets(self, inputs: dict) -> dict:
        corpus, kind = self.corpus, self._config.translation.targets
        pairs = self.training_pairs()
        references, translations = [], []
        if kind != "teacher":
            texts = corpus.sentences.texts(pairs[:, 1])
            references = list(zip(pairs[:, 0].tolist(), texts, strict=True))
        # What its translations do not depend on.
        others = ("targets", "fragments")
        named = {k: value for k, value in inputs.items() if k not in others}
        if kind != "reference":
            ids = self.training_sources()
            texts = self.teacher.translations(corpus.sentences.texts(ids), named)
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
        """Returns number and translation of each fragment."""
        extra = self._fragments
        if not extra:
            return []
        named = named | {"fragments": self._fragments_named}
        texts = self.teacher.translations(extra, named)
        return list(enumerate(texts, start=len(self.corpus.sentences)))

    @property
    def _with_fragments(self) -> bool:
        return self._config.translation.fragments > 0

    @property
    def _fragments_named(self) -> list[int]:
        """Returns what they depend on beside the corpus."""
        return [self._config.translation.fragments, MOST_WORDS]

    @cached_property
    def _fragments(self) -> list[str]:
        """What the teacher translates beside the sentences."""
        if not self._with_fragments:
            return []
        count = self._config.translation.fragments
        return fragments_of(self.corpus, self.training_sources(), count)

    def _write_beliefs(self) -> dict:
        targets = TokenStore(self._path / "targets")
        pairs = np.load(self._path / "target_pairs.npy")
        translation_targets.write_beliefs(
            self.teacher.model,
            self.sources,
            targets,
            pairs,
            self._config.translation.soft_candidates,
            self._path / "beliefs",
            self._context,
        )
        return {"positions": int(targets.lengths.sum())}
