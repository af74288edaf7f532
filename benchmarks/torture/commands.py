"""Commands through a warm server: started, watched, killed, or waited for."""

import array
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
# A command of a tiny run takes a minute at most.
SECONDS = 600


class Done(NamedTuple):
    """How a command ended: as `subprocess` tells it, and what it printed."""

    status: int
    stdout: str
    stderr: str


class Started:
    """A command under way."""

    def __init__(self, connection: socket.socket, out: Path, err: Path) -> None:
        """Reads from the server which process it is."""
        self._connection = connection
        self._received = b""
        self._out, self._err = out, err
        self.process = int(self._line(SECONDS) or 0)
        self.status: int | None = None

    @property
    def output(self) -> str:
        """What it has printed on its standard output."""
        return self._out.read_text("utf-8", errors="replace")

    def ended(self, seconds: float = 0.0) -> bool:
        """Waits so long at most; says whether it has ended."""
        if self.status is None and (line := self._line(seconds)) is not None:
            self.status = int(line or -9)
            self._connection.close()
        return self.status is not None

    def _line(self, seconds: float) -> bytes | None:
        """Returns the server's next line, empty at its end; None if it takes longer."""
        while b"\n" not in self._received:
            if not select.select([self._connection], [], [], seconds)[0]:
                return None
            part = self._connection.recv(64)
            if not part:
                return b""
            self._received += part
        line, _, self._received = self._received.partition(b"\n")
        return line

    def kill(self, whole: bool) -> None:
        """Sends SIGKILL to it, or to it and all that it started.

        Args:
            whole: As when the machine fails; else as `kill -9` does.
        """
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if whole else os.kill)(self.process, signal.SIGKILL)
        self.ended(SECONDS)

    def wait(self, seconds: float = SECONDS) -> Done:
        """Waits for its end; after `seconds` it is killed, and has status -9."""
        if not self.ended(seconds):
            self.kill(whole=True)
        error = self._err.read_text("utf-8", errors="replace")
        return Done(-9 if self.status is None else self.status, self.output, error)


class Server:
    """A warm Python that forks for every command."""

    def __init__(self, hash_seed: int) -> None:
        """Starts it; 10 to 25 seconds pass until it is ready."""
        self._folder = tempfile.TemporaryDirectory(prefix="torture")
        self._count = 0
        environment = os.environ | {
            "PYTHONHASHSEED": str(hash_seed),
            "OMP_NUM_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "TF_CPU_ALLOCATOR_USE_BFC": "true",
        }
        self._log = (Path(self._folder.name) / "server.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.torture.server", self._folder.name],
            cwd=ROOT,
            env=environment,
            # It ends when this pipe does: with this process, however that ends.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )

    def ready(self) -> "Server":
        """Waits until it takes commands."""
        said = self._process.stdout.readline() if self._process.stdout else b""
        if said.strip() != b"ready":
            log = Path(self._folder.name) / "server.log"
            raise RuntimeError(f"The server did not start: {log.read_text()[-2000:]}")
        return self

    def start(self, arguments: Sequence[str | Path], **variables: str) -> Started:
        """Starts `python -m` with these arguments, from the repository's root."""
        self._count += 1
        out, err = (
            Path(self._folder.name) / f"{self._count}.{name}" for name in ("out", "err")
        )
        asked = {
            "arguments": [str(each) for each in arguments],
            "folder": str(ROOT),
            "environment": dict(self._environment(), **variables),
            "client": 0,
        }
        text = json.dumps(asked).encode()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(Path(self._folder.name) / "socket"))
        with (
            out.open("wb") as printed,
            err.open("wb") as said,
            open(os.devnull) as none,
        ):
            files = array.array("i", [none.fileno(), printed.fileno(), said.fileno()])
            head = len(text).to_bytes(4, "little")
            connection.sendmsg([head], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
            connection.sendall(text)
            return Started(connection, out, err)

    def run(self, arguments: Sequence[str | Path], **variables: str) -> Done:
        """Runs a command to its end."""
        return self.start(arguments, **variables).wait()

    def close(self) -> None:
        """Ends the server; what it started ends with it or before."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdout, self._process.stdin):
            if stream:
                stream.close()
        self._log.close()
        self._folder.cleanup()

    def _environment(self) -> dict[str, str]:
        return os.environ | {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}


@contextlib.contextmanager
def servers(count: int = 1) -> Iterator[list[Server]]:
    """Yields warm servers, each with another order of strings in sets."""
    started = [Server(hash_seed) for hash_seed in range(1, count + 1)]
    try:
        yield [each.ready() for each in started]
    finally:
        for each in started:
            each.close()


def wait_until(seconds: float, started: Started) -> bool:
    """Waits so long, or until the command ends; says whether it still runs."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if started.ended(left):
            return False
    return not started.ended()
