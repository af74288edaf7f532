"""What an encoder's report says of its scores, files and origins."""

import copy
import json
import re

import pytest

from babelet.core.errors import BabeletError
from babelet.evaluation.retrieval import mean_over_languages
from tests import finished_folder


def part(mean, count=100):
    return {"to_pivot": mean, "from_pivot": mean, "mean": mean, "count": count}


def model(de, fi, agreement=None, near=True):
    languages = {
        name: part(mean) | {"without_near": part(mean - 0.01, 60) if near else None}
        for name, mean in (("de", de), ("fi", fi))
    }
    retrieval = {"languages": languages, "mean": mean_over_languages(languages)}
    return {
        "retrieval": retrieval,
        "cosine": {
            "languages": {},
            "mean": {"translations": 0.8, "random": 0.3, "gap": 0.5},
        },
        "tatoeba": {"tatoeba-v1": retrieval},
        "sts": {"files": {"sts-en": {"spearman": 0.77, "count": 9}}, "mean": 0.77},
        "agreement": agreement,
    }


def tier(**changes):
    return {
        "bytes": 92_000_000,
        "median_ms": 3.2,
        "min_cosine": 1.0,
        "mean_cosine": 1.0,
        "metrics": model(0.85, 0.9),
        "failures": [],
        "kept": True,
    } | changes


POINTS = [
    {"pair": 0, "language": "en", "text": "Turn it on", "x": 0.0, "y": 0.0},
    {"pair": 0, "language": "de", "text": "Einschalten", "x": 0.1, "y": 0.3},
]
FILES = {
    "metrics.json": {
        "teacher": model(0.8, 0.6),
        "student": model(0.85, 0.9, {"pivot": 0.9, "cross_lingual": 0.8}),
    },
    "vocabulary_report.json": [{"language": "de", "unknown_rate_after": 0.002}],
    "samples.json": {
        "examples": {"columns": ["text", "nearest"], "rows": [["Aus!", "Off!"]]},
        "map": {"teacher": POINTS, "student": POINTS},
    },
    "logs/teacher.json": {"retrieval": 0.65, "retrieval/de": 0.75},
    "export/parity.json": {"artefacts": {"s.tflite": {"min_cosine": 0.9912}}},
    "export/quantisation.json": {
        "texts": 18094,
        "tiers": {
            "fp32": tier(),
            "int8": tier(bytes=23_400_000, metrics=model(0.84, 0.89)),
        },
    },
    "latency.json": {
        "models": {
            "teacher_fp32": {"median_ms": 6.4},
            "student_int8": {"median_ms": 0.8},
        }
    },
}
SPLITS = {"train": 900, "validation": 30, "test": 70}
FACTS = {
    "corpus": {
        "counts": {"de": SPLITS, "fi": SPLITS | {"train": 500}},
        "rejected": {"too_short": 12, "duplicate": 3},
    },
    "training": {
        "parameters": 23_000_000,
        "curve": [
            {"step": 10, "train/loss": 2.0},
            {"step": 20, "validation/retrieval": 0.7, "validation/retrieval/de": 0.7},
        ],
    },
    "evaluation": {"teacher_parameters": 117_500_000},
}


@pytest.fixture
def run(tmp_path):
    def made(*settings, facts=FACTS, size=23_500_000, **files):
        changes = {name.replace("__", "/") + ".json": x for name, x in files.items()}
        config = finished_folder.config("smart_home", *settings)
        content = {"config.json": config} | copy.deepcopy(FILES) | changes
        finished_folder.write(tmp_path, content, facts)
        with (tmp_path / "export" / "student_int8.tflite").open("wb") as file:
            file.truncate(size)
        return tmp_path

    return made


def flat(text):
    return " ".join(text.split())


def test_a_full_report_shows_the_headline_figures(run):
    """Prevents gains of the wrong sign, or ratios upside down, at the top."""
    page, card = finished_folder.pages(run())
    assert (
        '87.5<small> %</small></div>\n<span class="quiet">mean over languages; ' in page
    )
    assert "teacher 70.0 %, +17.5 points" in page and "+17.5 points" in card
    assert "20.0<small> × smaller" in page and "8.0<small> × faster" in page
    assert "2<small> of 2" in page and "least: German +5.0" in page
    assert "general-purpose model, read from 4-bit weights" in flat(page)
    assert page.index(">Finnish<") < page.index(">German<", page.index("candidates"))
    assert "was not drawn" not in page and "was kept" not in page
    assert page.count('class="map"') == 2 and "Einschalten" in page


