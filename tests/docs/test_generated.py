"""The pages that are made from the code have all of it."""

import importlib.util
from pathlib import Path

import pytest

import babelet
from babelet.configs import settings

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def generated():
    """The module that Sphinx's conf.py takes its pages from."""
    spec = importlib.util.spec_from_file_location("generated", DOCS / "generated.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_settings_page_has_every_setting(generated, language):
    """A setting that the command shows and the page does not is known to few."""
    page = generated.settings_tables(language)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len(settings.every_setting()) > 90
    for row, setting in zip(rows, settings.find(), strict=True):
        assert row.startswith(f"| `{setting.name.rpartition('.')[2]}` | ")
        assert generated._cell(setting.meaning) in row
        # Bars that are not escaped would begin cells of their own.
        assert row.replace("\\|", "").count("|") == 4
    assert page.count("```{table}") == len({x.group for x in settings.find()})


def test_the_api_page_has_every_name(generated):
    """A name of the façade that was added and is documented nowhere."""
    page = generated.api()
    for name in babelet.__all__:
        assert f":: babelet.{name}\n" in page or name.startswith("_")


def test_the_pages_are_filled(generated):
    """A changed mark would leave a page with its first paragraph alone."""

    class App:
        class config:
            language = "en"

    for folder in (DOCS, DOCS / "zh"):
        for name, found in (("settings", "| `alpha` |"), ("api", "babelet.Embedder")):
            source = [(folder / f"{name}.md").read_text(encoding="utf-8")]
            assert found not in source[0]
            generated.fill(App, name, source)
            assert found in source[0]
