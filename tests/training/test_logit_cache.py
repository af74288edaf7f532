import numpy as np
import pytest

from babelet.core.errors import BabeletError
from babelet.training.logit_cache import LogitCache, NamedFunction


def teacher(fingerprint="a" * 64, broken=False):
    def encode(texts):
        rows = [[len(text), -3.0, np.nan if broken else 0.5] for text in texts]
        return np.array(rows, np.float32)

    return NamedFunction(fingerprint, 3, encode)


def test_logits_come_back_as_they_were(tmp_path):
    """A cache made for unit vectors refuses them, or divides them by their length."""
    LogitCache(teacher(), tmp_path).ensure(["lamp on", "off"])
    got = LogitCache(teacher(), tmp_path).encode(["off", "lamp on"])
    np.testing.assert_array_equal(got, [[3, -3, 0.5], [7, -3, 0.5]])


def test_another_tuning_has_another_cache(tmp_path):
    """Logits of an earlier tuning would teach the student unseen."""
    LogitCache(teacher(), tmp_path).ensure(["off"])
    assert len(LogitCache(teacher("b" * 64), tmp_path)) == 0


def test_logits_that_are_not_finite_are_refused(tmp_path):
    """One NaN in the cache ends every training that meets it."""
    cache = LogitCache(teacher(broken=True), tmp_path)
    with pytest.raises(BabeletError, match="cannot be cached"):
        cache.ensure(["off"])
