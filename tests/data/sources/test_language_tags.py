"""Names of languages, as files of all kinds write them."""

import pytest

from babelet.data.sources.language_tags import match


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
        ("de\nfi", ("de",), None),
        ("sr-Latn-RS", ("sr-Latn",), "sr-Latn"),
        ("sr-Latn-RS", ("sr", "sr-RS"), None),
        ("sr_RS@latin", ("sr-Latn",), "sr-Latn"),
        ("zh-Hans-CN", ("zh-Hans",), "zh-Hans"),
        ("zh_CN", ("zh-Hans", "zh-Hant"), "zh-Hans"),
        ("zh-TW", ("zh-Hans", "zh-Hant"), "zh-Hant"),
        ("zh-Hant-HK", ("zh-TW", "zh-HK"), "zh-HK"),
        ("zh-Hant-HK", ("zh",), None),
        ("de_DE.UTF-8", ("de",), "de"),
        ("de_DE@euro", ("de",), "de"),
        ("ca@valencia", ("ca",), None),
        ("en.text", ("en",), None),
    ],
)
def test_a_tag_means_the_language_it_names(tag, languages, wanted):
    """Traditional characters pass for simplified, or "DE" for no German at all."""
    assert match(tag, languages) == wanted
