"""bert/download/http.py against a real server on the loopback."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from bert.download.coding import CHUNK
from bert.download.http import TRANSIENT, Missing, encoding_of, fetch, user_agent
from bert.download.settings import DownloadSettings
from bert.pipeline.errors import StageError
from tests.download.server import Handler, Server, cut, slow, stall, status, whole


class Download:
    """`fetch` of the server's file, with the waits between tries noted and not waited."""

    def __init__(self, server: Server, part: Path, settings: DownloadSettings) -> None:
        self.server, self.part, self.settings = server, part, settings
        self.waits: list[float] = []

    def __call__(self, **changed: float) -> bytes:
        settings = self.settings.model_copy(update=changed)
        fetch(f"{self.server.base}/file", self.part, settings, sleep=self.waits.append)
        return self.part.read_bytes()

    def leave(self, body: bytes, validator: str | None = '"one"') -> None:
        """What a killed download of a file with this ETag has left."""
        self.part.write_bytes(body)
        self.part.with_name("file.json").write_text(json.dumps({"url": "", "validator": validator}))


@pytest.fixture
def download(server: Server, tmp_path: Path, settings: DownloadSettings) -> Download:
    return Download(server, tmp_path / "file", settings)


def test_a_file_comes_whole(server: Server, download: Download) -> None:
    assert download() == server.body
    assert server.ranges == [None]
    assert download.waits == []


def test_a_cut_connection_is_resumed_by_range(server: Server, download: Download) -> None:
    server.script = [cut(after=200_000)]
    assert download() == server.body
    assert server.asked[1]["if-range"] == '"one"'
    first = int(server.asked[1]["range"].removeprefix("bytes=").removesuffix("-"))
    assert 200_000 - CHUNK < first <= 200_000  # no more than a chunk is fetched twice


def test_a_resume_asks_for_what_the_killed_run_lacks(server: Server, download: Download) -> None:
    download.leave(server.body[:1234])
    assert download() == server.body
    assert server.ranges == ["bytes=1234-"]


def test_a_changed_etag_starts_over(server: Server, download: Download) -> None:
    download.leave(b"x" * 1000, validator='"old"')
    assert download() == server.body
    assert server.asked[0]["if-range"] == '"old"'


def test_a_changed_etag_starts_over_on_a_server_that_ignores_if_range(server: Server, download: Download) -> None:
    def careless(handler: Handler) -> None:
        handler.say(206, server.body[1000:], Content_Range=f"bytes 1000-{len(server.body) - 1}/{len(server.body)}")

    server.script = [careless]
    download.leave(b"x" * 1000, validator='"old"')
    assert download() == server.body
    assert server.ranges == ["bytes=1000-", None]


def test_a_kill_while_starting_over_leaves_nothing_of_the_old_file(server: Server, download: Download) -> None:
    download.leave(b"x" * 250_000, validator='"old"')
    server.script = [cut(after=0)]
    with pytest.raises(StageError):
        download(retries=0)
    assert download.part.read_bytes() == b""
    assert json.loads(download.part.with_name("file.json").read_text())["validator"] == '"one"'


def test_the_whole_file_in_answer_to_a_range_replaces_what_had_come(server: Server, download: Download) -> None:
    server.script = [whole]
    download.leave(b"x" * 1000)
    assert download() == server.body


def test_an_answer_for_another_range_starts_over(server: Server, download: Download) -> None:
    server.script = [lambda handler: handler.say(206, server.body[5:], Content_Range="bytes 5-9/10")]
    download.leave(server.body[:1000])
    assert download() == server.body
    assert server.ranges == ["bytes=1000-", None]


def test_a_server_that_sends_less_than_asked_is_asked_for_the_rest(server: Server, download: Download) -> None:
    total = len(server.body)
    server.script = [lambda handler: handler.say(206, server.body[1000:5000], Content_Range=f"bytes 1000-4999/{total}")]
    download.leave(server.body[:1000])
    assert download() == server.body
    assert server.ranges == ["bytes=1000-", "bytes=5000-"]


def test_a_refused_range_starts_over(server: Server, download: Download) -> None:
    download.leave(server.body + b"more than there is")
    assert download() == server.body
    assert server.ranges == [f"bytes={len(server.body) + 18}-", None]


