"""Names of languages, as files of all kinds write them."""

import pytest

from data.sources.language_tags import match


@pytest.mark.parametrize(
    ("tag", "languages", "wanted"),
    [
        ("DE", ("de",), "de"),
        ("en_US", ("en", "de"), "en"),
        ("es-419", ("es",), "es"),
        ("pt-BR", ("pt", "pt-br"), "pt-br"),
        ("pt-BR", ("pt",), "pt"),
        ("zh-CN", ("zh",), "zh"),
        ("zh-TW", ("zh",), None),
        ("zh-Hant", ("zh",), None),
        ("de", ("de-AT",), None),
        ("", ("de",), None),
    ],
)
def test_a_tag_means_the_language_it_names(tag, languages, wanted):
    """Traditional characters pass for simplified, or "DE" for no German at all."""
    assert match(tag, languages) == wanted
