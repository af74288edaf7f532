import pytest

from babelet.configs import intents, parsing
from babelet.core.errors import BabeletError


@pytest.mark.parametrize(("count", "number"), [(1, 0), (3, 3), (0, 1), (2, -1)])
def test_a_fold_that_is_not_there_is_refused(count, number):
    """A fold beyond the last validates on nothing."""
    changes = {"folds.count": count, "folds.number": number}
    with pytest.raises(BabeletError, match=r"Invalid folds\."):
        parsing.replace(intents.get_config(), changes)
