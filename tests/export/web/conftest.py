import threading
from contextlib import ExitStack, contextmanager

import pytest

from babelet.export.web.server import make_server
from benchmarks.chromium import Chromium, find_chromium

NO_BROWSER = (
    "Chromium is not installed, and the page is tested in nothing else. Install it "
    "with apt-get install chromium, or set CHROMIUM to a Chrome's path."
)


@contextmanager
def serving(files):
    """Serves files; gives the server's address and a function that stops it."""
    with make_server(files, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        def stop():
            server.shutdown()
            server.server_close()
            thread.join()

        try:
            yield f"http://127.0.0.1:{server.server_port}", stop
        finally:
            stop()


@pytest.fixture
def serve():
    """A function of files that serves them until the test ends; see `serving`."""
    with ExitStack() as stack:
        yield lambda files: stack.enter_context(serving(files))


@pytest.fixture(scope="session")
def chromium():
    """A browser; `make test` installs one where it may, else its tests are skipped."""
    executable = find_chromium()
    if executable is None:
        pytest.skip(NO_BROWSER)
    with Chromium(executable) as browser:
        yield browser
