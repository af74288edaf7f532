"""What a translator's student and its teacher are asked to read."""

import re

import numpy as np
import pytest

from babelet.configs import overrides
from babelet.data.splits import TRAIN, group_key
from babelet.data.tokens import TokenStore
from babelet.tasks.translation import TranslationTask
from babelet.training.run import run as start
from babelet.training.steps import do
from babelet.training.workdir import Workdir, opened

NAMES = ("Sonos", "Velbus", "Tado", "Zigbee", "Hue", "Abode", "Ring", "Nest")
NAMED = "de\tOpen {0} beside {{room}} soon\tBald {0} neben {{room}} aufmachen\n"


@pytest.fixture(scope="module")
def config(translation_recipe, tmp_path_factory):
    alone = tmp_path_factory.mktemp("sources") / "alone.de.txt"
    words = ("Rasenmäher", "Waschmaschine", "Gartentor", "Briefkasten")
    alone.write_text("".join(f"Bitte den {w} jetzt holen\n" for w in words), "utf-8")
    named = alone.with_name("names.tsv")
    named.write_text("".join(NAMED.format(x) for x in NAMES), "utf-8")
    files = f"{translation_recipe.parent / 'text.tsv'},{alone},{named}"
    settings = {
        "data.files": files,
        "data.keep_placeholders": "true",
        "objective.alpha": 1,
        "translation.renamed": 40,
        "translation.teacher.steps": 2,
        "translation.teacher.warmup_steps": 1,
    }
    given = [f"{name}={value}" for name, value in settings.items()]
    return overrides.load(str(translation_recipe), given)


@pytest.fixture(scope="module")
def workdir(config, tmp_path_factory):
    path = tmp_path_factory.mktemp("prepared") / "run"
    start(config, path, until="preparation")
    return Workdir(path, config)


def test_recombinations_are_of_the_source_language_and_not_held_out(workdir):
    """The teacher would translate German into German, or the student read the test."""
    text = TranslationTask(workdir).text
    corpus, found = text.corpus, text.additions.recombined
    assert len(found) == 30
    german = corpus.sentences.texts((corpus.sentence_language != 0).nonzero()[0])
    assert sum(x.startswith("Bitte den") for x in german) == 4
    assert not any("Bitte" in x or "holen" in x for x in found)
    assert not {group_key(x) for x in found} & held_out(corpus)


def held_out(corpus):
    texts = corpus.sentences.texts(corpus.pairs[corpus.pair_split != TRAIN][:, 0])
    assert texts
    return {group_key(text) for text in texts}


def test_renamed_pairs_are_read_by_teacher_and_student(workdir):
    """Numbered wrongly, each would be trained to translate other sentences."""
    text = TranslationTask(workdir).text
    pairs, read = text.additions.renamed_pairs, text.source_text
    assert len(pairs) == 40
    rows = np.load(workdir.path / "target_pairs.npy")
    targets = TokenStore(workdir.path / "targets")
    for source, target in text.additions.renamed_pairs.tolist():
        name = re.fullmatch(r"Open (\S+) beside (\S+) soon", read(source))
        assert read(target) == f"Bald {name[1]} neben {name[2]} aufmachen"
        ids = text.tokenizer.encode([read(source), read(target)])
        assert tokens(text.sources, source) == ids[0]
        own = rows[rows[:, 0] == source][:, 1]
        assert ids[1] in [tokens(targets, row) for row in own]
    assert text.translated_pairs()[-40:].tolist() == pairs.tolist()
    sources = {group_key(read(row)) for row in pairs[:, 0]}
    assert not sources & held_out(text.corpus)


def tokens(store, row):
    batch = store.padded([row])
    return batch["token_ids"][batch["padding_mask"]].tolist()


def test_a_teacher_that_learned_nothing_is_named(workdir):
    """Half an hour later its student would be as bad, and nothing would say why."""
    teacher = TranslationTask(workdir).teacher
    assert "BLEU on the validation" in teacher.warnings()[0]
    curve = workdir.manifest["steps"]["teacher"]["facts"]["curve"]
    curve.append({"step": 3, "validation/bleu": 30.0})
    assert not teacher.warnings()
    curve.pop()


def test_what_a_run_began_itself_is_not_another_s(workdir, config, tmp_path):
    """Tokens that a killed run left half-made would pass for those of --prepared."""
    with opened(tmp_path, config) as begun:
        (tmp_path / "tokens").mkdir()
        task = TranslationTask(begun)
        do(begun, task.preparation(), workdir.path)
    tokens = TokenStore(tmp_path / "tokens")
    assert len(tokens) == len(task.text.corpus.sentences)
    assert not (tmp_path / "tokens").is_symlink()
    for name in ("corpus", "sources", "targets"):
        assert (tmp_path / name).is_symlink()
