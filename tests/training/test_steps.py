"""Steps know what they read, and take over what another run has done."""

import json

import pytest

from babelet.configs.embedding import DataConfig, EmbeddingConfig, StudentConfig
from babelet.core.errors import BabeletError
from babelet.training.steps import FINGERPRINT, Step, do
from babelet.training.workdir import Workdir


def config(languages=("de",), max_length=24, seed=0):
    student = StudentConfig(max_length=max_length)
    data = DataConfig(languages=languages, files=("text.tsv",))
    return EmbeddingConfig("home", data, student=student, seed=seed)


class Run:
    """Two steps that write files, and note how often they did."""

    def __init__(self, folder, content="text", **settings):
        folder.mkdir(exist_ok=True)
        self.folder, self.content, self.done = folder, content, []
        self.workdir = Workdir(folder, config(**settings))

    def steps(self, **changes):
        corpus = Step(
            "corpus",
            self._corpus,
            reads=("settings.data",),
            but=("settings.data.files",),
            leaves=("corpus/text",),
            shares=("cache",),
        )
        tokens = Step(
            "tokens",
            self._tokens,
            reads=("corpus", "settings.student.max_length"),
            leaves=("tokens",),
        )
        return [corpus._replace(**changes), tokens]

    def _corpus(self, identity):
        self.done.append("corpus")
        (self.folder / "corpus").mkdir(exist_ok=True)
        (self.folder / "corpus" / "text").write_text(self.content)
        (self.folder / "cache").mkdir(exist_ok=True)
        return {FINGERPRINT: self.content, "identity": identity}

    def _tokens(self, identity):
        self.done.append("tokens")
        (self.folder / "tokens").write_text(f"{self.folder.name} {self.content}")
        return {}

    def go(self, other=None, **changes):
        do(self.workdir, self.steps(**changes), other)
        return self.done


def test_a_step_is_done_again_when_what_it_reads_has_changed(tmp_path):
    """Tokens of another length, or of other text, would be trained on."""
    assert Run(tmp_path).go() == ["corpus", "tokens"]
    assert Run(tmp_path).go() == []
    assert Run(tmp_path, max_length=32).go() == ["tokens"]
    assert Run(tmp_path, "other", max_length=32, languages=("fr",)).go() == [
        "corpus",
        "tokens",
    ]


def test_settings_that_are_not_read_change_nothing(tmp_path):
    """Hours of encoding repeated for another seed."""
    Run(tmp_path).go()
    assert Run(tmp_path, seed=3).go() == []


def test_text_is_known_by_its_content(tmp_path):
    """A setting that left the text as it was would cost all that follows it."""
    Run(tmp_path).go()
    assert Run(tmp_path, languages=("de", "fr")).go() == ["corpus"]


def test_what_another_run_has_is_taken_over(tmp_path):
    """Every run of a comparison would read text and ask the teacher anew."""
    first, second = Run(tmp_path / "first"), Run(tmp_path / "second", seed=1)
    first.go()
    assert second.go(tmp_path / "first") == []
    for name in ("corpus/text", "tokens"):
        assert (tmp_path / "second" / name).is_symlink()
    assert (tmp_path / "second" / "cache").is_symlink()
    # From now on it is its own.
    assert Run(tmp_path / "second", seed=1).go() == []


def test_what_another_run_has_is_never_written_to(tmp_path):
    """A step done again would overwrite, through its link, the other run's files."""
    Run(tmp_path / "first").go()
    Run(tmp_path / "second").go(tmp_path / "first")
    assert Run(tmp_path / "second", max_length=32).go() == ["tokens"]
    assert (tmp_path / "first" / "tokens").read_text() == "first text"
    assert (tmp_path / "second" / "tokens").read_text() == "second text"


def test_a_damaged_step_of_another_run_is_not_taken(tmp_path):
    """Its damage would be a second run's as well."""
    Run(tmp_path / "first").go()
    (tmp_path / "first" / "tokens").write_text("damaged")
    assert Run(tmp_path / "second").go(tmp_path / "first") == ["tokens"]


def test_another_text_is_refused_by_name(tmp_path):
    """A run on other text, done from its beginning, would be taken for a shared one."""
    Run(tmp_path / "first").go()
    with pytest.raises(BabeletError, match="prepared with other data settings"):
        Run(tmp_path / "second", languages=("fr",)).go(tmp_path / "first")
    with pytest.raises(BabeletError, match="not prepared: it lacks corpus"):
        Run(tmp_path / "third").go(tmp_path / "nowhere")


def test_what_is_lost_elsewhere_is_done_again(tmp_path, capsys):
    """A step that counts as done while its vectors are gone ends in a KeyError."""
    Run(tmp_path).go()
    facts = []
    again = Run(tmp_path).go(lost=lambda noted: facts.append(noted) or "2 are gone")
    assert again == ["corpus"]
    assert facts[0][FINGERPRINT] == "text"
    assert "warning: 2 are gone" in capsys.readouterr().out


def test_warnings_are_told_at_every_start(tmp_path, capsys):
    """What is wrong with the text is forgotten when the run is continued."""
    for _ in range(2):
        Run(tmp_path).go(after=lambda: ["few sentences"])
        assert "warning: few sentences" in capsys.readouterr().out


def test_its_work_is_given_the_identity_that_is_noted(tmp_path):
    """Checkpoints under another name than the step's would be those of others."""
    Run(tmp_path).go()
    step = json.loads((tmp_path / "manifest.json").read_text())["steps"]["corpus"]
    assert step["facts"]["identity"] == step["inputs"]