def test_a_run_killed_after_the_last_byte_fetches_nothing_twice(server: Server, download: Download) -> None:
    download.leave(server.body)
    assert download() == server.body
    assert server.ranges == [f"bytes={len(server.body)}-"]


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_etag_or_a_date_nothing_is_resumed(
    server: Server, download: Download, etag: str | None
) -> None:
    server.etag = etag
    server.script = [cut(after=200_000)]
    assert download() == server.body
    assert server.ranges == [None, None]


def test_a_date_makes_a_resume_safe_too(server: Server, download: Download) -> None:
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    server.etag = None
    server.script = [lambda handler: handler.say(200, server.body, send=200_000, Last_Modified=date)]
    assert download() == server.body
    assert server.asked[1]["if-range"] == date


@pytest.mark.parametrize("state", ['{"url": "h', "[]", "{}"])
def test_a_state_that_was_cut_short_is_not_trusted(server: Server, download: Download, state: str) -> None:
    download.leave(b"x" * 1000)
    download.part.with_name("file.json").write_text(state)
    assert download() == server.body
    assert server.ranges == [None]


@pytest.mark.parametrize("code", sorted(TRANSIENT))
def test_a_passing_failure_is_tried_again(server: Server, download: Download, code: int) -> None:
    server.script = [status(code)]
    assert download() == server.body
    assert len(download.waits) == 1 and 0.5 <= download.waits[0] <= 1.0


def test_retry_after_in_seconds_is_honoured(server: Server, download: Download) -> None:
    server.script = [status(429, Retry_After="17"), status(503, Retry_After="0")]
    assert download() == server.body
    assert download.waits == [17.0, 0.0]


def test_retry_after_as_a_date_is_honoured(server: Server, download: Download) -> None:
    now = datetime.now(UTC)
    soon, past = (format_datetime(now + timedelta(seconds=s), usegmt=True) for s in (40, -40))
    server.script = [status(503, Retry_After=soon), status(503, Retry_After=past)]
    assert download() == server.body
    assert 30 < download.waits[0] <= 40 and download.waits[1] == 0.0


def test_a_retry_after_that_cannot_be_read_is_no_retry_after(server: Server, download: Download) -> None:
    server.script = [status(503, Retry_After="tomorrow")]
    assert download() == server.body
    assert 0.5 <= download.waits[0] <= 1.0


def test_waits_grow(server: Server, download: Download) -> None:
    server.script = [status(500)] * 3
    assert download(retries=3) == server.body
    assert [0.5 <= w / n <= 1 for w, n in zip(download.waits, (1, 2, 4), strict=True)] == [True] * 3


def test_a_pause_beyond_an_hour_is_left_to_the_user_and_never_cut_short(server: Server, download: Download) -> None:
    server.script = [status(503, Retry_After="3600"), status(503, Retry_After="86400")]
    with pytest.raises(StageError, match=r"HTTP 503 .* not to be asked again for 86400 s"):
        download()
    assert download.waits == [3600.0]


@pytest.mark.parametrize(("code", "reason"), [(403, "Forbidden"), (404, "Not Found"), (410, "Gone")])
def test_what_is_gone_for_good_is_told_at_once(server: Server, download: Download, code: int, reason: str) -> None:
    server.script = [status(code)]
    with pytest.raises(Missing) as caught:
        download()
    assert (caught.value.status, caught.value.reason) == (code, f"HTTP {code} {reason}")
    assert f"{server.base}/file: HTTP {code} {reason}" in str(caught.value.as_error())
    assert len(server.asked) == 1 and download.waits == []


@pytest.mark.parametrize("code", [400, 401, 418])
def test_another_refusal_is_an_error_at_once(server: Server, download: Download, code: int) -> None:
    server.script = [status(code)]
    with pytest.raises(StageError, match=rf"/file: HTTP {code} ") as caught:
        download()
    assert caught.value.run and "params.yaml" in caught.value.run
    assert len(server.asked) == 1 and download.waits == []


