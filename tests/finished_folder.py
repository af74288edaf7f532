"""Writes what a finished run leaves, small and by hand, for reports to read."""

import html.parser
import json
import re

from babelet.configs import overrides, parsing
from babelet.evaluation.report import write_report

STEP = {"seconds": 1.0, "peak_gb": 0.5}
VOID = {"meta", "br", "link"}


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


def config(recipe, *settings):
    """Returns config.json of a recipe of ours."""
    found = overrides.load(f"configs/{recipe}.py", settings)
    return json.loads(parsing.to_json(found))


def write(folder, files, facts):
    """Writes JSON files by name, and a manifest with the facts of steps by name."""
    steps = {step: STEP | {"facts": found} for step, found in facts.items()}
    manifest = {"steps": steps, "versions": {"keras": "3.15.1"}, "config_hash": "ab12"}
    for name, content in (files | {"manifest.json": manifest}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content), "utf-8")
    return folder


def pages(folder):
    """Returns report and model card, after checks that hold for all of them."""
    write_report(folder)
    page, card = (
        (folder / name).read_text("utf-8") for name in ("report.html", "MODEL_CARD.md")
    )
    check(page)
    assert "\n\n\n" not in card and "None" not in card and "Undefined" not in card
    return page, card


def check(page):
    """Checks that a page is whole, shows no failed figure, and needs no network."""
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert not re.search(r"(?i)<script|https?:|\ssrc=|url\(|@import|<link", page)
    assert not re.search(r'="[^"]*\b(nan|inf|None|Undefined)\b[^"]*"', page)
    assert ">None<" not in page and "Undefined" not in page
