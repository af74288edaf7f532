"""Which of the wanted languages a file's name for a language means."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

# A region changes the spelling of a language; these change the script of Chinese.
TRADITIONAL = {"tw", "hk", "mo"}
# How gettext names scripts.
_SCRIPTS = {"latin": "latn", "cyrillic": "cyrl", "devanagari": "deva", "arabic": "arab"}
_LOCALE = re.compile(r"(.+?)(?:\.(?:utf-?8|iso-?8859-?\d+))?(?:@(\w+))?")
_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?")


def match(tag: str, languages: Iterable[str]) -> str | None:
    """Returns the language among `languages` that `tag` names, or None.

    Case and the kind of dash do not count, and a region may be missing: "EN_us" is
    "en" where "en-US" is not wanted by itself, "sr-Latn-RS" is "sr-Latn". A script
    counts: "zh-Hant" and "zh-TW" are not "zh", and "sr-Latn" is not "sr". Chinese is
    simplified where nothing else is said.
    """
    by_name = {_fold(language): language for language in languages}
    for form in _forms_of(tag):
        if form in by_name:
            return by_name[form]
    return None


@lru_cache(maxsize=4096)
def _forms_of(tag: str) -> tuple[str, ...]:
    # Files repeat a few tags a million times.
    return tuple(_forms(_fold(tag)))


def _forms(tag: str) -> Iterator[str]:
    """Yields the names under which a folded tag may be wanted, the nearest first."""
    yield tag
    found = _TAG.fullmatch(tag)
    if not found:
        return
    language, script, region = found.groups()
    usual = ""
    if language == "zh":
        usual = "hant" if region in TRADITIONAL else "hans"
    if script or usual:
        yield f"{language}-{script or usual}"
    if region and script in (None, usual):
        yield f"{language}-{region}"
    if script in (None, usual) and usual != "hant":
        yield language


def _fold(tag: str) -> str:
    folded = tag.strip().casefold()
    match = _LOCALE.fullmatch(folded)
    name, variant = match.groups() if match else (folded, None)
    parts = name.replace("_", "-").split("-")
    if variant and variant != "euro":
        # The script comes before the region: sr_RS@latin is sr-Latn-RS.
        parts.insert(1, _SCRIPTS.get(variant, variant))
    return "-".join(parts)
