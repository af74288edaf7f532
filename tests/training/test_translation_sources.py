"""What a translator's student and its teacher are asked to read."""

import pytest

from configs import overrides
from data.splits import TRAIN, group_key
from training.prepared_pairs import PreparedPairs
from training.run import run as start
from training.translation_preparation import TranslationPreparation
from training.translation_sources import recombined_of
from training.workdir import Workdir, opened


@pytest.fixture(scope="module")
def config(translation_recipe, tmp_path_factory):
    alone = tmp_path_factory.mktemp("sources") / "alone.de.txt"
    words = ("Rasenmäher", "Waschmaschine", "Gartentor", "Briefkasten")
    alone.write_text("".join(f"Bitte den {w} jetzt holen\n" for w in words), "utf-8")
    files = f"{translation_recipe.parent / 'text.tsv'},{alone}"
    settings = ("objective.alpha=1", "translation.teacher_steps=2")
    warmup = "translation.teacher_warmup_steps=1"
    return overrides.load(
        str(translation_recipe), [f"data.files={files}", *settings, warmup]
    )


@pytest.fixture(scope="module")
def workdir(config, tmp_path_factory):
    path = tmp_path_factory.mktemp("prepared") / "run"
    start(config, path, until="preparation")
    return Workdir(path, config)


def test_recombinations_are_of_the_source_language_and_not_held_out(workdir):
    """The teacher would translate German into German, or the student read the test."""
    text = PreparedPairs(workdir)
    corpus, sources = text.corpus, text.training_sources()
    found = recombined_of(corpus, sources, 500)
    assert len(found) > 100
    german = corpus.sentences.texts((corpus.sentence_language != 0).nonzero()[0])
    assert sum(x.startswith("Bitte den") for x in german) == 4
    assert not any("Bitte" in x or "holen" in x for x in found)
    held_out = corpus.pairs[corpus.pair_split != TRAIN][:, 0]
    known = {group_key(x) for x in corpus.sentences.texts(held_out)}
    assert known and not known & {group_key(x) for x in found}


def test_a_teacher_that_learned_nothing_is_named(workdir):
    """Half an hour later its student would be as bad, and nothing would say why."""
    teacher = TranslationPreparation(workdir).teacher
    assert "BLEU on the validation" in teacher.warning()
    curve = workdir.manifest["steps"]["teacher"]["facts"]["curve"]
    curve.append({"step": 3, "validation/bleu": 30.0})
    assert teacher.warning() == ""
    curve.pop()


def test_what_a_run_began_itself_is_not_another_s(workdir, config, tmp_path):
    """Tokens that a killed run left half-made would pass for those of --prepared."""
    with opened(tmp_path, config) as begun:
        (tmp_path / "tokens").mkdir()
        preparation = TranslationPreparation(begun)
        preparation.adopt(workdir.path)
        assert set(workdir.manifest["steps"]) - set(begun.manifest["steps"]) == {
            "tokens"
        }
        preparation.run()
    assert len(preparation.tokens) == len(preparation.corpus.sentences)
    assert not (tmp_path / "tokens").is_symlink()
    for name in ("corpus", "sources", "targets"):
        assert (tmp_path / name).is_symlink()
