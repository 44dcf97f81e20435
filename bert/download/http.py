"""One file over HTTP: resumed by Range, retried with back-off after failures that may pass."""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3

from bert.download.coding import CHUNK, codings, opened, readings
from bert.download.settings import DownloadSettings
from bert.pipeline.errors import StageError, disk_full_as_error
from bert.pipeline.files import write_json

log = logging.getLogger(__name__)

# Statuses of HTTP: worth another try later, and those of a file that is gone for good.
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
PERMANENT = frozenset({403, 404, 410})
LONGEST_WAIT_SECONDS = 3600.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class _Transient(Exception):
    """A failure that may pass; `wait` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class Missing(Exception):
    """The server says that we cannot have the file, now or later: one of the statuses in PERMANENT.

    status: the number. reason: `HTTP 404 Not Found`, for a message.
    """

    def __init__(self, url: str, status: int, reason: str) -> None:
        super().__init__(url, status, reason)
        self.url, self.status, self.reason = url, status, reason

    def as_error(self) -> StageError:
        """For those to whom the file is not optional."""
        return _refuse(self.url, self.reason)


def user_agent(url: str, contact: str | None) -> str:
    """`reproducible-bert/0.1 (contact)`. Servers such as Wikimedia's block clients that do not say who runs them.

    Raises:
        StageError: no contact for a host other than this one.
    """
    if not contact and urlsplit(url).hostname not in LOOPBACK:
        raise StageError(
            f"download.contact is null but {url} is on another machine: Wikimedia's User-Agent policy, and that of "
            "other public servers, blocks downloaders that do not say who runs them (the name of this project alone "
            "would put all its users under one limit)",
            run="dvc repro after setting download.contact in params.yaml to your e-mail address or home page",
        )
    return f"reproducible-bert/0.1 ({contact or 'loopback'})"


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait by the Retry-After header (RFC 9110, 10.2.3: a number, or a date)."""
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _validator(response: requests.Response) -> str | None:
    """The value for If-Range: a strong ETag, else the date of the last change."""
    etag = response.headers.get("ETag")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")


def _known(state_file: Path, key: str) -> str | None:
    """What is known of the bytes that have come: of their validator None where nothing proves what they are of."""
    try:
        return json.loads(state_file.read_text())[key]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _refuse(url: str, reason: str) -> StageError:
    return StageError(
        f"{url}: {reason}", run="correct the url in params.yaml, or set its source to null or [], then dvc repro"
    )


def _attempt(url: str, part: Path, headers: dict[str, str], timeout: float) -> None:
    """Fetch what `part` still lacks. Raises _Transient, Missing or StageError."""
    state_file = state_of(part)
    validator, known = _known(state_file, "validator"), encoding_of(part)
    have = part.stat().st_size if part.exists() and validator is not None else 0
    ranged = {"Range": f"bytes={have}-", "If-Range": validator} if have and validator else {}
    total: int | None = None
    try:
        with requests.get(url, headers={**headers, **ranged}, stream=True, timeout=timeout) as response:
            status, reason = response.status_code, f"HTTP {response.status_code} {response.reason}"
            content_range = response.headers.get("Content-Range", "")
            if status in TRANSIENT:
                raise _Transient(reason, _retry_after(response))
            if status == 416 and ranged:
                if content_range == f"bytes */{have}":
                    return  # killed after the last byte
                part.unlink()
                raise _Transient("the server refused the range: starting over", 0.0)
            if status in PERMANENT:
                raise Missing(url, status, reason)
            if status not in (200, 206):
                raise _refuse(url, reason)
            encoding = response.headers.get("Content-Encoding", "")
            if status == 206:
                sent = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", content_range)
                # A server may know Range and not If-Range.
                other = _validator(response) not in (None, validator) or codings(encoding) != codings(known)
                if sent is None or int(sent[1]) != have or other:
                    part.unlink(missing_ok=True)
                    raise _Transient(f"asked for bytes from {have}, got {content_range!r}: starting over", 0.0)
                total = int(sent[2]) + 1 if sent[3] == "*" else int(sent[3])
            else:
                have = 0
                length = response.headers.get("Content-Length")
                total = int(length) if length is not None else None
                part.write_bytes(b"")  # first: bytes of the old file must never lie beside the new validator
                write_json(
                    state_file, {"url": url, "validator": _validator(response), "bytes": total, "encoding": encoding}
                )
            with open(part, "ab") as f:
                for chunk in response.raw.stream(CHUNK, decode_content=False):
                    f.write(chunk)
                    have += len(chunk)
    except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
        if total is None or have != total:
            came = f" after {have} of {total} bytes" if total is not None else ""
            raise _Transient(f"{type(error).__name__}{came}: {error}") from None
    except requests.RequestException as error:
        raise _refuse(url, f"{type(error).__name__}: {error}") from None
    if total is not None and have != total:
        raise _Transient(f"connection ended after {have} of {total} bytes")


def state_of(part: Path) -> Path:
    """Beside a file that is coming: its url, the ETag or date that makes a resume safe, its size, Content-Encoding."""
    return part.with_name(part.name + ".json")


def encoding_of(part: Path) -> str:
    """The Content-Encoding of a file that has come, or is coming; empty where its server named none."""
    return _known(state_of(part), "encoding") or ""


def fetch(url: str, part: Path, settings: DownloadSettings, sleep: Callable[[float], None] = time.sleep) -> None:
    """Bring `url` whole into the file `part`, going on from what is in it; packed, if it came so: see `encoding_of`.

    `part` and its state survive a kill, and a full disk.

    Raises:
        Missing: 403, 404 or 410.
        StageError: another final status; `retries` passing failures in a row without a single new byte between; the
            server asks for a longer pause than LONGEST_WAIT_SECONDS; or the disk is full.
    """
    headers = {"User-Agent": user_agent(url, settings.contact), "Accept-Encoding": "identity"}
    part.parent.mkdir(parents=True, exist_ok=True)
    later = "dvc repro later: it goes on from what has come"
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            with disk_full_as_error(f"{part} (from {url})"):
                _attempt(url, part, headers, settings.timeout_seconds)
            return
        except _Transient as failure:
            grown = (part.stat().st_size if part.exists() else 0) > before
            failures = 1 if grown else failures + 1
            if failures > settings.retries:
                raise StageError(f"{url}: {failure} (after {settings.retries} retries)", run=later) from None
            if failure.wait is not None and failure.wait > LONGEST_WAIT_SECONDS:
                pause = f"not to be asked again for {failure.wait:.0f} s"
                raise StageError(f"{url}: {failure}; {pause}", run=later) from None
            backing_off = min(60.0, 2.0 ** (failures - 1)) * random.uniform(0.5, 1.0)
            wait = backing_off if failure.wait is None else failure.wait
            log.info("%s: %s; again in %.1f s", url, failure, wait)
            sleep(wait)


def fetch_small(url: str, folder: Path, settings: DownloadSettings) -> bytes:
    """The bytes of a list that is read once and not kept. Raises as `fetch`."""
    part = folder / "list"
    part.unlink(missing_ok=True)
    fetch(url, part, settings)
    return b"".join(opened(part, url, readings(part, url, encoding_of(part))[0]))
