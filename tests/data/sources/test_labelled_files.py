import json

import pyarrow
import pyarrow.parquet
import pytest

from babelet.configs.classification import DataConfig, LabelsConfig
from babelet.core.errors import BabeletError
from babelet.data.sources import labelled_files

ROWS = [
    ("turn on the lamp", "on", "en"),
    ("Licht an", "on", "de"),
    ("Licht aus", "off", "de"),
    ("Was ist das", "", "de"),
]


def read(path, languages=("de",), columns=(), pivot="en"):
    config = DataConfig(
        source="labelled_files",
        files=(str(path),),
        languages=languages,
        columns=columns,
        pivot=pivot,
    )
    return [
        (row.text, row.label, row.language)
        for row in labelled_files.rows(config, LabelsConfig(), path.parent)
        if not row.problem
    ]


def write(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_csv_tsv_and_jsonl_give_the_same_rows(tmp_path):
    """A format that swaps text and label trains on nonsense without an error."""
    header = ("text", "label", "language")
    csv = write(tmp_path / "a.csv", [",".join(row) for row in (header, *ROWS)])
    tsv = write(tmp_path / "a.tsv", ["\t".join(row) for row in (header, *ROWS)])
    records = [json.dumps(dict(zip(header, row, strict=True))) for row in ROWS]
    jsonl = write(tmp_path / "a.jsonl", records)
    assert read(csv) == read(tsv) == read(jsonl) == ROWS


def test_columns_of_other_names(tmp_path):
    """A file as another tool wrote it should not have to be rewritten."""
    file = write(tmp_path / "a.csv", ["Sentence,Intent", "Licht an,on"])
    columns = ("text=Sentence", "label=Intent")
    config = DataConfig(
        source="labelled_files",
        files=(str(file),),
        pivot="de",
        columns=columns,
    )
    (row,) = labelled_files.rows(config, LabelsConfig(), tmp_path)
    assert (row.text, row.label, row.language) == ("Licht an", "on", "de")


def test_a_record_without_label_is_unlabelled_text(tmp_path):
    """Text to distil on would be thrown away as broken rows."""
    records = [("Licht an", None, "de"), ("a", "b", "en")]
    names = ("text", "label", "language")
    lines = [json.dumps(dict(zip(names, row, strict=True))) for row in records]
    file = write(tmp_path / "a.jsonl", lines)
    assert read(file) == [("Licht an", "", "de"), ("a", "b", "en")]


def test_a_file_without_labels_names_the_columns(tmp_path):
    """A parallel file given by mistake must not be read as labels."""
    file = write(tmp_path / "a.csv", ["en,de", "turn on,einschalten"])
    with pytest.raises(BabeletError, match="label"):
        read(file)


def labels_of(path):
    config = DataConfig(source="labelled_files", files=(str(path),), pivot="de")
    rows = labelled_files.rows(config, LabelsConfig(), path.parent)
    return [(row.label, row.problem) for row in rows]


@pytest.mark.parametrize(
    ("numbers", "names"),
    [
        ([0, 1, 10], ["0", "1", "10"]),
        ([-1, 0, 1], ["-1", "0", "1"]),
        ([0.0, 1.0, None], ["0", "1", ""]),
        ([True, False, True], ["true", "false", "true"]),
    ],
)
def test_numbered_classes_are_the_same_in_every_format(tmp_path, numbers, names):
    """Class -1 disappears with its rows, or 0 is another class than "0"."""
    texts = ["Licht an", "Licht aus", "Hm"]
    columns = {"text": texts, "label": names, "language": ["de"] * 3}
    lines = [",".join(columns), *map(",".join, zip(*columns.values(), strict=True))]
    csv = write(tmp_path / "a.csv", lines)
    columns["label"] = numbers
    rows = zip(*columns.values(), strict=True)
    records = [json.dumps(dict(zip(columns, row, strict=True))) for row in rows]
    jsonl = write(tmp_path / "a.jsonl", records)
    table = pyarrow.table(columns)
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    expected = [(name, "") for name in names]
    for path in (csv, jsonl, tmp_path / "a.parquet"):
        assert labels_of(path) == expected, path


def test_lists_of_words_are_no_text_whatever_the_label(tmp_path):
    """A student learns what Python prints: "['Turn', 'on']"."""
    columns = {"text": [["Licht", "an"]] * 4, "label": ["on", "0", "", None]}
    for labels in (columns["label"], [0, 1, 2, None]):
        table = columns | {"label": labels, "language": ["de"] * 4}
        pyarrow.parquet.write_table(pyarrow.table(table), tmp_path / "a.parquet")
        rows = zip(*table.values(), strict=True)
        records = [json.dumps(dict(zip(table, row, strict=True))) for row in rows]
        jsonl = write(tmp_path / "a.jsonl", records)
        for path in (jsonl, tmp_path / "a.parquet"):
            assert [problem for _, problem in labels_of(path)] == ["not_text"] * 4


def test_several_labels_in_one_row_are_rejected(tmp_path):
    """A list of labels becomes a class of its own."""
    record = {"text": "Licht an", "label": ["on", "light"], "language": "de"}
    assert labels_of(write(tmp_path / "a.jsonl", [json.dumps(record)])) == [
        ("['on', 'light']", "not_text")
    ]


def test_a_table_without_names_is_refused(tmp_path):
    """Of text and label the first was the label: each sentence is a class."""
    file = write(tmp_path / "a.tsv", ["Licht an\ton", "Licht aus\toff"])
    with pytest.raises(BabeletError, match=r"a\.tsv, line 1.*text, label.*text=Sent"):
        read(file)
    assert read(file, columns=("text", "label"), languages=(), pivot="de") == [
        ("Licht an", "on", "de"),
        ("Licht aus", "off", "de"),
    ]


def test_text_without_labels_is_unlabelled(tmp_path):
    """Each line of a .txt is a class of its own."""
    file = write(tmp_path / "news.de.txt", ["Licht an", "Licht aus"])
    found = read(file, languages=(), pivot="de")
    assert found == [("Licht an", "", "de"), ("Licht aus", "", "de")]


@pytest.mark.parametrize("name", ["de.po", "a.tmx", "a.tmx.gz"])
def test_formats_of_translations_have_no_labels(tmp_path, name):
    """Each message is a class, named by its English text."""
    with pytest.raises(BabeletError, match=rf"{name} cannot have labels.*\.csv"):
        read(write(tmp_path / name, ['msgid "on"', 'msgstr "an"']))


def test_a_language_without_rows_is_an_error(tmp_path):
    """A wrong code would leave a language out of the table of results."""
    file = write(tmp_path / "a.csv", ["text,label,language", "Licht an,on,de"])
    with pytest.raises(BabeletError, match="no language"):
        read(file, ("de", "fi"))
    with pytest.raises(BabeletError, match="no row in a wanted language.*de"):
        read(file, ("fi",))
