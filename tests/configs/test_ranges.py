"""Every setting, at values that nobody means."""

import json
import math
import typing

import pytest

from babelet.configs import checks, parsing, smart_home
from babelet.configs import classification as classes
from babelet.configs import translation as translating
from babelet.core.errors import BabeletError

CONFIGS = {
    "embedding": smart_home.get_config(),
    "classification": classes.ClassificationConfig(
        "lamp", classes.DataConfig(languages=("cs", "de"))
    ),
    "translation": translating.TranslationConfig(
        "lamp", translating.DataConfig(languages=("cs",))
    ),
}
HOSTILE = (-1, 0, math.nan, math.inf, -math.inf, 10**30, 1e-300, "", "\0", None, True)
# Zeros that mean "none", and bounds that may be anything.
ACCEPTED = {
    ("export.max_bleu_loss", -1),
    ("export.min_cosine", -1),
    ("vocabulary.min_agreement", -1),
}
NUMBERS = (int, float)


def settings():
    """Returns (task, dotted path, type) of every setting."""
    found = []
    for task, config in CONFIGS.items():
        for key in parsing.keys(type(config)):
            section = (
                parsing.value_of(config, key.rpartition(".")[0])
                if "." in key
                else config
            )
            found.append(
                (task, key, checks.hints(type(section))[key.rpartition(".")[2]])
            )
    return found


def of_number(kind):
    """Returns whether a setting is a number, or several."""
    if typing.get_origin(kind) is tuple:
        kind = typing.get_args(kind)[0]
    return getattr(kind, "__origin__", kind) in NUMBERS


RANGED = [each for each in settings() if checks.range_of(each[2])]


def test_every_number_has_a_range():
    """A setting without one takes NaN, and the run fails in an hour."""
    assert [x for x in settings() if of_number(x[2])] == RANGED and len(RANGED) > 90


@pytest.mark.parametrize(("task", "key", "kind"), settings())
def test_hostile_values_are_accepted_or_one_error(task, key, kind, tmp_path):
    """A traceback at the start, or no error at all until the teacher has run."""
    config, numbers = CONFIGS[task], checks.range_of(kind)
    *groups, name = key.split(".")
    for value in HOSTILE:
        written = json.loads(parsing.to_json(config))
        place = written
        for group in groups:
            place = place[group]
        place[name] = value
        file = tmp_path / "config.json"
        file.write_text(json.dumps(written))
        for load in (
            lambda value=value: parsing.replace(config, {key: value}),
            lambda value=value: parsing.replace(config, {key: str(value)}),
            lambda file=file: parsing.from_json(file),
        ):
            try:
                changed = load()
            except BabeletError as error:
                assert name in str(error) or "data." in str(error)
                assert "Remedy: " in str(error) and len(str(error)) < 1000
                continue
            got = parsing.value_of(changed, key)
            for item in got if isinstance(got, tuple) else (got,):
                if numbers:
                    assert math.isfinite(item) and item in numbers


@pytest.mark.parametrize(("task", "key", "kind"), RANGED)
def test_numbers_that_are_no_setting_are_refused(task, key, kind):
    """-1 steps, a seed of -1, or a norm of NaN trains nothing and says so late."""
    many = typing.get_origin(kind) is tuple
    for value in (-1, math.nan, math.inf, -math.inf):
        if (key, value) not in ACCEPTED:
            with pytest.raises(BabeletError, match=key.rpartition(".")[2]):
                parsing.replace(CONFIGS[task], {key: [value] if many else value})


def test_a_range_says_which_ends_count():
    share = checks.Range(0, 1, above=True, below=True)
    assert 0.5 in share and 0 not in share and 1 not in share and math.nan not in share
    assert str(share) == "a number above 0 and below 1"
    assert str(checks.Range(1, 10**9)) == "a number 1 or more and at most 1,000,000,000"
