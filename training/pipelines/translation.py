"""A run of translation: a teacher is trained, its student distilled and measured."""

import json
from functools import cached_property
from pathlib import Path

import keras

from babelet.core.atomic import atomic_path
from babelet.data.splits import TEST
from babelet.evaluation.finished_run import METRICS, SAMPLES, write_samples
from babelet.evaluation.run_sections import EXAMPLES
from babelet.evaluation.translation import score
from babelet.export.rebuild import rebuild_student
from babelet.export.translation import export_translator
from babelet.model.precision import resolved_precision
from babelet.model.translator_initialisation import initialise_translator
from babelet.tasks.base import TrainingData, configured_objective
from babelet.tasks.translation import (
    TranslationTask,
    configured_student,
    keras_translate,
    readable_rows,
)
from babelet.training.pipelines.base import Pipeline
from babelet.training.translation_preparation import TranslationPreparation

# Test sentences on which the parity gate compares the exported files, at most. The
# BLEU of 400 is too uncertain: it refused an int8 file for a loss of 0.7, while two
# others lose 0.0 and 0.2 on 2,306 sentences (measured).
PARITY_SENTENCES = 2000


class TranslationPipeline(Pipeline):
    """Distils an encoder-decoder; its test is BLEU."""

    scores = (METRICS, SAMPLES, "translations.json")
    hparams = (
        "translation.targets",
        "translation.decoder_layers",
        "translation.beam_size",
    )

    @cached_property
    def _preparation(self) -> TranslationPreparation:
        return TranslationPreparation(self.workdir)

    def prepare(self, other: str) -> None:
        """Builds corpus, vocabulary, teacher and targets, or takes the first three."""
        if other:
            self._preparation.adopt(Path(other))
        self._preparation.run()

    def training_inputs(self) -> dict:
        """Returns all that the trained weights depend on."""
        names = ("seed", "task", "student", "objective", "training")
        named = {name: self.workdir.section(name) for name in names}
        settings = self.workdir.config.translation
        named["decoder_layers"] = settings.decoder_layers
        if settings.init_from_teacher:
            # Which teacher it is, the targets depend on.
            named["init_from_teacher"] = True
        return self._preparation.inputs() | named

    def evaluation_inputs(self) -> dict:
        """Returns what scores depend on beside the weights."""
        settings = self.workdir.config.translation
        beams = [settings.beam_size, settings.length_penalty]
        return super().evaluation_inputs() | {"beams": beams}

    def train(self) -> dict:
        """Trains the student and writes it in float32."""
        config, preparation = self.workdir.config, self._preparation
        precision = resolved_precision(config.training.precision)
        # Steps that are done draw no random numbers; what follows must not depend on
        # it.
        keras.utils.set_random_seed(config.seed)
        size = preparation.tokenizer.vocabulary_size
        student = configured_student(config, size, precision)
        if config.translation.init_from_teacher:
            initialise_translator(student, preparation.teacher.model)
        task = TranslationTask(configured_objective(config.objective))
        batches = preparation.student_batches()
        rows = readable_rows(batches, preparation.source_text)
        data = TrainingData(batches, rows, preparation.validation())
        return self._distil(student, task, data, config.training, precision)

    def evaluate(self) -> dict:
        """Scores teacher and student, greedy and with beams, on the test split."""
        config, preparation = self.workdir.config, self._preparation
        sources, references, near = preparation.held_out(
            TEST, config.evaluation.pairs_per_language
        )
        language = preparation.corpus.languages[1]
        metrics, examples = {}, {"source": sources, "reference": references}
        for name, translate in self._models().items():
            print(f"evaluating: {name}", flush=True)
            translations = examples[name] = translate(sources)
            metrics[name] = score(sources, references, translations, language)
            metrics[name]["bleu_without_near"] = _without(
                near, sources, references, translations, language
            )
        for name, content in (("metrics", metrics), ("translations", examples)):
            with atomic_path(self.workdir.path / f"{name}.json") as file:
                text = json.dumps(content, indent=1, ensure_ascii=False)
                file.write_text(text + "\n", "utf-8")
        rows = [list(row) for row in zip(*examples.values(), strict=True)][:EXAMPLES]
        found = {"columns": list(examples), "rows": rows}
        write_samples(self.workdir.path, examples=found)
        return {name: values["bleu"] for name, values in metrics.items()}

    def export(self) -> dict:
        """Exports the student, proven on test sentences."""
        sources, references, _ = self._preparation.held_out(TEST, PARITY_SENTENCES)
        return export_translator(self.workdir.path, sources, references)

    def headline(self, scores: dict) -> str:
        """Returns teacher and student in one sentence."""
        shown = ", ".join(f"{name} {bleu:.1f}" for name, bleu in scores.items())
        return f"Test BLEU: {shown}"

    def _models(self) -> dict:
        """Returns name -> translate, teacher first."""
        preparation, config = self._preparation, self.workdir.config
        settings, limit = config.translation, config.evaluation.pairs_per_language
        tokenizer, beams = preparation.tokenizer, settings.beam_size
        student = rebuild_student(self.workdir.path).student
        models = {}
        if not settings.teacher_path:
            # Such a one decodes as it does, and a file holds the training texts alone.
            teacher = preparation.teacher
            models["teacher, greedy"] = teacher.tested(1, limit)
            models[f"teacher, beam {beams}"] = teacher.tested(beams, limit)
        penalty = settings.length_penalty
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
