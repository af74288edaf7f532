"""Serves the page on this machine alone, with headers that keep it to itself."""

import io
import shutil
from collections.abc import Collection
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from babelet.core.errors import BabeletError

# Text does not leave the page whatever its scripts try: the packaged runtime would
# report its use to its maker. The wasm runtime is compiled, hence wasm-unsafe-eval.
_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "connect-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
# Not from mimetypes: its answers depend on the system, and modules and wasm are
# refused by browsers under other types.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}
_ADDRESS = "127.0.0.1"
_PAGE = Path(__file__).parent / "page"

# Address on the server: a file, or its content.
Files = dict[str, Path | bytes]


def page_files() -> Files:
    """Returns the files of the page itself, by their addresses."""
    files: Files = {f"/{path.name}": path for path in _PAGE.iterdir()}
    return files | {"/": _PAGE / "index.html"}


def make_server(files: Files, port: int) -> ThreadingHTTPServer:
    """Returns a server of these files, bound to 127.0.0.1, not yet serving.

    Args:
        files: What there is; everything else is not found.
        port: 0 picks a free one.

    Raises:
        BabeletError: The port is taken or not allowed.
    """
    handler = type("Handler", (_Handler,), {"files": files})
    try:
        server = ThreadingHTTPServer((_ADDRESS, port), handler)
        handler.hosts = _hosts(server.server_port)
        return server
    except (OSError, OverflowError) as error:
        raise BabeletError(
            f"Cannot serve on port {port}",
            received=getattr(error, "strerror", None) or str(error),
            remedy="choose another --port, or leave it out for a free one",
        ) from error


def _hosts(port: int) -> set[str]:
    names = ("localhost", _ADDRESS, "[::1]")
    # Browsers leave the port of http out.
    return {f"{name}:{port}" for name in names} | set(names if port == 80 else ())


class _Handler(BaseHTTPRequestHandler):
    files: Files = {}
    hosts: Collection[str] = ()
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_content=True)

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def _answer(self, with_content: bool) -> None:
        # A page of elsewhere whose name was made to lead here would read it all.
        given = self.headers.get_all("Host") or []
        if len(given) != 1 or given[0].lower() not in self.hosts:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        address = self.path.partition("?")[0]
        content = self.files.get(address)
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        name = "index.html" if address == "/" else address
        with _opened(content) as stream:
            size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            self.send_response(HTTPStatus.OK)
            kind = _TYPES.get(Path(name).suffix, "application/octet-stream")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            if with_content:
                self._send(stream)

    def _send(self, stream: io.BufferedIOBase) -> None:
        try:
            shutil.copyfileobj(stream, self.wfile, 1 << 20)
        except ConnectionError:  # The page was closed or loaded anew meanwhile.
            self.close_connection = True

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing: the terminal shows the page's address."""


def _opened(content: Path | bytes) -> io.BufferedIOBase:
    return io.BytesIO(content) if isinstance(content, bytes) else open(content, "rb")
