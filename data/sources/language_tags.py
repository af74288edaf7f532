"""Which of the wanted languages a file's name for a language means."""

from collections.abc import Iterable

# A region changes the spelling of a language; these change the script of Chinese.
TRADITIONAL = {"tw", "hk", "mo"}


def match(tag: str, languages: Iterable[str]) -> str | None:
    """Returns the language among `languages` that `tag` names, or None.

    Case and the kind of dash do not count, and a region may be missing: "EN_us" is
    "en" where "en-US" is not wanted by itself. A script counts: "zh-Hant" and "zh-TW"
    are not "zh".
    """
    by_name = {_fold(language): language for language in languages}
    folded = _fold(tag)
    primary, _, region = folded.partition("-")
    is_region = len(region) == 2 or (len(region) == 3 and region.isdigit())
    if is_region and not (primary == "zh" and region in TRADITIONAL):
        return by_name.get(folded) or by_name.get(primary)
    return by_name.get(folded)


def _fold(tag: str) -> str:
    return tag.strip().replace("_", "-").casefold()
