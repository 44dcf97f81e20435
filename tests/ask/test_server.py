"""bert/ask/server.py: what a client gets, and who is one."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bert.ask.server import MOST_BYTES, MOST_SKIPPED, AskServer, is_loopback
from bert.pipeline.errors import StageError
from bert.tasks.squad.asking import Asker, Reply
from tests.ask.conftest import DOCUMENT, serving

JSON = {"Content-Type": "application/json"}
ASKED = {"context": "😀 the moon", "question": "moon?"}


def send(
    server: AskServer, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    host, port = server.server_address[:2]
    connection = http.client.HTTPConnection(str(host), port, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def post(server: AskServer, request: Any, **headers: str) -> tuple[int, Any]:
    body = request if isinstance(request, bytes | str) else json.dumps(request)
    status, _, said = send(server, "POST", "/answer", body, JSON | headers)
    return status, json.loads(said)


def test_an_answer_is_what_the_model_says(server: AskServer, asker: Asker) -> None:
    for context in (ASKED["context"], DOCUMENT, "\ud800 lone, moon", ""):
        status, reply = post(server, {"context": context, "question": "moon?"})
        (expected,) = asker.ask(context, ["moon?"], windows=4)
        assert status == 200
        assert [a["text"] for a in reply["answers"]] == [a.text for a in expected.answers[:3]]
        assert all(a["text"] == context[a["start"] : a["end"]] for a in reply["answers"])
        assert reply["windows_read"] == expected.windows_read == min(4, expected.windows)
        assert reply["no_answer"] == (context == "")


def test_all_of_a_long_text_is_read_where_that_is_wanted(server: AskServer) -> None:
    _, reply = post(server, {"context": DOCUMENT, "question": "moon?", "all": True})
    assert reply["windows_read"] == reply["windows"] > 4


def test_questions_that_come_together_get_their_own_answers(server: AskServer) -> None:
    requests = [{"context": f"{n} moon {n}", "question": "moon?"} for n in range(1, 5)] * 3
    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda request: post(server, request), requests))
    for request, (status, reply) in zip(requests, replies, strict=True):
        assert status == 200
        assert all(a["text"] == request["context"][a["start"] : a["end"]] for a in reply["answers"])


def test_the_page_is_one_file_that_asks_nobody_else(server: AskServer) -> None:
    status, headers, body = send(server, "GET", "/?question=moon")
    page = body.decode()
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert not re.search(r"https?://|<link(?! rel=\"icon\" href=\"data:,\")|src=|@import|url\(", page)
    # The document is text on it, whatever it says.
    assert "&lt;b&gt;is&lt;/b&gt;" in page and "models/&lt;squad&gt;" in page


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        (b"\xff", 400, "expected JSON"),
        ("{", 400, "expected JSON"),
        ("[" * 100_000, 400, "expected JSON"),
        ([], 400, "expected a JSON object, got list"),
        ({"context": "a"}, 400, "expected a 'question', got context"),
        ({}, 400, "expected a 'context', got nothing"),
        ({"context": 1, "question": "a"}, 400, "'context': expected str, got int"),
        (ASKED | {"all": 1}, 400, "'all': expected bool, got int"),
        (ASKED | {"n": 1}, 400, "expected 'context', 'question' and 'all', got 'n'"),
        (json.dumps({"context": "a" * MOST_BYTES, "question": ""}), 413, "expected at most 4,000,000 bytes, got 4,0"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_question_is_refused(server: AskServer, request_: Any, status: int, error: str) -> None:
    found, said = post(server, request_)
    assert (found, list(said)) == (status, ["error"])
    assert error in said["error"]
    assert post(server, ASKED)[0] == 200


def test_what_is_no_request_is_refused(server: AskServer) -> None:
    body = json.dumps(ASKED)
    assert post(server, ASKED, **{"Content-Length": "x"})[0] == 400
    assert post(server, ASKED, **{"Content-Length": "9" * 30})[0] == 400
    assert send(server, "POST", "/answer", body, {"Content-Type": "text/plain"})[0] == 415
    assert send(server, "POST", "/", body, JSON)[0] == 404
    assert send(server, "GET", "/answer")[0] == 404
    assert send(server, "GET", "/../../etc/passwd")[0] == 404
    assert send(server, "PUT", "/answer", body, JSON)[0] == 501
    assert send(server, "POST", "/answer", iter([body.encode()]), JSON)[0] == 411  # in chunks


def test_who_still_sends_when_it_is_refused_sees_why(server: AskServer) -> None:
    """The rest of the request comes after the answer."""
    for head in ("POST /answer HTTP/1.1\r\nHost: localhost", "PUT /answer HTTP/1.1\r\nContent-Length: 1000000"):
        with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=30) as connection:
            connection.sendall(f"{head}\r\n\r\n".encode())
            status = connection.recv(1)  # it has answered
            for _ in range(100):
                connection.sendall(b"a" * 10_000)
            connection.shutdown(socket.SHUT_WR)
            answer = status + b"".join(iter(lambda: connection.recv(1 << 16), b""))
        assert re.match(rb"HTTP/1.0 (411|501) ", answer), answer[:100]


def test_who_sends_no_end_is_not_listened_to_for_ever(server: AskServer) -> None:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=30) as connection:
        connection.sendall(b"POST /answer HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(ConnectionError):
            for _ in range(100):  # up to 25 times of what is read
                connection.sendall(b"a" * 1_000_000)


def test_more_than_anybody_would_send_is_not_waited_for(server: AskServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    connection.putrequest("POST", "/answer")
    connection.putheader("Content-Length", str(100 * MOST_SKIPPED))
    connection.endheaders()
    sent = 0
    with pytest.raises(ConnectionError):
        while sent < 3 * MOST_SKIPPED:
            connection.send(b"a" * 1_000_000)
            sent += 1_000_000
    connection.close()


def test_another_sites_name_for_this_machine_is_refused(server: AskServer) -> None:
    """DNS rebinding: the browser takes evil.example for its page's own server, and would let it read ours."""
    for name in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "[", ""):
        assert send(server, "GET", "/", headers={"Host": name})[0] == 421
        assert send(server, "POST", "/answer", json.dumps(ASKED), JSON | {"Host": name})[0] == 421
    for name in ("localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80", "[::1]:80"):
        assert send(server, "GET", "/", headers={"Host": name})[0] == 200