def test_the_teacher_is_compared_in_the_precision_a_user_would_take(run):
    """A float32 file beside an int8 one makes any student look four times as good."""
    page, _ = finished_folder.pages(run())
    assert "teacher&#39;s float32 470.0 MB; its int8 was not measured" in page
    models = {
        "teacher_fp32": {"median_ms": 6.4, "bytes": 470_000_000},
        "teacher_int8": {"median_ms": 3.2, "bytes": 118_000_000},
        "student_int8": {"median_ms": 0.8, "bytes": 23_500_000},
    }
    page, _ = finished_folder.pages(run(latency={"models": models}))
    assert "5.0<small> × smaller" in page and "4.0<small> × faster" in page
    assert "teacher&#39;s int8 118.0 MB" in page and "not measured" not in page


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("samples", {"map": {}}, "No map was drawn."),
        ("samples", {}, "No example was kept."),
        ("vocabulary_report", [], "The vocabulary was not measured."),
        ("export__quantisation", {}, "Quantised files were not scored."),
    ],
)
def test_a_missing_part_is_said_in_one_line(run, name, content, line):
    """Prevents an empty chart, or a crash at the very end of a long run."""
    assert line not in finished_folder.pages(run())[0]
    assert line in finished_folder.pages(run(**{name: content}))[0]


@pytest.mark.parametrize(
    "metrics",
    [
        {"student": model(0.85, 0.9)},
        {"teacher": model(0.8, 0.6, near=False), "student": model(0.85, 0.9)},
        {"teacher": model(0.8, 0.6), "student": model(0.85, 0.9, near=False)},
        {
            "teacher": model(0.8, 0.6),
            "student": model(0.9, 0.9) | {"tatoeba": None, "sts": None},
        },
    ],
)
def test_models_measured_on_different_parts_are_shown(run, metrics):
    """Prevents a subtraction of what was not measured."""
    page, card = finished_folder.pages(run(metrics=metrics))
    for text in (page, card):
        assert "Translation retrieval by language" in text


def test_text_without_translations_is_told_of(run):
    """A run without pairs ends in a division by its zero pairs."""
    empty = {"languages": {}, "mean": mean_over_languages({})}
    teacher = model(0.8, 0.6) | {"retrieval": empty, "tatoeba": None}
    agreement = {"languages": {"fi": 0.63}, "mean": 0.63}
    metrics = {"teacher": teacher, "student": teacher | {"agreement_alone": agreement}}
    corpus = {"counts": {}, "monolingual": {"fi": SPLITS}, "rejected": {}}
    facts = FACTS | {"corpus": corpus}
    page, card = finished_folder.pages(run(metrics=metrics, facts=facts))
    assert "There were no pairs to find." in page and "63.0<small> %" in page
    assert "| Finnish (fi) | 900 | 30 | 70 | 0.630 |" in card
    assert card.count("language:\n- en\n- fi\n") == 1


def test_a_tier_shows_its_score_and_one_that_was_refused_says_why(run):
    """Prevents a file that nobody will find from looking like the best choice."""
    page, _ = finished_folder.pages(run())
    assert re.search(r"<th scope=.row.>int8</th><td>23.4 MB</td>.*<td>86.50</td>", page)
    tiers = {
        "fp32": tier(),
        "int8": tier(kept=False, failures=["cosine 0.91 on '<b>'"]),
    }
    found = {"texts": 9, "tiers": tiers}
    page, _ = finished_folder.pages(run(export__quantisation=found))
    assert '<td class="text wrap">no: cosine 0.91 on &#39;&lt;b&gt;&#39;</td>' in page
    assert 'class="disc refused"' in page


def test_text_from_data_is_escaped_everywhere(run):
    """Prevents a translation or a file name from becoming markup."""
    evil = '<img onerror="x">&"\'|`'
    student = model(0.9, 0.9)
    languages = {evil: part(0.9) | {"without_near": part(0.8)}}
    mean = mean_over_languages(languages)
    student["retrieval"] = {"languages": languages, "mean": mean}
    student["sts"] = {"files": {evil: {"spearman": 0.7, "count": 3}}, "mean": 0.7}
    point = POINTS[0] | {"language": evil, "text": evil}
    table = {evil: {evil: {"mean": 1.0, "spread": None}}}
    facts = {
        "corpus": {"counts": {evil: SPLITS}, "rejected": {evil: 1}},
        "training": {"parameters": 1, "curve": [{"step": 1, f"train/{evil}": 1.0}]},
        evil: {},
    }
    folder = run(
        f"name={evil}",
        facts=facts,
        metrics={"student": student, evil: student},
        samples={
            "examples": {"columns": [evil], "rows": [[evil]]},
            "map": {evil: [point]},
        },
        export__parity={"artefacts": {evil: {"worst_text": evil}}},
        baseline__table=table,
        latency={"models": {f"teacher_{evil}": {"median_ms": 1.0}}},
    )
    page, card = finished_folder.pages(folder)
    assert "<img" not in page and "<img" not in card
    assert page.count("&lt;img") > 15 and card.count("&lt;img") > 3


def test_the_same_run_gives_the_same_bytes(run):
    """Prevents a date or an unordered set from making two reports differ."""
    assert finished_folder.pages(run()) == finished_folder.pages(run())


