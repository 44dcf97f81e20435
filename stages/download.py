"""Beam. Get the files of one source, whole and checked, with a manifest of url, bytes and sha256.

Reads   the web, a mirror, a path or an installed package     params: download.<source>
Writes  data/download/<source>, metrics/download/<source>.json

A source is a list, each entry of it one of

  {url: U}                   a file, a local folder of files, or a tar of files (U ends in .tar, .tar.gz, ...)
  {manifest: U}              a list of files, one JSON object a line: url; where known title, sha256, licence, name.
                             What is gone for good (HTTP 403, 404, 410) goes into missing.jsonl
  {wiki: enwiki, date: D}    the dump of a Wikipedia of that date: its parts and their indexes

Entries of books and text but a {wiki: ...} may say how their files are read, and so may a line of a list:

  encoding: cp1251           Python's name of it, where a file is not in UTF-8, has no byte order mark, and is not in
                             Windows-1252. What makes no sense in this is left out, and listed in errors.jsonl
  format: bert               of a text: lines (a document a line), jsonl (a JSON object a line: text; where known id,
                             title, url), bert (as BERT's own code reads it: a sentence a line, an empty line between
                             documents). Without it, JSON lines are recognised, and all else is `lines`

U is https://, http://, file://, a path, or package://<distribution>/<path in it>. With `sha256` the file is checked;
`name` is another name or a sub-folder; with fewer than `minimum` files the stage fails. `licence` is what model cards
say of it.
A source that is null or [] gives a folder that holds only a manifest saying so.

Killed, it goes on where it was. How it asks (contact, connections, mirrors, retries) stands under `download:` too.

Examples:
  dvc exp run -S 'download.text=[{url: "~/texts"}]' download@text
  python -m stages.download --source text --out data/download/text --metrics metrics/download/text.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.download.settings import AnySource, DownloadSettings, check_reading
from bert.pipeline import manifest
from bert.pipeline.job import job, parser, run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--source", required=True, help="key under `download:` in params.yaml")
    p.add_argument("--out", type=Path, required=True, help="folder for the files, manifest.json and missing.jsonl")
    p.add_argument("--metrics", type=Path, required=True, help="files, bytes, and what was dropped, by reason")
    args = p.parse_args(argv)
    machine = machine_settings()
    sources = section(list[AnySource] | None, f"download.{args.source}") or []
    check_reading(args.source, sources)
    settings = section(DownloadSettings, "download")
    with job(f"download@{args.source}", "stages.download", {"sources": sources}, [], args.metrics) as work:
        result = work.folder / "result"
        if sources:
            # Here, since importing Beam takes longer than all that is done without it.
            from bert.beam.run import Workplace
            from bert.download.lanes import download
            from bert.watch.downloads import watch_download

            place = Workplace(work.folder, machine.work, machine.beam_options, watch_download)
            work.metrics |= download(sources, settings, place, result)
        else:
            manifest.write_unconfigured(result)
            work.metrics |= {"files": 0, "bytes": 0, "dropped": {}}
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
