import dataclasses
import html.parser
import re

import pytest

from babelet.evaluation.report import Report, write_model_card, write_report
from babelet.evaluation.retrieval import mean_over_languages

VOID = {"meta", "br", "link"}
CONFIG = {
    "name": "smart_home",
    "seed": 7,
    "data": {"source": "home_assistant", "pivot": "en", "languages": ["de", "fi"]},
    "vocabulary": {"size": 32000},
    "teacher": {"kind": "packaged_e5"},
    "student": {
        "num_layers": 6,
        "hidden_dim": 384,
        "output_dim": 384,
        "max_length": 64,
    },
    "objective": {"alpha": 0.5},
    "training": {"steps": 1000, "batch_size": 128},
}


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


AGREEMENT = {"pivot": 0.9, "languages": {}, "cross_lingual": 0.8, "cosine": None}


def quantisation(**changes):
    tier = {
        "bytes": 92_000_000,
        "median_ms": 3.2,
        "min_cosine": 1.0,
        "mean_cosine": 1.0,
        "metrics": model(0.85, 0.9),
        "failures": [],
        "kept": True,
    }
    int8 = tier | {"bytes": 23_400_000, "metrics": model(0.84, 0.89)}
    return {
        "gate": {"min_cosine": 0.98, "max_retrieval_loss": 0.01},
        "texts": 18094,
        "tokens": 16,
        "batch": 1,
        "threads": 1,
        "metrics": model(0.85, 0.9),
        "tiers": {"fp32": tier, "int8": int8 | changes["int8"]},
    }


def full(**changes):
    report = Report(
        config=CONFIG,
        manifest={
            "seed": 7,
            "versions": {"keras": "3.15.1"},
            "steps": {"training": {"seconds": 581.0}},
            "hashes": {"corpus": "abc123"},
        },
        counts={"de": {0: 900, 1: 30, 2: 70}, "fi": {"train": 500, "test": 40}},
        rejected={"too_short": 12, "duplicate": 3},
        vocabulary=[
            {
                "language": "de",
                "sentences": 100,
                "tokens_per_word_before": 1.4,
                "tokens_per_word_after": 1.6,
                "unknown_rate_before": 0.0,
                "unknown_rate_after": 0.002,
                "agreement": 0.97,
            }
        ],
        sizes=[
            {"model": "teacher", "file": "t.tflite", "parameters": 9, "bytes": 470e6},
            {"model": "student", "file": "s.tflite", "parameters": 3, "bytes": 23.5e6},
        ],
        latency=[
            {"model": "teacher", "file": "t.tflite", "milliseconds": 6.4},
            {"model": "student", "file": "s.tflite", "milliseconds": 0.8},
        ],
        metrics={"teacher": model(0.8, 0.6), "student": model(0.85, 0.9, AGREEMENT)},
        curves=[
            {"step": 10, "name": "train/loss", "value": 2.0},
            {"step": 20, "name": "train/loss", "value": float("nan")},
            {"step": 20, "name": "validation/retrieval", "value": 0.7},
            {"step": 20, "name": "validation/retrieval/de", "value": 0.7},
            {"step": 0, "name": "teacher/retrieval", "value": 0.65},
            {"step": 0, "name": "teacher/retrieval/de", "value": 0.75},
        ],
        map_points=[
            {"pair": 0, "language": "en", "text": "Turn it on", "x": 0.0, "y": 0.0},
            {"pair": 0, "language": "de", "text": "Einschalten", "x": 0.1, "y": 0.3},
        ],
        parity={"s.tflite": {"min_cosine": 0.9912, "passed": True}},
        quantisation=quantisation(int8={"kept": True, "failures": []}),
        tables=[{"title": "Seeds", "note": "", "columns": ["a"], "rows": [[1.5]]}],
    )
    return dataclasses.replace(report, **changes)


