import re
from pathlib import Path

from babelet.export.text_litert import CUSTOM_OPS, MEDIAPIPE_OP

FOLDER = Path(__file__).resolve().parents[2] / "docs"
GUIDES = ("android_ios.md", "zh/android_ios.md")
COMMENT = re.compile(r"//.*|/\*\*.*?\*/|# .*")


def blocks(name):
    """Returns the code of a guide, without its comments."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    found = re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [COMMENT.sub("", block) for block in found]


def test_both_guides_have_the_same_code():
    """Readers of the translation would build with calls of the past."""
    assert len(blocks(GUIDES[0])) > 8
    assert blocks(GUIDES[0]) == blocks(GUIDES[1])


def test_both_guides_name_the_operations_that_the_files_need():
    """An app that links too few operations fails on its users' phones."""
    for name in GUIDES:
        text = (FOLDER / name).read_text(encoding="utf-8")
        for operation in CUSTOM_OPS | {MEDIAPIPE_OP.decode()}:
            assert f"`{operation}`" in text
