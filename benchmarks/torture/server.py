"""A process that has imported TensorFlow, and forks for every command it is asked for.

A Python that imports TensorFlow starts in 8 seconds, a fork in half of one. A forked
process has run nothing before: no tensor, no flag, no Keras name is there yet. It runs
`python -m module` as a fresh one would, and ends as one does. What it starts as
`sys.executable` in turn is the client below, which asks the same server.

Strings are hashed with the server's PYTHONHASHSEED in all of its commands, so a
measurement uses servers of several seeds.
"""

import array
import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

# Imported before the first fork: what most commands import, no entry module.
IMPORTED = (
    "tensorflow",
    "tensorflow_text",
    "keras",
    "keras_hub",
    "ai_edge_litert.interpreter",
    "tensorboard.plugins.projector",
    "scipy.stats",
    "pandas",
    "h5py",
    "apsw",
    "sacrebleu",
)
CLIENT = """#!{python} -SE
import array, json, os, socket, sys
if sys.argv[1:2] != ["-m"]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
asked = dict(arguments=sys.argv[2:], folder=os.getcwd(), environment=dict(os.environ))
asked["client"] = os.getpid()
files = array.array("i", [0, 1, 2])
text = json.dumps(asked).encode()
head = len(text).to_bytes(4, "little")
server.sendmsg([head], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
server.sendall(text)
with server.makefile("r") as answers:
    lines = list(answers)
status = int(lines[-1])
if status < 0:
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


def serve(address: Path) -> dict[str, Any]:
    """Forks for every request; returns in the forked processes alone.

    A line on the standard output says when it takes them.

    Args:
        address: The Unix socket to make.

    Returns:
        What was asked for: `arguments` (module first), `folder`, `environment`,
        `client` (the asking process's id).
    """
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(address))
    listening.listen(64)
    print("ready", flush=True)
    wakes, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    chosen = selectors.DefaultSelector()
    for each in (listening, wakes, sys.stdin):
        chosen.register(each, selectors.EVENT_READ)
    asking: dict[int, socket.socket] = {}
    while True:
        for key, _ in chosen.select():
            if key.fileobj is listening:
                connection, _ = listening.accept()
                request, files = _received(connection)
                if not (process := os.fork()):
                    signal.set_wakeup_fd(-1)
                    # Closed here: collected later, they would close files of the run.
                    chosen.close()
                    for each in (listening, connection, *asking.values()):
                        each.close()
                    _become([*files, wakes, wake])
                    return request
                _adopt(process, files)
                asking[process] = connection
                connection.sendall(f"{process}\n".encode())
                chosen.register(connection, selectors.EVENT_READ, process)
            elif key.fileobj == wakes:
                os.read(wakes, 4096)
                _answer(asking, chosen)
            else:
                _end(key, asking, chosen)


def _adopt(process: int, files: list[int]) -> None:
    """Gives a forked process its own group, whichever of the two comes first."""
    with contextlib.suppress(OSError):
        os.setpgid(process, process)
    for file in files:
        os.close(file)


def _end(
    key: selectors.SelectorKey,
    asking: dict[int, socket.socket],
    chosen: selectors.BaseSelector,
) -> None:
    """Kills what was asked for by somebody who is gone; without a server's, all."""
    if key.fileobj is sys.stdin:
        for process in asking:
            os.killpg(process, signal.SIGKILL)
        sys.exit()
    if key.data in asking:
        chosen.unregister(key.fileobj)
        os.kill(key.data, signal.SIGKILL)


def _answer(asking: dict[int, socket.socket], chosen: selectors.BaseSelector) -> None:
    """Tells whoever asked how each ended process ended."""
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not process:
            return
        connection = asking.pop(process)
        if connection in chosen.get_map():
            chosen.unregister(connection)
        with contextlib.suppress(OSError):
            connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        connection.close()


def _received(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Returns a request and the three files it came with."""
    head, sent, *_ = connection.recvmsg(4, socket.CMSG_SPACE(12))
    files = array.array("i")
    for _, _, content in sent:
        files.frombytes(content[: len(content) - len(content) % 4])
    left = int.from_bytes(head, "little")
    parts = []
    while left:
        parts.append(connection.recv(left))
        left -= len(parts[-1])
    return json.loads(b"".join(parts)), list(files)


def _become(files: list[int]) -> None:
    """Gives this forked process its own group, signals, and the client's files.

    Args:
        files: Its standard input, output and error, and others to close.
    """
    os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    for file in files:
        os.close(file)


def run(request: dict[str, Any], client: str) -> None:
    """Runs the module as `python -m` does, in this process."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.executable = client
    asked_by = request["client"]
    if asked_by:
        # A module that watches its parent means the one that asked.
        os.getppid = lambda: _parent_of(asked_by)
    module, *arguments = request["arguments"]
    sys.argv = [module, *arguments]
    sys.path[0] = request["folder"]
    warnings.filterwarnings("ignore", "'[a-z_.]+' found in sys.modules", RuntimeWarning)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _parent_of(process: int) -> int:
    """Returns the parent of a process, 1 if it is gone."""
    try:
        return int(
            Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1]
        )
    except OSError:
        return 1


def main() -> None:
    """Takes the folder for socket and client."""
    folder = Path(sys.argv[1]).resolve()
    for name in IMPORTED:
        try:
            import_module(name)
        except ImportError:
            continue
    root = Path(__file__).resolve().parents[2]
    packages = ("configs", "data", "evaluation", "model", "tasks", "export", "training")
    for package in (*packages, "search"):
        for path in sorted((root / package).rglob("*.py")):
            if (
                "app.run(main)" in (text := path.read_text("utf-8"))
                or "run(main" in text
            ):
                continue
            parts = path.relative_to(root).with_suffix("").parts
            if "templates" in parts or parts[0] == "configs" and "flags" in text:
                continue
            name = ".".join(("babelet", *parts))
            import_module(name.removesuffix(".__init__"))
    client = folder / "python"
    address = folder / "socket"
    client.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    client.chmod(0o755)
    # Of what is imported nothing is garbage, and no page is copied for its counts.
    gc.collect()
    gc.freeze()
    run(serve(address), str(client))


if __name__ == "__main__":
    main()
