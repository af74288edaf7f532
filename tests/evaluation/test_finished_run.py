"""Figures are found by name in what a run measured, and tasks by theirs."""

import pytest

from babelet.core.errors import BabeletError
from babelet.evaluation.finished_run import Metric, task_report

TREE = {
    "student": {"sets": {"a": {"mean": 0.5}, "b": {"mean": None}, "c": {"mean": 0.25}}},
    "student, beam 4": {"bleu": 31.0},
    "teacher, beam 4": {"bleu": 33.0},
}


def test_a_star_gives_a_figure_for_each_set():
    """A test set that a user gave would be in no table."""
    metric = Metric("set *", ("{model}", "sets", "*", "mean"))
    assert metric.values(TREE, "student") == {"set a": 0.5, "set c": 0.25}
    assert metric.values(TREE, "teacher") == {} and metric.value(TREE) is None


def test_a_star_within_a_key_takes_the_model_asked_for():
    """The teacher's beam search beside the student's name."""
    metric = Metric("BLEU, beam *", ("{model}, beam *", "bleu"))
    assert metric.values(TREE, "student") == {"BLEU, beam 4": 31.0}
    assert metric.value(TREE, "teacher") == 33.0


def test_what_is_no_tree_has_no_figure():
    """A damaged metrics.json ends in an AttributeError that names no run."""
    assert Metric("x", ("student", "sets", "a", "mean", "x")).values(TREE) == {}


@pytest.mark.parametrize("task", ["embedding", "classification", "translation"])
def test_each_task_has_one_primary_metric(task):
    """Two of them rank runs by whichever comes first."""
    metrics = task_report(task).METRICS
    assert [metric.primary for metric in metrics].count(True) == 1
    assert len({metric.name for metric in metrics}) == len(metrics)


def test_an_unknown_task_is_named():
    """A run of a package that is not installed ends in a traceback."""
    with pytest.raises(BabeletError, match="Unknown task .parsing."):
        task_report("parsing")
