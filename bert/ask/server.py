"""A small page for asking about a text, and the one endpoint behind it; for oneself, not for the open network.

GET  /                the page, alone: it loads nothing else. /?question=... asks at once
POST /answer          {"context": text, "question": text, "all": false} as application/json -> the fields of a
                      Reply (bert/tasks/squad/asking.py); places count characters of the text, from 0.
                      all: reads every window of the text, and not only those most like the question

What is refused has a status of 400 or more and {"error": why}.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from bert.pipeline.errors import StageError
from bert.pipeline.pages import render_page
from bert.tasks.squad.asking import Asker

log = logging.getLogger(__name__)

# Of a request. A text of 200,000 characters takes 1.2 MB at most.
MOST_BYTES = 4_000_000
# Read of a longer one before it is refused: a browser shows no answer that comes while it still sends.
MOST_SKIPPED = 16 * MOST_BYTES
# So long a client may be silent.
SECONDS = 30
# And after its answer, while it still sends.
SECONDS_AFTER = 2
# The page is one file, and whatever the text says, nothing else is loaded or run.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class _Refused(Exception):
    """A request that gets a status and a reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Stopping(Exception):
    """The server ends, and with it the answer that is being computed."""


class AskServer(ThreadingHTTPServer):
    """Answers with one model, a question at a time."""

    daemon_threads = True

    def __init__(
        self, asker: Asker, model: str, *, host: str, port: int, windows: int | None, n_best: int, document: str = ""
    ) -> None:
        """Bind, so that connections wait; `serve_forever` answers them.

        Args:
            model: its name, for people.
            port: 0 takes any that is free.
            windows: that are read of a text for a question; None reads all.
            document: the text that the page begins with.

        Raises:
            StageError: nobody can listen there.
        """
        self._asker, self._windows, self._n_best = asker, windows, n_best
        self._asking, self._stopping = threading.Lock(), threading.Event()
        self._only_here = is_loopback(host)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StageError(
                f"cannot listen at {host}, port {port}: {reason}", run="the same with another --host, or --port 0"
            ) from None
        page = render_page("bert.ask", model=model, document=document, most_bytes=MOST_BYTES, windows=windows)
        self.page = page.encode("utf-8", errors="replace")

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        host, port = self.server_address[:2]
        name = str(host)
        return f"http://{f'[{name}]' if ':' in name else name}:{port}/"

    def stop(self) -> None:
        """End `serve_forever`, from any thread or signal handler. What is being computed ends at its next batch."""
        self._stopping.set()
        # `shutdown` waits for the loop, which may be what the handler has interrupted.
        threading.Thread(target=self.shutdown).start()

    def server_close(self) -> None:
        """Free the port, and wait for the model to be at rest: a process must not end amid a computation."""
        super().server_close()
        self._stopping.set()
        with self._asking:
            pass

    def accepts(self, host: str) -> bool:
        """Whether a request that names this host is meant for us.

        On the loopback it has to name that: a page from elsewhere whose name was turned to 127.0.0.1 (DNS rebinding)
        could read the document otherwise.
        """
        try:
            return not self._only_here or is_loopback(urlsplit(f"//{host}").hostname or "")
        except ValueError:
            return False

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """What POST /answer gives."""
        for name, kind in (("context", str), ("question", str), ("all", bool)):
            if name in request and not isinstance(request[name], kind):
                raise _Refused(
                    HTTPStatus.BAD_REQUEST, f"{name!r}: expected {kind.__name__}, got {type(request[name]).__name__}"
                )
        for name in ("context", "question"):
            if name not in request:
                raise _Refused(HTTPStatus.BAD_REQUEST, f"expected a {name!r}, got {', '.join(request) or 'nothing'}")
        if unknown := [name for name in request if name not in ("context", "question", "all")]:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"expected 'context', 'question' and 'all', got {unknown[0]!r}")
        windows = None if request.get("all", False) else self._windows
        with self._asking:
            (reply,) = self._asker.ask(
                request["context"], [request["question"]], windows=windows, progress=self._go_on_or_stop
            )
        return reply.as_json(self._n_best)

    def shutdown_request(self, request: Any) -> None:
        """End a connection once the client has, or has sent a request's size more, or is silent.

        Of what was refused before all of it was read, bytes are still to come: closed at once, the connection would be
        reset, and the client often see that and no answer.
        """
        try:
            request.shutdown(socket.SHUT_WR)
            request.settimeout(SECONDS_AFTER)
            left = MOST_BYTES
            while left > 0 and (read := len(request.recv(1 << 16))):
                left -= read
        except OSError:
            pass  # the client is gone
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Of a connection that broke: whoever had asked is gone."""
        log.debug("%s: connection lost", client_address, exc_info=True)

    def _go_on_or_stop(self, done: int, total: int) -> None:
        if self._stopping.is_set():
            raise _Stopping


class _Handler(BaseHTTPRequestHandler):
    server: AskServer
    timeout = SECONDS
    server_version = "ask"
    sys_version = ""

    def do_GET(self) -> None:
        if not self._is_meant_for_us():
            return
        if self.path.partition("?")[0] != "/":
            self._say(HTTPStatus.NOT_FOUND, {"error": f"nothing at {self.path}: the page is at /"})
            return
        self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page)

    def do_POST(self) -> None:
        if not self._is_meant_for_us():
            return
        try:
            self._say(HTTPStatus.OK, self.server.answer(self._request()))
        except _Refused as refused:
            self._say(refused.status, {"error": str(refused)})
        except _Stopping:
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "the server is ending"})
        except StageError as error:
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error)})
        except (ConnectionError, TimeoutError):
            raise  # nobody is there to tell
        except Exception:
            log.exception("a question could not be answered")
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "a fault of the server; its log says more"})

    def _is_meant_for_us(self) -> bool:
        host = self.headers.get("Host", "")
        if self.server.accepts(host):
            return True
        self._say(HTTPStatus.MISDIRECTED_REQUEST, {"error": f"expected the loopback as Host, got {host!r}"})
        return False

    def _request(self) -> dict[str, Any]:
        """The JSON object that was sent."""
        said = self.headers.get("Content-Length")
        if said is None:
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "expected a Content-Length")
        if not (said.isascii() and said.isdigit() and len(said) < 20):
            raise _Refused(HTTPStatus.BAD_REQUEST, f"Content-Length: expected a number of bytes, got {said!r}")
        length = int(said)
        if length > MOST_BYTES:
            left = min(length, MOST_SKIPPED)
            while left and (read := len(self.rfile.read(min(left, 1 << 16)))):
                left -= read
            raise _Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected at most {MOST_BYTES:,} bytes, got {length:,}"
            )
        body = self.rfile.read(length)
        if self.path != "/answer":
            raise _Refused(HTTPStatus.NOT_FOUND, f"nothing at {self.path}: questions go to /answer")
        # A form of another site can send text, but not this type.
        if (kind := self.headers.get_content_type()) != "application/json":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"expected application/json, got {kind}")
        try:
            request = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"expected JSON: {error}") from None
        if not isinstance(request, dict):
            raise _Refused(HTTPStatus.BAD_REQUEST, f"expected a JSON object, got {type(request).__name__}")
        return request

    def _say(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(content).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        log.debug("%s %s", self.address_string(), format % args)
