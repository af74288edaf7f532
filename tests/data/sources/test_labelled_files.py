import json

import pytest

from configs.errors import BabeletError
from configs.labels import LabelsConfig
from configs.schema import DataConfig
from data.sources import labelled_files

ROWS = [
    ("turn on the lamp", "on", "en"),
    ("Licht an", "on", "de"),
    ("Licht aus", "off", "de"),
    ("Was ist das", "", "de"),
]


def read(path, languages=("de",), columns=()):
    config = DataConfig(
        source="labelled_files",
        files=(str(path),),
        languages=languages,
        columns=columns,
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


def test_numbered_classes_are_read(tmp_path):
    """Data sets that store classes as 0, 1, 2 would lose every row."""
    file = write(tmp_path / "a.jsonl", ['{"text": "Licht an", "label": 0}'])
    config = DataConfig(source="labelled_files", files=(str(file),), pivot="de")
    (row,) = labelled_files.rows(config, LabelsConfig(), tmp_path)
    assert (row.label, row.problem) == ("0", "")


def test_a_language_without_rows_is_an_error(tmp_path):
    """A wrong code would leave a language out of the table of results."""
    file = write(tmp_path / "a.csv", ["text,label,language", "Licht an,on,de"])
    with pytest.raises(BabeletError, match="no language"):
        read(file, ("de", "fi"))
    with pytest.raises(BabeletError, match="no row in a wanted language.*de"):
        read(file, ("fi",))
