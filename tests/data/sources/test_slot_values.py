from babelet.configs.embedding import DataConfig
from babelet.data.download import cache_folder
from babelet.data.sources.slot_values import WORDS, slot_values


def test_slots_have_the_words_of_each_language():
    """Of a language that is read by another name, every slot is silently English.

    The text is the real one: the reader of the wheel had moved, and no test noticed.
    """
    languages = ("en", "de", "zh-CN", "xx")
    words = slot_values(DataConfig(languages=("de",)), languages, cache_folder())
    assert set(words) == set(languages)
    assert words["en"] == words["xx"] == WORDS
    assert "Küche" in words["de"]["area"]
    assert "厨房" in words["zh-CN"]["area"]
