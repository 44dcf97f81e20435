"""Beam. Get the files of one source, whole and checked, with a manifest of url, bytes and sha256.

Reads   the web, a mirror, a path or an installed package     params: download.<source>
Writes  data/download/<source>, metrics/download/<source>.json

A source that is null or [] gives a folder that holds only a manifest saying so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.download.lanes import download
from bert.download.settings import DownloadSettings, Source
from bert.pipeline.params import section
from bert.pipeline.stage import job, parser, run


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--source", required=True, help="key under `download:` in params.yaml")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    p.add_argument("--provenance", type=Path, required=True)
    args = p.parse_args(argv)
    sources = section(list[Source] | None, f"download.{args.source}") or []
    settings = section(DownloadSettings, "download")
    with job(
        f"download@{args.source}", {"sources": sources}, [], args.metrics, args.provenance, code="stages.download"
    ) as work:
        result = work.folder / "result"
        work.metrics |= download(sources, settings, work.folder, result)
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