def test_another_teacher_is_not_said_to_be_in_four_bits(run):
    """Prevents the page from telling of a teacher that was not used."""
    page, card = finished_folder.pages(
        run("teacher.kind=saved_model", "teacher.path=x")
    )
    assert "4-bit" not in page and "nothing about other text" in flat(page)
    assert "| teacher | saved\\_model" in card or "| teacher | saved_model" in card


def test_the_model_card_lists_languages_licences_and_files(run):
    """A licence that the template invents may forbid what the run's allows."""
    _, card = finished_folder.pages(run("licence=cc-by-4.0"))
    assert card.startswith("---\nlicense: cc-by-4.0\n")
    assert "language:\n- en\n- de\n- fi\ntags:" in card
    assert "| Finnish (fi) | 100 | 60.0 | 90.0 | 59.0 | 89.0 | +30.0 |" in card
    assert "| mean | 200 | 70.0 | 87.5 | 69.0 | 86.5 | +17.5 |" in card
    assert "from its pinned wheel | Apache-2.0 |" in card and "| MIT |" in card
    assert "| student_int8.tflite | student | 23" in card
    assert "keras 3.15.1; seed 0" in card


def test_the_snippets_of_the_model_card_are_python(run):
    """Prevents a usage example that does not even compile."""
    _, card = finished_folder.pages(run())
    snippets = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len(snippets) == 2
    for snippet in snippets:
        compile(snippet, "MODEL_CARD.md", "exec")


@pytest.mark.parametrize(
    ("absent", "told", "untold"),
    [
        (
            ["export/quantisation.json"],
            "were not scored",
            "The student in each precision",
        ),
        (["latency.json"], "For the teacher beside it", "× faster"),
        (
            ["latency.json", "export/quantisation.json", "export/student_int8.tflite"],
            "0.99120",
            "Latency of one sentence",
        ),
        (["samples.json", "logs/teacher.json"], "No example was kept.", "Einschalten"),
        (["vocabulary_report.json"], "The vocabulary was not measured.", "0.20"),
    ],
    ids=["no quantisation", "no latency", "parity alone", "no samples", "no coverage"],
)
def test_a_run_without_optional_files_is_told_of(run, absent, told, untold):
    """A run of an earlier version, or one not timed, ends in a FileNotFoundError."""
    folder = run()
    page, _ = finished_folder.pages(folder)
    assert untold in page
    for name in absent:
        (folder / name).unlink()
    page, card = finished_folder.pages(folder)
    assert told in page and untold not in page
    assert "| German (de) | 100 | 80.0 | 85.0 |" in card


def test_a_run_without_near_neighbours_marked_has_no_figure_for_them(run):
    """A mean over no pairs ends in a TypeError, or in a gain over nothing."""
    metrics = {
        name: model(*means, near=False)
        for name, means in (("teacher", (0.8, 0.6)), ("student", (0.85, 0.9)))
    }
    page, card = finished_folder.pages(run(metrics=metrics))
    assert "Translations found" in page and "No near neighbour" not in page
    assert "| Finnish (fi) | 100 | 60.0 | 90.0 | – | – | +30.0 |" in card


DAMAGE = {
    "cut": lambda text: text[:-3],
    "empty": lambda text: "",
    "not UTF-8": lambda text: "\udcff" + text,
    "list": lambda text: "[]",
    "number": lambda text: "7",
    "null": lambda text: "null",
    "numbers": lambda text: json.dumps(dict.fromkeys(json.loads(text), 7)),
    "texts": lambda text: text.replace("6.4", '"x"').replace("3.2", '"x"'),
    "not a number": lambda text: text.replace("6.4", "NaN").replace("3.2", "NaN"),
    "infinite": lambda text: text.replace("6.4", "Infinity").replace(
        "3.2", "-Infinity"
    ),
    "deep": lambda text: '{"models": ' + "[" * 100_000,
    "deep and closed": lambda text: '{"a": ' + "[" * 50_000 + "]" * 50_000 + "}",
}


@pytest.mark.parametrize("name", ["latency.json", "export/quantisation.json"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_files_are_one_line(run, name, damage):
    """A run that trained for hours ends its report in a KeyError."""
    folder = run()
    text = damage((folder / name).read_text("utf-8"))
    (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BabeletError) as error:
        finished_folder.pages(folder)
    assert str(folder) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["latency", "export__quantisation"])
@pytest.mark.parametrize(
    "content", [{"models": 7, "tiers": 7}, {"models": {"a": 7}, "tiers": {"a": 7}}]
)
def test_trees_of_other_values_are_one_line(run, name, content):
    """The same, of a file that another program wrote whole."""
    folder = run(**{name: content})
    with pytest.raises(BabeletError) as error:
        finished_folder.pages(folder)
    assert str(folder) in str(error.value) and "\n" not in str(error.value)
