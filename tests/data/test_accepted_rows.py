import errno

import pytest

from babelet.data.accepted_rows import Numbering, scratch_database


def test_the_first_integer_of_a_key_stays(tmp_path):
    """A repeated sentence gets a second id, and duplicates slip through."""
    with scratch_database(tmp_path / "scratch") as database:
        numbers, others = Numbering(database, "a"), Numbering(database, "b")
        assert numbers.setdefault("Lampe an", 0) == 0
        assert numbers.setdefault("Lampe aus", 1) == 1
        assert numbers.setdefault("Lampe an", 2) == 0
        assert others.setdefault("Lampe an", 7) == 7
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_as_such(tmp_path):
    """A full disk ends in a database traceback instead of the one-line error."""
    with pytest.raises(OSError) as error:
        with scratch_database(tmp_path / "scratch") as database:
            # The database refuses to grow just as it does on a full disk.
            database.execute("PRAGMA max_page_count = 10")
            numbers = Numbering(database, "a")
            for i in range(10_000):
                numbers.setdefault(f"sentence {i}", i)
    assert error.value.errno == errno.ENOSPC
    assert not list(tmp_path.iterdir())
