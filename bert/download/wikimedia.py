"""A dump of one wiki by its date -> the files that Wikimedia lists for it, with their checksums.

`<base>/<wiki>/<date>/dumpstatus.json` says of each job whether it is done, and each file's size and SHA-1. The job
`articlesmultistreamdump` makes the current articles as bz2 streams of a hundred pages, in one part or (large wikis) in
several, each with an index of where its streams start.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from bert.download.http import Missing, fetch_small
from bert.download.settings import DownloadSettings, WikipediaDump
from bert.download.sources import Fetchable
from bert.pipeline.errors import StageError
from bert.pipeline.misfits import misfits

HOME = "https://dumps.wikimedia.org"
JOB = "articlesmultistreamdump"


class _File(BaseModel):
    size: Annotated[int, Field(gt=0)]
    sha1: Annotated[str, Field(pattern="^[0-9a-f]{40}$")]


class _Job(BaseModel):
    status: str
    files: dict[str, _File] = {}


class _Status(BaseModel):
    jobs: dict[str, Any]


def index_of(part: str) -> str:
    """The name of a part's index: `..-multistream1.xml-p1p41242.bz2` -> `..-multistream-index1.txt-p1p41242.bz2`."""
    return part.replace("-multistream", "-multistream-index", 1).replace(".xml", ".txt", 1)


def _no_dump(dump: WikipediaDump, url: str, missing: Missing) -> StageError:
    if missing.status == 403:
        return StageError(
            f"{url}: {missing.reason}: Wikimedia blocks downloaders that ask too much, or whose User-Agent names "
            "nobody who can be reached",
            run="see that download.contact in params.yaml reaches you, then dvc repro",
        )
    return StageError(
        f"{dump.wiki} of {dump.date}: there is no such dump ({missing.reason} for {url}); Wikimedia keeps the last few",
        run=f"set a date that is listed under {url.rsplit('/', 2)[0]}/, then dvc repro",
    )


def _listed(url: str, answer: bytes) -> dict[str, _File]:
    """{name: file} of the job in a dump's status, which came from `url`."""
    later = "dvc repro later; if it stays so, set another date or download.dumps in params.yaml"
    try:
        status = _Status.model_validate_json(answer)
        if JOB not in status.jobs:
            raise StageError(f"{url}: lists no job {JOB}, but {sorted(status.jobs)}", run=later)
        job = _Job.model_validate(status.jobs[JOB])
    except ValidationError as error:
        raise StageError(f"{url}: not the status of a dump: {next(misfits(error)).named()}", run=later) from None
    if job.status != "done":
        raise StageError(
            f"{url}: job {JOB} is {job.status!r}, expected 'done'",
            run="dvc repro when Wikimedia has finished this dump, or set an earlier date",
        )
    return job.files


def dump_files(dump: WikipediaDump, settings: DownloadSettings, scratch: Path) -> list[Fetchable]:
    """The parts of `dump` and their indexes, each to be asked of the mirrors first. Asks `settings.dumps` for the list.

    Raises:
        StageError: there is no such dump, it is not finished, or its list is not to be trusted.
    """
    folder = f"{dump.wiki}/{dump.date}"
    url = f"{settings.dumps.rstrip('/')}/{folder}/dumpstatus.json"
    try:
        answer = fetch_small(url, scratch, settings)
    except Missing as missing:
        raise _no_dump(dump, url, missing) from None
    listed = _listed(url, answer)
    number = r"\d*\.{}(-p\d+p\d+)?\.bz2"
    stem = re.escape(f"{dump.wiki}-{dump.date}-pages-articles-multistream")
    parts = {name for name in listed if re.fullmatch(stem + number.format("xml"), name)}
    indexes = {name for name in listed if re.fullmatch(stem + "-index" + number.format("txt"), name)}
    if strange := sorted(listed.keys() - parts - indexes):
        raise StageError(
            f"{url}: lists {strange[0]!r}, expected parts and indexes named {dump.wiki}-{dump.date}-pages-articles-"
            "multistream...",
            run="set another date, or download.dumps, in params.yaml",
        )
    wanted = {index_of(part) for part in parts}
    if not parts or wanted != indexes:
        raise StageError(
            f"{url}: {len(parts)} parts and {len(indexes)} indexes, expected one for one; without its other half: "
            f"{sorted(wanted ^ indexes)[:3]}",
            run="dvc repro later, or set another date in params.yaml",
        )
    bases = dict.fromkeys(base.rstrip("/") for base in (*settings.mirrors, settings.dumps))
    return [
        Fetchable(
            f"{HOME}/{folder}/{name}",  # whoever serves it
            name,
            addresses=tuple(f"{base}/{folder}/{name}" for base in bases),
            size=file.size,
            sha1=file.sha1,
        )
        for name, file in sorted(listed.items())
    ]
