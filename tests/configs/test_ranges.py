"""Every setting, at values that nobody means."""

import dataclasses
import json
import math
import typing

import pytest

from babelet.configs import checks, parsing, schema
from babelet.configs.ranges import RANGES
from babelet.core.errors import BabeletError

CONFIG = schema.Config(name="lamp", data=schema.DataConfig(languages=("cs", "de")))
HOSTILE = (-1, 0, math.nan, math.inf, -math.inf, 10**30, 1e-300, "", "\0", None, True)
# Zeros that mean "none", and bounds that may be anything.
ACCEPTED = {
    ("data.min_characters", 0),
    ("export.max_bleu_loss", -1),
    ("export.max_bleu_loss", 0),
    ("export.min_cosine", -1),
    ("vocabulary.min_agreement", -1),
}


def settings(number=None):
    """Returns dotted path -> type, of all settings or of the numbers alone."""
    found = {}
    for name, wanted in typing.get_type_hints(schema.Config).items():
        if dataclasses.is_dataclass(wanted):
            inner = typing.get_type_hints(wanted).items()
            found |= {f"{name}.{key}": kind for key, kind in inner}
        else:
            found[name] = wanted
    numbers = (int, float, tuple[int, ...], tuple[float, ...])
    return {key: t for key, t in found.items() if not number or t in numbers}


def test_every_number_has_a_range():
    """A setting that the table forgets takes NaN, and the run fails in an hour."""
    assert set(RANGES) == set(settings(number=True))


@pytest.mark.parametrize("key", settings())
def test_hostile_values_are_accepted_or_one_error(key, tmp_path):
    """A traceback at the start, or no error at all until the teacher has run."""
    group, _, name = key.rpartition(".")
    for value in HOSTILE:
        written = json.loads(parsing.to_json(CONFIG))
        (written[group] if group else written)[name] = value
        file = tmp_path / "config.json"
        file.write_text(json.dumps(written))
        for load in (
            lambda value=value: parsing.replace(CONFIG, {key: value}),
            lambda value=value: parsing.replace(CONFIG, {key: str(value)}),
            lambda file=file: parsing.from_json(file),
        ):
            try:
                changed = load()
            except BabeletError as error:
                assert key.rpartition(".")[2] in str(error) or "data." in str(error)
                assert "Remedy: " in str(error) and len(str(error)) < 1000
                continue
            got = parsing.value_of(changed, key)
            for item in got if isinstance(got, tuple) else (got,):
                if key in RANGES:
                    assert math.isfinite(item) and item in RANGES[key]


@pytest.mark.parametrize("key", RANGES)
def test_numbers_that_are_no_setting_are_refused(key):
    """-1 steps, a seed of -1, or a norm of NaN trains nothing and says so late."""
    many = settings()[key] in (tuple[int, ...], tuple[float, ...])
    for value in (-1, math.nan, math.inf, -math.inf):
        if (key, value) not in ACCEPTED:
            with pytest.raises(BabeletError, match=key.rpartition(".")[2]):
                parsing.replace(CONFIG, {key: [value] if many else value})


def test_a_range_says_which_ends_count():
    share = checks.Range(0, 1, above=True, below=True)
    assert 0.5 in share and 0 not in share and 1 not in share and math.nan not in share
    assert str(share) == "a number above 0 and below 1"
    assert str(checks.Range(1, 10**9)) == "a number 1 or more and at most 1,000,000,000"