def test_a_full_disk_is_told_and_what_has_come_is_kept(server: Server, download: Download) -> None:
    """/dev/full takes no byte, as a full disk does."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    download.part.symlink_to("/dev/full")
    with pytest.raises(StageError, match=r"/file \(from .*/file\): No space left on device") as caught:
        download()
    assert "make room" in str(caught.value.run)
    assert download.part.exists() and download.waits == []


def test_exhausted_retries_name_url_and_last_reason(server: Server, download: Download) -> None:
    server.script = [status(503), status(502), status(500), status(200)]
    with pytest.raises(StageError, match=r"/file: HTTP 500 .* \(after 2 retries\)"):
        download()
    assert len(server.asked) == 3


def test_new_bytes_between_failures_reset_the_count(server: Server, download: Download) -> None:
    server.script = [cut(after=70_000)] * 4
    assert download(retries=1) == server.body
    assert len(server.asked) == 5


def test_a_content_length_that_is_never_reached_is_an_error(server: Server, download: Download) -> None:
    server.script = [lambda handler: handler.say(200, b"x" * 100, send=60, ETag=None)] * 3
    with pytest.raises(StageError, match="60 of 100 bytes"):
        download()


def test_a_server_that_stalls_is_timed_out_and_asked_again(server: Server, download: Download) -> None:
    server.script = [stall(seconds=30.0)]
    assert download(timeout_seconds=2.0) == server.body
    assert len(server.asked) == 2


def test_a_slow_server_is_not_timed_out(server: Server, download: Download) -> None:
    server.script = [slow(chunk=10_000, seconds=0.1)]  # 3 s in all
    assert download(timeout_seconds=2.0) == server.body
    assert len(server.asked) == 1


def test_nobody_at_the_port_is_a_passing_failure(server: Server, download: Download) -> None:
    server.server_close()
    with pytest.raises(StageError, match=r"ConnectionError.*\(after 2 retries\)"):
        download()
    assert len(download.waits) == 2


def test_a_redirect_is_followed(server: Server, download: Download) -> None:
    server.script = [status(302, Location="/elsewhere")]
    assert download() == server.body
    assert [asked["path"] for asked in server.asked] == ["/file", "/elsewhere"]


def test_redirects_in_a_circle_are_an_error(server: Server, download: Download) -> None:
    server.script = [status(302, Location="/file")] * 40
    with pytest.raises(StageError, match="/file: TooManyRedirects"):
        download()


def test_no_packing_is_asked_for_and_what_came_is_kept_with_its_name(server: Server, download: Download) -> None:
    server.script = [lambda handler: handler.say(200, b"\x1f\x8b", Content_Encoding="gzip")]
    assert download() == b"\x1f\x8b"
    assert encoding_of(download.part) == "gzip"
    assert server.asked[0]["accept-encoding"] == "identity"


def packed_rest(handler: Handler) -> None:
    first = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    last = len(handler.body) - 1
    handler.say(206, handler.body[first:], Content_Range=f"bytes {first}-{last}/{last + 1}", Content_Encoding="gzip")


def test_a_rest_that_is_packed_otherwise_is_not_put_behind_what_has_come(server: Server, download: Download) -> None:
    server.script = [cut(after=200_000), packed_rest]
    assert download() == server.body
    assert len(server.asked) == 3 and server.ranges[2] is None


def test_the_user_agent_carries_the_contact(server: Server, download: Download) -> None:
    download.settings = download.settings.model_copy(update={"contact": "someone@example.org"})
    download()
    assert server.asked[0]["user-agent"] == "reproducible-bert/0.1 (someone@example.org)"


@pytest.mark.parametrize("contact", [None, ""])
def test_another_machine_is_not_asked_without_a_contact(contact: str | None) -> None:
    with pytest.raises(StageError, match=r"download\.contact"):
        user_agent("https://dumps.example.org/a.bz2", contact)


@pytest.mark.parametrize("contact", ["", "two\nlines", "Ünal"])
def test_a_contact_that_a_header_cannot_carry_is_refused(contact: str) -> None:
    with pytest.raises(ValueError, match="contact"):
        DownloadSettings(contact=contact, connections=1, retries=1, timeout_seconds=1, dumps="http://a", mirrors=[])
