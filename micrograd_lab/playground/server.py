"""The playground on this machine, with this Python answering."""

from __future__ import annotations

import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from ..drawing.showing import resource
from .answers import answer, page

TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
FILES = ("play.js", "play.css", "answer.js")
MAX_BYTES = 100_000  # of a question


class Server(ThreadingHTTPServer):
    """Serves the playground to this machine alone.

    Other machines cannot reach the address, and a page from another site that gets a browser to ask
    is refused: its question has that site's name as the host or the origin.
    """

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", "a port is from 0 to 65535")
            raise RuntimeError(f"port {port}: {why}; without --port a free one is found") from None
        suffix = "" if self.server_port == 80 else f":{self.server_port}"  # as browsers write it
        self.hosts: set[str] = {f"{host}{suffix}" for host in ("127.0.0.1", "localhost")}
        self.address: str = f"http://127.0.0.1:{self.server_port}/"
        self.files: dict[str, str] = {name: resource(name, __package__) for name in FILES} | {
            "": page()
        }

    def handle_error(self, *_: object) -> None:
        """Nothing, where a browser has gone: the terminal is the reader's."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = 20  # seconds, for a question to arrive

    def do_GET(self) -> None:
        name = urlsplit(self.path).path.removeprefix("/")
        if not self._is_from_here():
            return
        if name in self.server.files:
            self._send(self.server.files[name], TYPES[name.rpartition(".")[2] or "html"])
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length") or ""
        if not self._is_from_here():
            return
        if self.path == "/answer" and length.isdecimal() and int(length) <= MAX_BYTES:
            self._send(answer(self.rfile.read(int(length))), "application/json")
        else:
            self.send_error(400, f"a question has at most {MAX_BYTES:,} bytes")

    def _is_from_here(self) -> bool:
        host, origin = self.headers.get("Host"), self.headers.get("Origin")
        if host in self.server.hosts and origin in (None, f"http://{host}"):
            return True
        self.send_error(403, "the playground answers pages of this machine alone")
        return False

    def _send(self, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", f"{len(body)}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the terminal is the reader's."""


def play(port: int = 0, *, opens: bool = True) -> None:
    """Serve the playground until Ctrl-C, and open it in a browser."""
    with Server(port) as server:
        print(f"the playground is at {server.address}; Ctrl-C ends it", flush=True)
        if opens:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
