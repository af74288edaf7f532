"""From parallel text to a teacher and its answers: what a student starts from."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from babelet.configs import record
from babelet.core.atomic import atomic_path
from babelet.core.checksums import broken_seal
from babelet.core.errors import BabeletError
from babelet.data import building, trained_vocabulary
from babelet.data.context_store import ContextStore
from babelet.data.corpus import format_counts
from babelet.data.download import cache_folder
from babelet.data.enough_text import too_little
from babelet.data.sources import parallel_files
from babelet.data.tokens import TokenStore
from babelet.data.translation_batches import SoftTargets, TranslationBatches
from babelet.training import translation_targets, translation_teacher
from babelet.training.prepared_pairs import PreparedPairs
from babelet.training.translation_sources import build_sources
from babelet.training.translation_teacher import TranslationTeacher
from babelet.training.workdir import digest

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
        steps = record.read_manifest(other)["steps"]
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
        inputs: dict[str, Any] = {"data": self._workdir.section("data")}
        if inputs["data"].pop("files"):
            inputs["files"] = parallel_files.digests(config.data)
        step("corpus", inputs, ["corpus"], self._build_corpus)
        inputs = {"corpus": self.corpus.fingerprint, "size": config.vocabulary.size}
        step("vocabulary", inputs, ["tokenizer.model"], self._train_vocabulary)
        inputs["max_length"] = config.student.max_length
        step("tokens", inputs, ["tokens"], lambda: self._tokenize(inputs))
        if self.additions_named:
            named = inputs | self.additions_named
            step("sources", named, ["sources"], lambda: self._write_sources(named))
        if "renamed" in self.additions_named:
            # The teacher reads these, and not those that it translates afterwards.
            inputs["renamed"] = self.additions_named["renamed"]
        inputs["teacher"] = self.teacher.inputs()
        if not config.translation.teacher.path:
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
        if settings.targets != "reference" or settings.recombined:
            inputs |= {"beams": [settings.beam_size, settings.length_penalty]}
        inputs |= self.additions_named
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

    def _build_corpus(self) -> dict:
        report = building.build_corpus(
            self._config.data, self._path / "corpus", cache_folder()
        )
        print(format_counts(report), flush=True)
        if error := too_little(report, self._config.data, pairs_only=True):
            raise error
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
        added = self.additions
        build_sources(self.corpus, added.texts, self.tokenizer, folder, name)
        return {"renamed": len(added.renamed), "recombined": len(added.recombined)}

    @cached_property
    def _context(self) -> ContextStore | None:
        """What the teacher's reader makes of all sources; None if it has none."""
        reader = self.teacher.reader
        if reader is None:
            return None
        named = [reader.fingerprint, self.corpus.fingerprint, self.additions_named]
        folder = self._path / "context" / digest(json.dumps(named))[:16]
        if folder.is_dir() and not broken_seal(folder):
            return ContextStore(folder)
        rows, text = self._source_rows(), self.source_text
        texts = [text(row) for row in rows]
        encode, width = reader.encode_tokens, reader.token_dim or 0
        return ContextStore.build(encode, rows, texts, width, folder)

    def _source_rows(self) -> list[int]:
        """Returns the numbers of all that the teacher reads."""
        renamed = self.additions.renamed_pairs[:, 0].tolist()
        known = self.training_sources().tolist()
        return [*known, *renamed, *self.additions.recombined_rows]

    def _write_targets(self, inputs: dict) -> dict:
        kind, text = self._config.translation.targets, self.source_text
        references, translations = [], []
        if kind != "teacher":
            pairs = self.translated_pairs().tolist()
            references = [(source, text(target)) for source, target in pairs]
        # What its translations do not depend on.
        others = ("targets", "recombined")
        named = {k: value for k, value in inputs.items() if k not in others}
        recombined = self.additions.recombined_rows
        if kind != "reference":
            known = self._source_rows()[: -len(recombined) or None]
            translations = self._translated(known, named)
        if recombined:
            # Apart: other numbers of them leave the others' translations as they are.
            named |= {"recombined": inputs["recombined"]}
            translations += self._translated(list(recombined), named)
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
            "recombined": len(recombined),
        }

    def _translated(self, rows: list[int], named: dict) -> list[tuple[int, str]]:
        """Returns number and translation of texts; `named` is what they depend on."""
        text, known = self.source_text, None
        texts = [text(row) for row in rows]
        if self._context is not None:
            known = self._context.remembered(texts, rows)
        found = self.teacher.translations(texts, named, encode_tokens=known)
        return list(zip(rows, found, strict=True))

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
