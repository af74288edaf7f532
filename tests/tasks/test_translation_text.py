"""What a translator's validation asks of others."""

import numpy as np

from babelet.tasks.translation_text import asked_once


def test_the_encoder_is_asked_once_for_a_text():
    """Each validation would wait for the same vectors, or get those of another text."""
    asked = []

    def encode_tokens(texts):
        asked.extend(texts)
        return [np.full((len(text), 2), ord(text[0]), np.float16) for text in texts]

    remembered = asked_once(encode_tokens)
    for texts in (["on", "off", "on"], ["stop", "on"]):
        found = remembered(texts)
        assert [len(own) for own in found] == [len(text) for text in texts]
        assert [own[0, 0] for own in found] == [ord(text[0]) for text in texts]
    assert asked == ["on", "off", "stop"]
