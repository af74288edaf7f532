from hypothesis import given
from hypothesis import strategies as st

from babelet.search.update import windows


def cut(text, count, most):
    """Returns the windows of one document."""
    (found,) = windows([text], count, most)
    return found


def words(texts):
    """A model with a token for each word, and start and end."""
    return [len(text.split()) + 2 for text in texts]


def test_a_short_document_is_one_passage_without_its_margins():
    """A passage with offsets of the untrimmed text would be shown shifted."""
    text = "  The door is open.\n"
    assert [text[a:b] for a, b in cut(text, words, 10)] == ["The door is open."]


def test_sentences_stay_whole_and_a_short_one_joins_two_passages():
    """Half a sentence has a vector of its own, and answers nothing."""
    text = "One two three four five. Six seven. Eight nine ten eleven twelve."
    parts = [text[a:b] for a, b in cut(text, words, 13)]
    assert parts == [
        "One two three four five. Six seven.",
        "Six seven. Eight nine ten eleven twelve.",
    ]


def test_sentences_end_in_chinese_too():
    """Without spaces after the stops the document would be one truncated passage."""
    text = "门开了。灯亮了！电池没电了。"
    parts = [text[a:b] for a, b in cut(text, lambda x: [len(t) for t in x], 5)]
    assert parts == ["门开了。", "灯亮了！", "电池没", "电了。"]


def test_spaces_alone_are_no_passage():
    """The empty text has a vector, near to many: it would be an answer."""
    assert cut("", words, 10) == cut(" \n\t ", words, 10) == []


@given(st.text(alphabet="ab .!?。\n電\x00", max_size=900), st.integers(3, 20))
def test_nothing_is_lost_and_everything_fits(text, most):
    """A gap between passages is text that can never be found."""
    found = cut(text, words, most)
    covered = {i for a, b in found for i in range(a, b)}
    assert all(i in covered for i, c in enumerate(text) if not c.isspace())
    for start, stop in found:
        passage = text[start:stop]
        assert passage == passage.strip() and passage
        assert words([passage])[0] <= most


def test_documents_do_not_get_the_windows_of_others():
    """All are counted at once: an empty one among them shifts what follows."""
    long = "The door is open. " * 30
    texts = ["The door.", "", "Too long for the model. Here too.", long, " Light "]
    assert windows(texts, words, 7) == [cut(text, words, 7) for text in texts]
    assert windows(texts, words, 7)[4] == [(1, 6)]
