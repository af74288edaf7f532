"""The page in a real browser, with a small student of the real export."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from babelet.export.metadata import read_metadata
from babelet.export.predict import keras_predict
from babelet.export.rebuild import rebuild_student
from babelet.export.run import write_artefacts
from babelet.export.task_export import TEXTS
from babelet.export.web.__main__ import MODEL, gather
from babelet.export.web.index_file import Index, write_index
from babelet.export.web.server import page_files
from benchmarks.browser import READY, measure, read_vectors
from benchmarks.chromium import find_chromium

ROOT = Path(__file__).resolve().parents[3]
ODD = ["", " ", "🙂 ok", "a\0b", "Tür " * 60, "ﬁne", "مرحبا بك", "\u202eabc", "e\u0301"]
FAILED = "document.querySelector('#state').dataset.kind === 'failed'"
RESULTS = """[...document.querySelectorAll(".result")].map((row) => ({
  language: row.querySelector(".language").textContent,
  text: row.querySelector("bdi").textContent,
  direction: getComputedStyle(row.querySelector("bdi")).direction,
  cosine: Number(row.querySelector(".similarity span").textContent),
}))"""


@pytest.fixture(scope="session")
def run(tmp_path_factory, workdir, pairs):
    """A run with a MediaPipe file, in a folder of its own."""
    folder = tmp_path_factory.mktemp("page") / "home"
    shutil.copytree(workdir, folder)
    (folder / "export").mkdir()
    write_artefacts(workdir, folder / "export", ["mediapipe_int8"])
    (folder / TEXTS).write_text(json.dumps(pairs))
    return folder


@pytest.fixture(scope="session")
def sentences(pairs):
    """Texts and their languages: the pairs', then odd ones of none."""
    english = [pivot for pivot, _ in pairs["de"]]
    rows = [(text, "en") for text in english]
    rows += [(text, code) for code in pairs for _, text in pairs[code]]
    rows += [(text, "") for text in ODD]
    texts, languages = zip(*rows, strict=True)
    return Index("Odd and even", texts, languages)


@pytest.fixture(scope="session")
def keras_vectors(workdir, sentences):
    """float32 (N, dim) of unit length, by the student itself."""
    student, tokenizer, *_ = rebuild_student(workdir)
    return keras_predict(student, tokenizer)(list(sentences.texts))


@pytest.fixture
def open_page(chromium, serve, run, tmp_path):
    """A function that opens the page with an index; gives address and stop."""

    def opened(index, change=None):
        write_index(tmp_path / "page.index", index)
        files = gather(run, tmp_path / "page.index", 1)
        origin, stop = serve(files | (change or {}))
        chromium.requests.clear()
        chromium.messages.clear()
        chromium.open(f"{origin}/")
        chromium.wait("document.querySelector('#state')")
        return origin, stop

    return opened


def ask(chromium, text):
    """Types `text` in the place of what was there; returns the results shown."""
    chromium.run("document.querySelector('#query').select()")
    chromium.run("document.querySelector('.results').replaceChildren()")
    chromium.type(text)
    chromium.wait("document.querySelectorAll('.result').length")
    return chromium.run(RESULTS)


def test_vectors_are_those_of_the_student(
    chromium, open_page, sentences, keras_vectors
):
    """A tokenizer or kernel of the browser's differs, and all searches are off."""
    open_page(sentences)
    chromium.wait(READY)
    received = read_vectors(chromium, len(sentences.texts))
    cosines = np.sum(received * keras_vectors, axis=1)
    assert cosines.min() > 0.98, dict(zip(sentences.texts, cosines, strict=True))


def test_it_searches_across_languages_after_the_server_has_gone(
    chromium, open_page, sentences, pairs
):
    """What works at a desk with a server does not on a train."""
    origin, stop = open_page(sentences)
    chromium.wait(READY)
    stop()
    for code, text in (("DE", pairs["de"][1][1]), ("HE", pairs["he"][2][1])):
        first, second, *_ = ask(chromium, text)
        assert (first["language"], first["text"]) == (code, text)
        assert first["cosine"] == 1.0 > second["cosine"]
        assert first["direction"] == ("rtl" if code == "HE" else "ltr")
    summary = chromium.run("document.querySelector('#summary').textContent")
    assert "20 nearest of 29" in summary and " ms" in summary
    assert {url.partition("/")[0] for url in chromium.requests} == {"http:"}
    assert all(url.startswith(f"{origin}/") for url in chromium.requests)
    # The runtime's own notes are no errors, whatever it calls them.
    errors = [text for text in chromium.messages if "INFO: " not in text]
    assert not [text for text in errors if text.startswith("error")], errors


