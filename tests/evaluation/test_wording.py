import pytest

from babelet.evaluation import wording


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (wording.percent(0.9213), "92.1"),
        (wording.percent(None), "–"),
        (wording.points(0.092), "+9.2"),
        (wording.points(-0.004), "−0.4"),
        (wording.decimal(-0.5), "−0.500"),
        (wording.size(27_100_000), "27.1 MB"),
        (wording.size(1_200), "1.2 kB"),
        (wording.duration(0.4), "0.4 s"),
        (wording.duration(581), "9 min 41 s"),
        (wording.duration(4_200), "1 h 10 min"),
        (wording.count(318_360), "318\u202f360"),
        (wording.figure(True), "yes"),
        (wording.figure(0.9999998), "0.9999998"),
        (wording.figure("tmp"), "tmp"),
    ],
)
def test_figures_are_written_for_readers(written, expected):
    """Prevents a worst cosine of 0.9999998 from being rounded to a perfect 1."""
    assert written == expected


def test_a_column_has_the_same_decimals_throughout():
    """Prevents 92 and 92.1 from standing below each other."""
    assert wording.aligned([["0.5", 92.0, 3], ["1", 92.1, None]]) == [
        ["0.5", "92.0", "3"],
        ["1", "92.1", "–"],
    ]


def test_a_cell_stays_in_its_table():
    """Prevents a pipe or a tag in a name from breaking the model card."""
    assert wording.cell("a|b\n<img>") == "a\\|b &lt;img>"
