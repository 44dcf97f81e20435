r"""Beam. The files of one corpus -> clean documents, one JSON object a line.

Reads   data/download/<corpus>      params: documents
Writes  data/documents/<corpus>, metrics/documents/<corpus>.json

Examples:
  dvc repro documents@text
  python -m stages.documents --corpus text --source data/download/text --out data/documents/text \
    --metrics metrics/documents/text.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.documents.settings import CORPORA, DocumentsSettings
from bert.pipeline import manifest
from bert.pipeline.job import job, parser, run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--corpus", required=True, choices=CORPORA)
    p.add_argument("--source", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    machine = machine_settings()
    settings = section(DocumentsSettings, "documents")
    with job(
        f"documents@{args.corpus}",
        "stages.documents",
        # Whoever finds the errors acceptable and raises the threshold goes on from the finished parts.
        {"documents": settings.model_dump(mode="json", exclude={"max_error_rate"})},
        [args.source],
        args.metrics,
    ) as work:
        result = work.folder / "result"
        if manifest.read(args.source, f"dvc repro download@{args.corpus}")["configured"]:
            # Here, since importing Beam takes longer than all that is done without it.
            from bert.beam.run import Workplace
            from bert.documents.make import make_documents
            from bert.watch.parts import watch_parts

            place = Workplace(work.folder, machine.work, machine.beam_options, watch_parts)
            work.metrics |= make_documents(args.corpus, args.source, settings, place, result)
        else:
            manifest.write_unconfigured(result)
            counted = ("documents", "passages", "words", "characters", "bytes", "files")
            work.metrics |= dict.fromkeys(counted, 0) | {"dropped": {}}
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
