"""The page in a real browser: do its vectors equal the student's, and how fast is it?

    python -m benchmarks.browser --workdir=runs/smart_home

Opens `babelet serve` in headless Chromium with real sentences of all the run's
languages, lets the page compute their vectors through @mediapipe/tasks-text, compares
them with those of the Keras student, and types some of them as queries. Writes
<workdir>/browser.json and prints it. Chromium or Chrome must be installed; CHROMIUM
names another.
"""

import base64
import json
import re
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from tqdm import tqdm

from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.core.run_files import read_json
from babelet.export.predict import keras_predict
from babelet.export.rebuild import rebuild_student
from babelet.export.task_export import TEXTS
from babelet.export.web.__main__ import gather
from babelet.export.web.index_file import Index, write_index
from babelet.export.web.package import PACKAGE
from babelet.export.web.server import make_server
from benchmarks.chromium import Chromium, find_chromium

READY = "document.querySelector('#state')?.dataset.kind === 'ready'"
# What the page searches with, read from where it keeps it.
VECTORS = """(async () => {
  const cache = await caches.open("babelet-vectors");
  const [request] = await cache.keys();
  const bytes = new Uint8Array(await (await cache.match(request)).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
})()"""
_PER_LANGUAGE = 20
_TIMES = re.compile(r"([\d.]+) ms \(([\d.]+) model, ([\d.]+) search\)")
_SUMMARY = "document.querySelector('#summary').textContent"


def read_vectors(browser: Chromium, count: int) -> np.ndarray:
    """Returns the page's vectors, float32 (count, dim) of unit length."""
    content = base64.b64decode(browser.run(VECTORS))
    vectors = np.frombuffer(content, np.int8).reshape(count, -1).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def measure(workdir: Path, executable: str, queries: int) -> dict[str, Any]:
    """Returns how the page's vectors agree with the student's, and times of queries.

    Args:
        workdir: A run exported for MediaPipe.
        executable: Of Chromium.
        queries: How many of the texts to search for, evenly chosen.

    Raises:
        BabeletError: The run lacks a file.
    """
    rows = _sentences(workdir / TEXTS)
    languages, texts = zip(*rows, strict=True)
    student, tokenizer, *_ = rebuild_student(workdir)
    expected = keras_predict(student, tokenizer)(list(texts))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sentences.index"
        write_index(path, Index("parity texts", texts, languages))
        files = gather(workdir, path, 1)
        with make_server(files, 0) as server, Chromium(executable) as browser:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            origin = f"http://127.0.0.1:{server.server_port}/"
            browser.open(origin)
            browser.wait(READY)
            cosines = np.sum(read_vectors(browser, len(texts)) * expected, axis=1)
            chosen = texts[:: max(1, len(texts) // queries)]
            times = [_ask(browser, text) for text in tqdm(chosen, desc="Queries")]
            elsewhere = [x for x in browser.requests if not x.startswith(origin)]
            server.shutdown()
    return {
        "browser": browser.version,
        "runtime": PACKAGE,
        "languages": len(set(languages)),
        **_agreement(cosines, rows),
        "requests_elsewhere": elsewhere,
        "queries": len(times),
        "median_ms": dict(
            zip(("query", "model", "search"), np.median(times, 0).tolist(), strict=True)
        ),
    }


def _sentences(path: Path) -> list[tuple[str, str]]:
    """Returns (language, text) of each language's first sentences."""
    if not path.is_file():
        raise BabeletError(
            f"There is no {path}",
            expected="a run that was exported",
            remedy="finish the run first: babelet distill with this workdir",
        )
    pairs = read_json(path)
    return [
        (language, translation)
        for language in pairs
        for _, translation in pairs[language][:_PER_LANGUAGE]
    ]


def _agreement(cosines: np.ndarray, rows: list[tuple[str, str]]) -> dict[str, Any]:
    worst = int(cosines.argmin())
    return {
        "texts": len(rows),
        "cosine_minimum": round(float(cosines.min()), 5),
        "cosine_mean": round(float(cosines.mean()), 5),
        "worst": dict(zip(("language", "text"), rows[worst], strict=True)),
    }


def _ask(browser: Chromium, text: str) -> tuple[float, ...]:
    """Types a query; returns the milliseconds that the page shows for it."""
    browser.run("document.querySelector('#query').select()")
    browser.run("document.querySelector('#summary').textContent = ''")
    browser.type(text)
    browser.wait(f"{_SUMMARY}.includes(' ms (')")
    return tuple(map(float, _TIMES.findall(browser.run(_SUMMARY))[0]))


def main(_: list[str]) -> None:
    """Prints browser.json."""
    workdir = Path(flags.FLAGS.workdir)
    executable = find_chromium()
    if executable is None:
        raise BabeletError(
            "Chromium is not installed",
            remedy="apt-get install chromium, or set CHROMIUM to a Chrome's path",
        )
    figures = measure(workdir, executable, flags.FLAGS.queries)
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    with atomic_path(workdir / "browser.json") as path:
        path.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    command.path_flag("workdir", None, "A finished, exported run.", required=True)
    flags.DEFINE_integer("queries", 100, "Texts to type as queries.", lower_bound=1)
    command.run(main)
