"""A web server on the loopback that misbehaves on request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers as the next of `server.scripts` for this path or of `server.script` says, else properly."""

    server: Server
    left: int | None = None
    """Bytes that may still be sent before the connection is cut; None: all."""
    counted = False
    """Whether this is one of the server's answers under way."""

    def do_GET(self) -> None:
        self.server.asked.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
        script = self.server.scripts.get(self.path) or self.server.script
        answer = script.pop(0) if script else proper
        with self.server.counting:
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)
            self.server.counting.notify_all()
        self.counted = True
        answer(self)
        self.is_over()

    def is_over(self) -> None:
        """Count this answer no more: before its last bytes, after which the client may be back at once."""
        if self.counted:
            self.counted = False
            with self.server.counting:
                self.server.now -= 1

    @property
    def body(self) -> bytes:
        """What is under the asked path."""
        return self.server.files.get(self.path, self.server.body)

    def say(self, status: int, body: bytes = b"", send: int | None = None, **headers: str | None) -> None:
        """A response with the first `send` bytes of `body`, at the server's pace; a header that is None is left out."""
        sent = {"Content_Length": str(len(body)), "ETag": self.server.etag, **headers}
        self.send_response(status)
        for name, value in sent.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        body = body[: self.left if send is None else send]
        step = self.server.bytes_a_second // 50 or len(body) or 1
        for first in range(0, len(body), step):
            if self.server.bytes_a_second:
                time.sleep(0.02)
            if first + step >= len(body):
                self.is_over()
            try:
                self.wfile.write(body[first : first + step])
            except OSError:  # the client was killed
                return
            self.server.sent += len(body[first : first + step])

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """A file server.

    body, etag: what it serves under every path. files: what it serves, by path; where given, there is nothing else.
    script, scripts: answers to come, for any path and by path.
    asked: the headers of each request, and its path. sent: bytes of all bodies. bytes_a_second: 0 for at once.
    most: requests that it has answered at one time.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = b""
        self.etag: str | None = '"one"'
        self.files: dict[str, bytes] = {}
        self.script: list[Answer] = []
        self.scripts: dict[str, list[Answer]] = {}
        self.bytes_a_second = self.sent = 0
        self.counting = Condition()
        self.now = self.most = 0
        self.asked: list[dict[str, str]] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def ranges(self) -> list[str | None]:
        """The Range header of each request."""
        return [asked.get("range") for asked in self.asked]


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def proper(handler: Handler) -> None:
    """RFC 9110: the asked range while the file is the one that it was asked of, else all of it."""
    body, asked = handler.body, handler.headers
    if handler.server.files and handler.path not in handler.server.files:
        handler.say(404, b"no")
    elif "Range" in asked and asked.get("If-Range", handler.server.etag) == handler.server.etag:
        first = int(asked["Range"].removeprefix("bytes=").removesuffix("-"))
        if first >= len(body):
            handler.say(416, Content_Range=f"bytes */{len(body)}")
        else:
            handler.say(206, body[first:], Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}")
    else:
        handler.say(200, body)


def whole(handler: Handler) -> None:
    """All of the file, whatever was asked."""
    handler.say(200, handler.body)


def cut(after: int) -> Answer:
    """Close the connection after so many bytes of what `proper` would send."""

    def answer(handler: Handler) -> None:
        handler.left = after
        proper(handler)

    return answer


def status(code: int, **headers: str) -> Answer:
    return lambda handler: handler.say(code, b"no", None, **headers)


def stall(seconds: float) -> Answer:
    """Promise the file, and send nothing of it for so long."""

    def answer(handler: Handler) -> None:
        handler.say(200, handler.body, send=0)
        time.sleep(seconds)

    return answer


def together(count: int) -> Answer:
    """As `proper`, once so many requests have been answered at one time."""

    def answer(handler: Handler) -> None:
        server = handler.server
        with server.counting:
            server.counting.wait_for(lambda: server.most >= count, timeout=30)
        proper(handler)

    return answer


def slow(chunk: int, seconds: float, after: int = 0) -> Answer:
    """The asked bytes: `after` of them at once, then a chunk every so many seconds, until the client goes."""

    def answer(handler: Handler) -> None:
        body = handler.body
        handler.say(200, body, send=after)
        for first in range(after, len(body), chunk):
            time.sleep(seconds)
            try:
                handler.wfile.write(body[first : first + chunk])
            except OSError:
                return

    return answer
