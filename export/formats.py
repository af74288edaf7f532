"""The files of a student that gives a row of numbers for each text."""

from babelet.export import predict
from babelet.export.litert import convert
from babelet.export.litert_predict import litert_predict
from babelet.export.saved_model import export_saved_model
from babelet.export.task_export import Format, Tier
from babelet.export.text_litert import convert_mediapipe, convert_text
from babelet.export.text_predict import mediapipe_predict, text_predict


def _saved_model() -> Format:
    return Format(
        "saved_model",
        "fp32",
        lambda built, path, metadata: export_saved_model(
            built.student, built.tokenizer, path, metadata
        ),
        {
            "serving_default": lambda path, _, batch, __: predict.saved_model_predict(
                path, batch
            ),
            "from_tokens": predict.saved_model_tokens_predict,
        },
    )


def _tokens(tier: Tier) -> Format:
    return Format(
        f"student_{tier}.tflite",
        tier,
        lambda built, path, metadata: convert(built.student, path, tier, metadata),
        {"": litert_predict},
    )


def _text(tier: Tier) -> Format:
    return Format(
        f"student_text_{tier}.tflite",
        tier,
        lambda built, path, metadata: convert_text(
            built.student, built.tokenizer, path, tier, metadata
        ),
        {"": lambda path, _, batch, __: text_predict(path, batch)},
    )


def _mediapipe(tier: Tier) -> Format:
    return Format(
        f"student_mediapipe_{tier}.tflite",
        tier,
        lambda built, path, metadata: convert_mediapipe(
            built.student, built.tokenizer, path, tier, metadata
        ),
        {"": lambda path, _, batch, __: mediapipe_predict(path, batch)},
    )


FORMATS: dict[str, Format] = {
    "saved_model": _saved_model(),
    "fp32": _tokens("fp32"),
    "fp16": _tokens("fp16"),
    "int8": _tokens("int8"),
    "text_fp32": _text("fp32"),
    "text_int8": _text("int8"),
    "mediapipe_fp32": _mediapipe("fp32"),
    "mediapipe_int8": _mediapipe("int8"),
}
