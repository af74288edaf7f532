"""A whole run whose teacher has another width, tokenizer and pooling."""

import json

from tests import hugging_face_writer
from tests.training.conftest import sentences


def test_such_a_teacher_works_to_the_end(command, tmp_path):
    """A step that takes the teacher for a SentencePiece model ends the run late."""
    words = sorted({word.lower() for row in sentences() for word in row[0].split()})
    hugging_face_writer.write_folder(tmp_path / "bert", words, pooling="cls")
    line = command(
        tmp_path / "run",
        "teacher.kind=kerashub",
        f"teacher.path={tmp_path / 'bert'}",
        "vocabulary.method=train",
        "student.init_layers=",
        "objective.candidates=student",
    )
    line.succeed()
    run = line.workdir
    assert not (run / "teacher_ids.npy").exists()
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    for row in metrics["student"]["retrieval"]["languages"].values():
        assert row["mean"] > 5 / row["count"]
    assert "kerashub" in (run / "MODEL_CARD.md").read_text("utf-8")
    assert (run / "report.html").stat().st_size
    assert (run / "export" / "student_int8.tflite").is_file()