def test_what_counts_as_this_machine_alone() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.1", "", "example.org"))


def test_a_server_for_others_takes_their_names_for_it(asker: Asker) -> None:
    with serving(asker, "0.0.0.0") as server:
        assert send(server, "GET", "/", headers={"Host": "machine.example:80"})[0] == 200


def test_ipv6_is_served_where_there_is_any(asker: Asker) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with serving(asker, "::1") as server:
        assert server.address == f"http://[::1]:{server.server_address[1]}/"
        assert send(server, "GET", "/")[0] == 200


@pytest.mark.parametrize(("host", "port"), [("taken", -1), ("127.0.0.1", 70_000), ("192.0.2.1", 0)])
def test_where_nobody_can_listen_is_told(server: AskServer, asker: Asker, host: str, port: int) -> None:
    if host == "taken":
        host, port = "127.0.0.1", server.server_address[1]
    with pytest.raises(StageError, match=rf"cannot listen at {host}, port {port}: "):
        AskServer(asker, "m", host=host, port=port, windows=1, n_best=1)


class Stand:
    """In the place of a model, what no small model does: fail, or take its time."""

    def __init__(self, does: Callable[..., list[Reply]]) -> None:
        self.ask = does


def test_a_fault_of_the_model_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def diverged(*_: Any, **__: Any) -> list[Reply]:
        raise StageError("logits are not finite", run="dvc exp run")

    def broken(*_: Any, **__: Any) -> list[Reply]:
        raise KeyError("secret")

    with serving(Stand(diverged)) as server:
        assert post(server, ASKED) == (500, {"error": "logits are not finite\n  next: dvc exp run"})
    with serving(Stand(broken)) as server:
        assert post(server, ASKED) == (500, {"error": "a fault of the server; its log says more"})
    assert "secret" in caplog.text


def test_the_end_of_the_server_ends_a_long_answer() -> None:
    """The one who asked is told, and the server is not gone before the model rests."""
    begun, ended = threading.Event(), threading.Event()

    def long(*_: Any, progress: Callable[[int, int], None], **__: Any) -> list[Reply]:
        begun.set()
        try:
            while True:
                progress(1, 1_000_000)
        finally:
            ended.set()

    with ThreadPoolExecutor(1) as pool:
        with serving(Stand(long)) as server:
            reply = pool.submit(post, server, ASKED)
            assert begun.wait(20)
        assert ended.is_set()
        assert reply.result(20) == (503, {"error": "the server is ending"})
