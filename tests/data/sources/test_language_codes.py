"""What names a language, and what is a slip."""

import pytest

from babelet.core.errors import BabeletError
from babelet.data.sources.language_codes import names_language, require_codes


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        *(
            (text, True)
            for text in ("de", "pt_BR", "zh-Hans-CN", "DEU", "ger", "German")
        ),
        *(
            (text, False)
            for text in ("lamp", "so-called", "no-one", "xx", "", "Hm, de")
        ),
    ],
)
def test_a_header_is_told_from_text(text, is_one):
    """A header taken for text hides that its languages are others than asked for."""
    assert names_language(text) == is_one


def test_only_codes_of_languages_are_taken():
    """The student is said to know Klingon, and has learned German."""
    require_codes("data.languages", ("de", "zh-Hans", "sr_RS@latin", "tlh", "es-419"))
    for slip, hint in (("klingon", "639"), ("German", "mean de"), ("jp", "mean ja")):
        with pytest.raises(BabeletError, match=rf"data\.languages.*{slip}.*{hint}"):
            require_codes("data.languages", ("de", slip))