def test_an_exported_index_is_searched_as_it_is(
    chromium, open_page, sentences, keras_vectors, run
):
    """The page would compute a large index again, for minutes, or misread it."""
    # Of every sentence the vector of the next one: only a page that reads them can
    # find the neighbour.
    vectors = np.roll(keras_vectors, -1, axis=0)
    vectors = np.rint(127 * vectors / np.abs(vectors).max(axis=1, keepdims=True))
    model = read_metadata(run / MODEL)["weights_sha256"]
    index = dataclasses.replace(sentences, model=model, vectors=vectors.astype(np.int8))
    open_page(index)
    chromium.wait(READY)
    assert ask(chromium, sentences.texts[5])[0]["text"] == sentences.texts[4]


def test_what_search_export_writes_is_opened_and_searched(
    chromium, serve, run, artefacts, pairs, tmp_path
):
    """Two halves that each pass their tests and do not fit together."""
    rows = [(text, code) for code in pairs for _, text in pairs[code]]
    lines = ["text\tlanguage", *("\t".join(row) for row in rows)]
    (tmp_path / "home.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    index, page = f"--index={tmp_path / 'home.db'}", tmp_path / "home.index"
    model = f"--model={artefacts / 'student_int8.tflite'}"
    build = ("babelet.search.build", model, f"--input={tmp_path / 'home.tsv'}", index)
    for command in (build, ("babelet.search.export", index, f"--output={page}")):
        subprocess.run([sys.executable, "-m", *command], check=True, cwd=ROOT)
    origin, _ = serve(gather(run, page, 1))
    chromium.open(f"{origin}/")
    chromium.wait(READY)
    first, *others = ask(chromium, pairs["ja"][1][1])
    assert (first["language"], first["text"]) == ("JA", pairs["ja"][1][1])
    assert {row["language"] for row in others} >= {"DE", "HE", "RU"}


def test_an_early_query_is_answered_at_once_and_again_of_all_sentences(
    chromium, open_page, sentences
):
    """What the first three sentences had would stay until the next key."""
    repeated = dataclasses.replace(
        sentences, texts=sentences.texts * 60, languages=sentences.languages * 60
    )
    open_page(repeated)
    chromium.run("""
      window.told = [];
      const summary = document.querySelector("#summary");
      new MutationObserver(() => told.push(summary.textContent))
        .observe(summary, { childList: true });
      document.querySelector("#query").focus();
    """)
    chromium.type("Battery is low")
    chromium.wait("told.at(-1)?.includes('nearest of 1,740')")
    counts = re.findall(r"nearest of ([\d,]+)", " ".join(chromium.run("told")))
    assert counts[0] != counts[-1] == "1,740"


def test_the_browser_refuses_calls_to_elsewhere(chromium, serve):
    """A policy with a typing error is none, and browsers say so only to developers."""
    origin, _ = serve(page_files())
    chromium.open(f"{origin}/")
    chromium.wait("document.querySelector('#state') !== null")
    violated = chromium.run("""new Promise((resolve) => {
      const told = (event) => resolve(event.violatedDirective);
      document.addEventListener("securitypolicyviolation", told);
      fetch("http://127.0.0.2:9/").catch(() => {});
    })""")
    assert violated == "connect-src"


def test_the_filter_and_the_keyboard(chromium, open_page, sentences, pairs):
    """A filter that hides results only after the twenty were chosen finds none."""
    open_page(sentences)
    chromium.wait(READY)
    ask(chromium, "Turn on the lamp")
    chromium.run("document.querySelector('#languages [lang=ja]').click()")
    chromium.wait("document.querySelectorAll('.result').length === 4")
    assert {row["language"] for row in chromium.run(RESULTS)} == {"JA"}
    assert "in=ja" in chromium.run("location.hash")
    chromium.press("/")
    chromium.press("ArrowDown")
    chromium.press("ArrowDown")
    second = chromium.run(RESULTS)[1]["text"]
    assert second in chromium.run("document.activeElement.textContent")
    chromium.run("document.activeElement.click()")
    assert chromium.run("document.querySelector('#query').value") == second
    chromium.press("Escape")
    chromium.wait("!document.querySelector('#query').value")
    assert chromium.run("document.querySelectorAll('.example').length") > 0


def test_the_benchmark_reports_what_the_page_does(chromium, run):
    """Its figures would be of something else than the page that is shipped."""
    figures = measure(run, find_chromium(), 4)
    assert (figures["texts"], figures["languages"], figures["queries"]) == (16, 4, 4)
    assert 0.98 < figures["cosine_minimum"] <= figures["cosine_mean"] <= 1.0001
    assert figures["requests_elsewhere"] == []
    assert 0 < figures["median_ms"]["model"] <= figures["median_ms"]["query"]


def test_a_damaged_model_is_said_on_the_page(chromium, open_page, sentences):
    """The page would wait for ever."""
    open_page(sentences, {"/model.tflite": b"\x1c\0\0\0TFL3" + bytes(4000)})
    chromium.wait(FAILED)
    said = chromium.run("document.querySelector('#notice').innerText")
    assert "cannot search" in said and "file is whole" in said
    assert ".cc:" not in said
