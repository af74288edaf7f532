"""Translation: a teacher is trained, its student distilled and measured."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from babelet.core.atomic import atomic_path
from babelet.core.run_files import write_json
from babelet.data.splits import TEST
from babelet.data.tokens import TokenStore
from babelet.data.translation_batches import SoftTargets, TranslationBatches
from babelet.evaluation.finished_run import METRICS, SAMPLES, write_samples
from babelet.evaluation.run_sections import EXAMPLES
from babelet.evaluation.translation import score
from babelet.export.rebuild import shared_student
from babelet.export.run import export_run
from babelet.model.objective import Outcome
from babelet.model.translator_initialisation import initialise_translator
from babelet.tasks import translation_targets
from babelet.tasks.exported import TranslationExport
from babelet.tasks.next_token import decide_next_token, keras_translate
from babelet.tasks.students import configured_translator
from babelet.tasks.translation_teacher import CONTEXT, TRANSLATIONS, TranslationTeacher
from babelet.tasks.translation_text import TranslationText
from babelet.training.loop import TrainingData
from babelet.training.steps import Step
from babelet.training.task import Task
from babelet.training.workdir import Workdir

TRANSLATED = "translations.json"
TARGETS, PAIRS, BELIEFS = "targets", "target_pairs.npy", "beliefs"
# Test sentences on which the parity gate compares the exported files, at most. The
# BLEU of 400 is too uncertain: it refused an int8 file for a loss of 0.7, while two
# others lose 0.0 and 0.2 on 2,306 sentences (measured).
PARITY_SENTENCES = 2000


class TranslationTask(Task):
    """Distils an encoder-decoder; its test is BLEU."""

    scores = (METRICS, SAMPLES, TRANSLATED)
    scored_by = (
        "settings.evaluation",
        "settings.translation.beam_size",
        "settings.translation.length_penalty",
    )

    def __init__(self, workdir: Workdir) -> None:
        """Takes the run's folder; no step is done yet."""
        super().__init__(workdir)
        self.text = TranslationText(workdir)
        self.teacher = TranslationTeacher(workdir, self.text)

    @property
    def trained_on(self) -> Sequence[str]:  # type: ignore[override]
        """What the student learns from, and its shape."""
        return (
            BELIEFS if self._believes else TARGETS,
            "settings.student",
            "settings.objective",
            "settings.training",
        )

    @property
    def _believes(self) -> bool:
        return self.config.objective.alpha < 1

    def preparation(self) -> list[Step]:
        """Returns the steps from text to what the teacher says and believes."""
        settings = self.config.translation
        asked = settings.targets != "reference" or settings.recombined
        beams = (
            "settings.translation.beam_size",
            "settings.translation.length_penalty",
        )
        found = [*self.text.steps(), *self.teacher.steps()]
        found.append(
            Step(
                TARGETS,
                self._write_targets,
                reads=(
                    "tokens",
                    "settings.translation.targets",
                    *(beams if asked else ()),
                ),
                beside=lambda: self.text.additions_named | self.teacher.named(),
                leaves=(TARGETS, PAIRS),
                shares=(TRANSLATIONS, CONTEXT),
            )
        )
        if self._believes:
            candidates = "settings.translation.soft_candidates"
            reads, leaves = (TARGETS, candidates), (BELIEFS,)
            found.append(Step(BELIEFS, self._write_beliefs, reads, leaves=leaves))
        return found

    def _write_targets(self, identity: str) -> dict:
        """Writes what the student learns to say: references, the teacher's, or both."""
        kind, text = self.config.translation.targets, self.text.source_text
        recombined = self.text.additions.recombined_rows
        references, translations = [], []
        if kind != "teacher":
            pairs = self.text.translated_pairs().tolist()
            references = [(source, text(target)) for source, target in pairs]
        if kind != "reference":
            known = self.text.source_rows()[: -len(recombined) or None]
            translations = self.teacher.translated(known, {})
        if recombined:
            # Apart: other numbers of them leave the others' translations as they are.
            named = {"recombined": self.text.additions_named["recombined"]}
            translations += self.teacher.translated(list(recombined), named)
        rows, texts = translation_targets.merged(references, translations)
        with atomic_path(self.path / PAIRS) as path, path.open("wb") as file:
            np.save(file, rows)
        TokenStore.build(self.text.tokenizer, texts, self.path / TARGETS, identity)
        return {
            "targets": len(texts),
            "references": len(set(references)),
            "recombined": len(recombined),
        }

    def _write_beliefs(self, _: str) -> dict:
        targets = TokenStore(self.path / TARGETS)
        translation_targets.write_beliefs(
            self.teacher.model,
            self.text.sources,
            targets,
            np.load(self.path / PAIRS),
            self.config.translation.soft_candidates,
            self.path / BELIEFS,
            self.teacher.context,
        )
        return {"positions": int(targets.lengths.sum())}

    def initial_student(self, precision: str) -> keras.Model:
        """Returns the student at random weights, or cut from its teacher."""
        size = self.text.tokenizer.vocabulary_size
        student = configured_translator(self.config, size, precision)
        if self.config.student.init_from_teacher:
            initialise_translator(student, self.teacher.model)
        return student

    def decide(self, student: keras.Model, batch: dict, training: bool) -> Outcome:
        """Returns one decision a position of the target: which token comes next."""
        return decide_next_token(student, batch, training)

    def data(self) -> TrainingData:
        """Returns sources with their targets, and the scores on held-out ones."""
        targets = TokenStore(self.path / TARGETS)
        soft: SoftTargets | None = None
        if self._believes:
            soft = translation_targets.open_beliefs(self.path / BELIEFS, targets)
        batches = TranslationBatches(
            self.text.sources,
            targets,
            np.load(self.path / PAIRS),
            batch_size=self.config.training.batch_size,
            seed=self.config.seed,
            soft=soft,
        )
        return self.text.training_data(batches)

    def evaluate(self) -> dict[str, Any]:
        """Scores teacher and student, greedy and with beams, on the test split."""
        sources, references, near = self.text.held_out(
            TEST, self.config.evaluation.pairs_per_language
        )
        language = self.text.corpus.languages[1]
        metrics: dict[str, Any] = {}
        examples: dict[str, list[str]] = {"source": sources, "reference": references}
        for name, translate in self._models().items():
            print(f"evaluating: {name}", flush=True)
            translations = examples[name] = translate(sources)
            metrics[name] = score(sources, references, translations, language)
            metrics[name]["bleu_without_near"] = _without(
                near, sources, references, translations, language
            )
        write_json(self.path / TRANSLATED, examples)
        rows = [list(row) for row in zip(*examples.values(), strict=True)][:EXAMPLES]
        found = {"columns": list(examples), "rows": rows}
        write_samples(self.path, examples=found)
        return metrics

    def headline(self, metrics: dict[str, Any]) -> str:
        """Returns teacher and student in one sentence."""
        shown = (f"{name} {row['bleu']:.1f}" for name, row in metrics.items())
        return f"Test BLEU: {', '.join(shown)}"

    def export(self) -> dict[str, Any]:
        """Exports the student, proven on test sentences."""
        sources, references = self.text.held_out(TEST, PARITY_SENTENCES)[:2]
        language = self.text.corpus.languages[1]
        pairs = [*zip(sources, references, strict=True)]
        return export_run(self.path, {language: pairs})

    def _models(self) -> dict:
        """Returns name -> translate, teacher first."""
        config, tokenizer = self.config, self.text.tokenizer
        settings, limit = config.translation, config.evaluation.pairs_per_language
        beams, penalty = settings.beam_size, settings.length_penalty
        student = shared_student(self.path).student
        models = {}
        if not settings.teacher.path:
            # Such a one decodes as it does, and a file holds the training texts alone.
            models["teacher, greedy"] = self.teacher.tested(1, limit)
            models[f"teacher, beam {beams}"] = self.teacher.tested(beams, limit)
        beam = keras_translate(student, tokenizer, beams, penalty)
        models["student, greedy"] = keras_translate(student, tokenizer)
        return models | {f"student, beam {beams}": beam}


def _without(
    near: list[bool],
    sources: list[str],
    references: list[str],
    translations: list[str],
    language: str,
) -> float | None:
    """Returns BLEU of the sentences that are not `near`, None if there are none."""
    rows = zip(sources, references, translations, near, strict=True)
    far = [row[:3] for row in rows if not row[3]]
    if not far:
        return None
    sources, references, translations = map(list, zip(*far, strict=True))
    return score(sources, references, translations, language)["bleu"]


TASK, EXPORT = TranslationTask, TranslationExport()
