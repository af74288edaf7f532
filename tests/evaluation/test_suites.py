import pytest

from babelet.core.errors import BabeletError
from babelet.evaluation.suites import read_sts, read_tatoeba


def write(folder, **files):
    for name, content in files.items():
        path = folder / f"tatoeba.deu-eng.{name}"
        path.write_bytes(
            content if isinstance(content, bytes) else content.encode("utf-8")
        )
    return folder


def test_tatoeba_pairs_lines_by_number(tmp_path):
    """Prevents U+2028 or Windows line ends from sliding one side against the other."""
    write(tmp_path, deu="Hallo.\u2028Welt.\r\nTschüss.\r\n", eng="Hello.\nBye.\n")
    (german,) = read_tatoeba(tmp_path)
    assert german.language == "deu"
    assert german.texts == ["Hallo.\u2028Welt.", "Tschüss."]
    assert german.pivot_texts == ["Hello.", "Bye."]


def test_a_blank_last_line_without_newline_is_a_row(tmp_path):
    """Prevents a last line without newline from being dropped."""
    write(tmp_path, deu="Hallo.\nTschüss.", eng="Hello.\nBye.\n")
    assert len(read_tatoeba(tmp_path)[0].texts) == 2


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no Tatoeba files.*tatoeba.<xxx>-eng.eng"),
        ({"deu": "Hallo.\n"}, "Cannot read .*deu-eng.eng: No such file"),
        (
            {"deu": "Hallo.\nTschüss.\n", "eng": "Hello.\n"},
            r"deu-eng\.deu:2 has no counterpart.*Received: 2 and 1",
        ),
        (
            {"deu": "Hallo.\n", "eng": "Hello.\nBye.\n"},
            r"deu-eng\.eng:2 has no counterpart.*Received: 1 and 2",
        ),
        (
            {"deu": "Hallo.\n\nTschüss.\n", "eng": "Hello.\nBye.\nThanks.\n"},
            r"deu-eng\.deu:2 is empty",
        ),
        ({"deu": b"Hallo.\nTsch\xfcss.\n", "eng": "Hello.\nBye.\n"}, "deu:2 is not"),
        ({"fra": "Bonjour.\n"}, "Unexpected file .*deu-eng.fra"),
    ],
)
def test_malformed_tatoeba_names_file_and_line(tmp_path, files, message):
    """Prevents scoring misaligned sentences as if a model were bad."""
    with pytest.raises(BabeletError, match=message) as error:
        read_tatoeba(write(tmp_path, **files))
    assert "Remedy: " in str(error.value)


def test_sts_reads_quotes_and_commas(tmp_path):
    """Prevents a comma inside a sentence from shifting the score."""
    path = tmp_path / "stsb-en-dev.csv"
    path.write_text(
        '"Yes, he said ""no"".",He refused.,3.5\nA cat,\uff0ca dog,0\n', "utf-8"
    )
    sts = read_sts(path)
    assert sts.first == ('Yes, he said "no".', "A cat")
    assert sts.second == ("He refused.", "\uff0ca dog")
    assert sts.scores.tolist() == [3.5, 0.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("sentence1,sentence2,score\nA,B,1\n", "dev.csv:1 .*'score' in the place"),
        ("A,B,1\nA,B\n", "dev.csv:2 .*2 fields"),
        ("A,B,1\nA, b,C,2\n", "dev.csv:2 .*4 fields"),
        ("A,B,1\n,B,2\n", "dev.csv:2 .*an empty sentence"),
        ("A,B,1\nA,B,nan\n", "dev.csv:2 .*the score 'nan'"),
        ('A,B,1\n"A,B,2\n', "dev.csv:2 .*unexpected end"),
        ("A,B,1\n", "dev.csv .*1 rows, too few"),
        ("", "dev.csv .*0 rows"),
        (b"A,B,1\n\xff,B,2\n", "dev.csv:2 is not valid UTF-8"),
    ],
)
def test_malformed_sts_names_file_and_line(tmp_path, content, message):
    """Prevents a header or a broken row from being scored."""
    path = tmp_path / "dev.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BabeletError, match=message) as error:
        read_sts(path)
    assert "sentence 1, sentence 2, score" in str(error.value) or "UTF-8" in message


def test_a_missing_sts_file_is_named(tmp_path):
    """Prevents a mistyped path from being skipped."""
    with pytest.raises(BabeletError, match="Cannot read .*absent.csv"):
        read_sts(tmp_path / "absent.csv")
