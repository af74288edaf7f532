"""Language tags, read in one way, and which languages have no spaces between words."""

# ISO 639-2 and 639-3 codes of languages whose usual tag has two letters.
_SHORT = {
    "bod": "bo",
    "chi": "zh",
    "cmn": "zh",
    "dzo": "dz",
    "jpn": "ja",
    "khm": "km",
    "kor": "ko",
    "lao": "lo",
    "mya": "my",
    "tha": "th",
    "zho": "zh",
}
CHINESE = frozenset({"zh", "yue", "wuu", "gan", "hak", "lzh", "hsn", "cjy"})
# Their words are not separated by spaces: characters are counted in their place.
UNSPACED = CHINESE | {"ja", "th", "lo", "km", "my", "bo", "dz", "shn", "nod", "ksw"}


def primary(tag: str) -> str:
    """Returns the language of a tag, without script and region, in lower case.

    `primary("zh_CN") == primary("zh-Hans") == "zh"`, and `primary("jpn") == "ja"`.
    """
    first = tag.strip().replace("_", "-").partition("-")[0].lower()
    return _SHORT.get(first, first)
