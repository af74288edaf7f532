import http.client
import socket

import pytest

from babelet.core.errors import BabeletError
from babelet.export.web.server import make_server, page_files


def get(origin, address, method="GET"):
    host = origin.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request(method, address)
    answer = connection.getresponse()
    return answer, answer.read()


def test_types_are_those_that_browsers_demand(tmp_path, serve):
    """A module or a wasm file under another type is refused by the browser."""
    path = tmp_path / "model.tflite"
    path.write_bytes(b"weights")
    files = page_files() | {"/a.wasm": b"\0asm", "/model.tflite": path}
    expected = {
        "/": "text/html; charset=utf-8",
        "/app.js": "text/javascript; charset=utf-8",
        "/style.css": "text/css; charset=utf-8",
        "/icon.svg": "image/svg+xml",
        "/a.wasm": "application/wasm",
        "/model.tflite": "application/octet-stream",
    }
    origin, _ = serve(files)
    for address, kind in expected.items():
        answer, content = get(origin, address)
        assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
        assert int(answer.headers["Content-Length"]) == len(content) > 0
    assert content == b"weights"


def test_every_answer_forbids_calls_to_elsewhere(serve):
    """The packaged runtime would report its use to its maker."""
    origin, _ = serve(page_files())
    for address in ("/", "/engine.js", "/not-there"):
        answer, _ = get(origin, address)
        assert "connect-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "address", ["/not-there", "/../server.py", "/%2e%2e/server.py", "//etc/passwd"]
)
def test_nothing_else_is_served(serve, address):
    """Files around the page would be readable by every program of the machine."""
    origin, _ = serve(page_files())
    assert get(origin, address)[0].status == 404


def test_head_has_no_content(serve):
    """A kept connection would take the content for the next answer."""
    origin, _ = serve({"/": b"page"})
    answer, content = get(origin, "/", "HEAD")
    assert answer.headers["Content-Length"] == "4" and content == b""


def test_a_query_in_the_address_does_not_hide_the_page(serve):
    """A link somebody marked as read, /?from=mail, would not be found."""
    origin, _ = serve({"/": b"page"})
    assert get(origin, "/?from=mail")[1] == b"page"


def test_a_taken_port_is_one_line():
    """A traceback names no remedy."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BabeletError, match="choose another --port"):
            make_server({}, port)


def status_for(origin, *hosts):
    """Returns the status of a request with these Host headers."""
    name = origin.removeprefix("http://")
    connection = http.client.HTTPConnection(name, timeout=10)
    connection.putrequest("GET", "/", skip_host=True)
    for host in hosts:
        connection.putheader("Host", host)
    connection.endheaders()
    return connection.getresponse().status


def test_only_requests_to_its_own_name_are_answered(serve):
    """A page of elsewhere, its name pointed to 127.0.0.1, would read all sentences."""
    origin, _ = serve({"/": b"page"})
    port = origin.rpartition(":")[2]
    for own in ("localhost", "127.0.0.1", "[::1]", "LocalHost"):
        assert status_for(origin, f"{own}:{port}") == 200
    foreign = ["evil.example", f"evil.example:{port}", "127.0.0.1", "localhost:1"]
    foreign += [f"127.0.0.1:{port}.evil.example", ""]
    for host in foreign:
        assert status_for(origin, host) == 421, host
    assert status_for(origin) == 421
    assert status_for(origin, f"localhost:{port}", "evil.example") == 421
