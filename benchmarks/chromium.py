"""Drives a real, headless Chromium through its debugging pipe: no driver to install."""

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# What keeps a browser from calling its maker; pages are tested, not the browser.
_QUIET = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--disable-default-apps --mute-audio --remote-debugging-pipe"
).split()
# Chromium reads commands from descriptor 3 and answers on 4.
_EXECUTE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
# WebAssembly of 7 MB is compiled on a core that others may share.
PATIENCE = 120


def find_chromium() -> str | None:
    """Returns the browser's path: $CHROMIUM, or the first on PATH; None without."""
    given = os.environ.get("CHROMIUM")
    return given or next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """One browser with one tab; a context manager that ends it.

    Attributes:
        requests: Every address that the page or its workers asked for.
        version: Name and version of the browser.
        messages: What was written to the consoles or thrown.
    """

    def __init__(self, executable: str) -> None:
        self.requests: list[str] = []
        self.messages: list[str] = []
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process, self._out, self._in = _start(executable, self._folder.name)
        self._buffer, self._last = b"", 0
        self._answers: dict[int, dict[str, Any]] = {}
        # Numbers of commands whose answers nobody waits for.
        self._unanswered: set[int] = set()
        self.version: str = self._call("Browser.getVersion", {})["product"]
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attach = {"targetId": target, "flatten": True}
        self._session = self._call("Target.attachToTarget", attach)["sessionId"]
        self._watch(self._session)
        self.send("Page.enable")

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._out)
        os.close(self._in)
        self._folder.cleanup()

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Returns the tab's answer to a command of the DevTools protocol."""
        return self._call(method, parameters, self._session)

    def open(self, address: str) -> None:
        """Shows a page, without waiting for what its scripts do."""
        self.send("Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """Returns what a JavaScript expression gives in the page, promises awaited."""
        answer = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Returns once an expression is true.

        Raises:
            AssertionError: It was not in time; with the page's text and messages.
        """
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.run(f"Boolean({condition})"):
                return
            time.sleep(0.1)
        text = self.run("document.body.innerText")
        raise AssertionError(f"Never: {condition}\n{text}\n{self.messages}")

    def type(self, text: str) -> None:
        """Puts text into the focused field as one input, as an input method does."""
        self.send("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Presses and releases a key by its name, "ArrowDown"."""
        self.send("Input.dispatchKeyEvent", type="rawKeyDown", key=key, code=key)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def _watch(self, session: str) -> None:
        # No answer is waited for. An error is no matter: a worker need not know every
        # method of a page. And a worker that has ended meanwhile never answers.
        for method in ("Network.enable", "Runtime.enable", "Log.enable"):
            self._unanswered.add(self._write(method, {}, session))
        # Workers too: they wait until they are watched, so that nothing is missed.
        attach = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        self._unanswered.add(self._write("Target.setAutoAttach", attach, session))
        go_on = self._write("Runtime.runIfWaitingForDebugger", {}, session)
        self._unanswered.add(go_on)

    def _call(
        self, method: str, parameters: dict[str, Any], session: str | None = None
    ) -> dict[str, Any]:
        number = self._write(method, parameters, session)
        while number not in self._answers:
            self._note(self._next())
        answer = self._answers.pop(number)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def _write(
        self, method: str, parameters: dict[str, Any], session: str | None
    ) -> int:
        """Sends a command; returns the number that its answer will have."""
        self._last += 1
        number = self._last
        message = {"id": number, "method": method, "params": parameters}
        message |= {"sessionId": session} if session else {}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        return number

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], PATIENCE)
            received = os.read(self._in, 1 << 20) if ready else b""
            if not received:
                raise AssertionError("Chromium ended or fell silent")
            self._buffer += received
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, message: dict[str, Any]) -> None:
        if "id" in message:
            if message["id"] in self._unanswered:
                self._unanswered.remove(message["id"])
            else:
                self._answers[message["id"]] = message
            return
        event, values = message["method"], message["params"]
        if event == "Target.attachedToTarget" and "sessionId" in message:
            self._watch(values["sessionId"])
        elif event == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.messages.append(json.dumps(values["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled":
            texts = [str(x.get("value", x.get("description"))) for x in values["args"]]
            self.messages.append(f"{values['type']}: {' '.join(texts)}")
        elif event == "Log.entryAdded":
            entry = values["entry"]
            self.messages.append(f"{entry['level']}: {entry['text']}")


def _start(executable: str, profile: str) -> tuple[subprocess.Popen[bytes], int, int]:
    """Returns the browser, and where to write to it and to read from it."""
    read_here, write_there = os.pipe()
    read_there, write_here = os.pipe()
    # High numbers, which the protocol's own, 3 and 4, cannot overwrite.
    theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (read_there, write_there)]
    environment = os.environ | {"HOME": profile}
    process = subprocess.Popen(
        [sys.executable, "-ISc", _EXECUTE, *map(str, theirs), executable]
        + [*_QUIET, f"--user-data-dir={Path(profile) / 'profile'}"],
        pass_fds=theirs,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    for fd in (read_there, write_there, *theirs):
        os.close(fd)
    return process, write_here, read_here
