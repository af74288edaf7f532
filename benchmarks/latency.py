"""Times the student's int8 file against its teacher in int8, and ONNX Runtime.

    python -m benchmarks.latency --workdir=runs/smart_home

Teacher (in float32 as well) and student come from the same converter; ONNX Runtime
runs the same student in its own dynamic int8. Batch 1, 16 tokens, one thread, XNNPACK
on, order A-B-B-A in one process. Of a classifier's teacher the encoder is timed,
without the thin layer above it. Prints the medians and their ratios, and writes
<workdir>/latency.json; the same training command then renews the report. Needs 4.5 GB
of memory and 1 GB of disk for the teacher.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import keras
from absl import flags

from babelet.configs import parsing
from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.export.latency import measure_latency
from babelet.export.litert import convert
from babelet.export.rebuild import versions
from babelet.model.heads import SentencePooling, UnitLength
from babelet.tasks.given_classifier import load_class_teacher
from babelet.training.teachers import open_teacher
from benchmarks.onnx_runtime import compare_with_onnx_runtime


def compare_with_teacher(workdir: Path, cache: Path) -> dict[str, Any]:
    """Measures the teacher as float32 and int8 LiteRT, and the student as int8.

    Args:
        workdir: A run with its export.
        cache: Where downloads are kept.

    Returns:
        What `compare` returns for "teacher_fp32", "teacher_int8", "student_int8".

    Raises:
        BabeletError: The run has no export, or its teacher is not a KerasHub encoder.
    """
    student = workdir / "export" / "student_int8.tflite"
    if not student.is_file():
        raise BabeletError(
            f"There is no {student}",
            remedy="finish the run first: babelet distill with this workdir",
        )
    config: Any = parsing.from_json(workdir / "config.json")
    model = _teacher(config, cache)
    with tempfile.TemporaryDirectory(dir=workdir) as folder:
        files = {}
        for precision in ("fp32", "int8"):
            name = f"teacher_{precision}"
            files[name] = Path(folder, f"{name}.tflite")
            convert(model, files[name], precision, {})
        return compare(files | {"student_int8": student})


def sentence_model(backbone: keras.Model, pooling: str) -> keras.Model:
    """Returns a KerasHub encoder with the student's inputs and output.

    Args:
        backbone: Takes `token_ids`, `segment_ids` and `padding_mask`; gives
            `sequence_output`, as BertBackbone does.
        pooling: "mean", "cls" or "max".
    """
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    padding_mask = keras.Input((None,), dtype="bool", name="padding_mask")
    hidden = backbone(
        {
            "token_ids": token_ids,
            "segment_ids": keras.ops.zeros_like(token_ids),
            "padding_mask": keras.ops.cast(padding_mask, "int32"),
        }
    )["sequence_output"]
    vector = SentencePooling(pooling)(hidden, padding_mask)
    inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
    return keras.Model(inputs, UnitLength()(vector))


def _teacher(config: Any, cache: Path) -> keras.Model:
    """Returns the teacher's encoder, which a classifier has but a thin layer above."""
    if config.task == "classification" and config.tuning.scope == "none":
        teacher = load_class_teacher(config.teacher)
    else:
        teacher = open_teacher(config.teacher, cache)
    if teacher.backbone is None:
        raise BabeletError(
            f"The teacher {config.teacher.kind} has no encoder to convert",
            expected="a teacher with a KerasHub backbone",
            remedy="choose another teacher.kind",
        )
    return sentence_model(teacher.backbone, "mean")


def compare(files: dict[str, Path]) -> dict[str, Any]:
    """Measures LiteRT files side by side.

    Args:
        files: By name, the student the last and its best rival before it.

    Returns:
        What `measure_latency` returns, with each file's `bytes`, the `ratio` of the
        medians of the last two, and the `versions`.
    """
    result = measure_latency(files)
    for name, path in files.items():
        result["models"][name]["bytes"] = path.stat().st_size
    *_, rival, student = (each["median_ms"] for each in result["models"].values())
    return result | {"ratio": rival / student, "versions": versions()}


def main(_: list[str]) -> None:
    """Prints and writes the comparisons."""
    workdir, cache = Path(flags.FLAGS.workdir), Path(flags.FLAGS.cache)
    result = compare_with_teacher(workdir, cache)
    result["onnx_runtime"] = compare_with_onnx_runtime(workdir)
    for name, each in result["models"].items():
        megabytes = each["bytes"] / 1e6
        visits = ", ".join(f"{visit:.2f}" for visit in each["visits_ms"])
        print(f"{name:14} {megabytes:6.1f} MB {each['median_ms']:6.2f} ms ({visits})")
    print(f"The student is {result['ratio']:.1f} times as fast as its teacher in int8.")
    _print_onnx_runtime(result["onnx_runtime"])
    named = result["versions"] | result["onnx_runtime"]["versions"]
    print(", ".join(f"{name} {number}" for name, number in named.items()))
    with atomic_path(workdir / "latency.json") as path:
        path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _print_onnx_runtime(result: dict[str, Any]) -> None:
    for name, each in result["models"].items():
        print(
            f"int8 in {name:12} {each['bytes'] / 1e6:6.1f} MB "
            f"{each['median_ms']:6.2f} ms, cosine min {each['min_cosine']:.4f}"
        )
    print(f"ONNX Runtime takes {result['ratio']:.2f} times as long as LiteRT.")


if __name__ == "__main__":
    command.path_flag("workdir", None, "A finished run.", required=True)
    command.path_flag("cache", ".cache/babelet", "Folder of downloads.")
    command.run(main)
