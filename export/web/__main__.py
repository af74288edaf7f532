"""Serves a page that searches sentences across languages, in the browser, offline.

    babelet serve --workdir=runs/smart_home [--index=FILE] [--port=8000]

Open the address it prints. The page loads export/student_mediapipe_int8.tflite of the
run into MediaPipe's WebAssembly runtime and searches as you type; from then on it needs
no server, and nothing you type leaves it. It searches sentences of the run's test
split, or those of an index that babelet search export wrote.

The runtime, an npm package, is downloaded once, verified and cached.
"""

import json
from pathlib import Path
from typing import Any

from absl import flags

from babelet.core import command
from babelet.core.errors import BabeletError
from babelet.export.metadata import read_metadata
from babelet.export.web.index_file import read_header, to_bytes
from babelet.export.web.package import PACKAGE, mediapipe_files
from babelet.export.web.sentences import held_out_sentences
from babelet.export.web.server import Files, make_server, page_files

MODEL = Path("export") / "student_mediapipe_int8.tflite"


def gather(workdir: Path, index: Path | None, count: int) -> Files:
    """Returns everything that is served, by address.

    Args:
        workdir: A run with export/student_mediapipe_int8.tflite.
        index: A file of `babelet search export`; None for sentences of the run.
        count: Of these sentences.

    Raises:
        BabeletError: Something is missing, damaged, or of another student.
    """
    model = workdir / MODEL
    if not model.is_file():
        raise BabeletError(
            f"There is no {model}",
            expected="a run that was exported for MediaPipe",
            remedy=f"babelet export --workdir={workdir}",
        )
    metadata = read_metadata(model)
    if index is not None:
        _require_same_student(index, metadata, workdir)
    files = page_files() | {"/model.tflite": model}
    files["/about.json"] = json.dumps(
        {
            "name": metadata.get("name", ""),
            "runtime": PACKAGE,
            "licence": metadata.get("licence", ""),
        }
    ).encode()
    files["/sentences.index"] = index or to_bytes(held_out_sentences(workdir, count))
    runtime = mediapipe_files()
    return files | {f"/mediapipe/{name}": runtime[name] for name in runtime}


def _require_same_student(index: Path, metadata: dict[str, Any], workdir: Path) -> None:
    header = read_header(index)
    if header["dim"] and header["model"] != metadata.get("weights_sha256"):
        raise BabeletError(
            f"The vectors of {index} are of another student than {workdir}",
            expected=f"weights {metadata.get('weights_sha256')}",
            received=header["model"] or "no model named",
            consequence="Searching them would find sentences without relation",
            remedy="give the --workdir of the student that built the index, or build "
            "and export the index with this one",
        )


def main(_: list[str]) -> None:
    """Serves until Ctrl-C."""
    values = flags.FLAGS
    index = Path(values.index) if values.index else None
    files = gather(Path(values.workdir), index, values.sentences)
    server = make_server(files, values.port)
    with server:
        print(f"http://127.0.0.1:{server.server_port}/   (Ctrl-C ends it)", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    command.path_flag("workdir", None, "A finished, exported run.", required=True)
    command.path_flag("index", None, "What babelet search export wrote, to search it.")
    flags.DEFINE_integer(
        "sentences", 2000, "Test sentences to search, without --index.", lower_bound=1
    )
    flags.DEFINE_integer("port", 0, "Of this machine; 0 picks a free one.", 0, 65535)
    command.run(main, stopped="the page is no longer served")
