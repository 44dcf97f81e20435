r"""Documents -> a question-answering set (as SQuAD v1.1) and a paraphrase set (as GLUE's MRPC), made by rules.

Reads   data/documents/{wikipedia,books,text}     params: seed, cloze
Writes  data/cloze/{squad,glue}, metrics/cloze.json

The default's stand-in for both benchmarks, so that fine-tuning and evaluation run without a download. Its questions are
cloze questions: the sentence that they were made from stands in the context. Scores are not comparable with the
benchmarks' own.

Examples:
  dvc repro cloze
  python -m stages.cloze --documents data/documents/wikipedia data/documents/text --out data/cloze \
    --metrics metrics/cloze.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.cloze.make import SETS, make_cloze
from bert.cloze.settings import ClozeSettings
from bert.pipeline.job import job, parser, run
from bert.pipeline.params import section
from bert.watch.progress import track


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--documents", type=Path, nargs="+", required=True, help="folders of documents")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    settings, seed = section(ClozeSettings, "cloze"), section(int, "seed")
    with job("cloze", "stages.cloze", {"cloze": settings, "seed": seed}, args.documents, args.metrics) as work:
        result = work.folder / "result"
        work.metrics |= make_cloze(args.documents, settings, seed, result, track)
        work.publish({result / name: args.out / name for name in SETS})


if __name__ == "__main__":
    run(main)
