"""One reading of language tags, for corpus, vocabulary, scores and reports."""

import pytest

from babelet.core.languages import CHINESE, UNSPACED, primary
from babelet.evaluation.languages import name_of


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("zh_CN", "zh"),
        ("zh-Hans-CN", "zh"),
        ("JA", "ja"),
        (" tha ", "th"),
        ("yue-Hant", "yue"),
        ("tok", "tok"),
        ("", ""),
    ],
)
def test_a_tag_names_its_language_in_any_spelling(tag, expected):
    """Read in two ways, ja_JP is Japanese in one step and unknown in the next."""
    assert primary(tag) == expected


def test_what_has_no_spaces():
    """A Chinese language missing here is counted as one word a sentence."""
    assert CHINESE < UNSPACED and {"ja", "th", "km"} < UNSPACED
    assert not UNSPACED & {"ko", "vi", "en", "he", "hi"}


def test_reports_name_tags_with_underscores():
    """A report that says "ja_JP" for Japanese is read by nobody."""
    assert name_of("ja_JP") == name_of("ja") == "Japanese"
    assert name_of("tlh") == "tlh"