class Balance(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def page(tmp_path, report):
    """Returns the report's HTML, after checks that hold for every report."""
    write_report(tmp_path / "report.html", report)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    balance = Balance()
    balance.feed(text)
    assert balance.open == []
    assert not re.search(r"(?i)<script|https?:|\ssrc=|url\(|@import|<link", text)
    assert not re.search(r'="[^"]*\b(nan|inf|None|Undefined)\b[^"]*"', text)
    assert ">None<" not in text and "Undefined" not in text
    return text


def test_a_full_report_shows_the_headline_figures(tmp_path):
    """Prevents gains of the wrong sign, or ratios upside down, at the top."""
    text = page(tmp_path, full())
    assert '87.5<small> %</small></div>\n<span class="quiet">teacher 70.0 %' in text
    assert '<span class="up">+17.5</span>' in text
    assert "20.0<small> × smaller" in text and "8.0<small> × faster" in text
    assert "2<small> of 2" in text
    assert "general-purpose model, read from 4-bit weights" in " ".join(text.split())
    assert text.index(">Finnish<") < text.index(
        ">German<", text.index('id="languages"')
    )
    assert "was not" not in text and "were not" not in text


@pytest.mark.parametrize(
    ("missing", "line"),
    [
        ("manifest", "The run left no manifest."),
        ("counts", "The corpus was not counted."),
        ("rejected", "Rejected rows were not counted."),
        ("vocabulary", "The vocabulary was not measured."),
        ("sizes", "Sizes were not measured."),
        ("latency", "Latency was not measured."),
        ("metrics", "The student was not evaluated."),
        ("curves", "No training curves were recorded."),
        ("map_points", "No map was drawn."),
        ("parity", "Parity was not checked."),
        ("quantisation", "Quantised files were not scored."),
    ],
)
def test_a_missing_part_is_said_in_one_line(tmp_path, missing, line):
    """Prevents an empty chart, or a crash at the very end of a long run."""
    assert line not in page(tmp_path, full())
    assert line in page(tmp_path, full(**{missing: None}))


def test_nothing_but_a_name_still_makes_both_files(tmp_path):
    """Prevents a crash when only the config is left of a run."""
    report = Report(config={"name": "bare"})
    assert "<h1>bare</h1>" in page(tmp_path, report)
    write_model_card(tmp_path / "MODEL_CARD.md", report)
    assert "The student was not evaluated." in (tmp_path / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize(
    "metrics",
    [
        {"student": model(0.85, 0.9)},
        {"teacher": model(0.8, 0.6)},
        {"teacher": model(0.8, 0.6, near=False), "student": model(0.85, 0.9)},
        {"teacher": model(0.8, 0.6), "student": model(0.85, 0.9, near=False)},
        {
            "teacher": model(0.8, 0.6),
            "student": model(0.9, 0.9) | {"tatoeba": None, "sts": None},
        },
    ],
)
def test_models_measured_on_different_parts_are_shown(tmp_path, metrics):
    """Prevents a subtraction of what was not measured."""
    assert "Translation retrieval by language" in page(tmp_path, full(metrics=metrics))
    write_model_card(tmp_path / "MODEL_CARD.md", full(metrics=metrics))
    assert "## Files" in (tmp_path / "MODEL_CARD.md").read_text()


def test_a_tier_shows_its_loss_and_one_that_was_refused_says_why(tmp_path):
    """Prevents a file that nobody will find from looking like the best choice."""
    row = r"<th scope=.row.>int8</th><td>23.4 MB</td>.*<td>86.50</td><td>−1.00</td>"
    text = page(tmp_path, full())
    assert re.search(row + r'<td>77.0</td><td class="wrap text">yes</td>', text)
    refused = {"kept": False, "failures": ["cosine 0.91 on '<b>'"]}
    text = page(tmp_path, full(quantisation=quantisation(int8=refused)))
    assert '<td class="wrap text">no: cosine 0.91 on &#39;&lt;b&gt;&#39;</td>' in text
    assert 'class="disc refused"' in text


def test_text_from_data_is_escaped_everywhere(tmp_path):
    """Prevents a translation or a file name from becoming markup."""
    evil = '<img onerror="x">&"\'|'
    languages = {evil: part(0.9) | {"without_near": part(0.8)}}
    student = model(0.9, 0.9)
    student["retrieval"] = {
        "languages": languages,
        "mean": mean_over_languages(languages),
    }
    student["sts"] = {"files": {evil: {"spearman": 0.7, "count": 3}}, "mean": 0.7}
    report = full(
        config=CONFIG | {"name": evil},
        manifest={"versions": {evil: evil}, "steps": {evil: {"seconds": 1.0}}},
        counts={evil: {0: 1, 1: 1, 2: 1}},
        rejected={evil: 1},
        sizes=[{"model": evil, "file": evil, "parameters": 1, "bytes": 1}],
        latency=[{"model": evil, "file": evil, "milliseconds": 1.0}],
        latency_note=evil,
        metrics={"student": student, evil: student},
        curves=[{"step": 1, "name": f"train/{evil}", "value": 1.0}],
        map_points=[{"pair": 0, "language": evil, "text": evil, "x": 0.0, "y": 0.0}],
        parity={evil: {evil: evil}},
        tables=[{"title": evil, "note": evil, "columns": [evil], "rows": [[evil]]}],
        command=evil,
    )
    assert "<img" not in page(tmp_path, report)
    write_model_card(tmp_path / "MODEL_CARD.md", report)
    assert "<img" not in (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_the_same_run_gives_the_same_bytes(tmp_path):
    """Prevents a date or an unordered set from making two reports differ."""
    assert page(tmp_path, full()) == page(tmp_path, full())


def test_another_teacher_is_not_said_to_be_in_four_bits(tmp_path):
    """Prevents the page from telling of a teacher that was not used."""
    config = CONFIG | {"teacher": {"kind": "keras_hub"}}
    text = page(tmp_path, full(config=config))
    assert "4-bit" not in text
    assert "says nothing about other text" in " ".join(text.split())


def test_the_model_card_lists_languages_licences_and_files(tmp_path):
    """Prevents a card that misses what its readers must know."""
    write_model_card(tmp_path / "MODEL_CARD.md", full())
    card = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: apache-2.0\n")
    assert "language:\n- en\n- de\n- fi\ntags:" in card
    assert "| Finnish | 100 | 60.0 | 90.0 | +30.0 | 89.0 | +30.0 |" in card
    assert "| **mean** | 200 | 70.0 | **87.5** | +17.5 | 86.5 | +17.5 |" in card
    assert "Apache-2.0" in card and "MIT" in card
    assert "| s.tflite | student | 3 | 23.5 MB |" in card
    assert "keras 3.15.1; seed 7." in card
    assert "\n\n\n" not in card


def test_the_snippets_of_the_model_card_are_python(tmp_path):
    """Prevents a usage example that does not even compile."""
    write_model_card(tmp_path / "MODEL_CARD.md", full())
    card = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len(snippets) == 2
    for snippet in snippets:
        compile(snippet, "MODEL_CARD.md", "exec")
