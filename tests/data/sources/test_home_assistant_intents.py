from babelet.data.sources.home_assistant_intents import expand

LAMP = {
    "intents": {
        "TurnOn": {
            "data": [
                {"sentences": ["<turn> on [the] {name} in {area}"]},
                {"sentences": ["dim to {level} percent", "wait {1..3:hours} hours"]},
            ]
        },
        "Ask": {"data": [{"sentences": ["is it (warm|cold)", "state is {state}"]}]},
    },
    "lists": {
        "level": {"range": {"from": 10, "to": 30, "step": 10}},
        "state": {"values": [{"in": "(open|ajar)", "out": "open"}, "shut"]},
    },
    "expansion_rules": {"turn": "(turn|switch)"},
}
WORDS = {"name": ("lamp", "fan"), "area": ("kitchen",)}


def rows(content=LAMP, count=100):
    return list(expand(content, "en.json", "en", WORDS, count))


def texts(template):
    return {row.text for row in rows() if row.template == template}


def test_a_template_gives_all_its_sentences():
    """An option or alternative that is never drawn is missing from the training."""
    assert texts("<turn> on [the] {name} in {area}") == {
        f"{verb} on {article}{name} in kitchen"
        for verb in ("turn", "switch")
        for article in ("", "the ")
        for name in ("lamp", "fan")
    }
    assert texts("is it (warm|cold)") == {"is it warm", "is it cold"}


def test_lists_and_ranges_are_filled_from_the_file():
    """A number outside its range, or a nested template left as it is written."""
    assert texts("dim to {level} percent") == {
        f"dim to {number} percent" for number in (10, 20, 30)
    }
    assert texts("wait {1..3:hours} hours") == {f"wait {n} hours" for n in (1, 2, 3)}
    assert texts("state is {state}") == {
        f"state is {s}" for s in ("open", "ajar", "shut")
    }


def test_rows_name_intent_and_template():
    """Without its template a sentence could be split from its near twins."""
    found = rows(count=2)
    assert len(found) == 2 * 5
    assert {(row.line, row.label) for row in found} == {
        (1, "TurnOn"),
        (2, "TurnOn"),
        (3, "TurnOn"),
        (4, "Ask"),
        (5, "Ask"),
    }


def test_sentences_do_not_depend_on_other_templates():
    """A template added upstream would reshuffle every split and test sentence."""
    shorter = {**LAMP, "intents": {"Ask": LAMP["intents"]["Ask"]}}
    asked = [row.text for row in rows(count=2) if row.label == "Ask"]
    assert [row.text for row in rows(shorter, count=2)] == asked


def test_a_template_that_cannot_be_read_is_a_row_with_a_problem():
    """One malformed template of 12,000 must not end the run, nor vanish unseen."""
    broken = ["turn {unknown}", "<absent> on", "turn (on"]
    content = {"intents": {"TurnOn": {"data": [{"sentences": [*broken, "go"]}]}}}
    found = rows(content)
    assert [row.problem for row in found] == ["template"] * 3 + [""]
    assert found[0].text == "no list {unknown}"


def test_rules_that_name_each_other_end():
    """A circle of rules would recurse until Python gives up."""
    content = {
        "intents": {"TurnOn": {"data": [{"sentences": ["<a>"]}]}},
        "expansion_rules": {"a": "go <b>", "b": "and <a>"},
    }
    assert [row.problem for row in rows(content)] == ["template"]
