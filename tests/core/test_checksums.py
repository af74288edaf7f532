"""A changed byte is noticed, and the file that has it is named."""

import pytest

from babelet.core.checksums import (
    SEAL,
    broken_seal,
    digests,
    require_seal,
    require_undamaged,
    seal,
)
from babelet.core.errors import BabeletError


@pytest.fixture
def folder(tmp_path):
    """A sealed folder of two files, one of them deeper, and one for people."""
    folder = tmp_path / "corpus"
    (folder / "deep").mkdir(parents=True)
    (folder / "pairs.npy").write_bytes(bytes(range(200)))
    (folder / "deep" / "text.bin").write_bytes(b"lamp")
    (folder / "rejected.tsv").write_text("too_short")
    seal(folder, but=("rejected.tsv",))
    return folder


def test_every_bit_counts(folder):
    """A flipped bit in a vector or a token changes the student, and nothing else."""
    assert broken_seal(folder) == ""
    for name in ("pairs.npy", "deep/text.bin", SEAL):
        path = folder / name
        content = path.read_bytes()
        for place in range(0, len(content), 7):
            flipped = bytearray(content)
            flipped[place] ^= 1 << place % 8
            path.write_bytes(flipped)
            assert broken_seal(folder), (name, place)
        path.write_bytes(content)
    assert broken_seal(folder) == ""


def test_a_missing_file_and_a_missing_seal_are_told(folder):
    """An emptied folder has no file that differs."""
    (folder / "deep" / "text.bin").unlink()
    with pytest.raises(BabeletError, match=r"text\.bin is missing.*Remedy: copy"):
        require_seal(folder, remedy="copy it again")
    (folder / SEAL).unlink()
    assert broken_seal(folder) == SEAL


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"a": 1}', b"\xff", b"[" * 99999]
)
def test_a_damaged_seal_is_no_traceback(folder, content):
    """What guards the files is a file as well."""
    (folder / SEAL).write_bytes(content)
    assert broken_seal(folder) == SEAL


def test_people_may_change_what_is_for_them(folder):
    """Rejected rows that were looked at in a spreadsheet made a corpus unusable."""
    (folder / "rejected.tsv").write_text("seen")
    assert broken_seal(folder) == ""


def test_single_files_are_compared_by_name(folder):
    """A step's own files are recorded one by one."""
    recorded = digests(folder, ["pairs.npy", "deep"])
    assert set(recorded) == {"pairs.npy", "deep/text.bin"}
    require_undamaged(folder, recorded, remedy="none")
    (folder / "pairs.npy").write_bytes(b"other")
    with pytest.raises(BabeletError, match=r"pairs\.npy is damaged"):
        require_undamaged(folder, recorded, remedy="none")
