"""One file over HTTP: resumed by Range, retried with back-off, told apart what may pass and what is final."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import requests

from bert.download.settings import DownloadSettings
from bert.pipeline.errors import StageError

log = logging.getLogger(__name__)

CHUNK = 1 << 20
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_WAIT_SECONDS = 600.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class _Again(Exception):
    """A failure that may pass; `wait` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def user_agent(url: str, contact: str | None) -> str:
    """`reproducible-bert/0.1 (contact)`. Servers such as Wikimedia's block clients that do not say who runs them.

    Raises:
        StageError: no contact for a host other than this one.
    """
    if contact is None and urlsplit(url).hostname not in LOOPBACK:
        raise StageError(
            f"download.contact is null but {url} is on another machine: public servers block downloaders that do not "
            "name their operator, and all users of this project would share one limit",
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
    """What If-Range may carry: a strong ETag, else the date."""
    etag = response.headers.get("ETag")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")


def _attempt(
    url: str, part: Path, headers: dict[str, str], timeout: float, progress: Callable[[int, int], None]
) -> None:
    """Fetch what `part` still lacks. Raises _Again or StageError."""
    state_file = part.with_name(part.name + ".json")
    have = part.stat().st_size if part.exists() else 0
    validator = json.loads(state_file.read_text())["validator"] if state_file.exists() else None
    if have and validator is None:
        have = 0  # nothing proves that the rest would belong to the same file
    ranged = {"Range": f"bytes={have}-", "If-Range": validator} if have else {}
    try:
        with requests.get(url, headers={**headers, **ranged}, stream=True, timeout=timeout) as response:
            if response.status_code in PASSING:
                raise _Again(f"HTTP {response.status_code} {response.reason}", _retry_after(response))
            if response.status_code == 416:
                part.unlink()
                raise _Again("the server refused the range: starting over", 0.0)
            if response.status_code not in (200, 206):
                raise StageError(
                    f"{url}: HTTP {response.status_code} {response.reason}",
                    run="correct the url in params.yaml, or set its source to null or [], then dvc repro",
                )
            if response.status_code == 206:
                first = response.headers.get("Content-Range", "").removeprefix("bytes ").split("-")[0]
                if first != str(have):
                    part.unlink()
                    raise _Again(f"asked for bytes from {have}, got from {first}: starting over", 0.0)
            else:
                have = 0
            length = response.headers.get("Content-Length")
            total = have + int(length) if length is not None else None
            state_file.write_text(json.dumps({"url": url, "validator": _validator(response)}))
            with open(part, "ab" if have else "wb") as f:
                for chunk in response.iter_content(CHUNK):
                    f.write(chunk)
                    have += len(chunk)
                    progress(have, total or 0)
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise _Again(f"{type(error).__name__}: {error}") from None
    if total is not None and have != total:
        raise _Again(f"connection ended after {have} of {total} bytes")


def fetch(
    url: str,
    part: Path,
    settings: DownloadSettings,
    progress: Callable[[int, int], None] = lambda have, total: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Bring `url` whole into the file `part`, going on from what is in it.

    `part` and `part` + `.json` (the ETag or date that makes a resume safe) survive a kill.

    Raises:
        StageError: a final status, or `retries` passing failures in a row without a single new byte between.
    """
    headers = {"User-Agent": user_agent(url, settings.contact), "Accept-Encoding": "identity"}
    part.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _attempt(url, part, headers, settings.timeout_seconds, progress)
            return
        except _Again as again:
            grown = (part.stat().st_size if part.exists() else 0) > before
            failures = 1 if grown else failures + 1
            if failures > settings.retries:
                raise StageError(
                    f"{url}: {again} (after {settings.retries} retries)",
                    run="dvc repro later: it goes on from what has come",
                ) from None
            wait = again.wait if again.wait is not None else min(60.0, 2.0 ** (failures - 1)) * random.uniform(0.5, 1.0)
            wait = min(wait, LONGEST_WAIT_SECONDS)
            log.info("%s: %s; again in %.1f s", url, again, wait)
            sleep(wait)
