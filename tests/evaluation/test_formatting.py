import pytest

from babelet.evaluation import formatting


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (formatting.percent(0.9213), "92.1"),
        (formatting.percent(None), "–"),
        (formatting.points(0.092), "+9.2"),
        (formatting.points(-0.004), "−0.4"),
        (formatting.decimal(-0.5), "−0.500"),
        (formatting.size(27_100_000), "27.1 MB"),
        (formatting.size(1_200), "1.2 kB"),
        (formatting.duration(0.4), "0.4 s"),
        (formatting.duration(581), "9 min 41 s"),
        (formatting.duration(4_200), "1 h 10 min"),
        (formatting.count(318_360), "318\u202f360"),
        (formatting.figure(True), "yes"),
        (formatting.figure(0.9999998), "0.9999998"),
        (formatting.figure("tmp"), "tmp"),
    ],
)
def test_figures_are_written_for_readers(written, expected):
    """Prevents a worst cosine of 0.9999998 from being rounded to a perfect 1."""
    assert written == expected


def test_a_column_has_the_same_decimals_throughout():
    """Prevents 92 and 92.1 from standing below each other."""
    assert formatting.aligned([["0.5", 92.0, 3], ["1", 92.1, None]]) == [
        ["0.5", "92.0", "3"],
        ["1", "92.1", "–"],
    ]


def test_a_cell_stays_in_its_table():
    """Prevents a pipe or a tag in a name from breaking the model card."""
    assert formatting.cell("a|b\n<img>") == "a\\|b &lt;img>"
